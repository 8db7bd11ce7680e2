#pragma once
// Reductions over any set of dimensions: sum, mean, vector norms.
#include "core/chip.h"
#include "core/launch.h"
#include "core/status.h"
#include "core/view.h"

namespace corundum::reduce {

enum class Kind : uint8_t { sum, mean, norm0, norm1, norm2, norm_inf, norm_neg_inf, norm_p };

struct Call {
  Kind kind;
  View in;
  uint64_t reduced; // bit d set: dimension d of `in` is reduced
  View out;         // rank of `in`, size 1 (stride ignored) where reduced; dtype is the result's
  double p = 2;     // order, for norm_p
};

// Accumulates in float32 (float64, int64 for those inputs), in an order that depends on shapes alone: the same bits every run.
// Reducing nothing gives the identity (sum 0, mean NaN, norm 0). Refuses complex dtypes.
Status plan(const Chip& chip, const Call& call, LaunchList& list);

} // namespace corundum::reduce
