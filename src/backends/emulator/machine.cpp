#include "backends/emulator/machine.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <numeric>

#include "backends/emulator/sanitizer.h"
#include "core/config.h"

namespace corundum::emulator {
namespace {

thread_local Machine* machine = nullptr;

constexpr uint32_t zone = 1024; // round each block's shared memory: accesses that miss it by less are caught
constexpr uint32_t most_lanes = 4096, most_clusters = 8; // resident at a time
constexpr uint32_t round_up(uint32_t n, uint32_t to) { return (n + to - 1) / to * to; }

// Kept for the next launch of this thread: making one costs two system calls and page faults.
std::vector<Stack>& stacks() {
  thread_local std::vector<Stack> all;
  return all;
}

uint32_t resident_clusters(const Launch& launch) {
  const uint32_t fit = most_lanes / (launch.threads * launch.cluster);
  return std::clamp(std::min(fit, launch.grid[0] / launch.cluster), 1u, most_clusters);
}

uint32_t end_of(const Program& program) {
  return program.variables.empty() ? 0 : program.variables.back().first + program.variables.back().second;
}

} // namespace

Machine& Machine::current() { return *machine; }

Machine::Machine(const Program& program, const Launch& launch, const void* args, uint64_t seed)
    : program_(program),
      launch_(launch),
      args_(args),
      seed_(seed),
      random_(seed),
      cluster_size_(launch.cluster),
      threads_(launch.threads),
      arena_at_(round_up(end_of(program) + 32, 128)),
      block_bytes_(round_up(arena_at_ + launch.shared_bytes + 2 * zone, zone)),
      shared_bytes_(uint64_t{block_bytes_} * cluster_size_ * resident_clusters(launch)),
      is_valid_(block_bytes_, false),
      shadow_(sees_accesses() ? shared_bytes_ : 0),
      clusters_(resident_clusters(launch)),
      order_(launch.grid[0] / launch.cluster) {
  memory_ = std::make_unique<char[]>(shared_bytes_ + zone);
  shared_ = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(memory_.get()) + zone - 1) / zone * zone);
  const auto own = [&](uint32_t offset, uint32_t bytes) { std::fill_n(is_valid_.begin() + zone + offset, bytes, true); };
  for (const auto& [offset, bytes] : program.variables) own(offset, bytes);
  own(arena_at_, launch.shared_bytes);
  std::iota(order_.begin(), order_.end(), 0u);
  std::shuffle(order_.begin(), order_.end(), random_); // a GPU promises no order of blocks
  while (stacks().size() < clusters_.size() * cluster_size_ * threads_) stacks().emplace_back(stack_bytes());
  uint64_t slot = 0;
  for (Cluster& c : clusters_) {
    c.blocks.resize(cluster_size_);
    c.lanes.resize(cluster_size_ * threads_);
    c.clocks.resize(c.lanes.size());
    for (Block& b : c.blocks) {
      b.shared = shared_ + block_bytes_ * slot++ + zone;
      for (const auto& [offset, bytes] : program.variables) forbid(b.shared + offset + bytes, 32);
      forbid(b.shared - zone, zone);
      forbid(b.shared + arena_at_ + launch.shared_bytes, block_bytes_ - zone - arena_at_ - launch.shared_bytes);
    }
  }
  machine = this;
  static std::once_flag told;
  std::call_once(told, [] {
    on_report([] {
      if (machine && machine->lane_) log_line(machine->title() + machine->name(*machine->lane_), true);
    });
  });
}

std::string Machine::title() const {
  return "emulator" + std::to_string(program_.warp_size) + ": kernel " + program_.entry_name + ": ";
}

Machine::~Machine() {
  allow(memory_.get(), shared_bytes_ + zone);
  machine = nullptr;
}

void Machine::start(Cluster& c, uint32_t number) {
  c.number = number;
  c.waiting = c.ended_blocks = 0;
  ++now_;
  const uint32_t warps = (threads_ + program_.warp_size - 1) / program_.warp_size;
  const auto first_stack = static_cast<uint32_t>(&c - clusters_.data()) * cluster_size_ * threads_;
  for (uint32_t id = 0; id < c.lanes.size(); ++id) {
    Lane& lane = c.lanes[id];
    const uint32_t rank = id / threads_, index = id % threads_;
    c.clocks[id] = {static_cast<uint16_t>(id),
                    static_cast<uint16_t>(rank),
                    static_cast<uint16_t>(rank * warps + index / program_.warp_size),
                    now_,
                    now_,
                    now_};
    lane = {};
    lane.block = &c.blocks[rank];
    lane.clock = &c.clocks[id];
    lane.index = index;
    lane.copies.resize(1);
    const Stack& stack = stacks()[first_stack + id];
    allow(stack.low(), static_cast<size_t>(stack.high() - stack.low()));
    lane.context = prepare(stack, run_lane, this);
    ready_.push_back(&lane);
  }
  for (uint32_t rank = 0; rank < cluster_size_; ++rank) {
    Block& b = c.blocks[rank];
    b = {&c, rank, rank * threads_, 0, 0, std::vector<uint32_t>(warps, 0), b.shared};
    const auto fill = [&](uint32_t offset, uint32_t bytes) { std::memset(b.shared + offset, 0xff, bytes); }; // NaN, -1
    for (const auto& [offset, bytes] : program_.variables) fill(offset, bytes);
    fill(arena_at_, launch_.shared_bytes);
  }
}

void Machine::next_cluster(Cluster& c) {
  if (order_.empty()) return;
  const uint32_t number = order_.back();
  order_.pop_back();
  start(c, number);
}

Status Machine::run() {
  for (Cluster& c : clusters_) next_cluster(c);
  while (!ready_.empty() && !fault_) {
    std::swap(ready_[random_() % ready_.size()], ready_.back());
    lane_ = ready_.back();
    ready_.pop_back();
    corundum_switch(&scheduler_, lane_->context);
    Cluster& c = *lane_->block->cluster;
    if (lane_->wait == Wait::ended && c.ended_blocks == cluster_size_) {
      c.ended_blocks = 0;
      for (Lane& lane : c.lanes) lane.block = nullptr; // nobody waits here
      next_cluster(c);
    }
  }
  if (!fault_)
    if (std::string why = stuck(); !why.empty()) fault_ = why;
  if (!fault_) return {};
  return Status::refuse(title() + *fault_ + " (seed " + std::to_string(seed_) + ")");
}

void Machine::run_lane(void* self) {
  Machine& m = *static_cast<Machine*>(self);
  m.program_.entry(m.args_);
  m.end_of_lane();
  m.yield();
}

void Machine::end_of_lane() {
  for (const auto& group : lane_->copies)
    for (const Copy& copy : group)
      fail(name(*lane_) + " ends while its asynchronous copy is under way, " + program_.describe(copy.access.place), nullptr);
  Block& b = *lane_->block;
  lane_->wait = Wait::ended;
  idle_ = 0;
  if (++b.ended < threads_) return;
  check_visit(b, nullptr);
  ++b.cluster->ended_blocks;
}

void Machine::wake(Lane& lane) {
  lane.wait = Wait::running;
  ready_.push_back(&lane);
}

void Machine::fail(const std::string& what, const void* place) {
  fault_ = place ? what + ", " + program_.describe(program_.place_of(place)) : what;
  for (;;) yield(); // the scheduler gives up: nobody comes back here
}

std::string Machine::name(const Lane& lane) const {
  const Block& b = *lane.block;
  return "lane " + std::to_string(lane.index) + " of block " + std::to_string(b.cluster->number * cluster_size_ + b.rank);
}

} // namespace corundum::emulator
