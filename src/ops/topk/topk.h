#pragma once
// The k largest (smallest) elements of each row of a contiguous [rows, n] tensor, in order, and where they stood. Equal elements
// come in the order of their places.
#include "core/chip.h"
#include "core/launch.h"
#include "core/status.h"
#include "core/view.h"

namespace corundum::topk {

struct Call {
  const void* in; // [rows, n]
  Dtype dtype;    // integer or floating, bool too
  int64_t rows, n, k;
  bool largest;
  void* out;      // [rows, k], same dtype
  int64_t* index; // [rows, k]
};

// Refuses a k beyond what a block can sort in its scratch.
Status plan(const Chip& chip, const Call& call, LaunchList& list);

} // namespace corundum::topk
