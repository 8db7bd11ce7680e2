#pragma once
// The elements of a contiguous sequence that a mask selects, in their order. Two plans, since the host must know how many there are
// before there is room for them.
#include "core/chip.h"
#include "core/launch.h"
#include "core/status.h"
#include "core/view.h"

namespace corundum::compact {

struct Call {
  int64_t n;
  const void* mask;    // [n], bool
  int64_t* counts;     // [blocks(chip, n)]: count() writes how many each block found; their sum is the result's length
  const void* in;      // [n]; for move() alone
  size_t element_size; // 1, 2, 4, 8 or 16 bytes; moved as opaque bits
  void* out;           // [sum of counts]
};

// How many numbers `counts` has.
int64_t blocks(const Chip& chip, int64_t n);

Status count(const Chip& chip, const Call& call, LaunchList& list);
Status move(const Chip& chip, const Call& call, LaunchList& list);

} // namespace corundum::compact
