#pragma once
// Pointwise calls, planned: any rank, any strides, any mix of dtypes.
#include <cstdint>

#include "core/chip.h"
#include "core/launch.h"
#include "core/status.h"
#include "core/view.h"
#include "ops/pointwise/table.h"

namespace corundum::pointwise {

inline constexpr int max_inputs = 8, max_outputs = 4, max_scalars = 4;
inline constexpr int max_rank = 16; // after merging dimensions

struct Operand {
  void* data = nullptr;             // ignored for a scalar
  Dtype dtype = Dtype::float32;     // as stored
  const int64_t* strides = nullptr; // bytes, fastest dimension first as in at::TensorIterator; 0 where broadcast
  const Scalar* scalar = nullptr;   // set: no memory, the value itself (a 0-dim CPU tensor, a wrapped number)
};

struct Call {
  const Op* op;
  uint8_t flag = 0; // which expression
  Dtype compute;    // dtype in which the inputs meet (16-bit floats then compute in float32); torch calls it common_dtype
  int rank = 0;
  const int64_t* shape = nullptr; // fastest dimension first
  Operand out[max_outputs];
  Operand in[max_inputs];
  Scalar scalars[max_scalars];
};

// How many inputs an expression has: rows with bounds that may be absent have fewer.
int inputs_of(const Op& op, int flag);
// The part of a DtypeSet that a dtype belongs to; 0 for 8-bit floats.
uint8_t set_of(Dtype dtype);

// Refuses, with a reason, what the table does not cover. An empty call gives an empty list.
Status plan(const Chip& chip, const Call& call, LaunchList& list);

// The common case, without looking at strides: every operand has the same dense layout (or is a scalar); `count` elements.
// Call::rank, shape and the operands' strides are ignored.
Status plan_dense(const Chip& chip, const Call& call, int64_t count, LaunchList& list);

} // namespace corundum::pointwise
