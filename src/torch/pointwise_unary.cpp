// Operators of one tensor, and their backwards.
#include <ATen/native/TypeProperties.h>

#include "torch/pointwise_forms.h"
#include "torch/pointwise_row.h"
#include "torch/tensors.h"

namespace corundum::pointwise {

namespace {

Status unary(const Op& op, Tensor& out, const Tensor& x) {
  const bool to_real = op.promotion == Promotion::complex_to_float || op.promotion == Promotion::any_to_float;
  if (to_real && c10::isComplexType(x.scalar_type())) {
    if (out.is_same(x)) return Status::refuse("complex numbers in place");
    if (!is_plain(x)) return Status::refuse(not_plain);
    const Made as = op.promotion == Promotion::any_to_float ? Made::contiguous : Made::like;
    return run_into_new(call_of(op, {}, {&x}), x, c10::toRealValueType(x.scalar_type()), as, out);
  }
  return run_as_made(call_of(op, {}, {&x}), x, out);
}

Status approximation(c10::string_view text, uint8_t* flag) {
  *flag = text == "tanh";
  if (text != "tanh" && text != "none") return Status::refuse("approximate is neither \"none\" nor \"tanh\"");
  return {};
}

Status unary_approximate(const Op& op, Tensor& out, const Tensor& x, c10::string_view approximate) {
  TensorCall call = call_of(op, strict_output, {&x});
  CORUNDUM_TRY(approximation(approximate, &call.flag));
  return run(call, out);
}

// Which form of a backward: a second one is for GPUs.
uint8_t form_of(const Op& op, const Tensor& x) { return op.expression[1] != nullptr && x.is_cuda(); }

Status backward(const Op& op, Tensor& out, const Tensor& grad, const Tensor& y) {
  TensorCall call = call_of(op, gradient, {&grad, &y});
  call.flag = form_of(op, y);
  return run(call, out);
}

Status backward_approximate(const Op& op, Tensor& out, const Tensor& grad, const Tensor& x, c10::string_view approximate) {
  TensorCall call = call_of(op, gradient, {&grad, &x});
  CORUNDUM_TRY(approximation(approximate, &call.flag));
  return run(call, out);
}

// Numbers in the row's compute type; ATen's kernel converts them likewise and raises where one does not fit.
template <class... Numbers>
Status add_numbers(TensorCall& call, at::ScalarType type, const Numbers&... numbers) {
  if (!(fits(numbers, type) && ...)) return Status::refuse("a number does not fit the dtype");
  int i = 0;
  ((call.scalars[i++] = to_scalar(numbers)), ...);
  return {};
}

template <class... Numbers>
Status unary_scalars(const Op& op, Tensor& out, const Tensor& x, Numbers... numbers) {
  if (!is_plain(x)) return Status::refuse(not_plain);
  TensorCall call = call_of(op, strict_output, {&x});
  if (!is_covered(op, x.scalar_type())) return Status::refuse("dtype not covered");
  CORUNDUM_TRY(add_numbers(call, x.scalar_type(), numbers...));
  return run_as_made(call, x, out);
}

template <class... Numbers>
Status backward_scalars(const Op& op, Tensor& out, const Tensor& grad, const Tensor& x, Numbers... numbers) {
  if (!is_plain(x)) return Status::refuse(not_plain);
  TensorCall call = call_of(op, gradient, {&grad, &x});
  call.flag = form_of(op, x);
  if (!is_covered(op, x.scalar_type())) return Status::refuse("dtype not covered");
  CORUNDUM_TRY(add_numbers(call, x.scalar_type(), numbers...));
  return run(call, out);
}

using Number = const at::Scalar&;

void declare_scalars(const Op& op) {
  switch (op.scalars) {
    case 1:
      return Forms<&unary_scalars<Number>>::all(op);
    case 2:
      return Forms<&unary_scalars<Number, Number>>::all(op);
    case 3:
      return Forms<&unary_scalars<Number, Number, Number>>::all(op);
  }
}

void declare_backward_scalars(const Op& op) {
  switch (op.scalars) {
    case 1:
      return Forms<&backward_scalars<Number>>::backward(op);
    case 2:
      return Forms<&backward_scalars<Number, Number>>::backward(op);
  }
}

const bool declared = for_rows(Signature::unary, &declare_unary) &&
                      for_rows(Signature::unary_approximate, [](const Op& op) { Forms<&unary_approximate>::all(op); }) &&
                      for_rows(Signature::unary_scalars, &declare_scalars) &&
                      for_rows(Signature::backward, [](const Op& op) { Forms<&backward>::backward(op); }) &&
                      for_rows(Signature::backward_approximate, [](const Op& op) { Forms<&backward_approximate>::backward(op); }) &&
                      for_rows(Signature::backward_scalars, &declare_backward_scalars);

} // namespace

bool declare_unary(const Op& op) {
  Forms<&unary>::all(op);
  return true;
}

} // namespace corundum::pointwise
