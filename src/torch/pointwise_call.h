#pragma once
// A pointwise ATen call on its way to a plan. Two ways lead there: tensors of one dense layout directly, all else through
// TensorIterator, which knows ATen's rules for broadcasting, memory formats, resizing and overlap.
#include <ATen/core/Tensor.h>

#include "core/status.h"
#include "ops/pointwise/pointwise.h"

namespace corundum::pointwise {

// Who may be where and of which dtype, as the ATen kernel of the same name has it.
struct Rules {
  bool cpu_scalars = false;   // one 0-dim CPU tensor may meet tensors of another device
  bool casts_output = true;   // out= may have any dtype that the result can be cast to
  bool resizes_output = true; // out= may have another shape
  bool same_dtypes = false;   // all tensors must agree
};

struct TensorCall {
  const Op* op;
  uint8_t flag = 0;
  Rules rules;
  int inputs;
  const at::Tensor* in[max_inputs];
  corundum::Scalar scalars[2];
  // Undefined: by the row's promotion. Otherwise the dtype in which the inputs meet, which is the result's.
  at::ScalarType compute = at::ScalarType::Undefined;
  bool moves_bits = false; // a copy within one dtype, which needs no arithmetic of it
};

// `out` is undefined: a new tensor is made. Otherwise it is written (in-place, out=).
// Refuses before anything is written; a TensorIterator error (shapes that do not broadcast, overlap) is thrown as ATen throws it.
Status run(const TensorCall& call, at::Tensor& out);

// A number of the user's, in the words of the kernel. Refuses complex numbers.
Status to_scalar(const at::Scalar& number, corundum::Scalar* scalar);
// Whether a row takes a compute dtype.
bool is_covered(const Op& op, at::ScalarType type);
// Whether a number can be stored in a dtype without overflow, as c10::Scalar::to<T>() demands. Not for complex numbers.
bool fits(const at::Scalar& number, at::ScalarType dtype);

} // namespace corundum::pointwise
