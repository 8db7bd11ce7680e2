// Special functions and activations whose arguments no other row has.
#include <cmath>

#include "torch/pointwise_forms.h"
#include "torch/tensors.h"

namespace corundum::pointwise {

namespace {

using MaybeDouble = std::optional<double>;
using corundum::Scalar;

Status polygamma(const Op& op, Tensor& out, int64_t order, const Tensor& x) {
  if (order < 0) return Status::refuse("a negative order");
  TensorCall call = call_of(op, {}, {&x});
  call.flag = static_cast<uint8_t>(std::min<int64_t>(order, 2));
  const double n = static_cast<double>(order);
  call.scalars[0] = Scalar::of(n + 1);
  call.scalars[1] = Scalar::of(order % 2 == 1 ? std::tgamma(n + 1) : -std::tgamma(n + 1));
  return run(call, out);
}

Status round_decimals(const Op& op, Tensor& out, const Tensor& x, int64_t decimals) {
  if (decimals == 0) return run(call_of(row("round", Signature::unary), {}, {&x}), out);
  TensorCall call = call_of(op, {}, {&x});
  call.flag = decimals < 0;
  call.scalars[0] = Scalar::of(std::pow(10., static_cast<double>(std::abs(decimals))));
  return run(call, out);
}

// From eps to 1 - eps, in the dtype of the numbers, as ATen has them. Flag 1 where there is an eps.
Status limits_of(TensorCall& call, const Tensor& x, MaybeDouble eps) {
  const at::ScalarType type = x.scalar_type();
  if (!eps || *eps < 0) return {};
  if (type != at::kFloat && type != at::kDouble) return Status::refuse("an eps is covered of float32 and float64");
  const double low = type == at::kFloat ? static_cast<float>(*eps) : *eps;
  call.flag = 1;
  call.scalars[0] = Scalar::of(low);
  call.scalars[1] = Scalar::of(type == at::kFloat ? 1.f - static_cast<float>(*eps) : 1 - low);
  return {};
}
Status logit(const Op& op, Tensor& out, const Tensor& x, MaybeDouble eps) {
  if (!is_plain(x)) return Status::refuse(not_plain);
  TensorCall call = call_of(op, {}, {&x});
  CORUNDUM_TRY(limits_of(call, x, eps));
  return run(call, out);
}
Status logit_backward(const Op& op, Tensor& out, const Tensor& grad, const Tensor& x, MaybeDouble eps) {
  if (!is_plain(x)) return Status::refuse(not_plain);
  TensorCall call = call_of(op, gradient, {&grad, &x});
  CORUNDUM_TRY(limits_of(call, x, eps));
  call.flag = static_cast<uint8_t>(call.flag + (call.flag == 1 && x.is_cuda()));
  return run(call, out);
}

constexpr const char* does_not_fit = "a number does not fit the dtype";

Status softshrink(const Op& op, Tensor& out, const Tensor& x, const at::Scalar& limit) {
  if (!is_plain(x) || !is_covered(op, x.scalar_type())) return Status::refuse("dtype not covered");
  if (!fits(limit, x.scalar_type()) || !(limit.toDouble() >= 0)) return Status::refuse(does_not_fit);
  TensorCall call = call_of(op, strict_output, {&x});
  call.scalars[0] = to_scalar(limit);
  return run(call, out);
}

constexpr const char* ambiguous = "of a result the argument is not known";

Status leaky_relu_backward(const Op& op, Tensor& out, const Tensor& grad, const Tensor& x, const at::Scalar& slope,
                           bool of_result) {
  if (!is_plain(x) || !is_covered(op, x.scalar_type())) return Status::refuse("dtype not covered");
  if (!fits(slope, x.scalar_type())) return Status::refuse(does_not_fit);
  if (of_result && slope.toDouble() < 0) return Status::refuse(ambiguous);
  TensorCall call = call_of(op, gradient, {&x, &grad}); // in ATen's order, which decides on the result's strides
  call.scalars[0] = to_scalar(slope);
  return run(call, out);
}

Status elu_backward(const Op& op, Tensor& out, const Tensor& grad, const at::Scalar& alpha, const at::Scalar& scale,
                    const at::Scalar& input_scale, bool of_result, const Tensor& y) {
  if (!is_plain(y) || !is_covered(op, y.scalar_type())) return Status::refuse("dtype not covered");
  for (const at::Scalar* number : {&alpha, &scale, &input_scale})
    if (!fits(*number, y.scalar_type())) return Status::refuse(does_not_fit);
  if (of_result && alpha.toDouble() < 0) return Status::refuse(ambiguous);
  TensorCall call = call_of(op, gradient, {&grad, &y});
  call.flag = static_cast<uint8_t>(of_result + 2 * y.is_cuda());
  call.scalars[0] = to_scalar(alpha);
  call.scalars[1] = to_scalar(scale);
  call.scalars[2] = to_scalar(input_scale);
  return run(call, out);
}

// The two halves along a dimension, or a refusal where ATen raises.
Status halves_of(const Tensor& x, int64_t dim, Tensor* first, Tensor* second) {
  if (!is_plain(x)) return Status::refuse(not_plain);
  if (x.dim() == 0 || dim >= x.dim() || dim < -x.dim()) return Status::refuse("a dimension is out of range");
  const int64_t n = x.size(dim);
  if (n % 2 != 0) return Status::refuse("an odd number of elements has no halves");
  *first = x.narrow(dim, 0, n / 2);
  *second = x.narrow(dim, n / 2, n / 2);
  return {};
}
Status glu(const Op& op, Tensor& out, const Tensor& x, int64_t dim) {
  Tensor first, second;
  CORUNDUM_TRY(halves_of(x, dim, &first, &second));
  return run(call_of(op, strict_output, {&first, &second}), out);
}
Status glu_backward(const Op& op, Tensor& out, const Tensor& grad, const Tensor& x, int64_t dim) {
  Tensor first, second, result;
  CORUNDUM_TRY(halves_of(x, dim, &first, &second));
  if (!is_plain(grad) || !grad.sizes().equals(first.sizes())) return Status::refuse("the gradient has another shape");
  if (!is_covered(op, x.scalar_type())) return Status::refuse("dtype not covered");
  Target target;
  CORUNDUM_TRY(find_target(x.device(), &target));
  result = allocate(target, x.sizes(), x.scalar_type());
  Tensor left, right;
  CORUNDUM_TRY(halves_of(result, dim, &left, &right));
  Tensor* const outputs[] = {&left, &right};
  CORUNDUM_TRY(run(call_of(op, gradient, {&grad, &first, &second}), outputs));
  out = std::move(result);
  return {};
}

const bool declared = for_rows(Signature::named, [](const Op& op) {
  const std::string_view name = op.name;
  if (name == "polygamma") {
    Forms<&polygamma>::functional(op, {"polygamma"});
    Forms<&polygamma>::output(op, {op.name + std::string(".out")});
  } else if (name == "round") {
    Forms<&round_decimals>::all(op, "decimals", "decimals_out");
  } else if (name == "logit") {
    Forms<&logit>::all(op);
  } else if (name == "logit_backward") {
    Forms<&logit_backward>::backward(op);
  } else if (name == "softshrink") {
    Forms<&softshrink>::all(op);
  } else if (name == "leaky_relu_backward") {
    Forms<&leaky_relu_backward>::backward(op);
  } else if (name == "elu_backward") {
    Forms<&elu_backward>::backward(op);
  } else if (name == "glu") {
    Forms<&glu>::functional(op, {"glu"});
    Forms<&glu>::output(op, {"glu.out"});
  } else if (name == "glu_backward") {
    Forms<&glu_backward>::functional(op, {"glu_backward"});
  }
});

} // namespace

} // namespace corundum::pointwise
