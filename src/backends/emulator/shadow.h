#pragma once
// Who touched each byte of shared memory last, and whether a barrier lies between two accesses.
//
// Time is a counter that each completed barrier moves on. A lane knows the time of the last barrier that its cluster, its block and
// its warp passed; an access happened before all that the lane does now if it is older than the barrier that both lanes passed.
#include <cstdint>
#include <vector>

namespace corundum::emulator {

// A lane, as far as order is concerned. `id` counts through the cluster.
struct LaneClock {
  uint16_t id, block, warp; // the warp's number counts through the cluster, too
  uint32_t cluster_time, block_time, warp_time;
};

enum class Touch : uint8_t { read, write, atomic };

struct Access {
  uint32_t time = 0; // 0: none
  uint16_t lane = 0;
  Touch touch = Touch::read;
  uint32_t place = 0;
};

// What a lane must not do, and the access that stands in its way.
struct Conflict {
  enum Kind : uint8_t { none, race, in_flight } kind = none;
  Access other;
};

class Shadow {
 public:
  explicit Shadow(uint64_t bytes) : cells_(bytes) {}
  // Notes an access of `now` to a byte and says what it collides with. `clocks` are those of the byte's cluster, by lane id.
  Conflict touch(uint64_t byte, const LaneClock* clocks, const Access& now);
  // An asynchronous copy to this byte is under way, until it lands.
  void take_off(uint64_t byte, const Access& copy) { cells_[byte].copy = copy; }
  void land(uint64_t byte) { cells_[byte].copy.time = 0; }

 private:
  // Two accesses are enough: a third lane's adds nothing unless it is of another warp or block than both, and then it takes the
  // place of one. (Whoever is not ordered after it is not ordered after one of those either.)
  struct Recent {
    Access a[2];
    void add(const LaneClock* clocks, const Access& now);
    const Access* unordered(const LaneClock* clocks, const LaneClock& lane) const;
  };
  struct Cell {
    Recent written, read; // `written`: one plain write, or atomic operations
    Access copy;
  };
  std::vector<Cell> cells_;
};

} // namespace corundum::emulator
