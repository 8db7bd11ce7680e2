#pragma once
// Inclusive scans along one dimension of a contiguous tensor.
#include "core/chip.h"
#include "core/launch.h"
#include "core/status.h"
#include "core/view.h"

namespace corundum::scan {

enum class Kind : uint8_t { sum };

struct Call {
  Kind kind;
  const void* in;
  Dtype in_dtype;
  void* out; // contiguous, of the same shape; may be `in`
  Dtype out_dtype;
  int64_t outer, n, inner; // the shape is [outer, n, inner], scanned along n
};

// Accumulates in int64 for integers; in float64 for float64, and on CPUs for float32; otherwise in float32. The order of additions
// depends on shapes and chip alone: the same bits every run. Refuses complex dtypes, and integers as the sum of floats.
Status plan(const Chip& chip, const Call& call, LaunchList& list);

} // namespace corundum::scan
