// Where lanes wait for each other: barriers, shuffles, ballots; and what is said when they miss each other.
#include <algorithm>

#include "backends/emulator/machine.h"

namespace corundum::emulator {
namespace {

const char* name_of(Wait wait) {
  switch (wait) {
    case Wait::shuffle:
      return "a shuffle";
    case Wait::ballot:
      return "a ballot";
    case Wait::warp_barrier:
      return "a warp's barrier";
    case Wait::barrier:
      return "a barrier";
    case Wait::cluster_barrier:
      return "a cluster's barrier";
    default:
      return "";
  }
}

} // namespace

void Machine::wait_for_block(const void* place) {
  lane_->wait = Wait::barrier;
  lane_->place = program_.place_of(place);
  Block& b = *lane_->block;
  if (++b.waiting == threads_) complete_block(b);
  yield();
}

void Machine::complete_block(Block& b) {
  Lane* lanes = &b.cluster->lanes[b.first_lane];
  check_meeting(lanes, threads_, "the lanes of a block meet in different barriers");
  b.waiting = 0;
  ++now_;
  for (uint32_t i = 0; i < threads_; ++i) {
    lanes[i].clock->block_time = lanes[i].clock->warp_time = now_;
    wake(lanes[i]);
  }
  idle_ = 0;
}

void Machine::wait_for_cluster(const void* place) {
  lane_->wait = Wait::cluster_barrier;
  lane_->place = program_.place_of(place);
  Cluster& c = *lane_->block->cluster;
  if (++c.waiting == c.lanes.size()) complete_cluster(c);
  yield();
}

void Machine::complete_cluster(Cluster& c) {
  check_meeting(c.lanes.data(), static_cast<uint32_t>(c.lanes.size()), "the lanes of a cluster meet in different barriers");
  c.waiting = 0;
  ++now_;
  for (Lane& lane : c.lanes) {
    lane.clock->cluster_time = lane.clock->block_time = lane.clock->warp_time = now_;
    wake(lane);
  }
  idle_ = 0;
}

void Machine::wait_for_warp(Wait kind, const void* place) {
  lane_->wait = kind;
  lane_->place = program_.place_of(place);
  Block& b = *lane_->block;
  const uint32_t warp = lane_->index / program_.warp_size;
  const uint32_t lanes = std::min(program_.warp_size, threads_ - warp * program_.warp_size);
  if (++b.arrived[warp] == lanes) complete_warp(b, warp);
  yield();
}

void Machine::complete_warp(Block& b, uint32_t warp) {
  const uint32_t first = warp * program_.warp_size, count = std::min(program_.warp_size, threads_ - first);
  Lane* lanes = &b.cluster->lanes[b.first_lane + first];
  check_meeting(lanes, count, "the lanes of a warp meet in different places");
  b.arrived[warp] = 0;
  if (lanes->wait == Wait::shuffle) {
    uint32_t words[128];
    for (uint32_t i = 0; i < count; ++i) words[i] = lanes[i].value;
    for (uint32_t i = 0; i < count; ++i) {
      const auto source = static_cast<uint32_t>(lanes[i].source);
      if (source >= count)
        fail(name(lanes[i]) + " shuffles with lane " + std::to_string(lanes[i].source) + " of a warp of " + std::to_string(count) +
                 ", " + program_.describe(lanes[i].place),
             nullptr);
      lanes[i].value = words[source];
    }
  }
  if (lanes->wait == Wait::ballot) {
    uint64_t all[2] = {0, 0};
    for (uint32_t i = 0; i < count; ++i) all[i / 64] |= uint64_t{lanes[i].is_set} << i % 64;
    for (uint32_t i = 0; i < count; ++i) std::copy_n(all, 2, lanes[i].ballot);
  }
  if (lanes->wait == Wait::warp_barrier) {
    ++now_;
    for (uint32_t i = 0; i < count; ++i) lanes[i].clock->warp_time = now_;
  }
  for (uint32_t i = 0; i < count; ++i) wake(lanes[i]);
  idle_ = 0;
}

uint32_t Machine::shuffle(uint32_t value, int source, const void* place) {
  lane_->value = value;
  lane_->source = source;
  wait_for_warp(Wait::shuffle, place);
  return lane_->value;
}

void Machine::ballot(bool set, uint64_t* mask, const void* place) {
  lane_->is_set = set;
  wait_for_warp(Wait::ballot, place);
  std::copy_n(lane_->ballot, 2, mask);
}

void Machine::check_meeting(const Lane* lanes, uint32_t count, const char* what) {
  for (uint32_t i = 1; i < count; ++i)
    if (lanes[i].wait != lanes->wait || !program_.same_place(lanes[i].place, lanes->place))
      fail(what + std::string(" (block ") + std::to_string(lanes->block->cluster->number * cluster_size_ + lanes->block->rank) +
               "): " + waits(lanes, count),
           nullptr);
}

// "lanes 0-15 wait at a shuffle in reduce (line 12: ...); lanes 16-31 have ended"
std::string Machine::waits(const Lane* lanes, uint32_t count) const {
  struct Group {
    Wait wait;
    uint32_t place;
    std::string lanes;
    uint32_t first, last;
  };
  std::vector<Group> groups;
  const auto close = [](Group& g) {
    if (!g.lanes.empty()) g.lanes += ", ";
    g.lanes += std::to_string(g.first);
    if (g.last > g.first) g.lanes.append("-").append(std::to_string(g.last));
  };
  for (uint32_t i = 0; i < count; ++i) {
    const Lane& lane = lanes[i];
    const uint32_t place = lane.wait == Wait::ended ? 0 : lane.place;
    const auto same = [&](const Group& g) { return g.wait == lane.wait && program_.same_place(g.place, place); };
    const auto found = std::find_if(groups.begin(), groups.end(), same);
    if (found == groups.end()) {
      groups.push_back({lane.wait, place, "", lane.index, lane.index});
    } else if (found->last + 1 == lane.index) {
      found->last = lane.index;
    } else {
      close(*found);
      found->first = found->last = lane.index;
    }
  }
  std::string text;
  for (Group& g : groups) {
    close(g);
    text += (text.empty() ? "lanes " : "; lanes ") + g.lanes;
    if (g.wait == Wait::ended)
      text += " have ended";
    else if (g.wait == Wait::running)
      text += " go on";
    else
      text += std::string(" wait at ") + name_of(g.wait) + " " + program_.describe(g.place);
  }
  return text;
}

std::string Machine::stuck() const {
  std::string text;
  for (const Cluster& c : clusters_) {
    if (c.lanes.front().block == nullptr) continue; // done, or never started
    for (const Block& b : c.blocks) {
      const Lane* lanes = &c.lanes[b.first_lane];
      const std::string where = "block " + std::to_string(c.number * cluster_size_ + b.rank);
      for (uint32_t w = 0; w < b.arrived.size(); ++w)
        if (const uint32_t first = w * program_.warp_size; b.arrived[w])
          return "the lanes of a warp of " + where +
                 " do not all reach the same place: " + waits(lanes + first, std::min(program_.warp_size, threads_ - first));
      if (b.waiting) return "the lanes of " + where + " do not all reach a barrier: " + waits(lanes, threads_);
      if (b.ended < threads_) text += (text.empty() ? "" : "; ") + where + ": " + waits(lanes, threads_);
    }
  }
  return text.empty() ? text : "nobody gets further: " + text;
}

} // namespace corundum::emulator
