// What lanes do to memory: the look at each access, atomic operations, other blocks' shared memory, asynchronous copies.
#include <algorithm>
#include <cstring>

#include "backends/emulator/machine.h"
#include "backends/emulator/sanitizer.h"

namespace corundum::emulator {
namespace {

constexpr uint64_t most_idle = 1'000'000; // turns without progress: far more than any order of lanes needs

const char* verb(Touch touch) { return touch == Touch::read ? "reads" : touch == Touch::write ? "writes" : "changes atomically"; }

} // namespace

void Machine::touch(const void* p, uint64_t bytes, Touch touch, const void* place) {
  const uint64_t at = static_cast<uint64_t>(static_cast<const char*>(p) - shared_);
  if (at < shared_bytes_) touch_shared(at, bytes, touch, place);
}

void Machine::touch_shared(uint64_t at, uint64_t bytes, Touch touch, const void* place) {
  Cluster& c = *lane_->block->cluster;
  const uint64_t first_slot = static_cast<uint64_t>(&c - clusters_.data()) * cluster_size_, slot = at / block_bytes_;
  const uint64_t inside = at % block_bytes_;
  const bool own_cluster = slot >= first_slot && slot < first_slot + cluster_size_;
  for (uint64_t i = 0; i < bytes; ++i)
    if (!own_cluster || inside + i >= block_bytes_ || !is_valid_[inside + i])
      fail(name(*lane_) + " " + verb(touch) + " " + std::to_string(bytes) + " bytes outside of its shared memory: byte " +
               std::to_string(static_cast<int64_t>(inside + i) -
                              static_cast<int64_t>(lane_->block->shared - shared_) % block_bytes_) +
               " of a block's is nobody's",
           place);
  Block& b = c.blocks[slot - first_slot];
  const uint32_t where = program_.place_of(place);
  if (&b != lane_->block) {
    b.visited = now_;
    b.visit_place = where;
    if (b.ended == threads_) check_visit(b, place);
  }
  const Access access{now_, lane_->clock->id, touch, where};
  for (uint64_t i = 0; i < bytes; ++i)
    if (const Conflict found = shadow_.touch(at + i, c.clocks.data(), access); found.kind != Conflict::none)
      fail(explain(inside + i, found, touch, c), place);
}

std::string Machine::explain(uint64_t at, const Conflict& found, Touch touch, const Cluster& c) const {
  const Lane& other = c.lanes[found.other.lane];
  const std::string byte = "byte " + std::to_string(at - 1024) + " of the shared memory", who = name(other);
  const std::string there = program_.describe(found.other.place);
  if (found.kind == Conflict::in_flight)
    return "an asynchronous copy that nobody has waited for: " + who + " copies to " + byte + " " + there + ", and " +
           name(*lane_) + " " + verb(touch) + " it";
  return "race on " + byte + ": " + who + " " + verb(found.other.touch) + " it " + there + ", and with no barrier between " +
         name(*lane_) + " " + verb(touch) + " it";
}

void Machine::atomic(const void* p, uint32_t bytes, bool may_wait, const void* place) {
  if (may_wait && ++idle_ > most_idle) fail("nobody gets further: " + name(*lane_) + " turns in a circle", place);
  wake(*lane_);
  yield();
  if (sees_accesses()) touch(p, bytes, Touch::atomic, place);
}

void Machine::release(const void* p, uint32_t bytes, const void* place) {
  atomic(p, bytes, false, place);
  idle_ = 0;
}

void* Machine::in_block(void* shared, uint32_t rank, const void* place) {
  if (rank >= cluster_size_)
    fail(name(*lane_) + " asks for block " + std::to_string(rank) + " of a cluster of " + std::to_string(cluster_size_), place);
  return static_cast<char*>(shared) + (static_cast<int64_t>(rank) - lane_->block->rank) * static_cast<int64_t>(block_bytes_);
}

// A block's shared memory is gone with it: those who visit it must meet it in a cluster's barrier before it ends.
void Machine::check_visit(Block& b, const void* place) {
  const LaneClock& clock = b.cluster->clocks[b.first_lane];
  if (b.visited >= clock.cluster_time && b.visited != 0)
    fail("block " + std::to_string(b.cluster->number * cluster_size_ + b.rank) +
             " may end while another block of its cluster uses its shared memory " + program_.describe(b.visit_place),
         place);
}

void Machine::copy(const Copy& asked, const void* place) {
  if (reinterpret_cast<uintptr_t>(asked.to) % 16 || reinterpret_cast<uintptr_t>(asked.from) % 16)
    fail(name(*lane_) + " copies asynchronously from or to an address that is no multiple of 16", place);
  if (asked.bytes + asked.zeros != 16) fail(name(*lane_) + " copies asynchronously more than 16 bytes", place);
  Copy copy = asked;
  copy.access = {now_, lane_->clock->id, Touch::write, program_.place_of(place)};
  const uint64_t at = static_cast<uint64_t>(copy.to - shared_);
  if (at >= shared_bytes_) fail(name(*lane_) + " copies asynchronously to what is no shared memory", place);
  if (sees_accesses()) {
    touch(copy.to, 16, Touch::write, place);
    for (uint64_t i = 0; i < 16; ++i) shadow_.take_off(at + i, copy.access);
  }
  lane_->copies.back().push_back(copy);
}

// Copies land as late as they may, in any order.
void Machine::land(uint32_t groups_left, const void* place) {
  auto& groups = lane_->copies;
  if (groups.size() - 1 <= groups_left) return;
  const auto end = groups.end() - 1 - groups_left;
  std::vector<Copy> landing;
  for (auto group = groups.begin(); group != end; ++group) landing.insert(landing.end(), group->begin(), group->end());
  groups.erase(groups.begin(), end);
  std::shuffle(landing.begin(), landing.end(), random_);
  for (const Copy& copy : landing) {
    if (sees_accesses()) {
      for (int i = 0; i < 16; ++i) shadow_.land(static_cast<uint64_t>(copy.to - shared_ + i));
      touch(copy.to, 16, Touch::write, place);
    }
    std::memcpy(copy.to, copy.from, copy.bytes);
    std::memset(copy.to + copy.bytes, 0, copy.zeros);
  }
}

} // namespace corundum::emulator
