#pragma once
// Softmax and log-softmax over one dimension of a contiguous tensor.
#include "core/chip.h"
#include "core/launch.h"
#include "core/status.h"
#include "core/view.h"

namespace corundum::softmax {

struct Call {
  bool log; // log_softmax
  const void* in;
  Dtype in_dtype;
  void* out; // contiguous, of the same shape
  Dtype out_dtype;
  int64_t outer, n, inner; // the shape is [outer, n, inner], reduced over n
};

Status plan(const Chip& chip, const Call& call, LaunchList& list);

} // namespace corundum::softmax
