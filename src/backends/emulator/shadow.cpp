#include "backends/emulator/shadow.h"

namespace corundum::emulator {
namespace {

bool is_before(const LaneClock* clocks, const Access& old, const LaneClock& lane) {
  const LaneClock& other = clocks[old.lane];
  return old.time == 0 || old.lane == lane.id || old.time < lane.cluster_time ||
         (old.time < lane.block_time && other.block == lane.block) || (old.time < lane.warp_time && other.warp == lane.warp);
}

} // namespace

const Access* Shadow::Recent::unordered(const LaneClock* clocks, const LaneClock& lane) const {
  for (const Access& old : a)
    if (!is_before(clocks, old, lane)) return &old;
  return nullptr;
}

void Shadow::Recent::add(const LaneClock* clocks, const Access& now) {
  const LaneClock& lane = clocks[now.lane];
  for (Access& old : a)
    if (is_before(clocks, old, lane)) {
      old = now;
      return;
    }
  const LaneClock &first = clocks[a[0].lane], &second = clocks[a[1].lane];
  if (first.block == second.block && (first.block != lane.block || (first.warp == second.warp && first.warp != lane.warp)))
    a[1] = now;
}

Conflict Shadow::touch(uint64_t byte, const LaneClock* clocks, const Access& now) {
  Cell& cell = cells_[byte];
  const LaneClock& lane = clocks[now.lane];
  if (cell.copy.time != 0) return {Conflict::in_flight, cell.copy};
  for (const Access& old : cell.written.a)
    if (!is_before(clocks, old, lane) && !(old.touch == Touch::atomic && now.touch == Touch::atomic)) return {Conflict::race, old};
  if (now.touch == Touch::read) {
    cell.read.add(clocks, now);
    return {};
  }
  if (const Access* old = cell.read.unordered(clocks, lane)) return {Conflict::race, *old};
  if (now.touch == Touch::write) {
    cell.written = {{now, {}}};
    cell.read = {};
  } else if (const Access& last = cell.written.a[0];
             last.touch != Touch::write || last.lane != lane.id || last.time < lane.block_time) {
    cell.written.add(clocks, now); // else the lane's own plain write stays, which the atomic operations of others may not meet
  }
  return {};
}

} // namespace corundum::emulator
