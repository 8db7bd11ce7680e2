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
  corundum::Scalar scalars[max_scalars];
  // Undefined: by the row's promotion. Otherwise the dtype in which the inputs meet, which is the result's.
  at::ScalarType compute = at::ScalarType::Undefined;
  // Likewise of each result.
  at::ScalarType results[max_outputs] = {at::ScalarType::Undefined, at::ScalarType::Undefined, at::ScalarType::Undefined,
                                         at::ScalarType::Undefined};
  bool moves_bits = false; // a copy within one dtype, which needs no arithmetic of it
};

TensorCall call_of(const Op& op, Rules rules, std::initializer_list<const at::Tensor*> inputs);

// An undefined output is made; another one is written (in-place, out=). `outputs` are as many as the row says.
// Refuses before anything is written; a TensorIterator error (shapes that do not broadcast, overlap) is thrown as ATen throws it.
Status run(const TensorCall& call, at::Tensor* const* outputs);
inline Status run(const TensorCall& call, at::Tensor& out) {
  at::Tensor* const outputs[] = {&out};
  return run(call, outputs);
}

// run, into a new tensor where `out` is undefined: with the strides of a dense `x`, as at::empty_like has them, or contiguous. For
// results that ATen makes itself, not through TensorIterator.
enum class Made : uint8_t { like, contiguous };
Status run_into_new(const TensorCall& call, const at::Tensor& x, at::ScalarType type, Made as, at::Tensor& out);

// The same where the row says so; otherwise run. `x` has the dtype that the result has, unless that is bool.
Status run_as_made(const TensorCall& call, const at::Tensor& x, at::Tensor& out);

// Whether no dimension of one element has a stride of its own: beside a number, only then is TensorIterator's result contiguous.
bool has_canonical_strides(const at::Tensor& t);

// A number of the user's, in the words of the kernel.
corundum::Scalar to_scalar(const at::Scalar& number);
// Whether a row takes a compute dtype.
bool is_covered(const Op& op, at::ScalarType type);
// Whether a number can be stored in a dtype without overflow, as c10::Scalar::to<T>() demands.
bool fits(const at::Scalar& number, at::ScalarType dtype);
// A number beside a tensor, as a tensor that does not promote beyond its kind.
at::Tensor wrapped(const at::Scalar& number);
// bool < integral < floating < complex, the order in which torch promotes.
int category(at::ScalarType type);

} // namespace corundum::pointwise
