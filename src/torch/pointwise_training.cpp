// Rows of training whose arguments no other row has: gradients of dropout, prelu and log_sigmoid.
#include "torch/pointwise_forms.h"
#include "torch/tensors.h"

namespace corundum::pointwise {

namespace {

using Pair = std::tuple<Tensor, Tensor>;

Status prelu_backward(Pair& result, const Tensor& grad, const Tensor& x, const Tensor& weight) {
  constexpr const Op& op = row("_prelu_kernel_backward", Signature::named);
  Tensor* const outputs[] = {&std::get<0>(result), &std::get<1>(result)};
  return run(call_of(op, gradient, {&x, &weight, &grad}), outputs);
}

// On CPUs the results are contiguous and e^-|x| is kept; on GPUs the second one is empty.
Status log_sigmoid(Pair& result, const Tensor& x) {
  if (!is_plain(x)) return Status::refuse(not_plain);
  auto& [out, buffer] = result;
  Target target;
  CORUNDUM_TRY(find_target(x.device(), &target));
  const DeviceScope device(target);
  if (target.follows_cuda()) {
    buffer = allocate(target, {0}, x.scalar_type());
    return run_into_new(call_of(row("log_sigmoid", Signature::named), {}, {&x}), x, x.scalar_type(), Made::like, out);
  }
  out = allocate(target, x.sizes(), x.scalar_type());
  buffer = allocate(target, x.sizes(), x.scalar_type());
  Tensor* const outputs[] = {&out, &buffer};
  return run(call_of(row("log_sigmoid_forward", Signature::named), {}, {&x}), outputs);
}

Status log_sigmoid_backward(const Op& op, Tensor& out, const Tensor& grad, const Tensor& x, const Tensor& buffer) {
  CORUNDUM_TRY(require_plain(grad, x));
  if (!x.sizes().equals(grad.sizes())) return Status::refuse("the gradient has another shape");
  Target target;
  CORUNDUM_TRY(find_target(x.device(), &target));
  const bool keeps = !target.follows_cuda();
  if (keeps && (!is_plain(buffer) || !buffer.sizes().equals(x.sizes()))) return Status::refuse("the buffer is of another shape");
  const TensorCall call = keeps ? call_of(op, gradient, {&grad, &x, &buffer})
                                : call_of(row("log_sigmoid_gradient", Signature::named), gradient, {&grad, &x});
  return run_into_new(call, grad, grad.scalar_type(), Made::like, out);
}

Status scale_masked(const Op& op, Tensor& out, const Tensor& x, const Tensor& mask, at::ScalarType type, double scale) {
  CORUNDUM_TRY(require_plain(x, mask));
  if (mask.scalar_type() != type) return Status::refuse("the mask is of another dtype");
  if (!is_covered(op, x.scalar_type())) return Status::refuse("dtype not covered");
  TensorCall call = call_of(op, {}, {&x, &mask});
  call.compute = x.scalar_type();
  call.scalars[0] = corundum::Scalar::of(scale);
  Target target;
  CORUNDUM_TRY(find_target(x.device(), &target));
  const DeviceScope device(target);
  if (!target.follows_cuda()) return run(call, out);
  Tensor made = allocate(target, x.sizes(), x.scalar_type(), x.suggest_memory_format());
  CORUNDUM_TRY(run(call, made));
  out = std::move(made);
  return {};
}
Status dropout_backward(const Op& op, Tensor& out, const Tensor& grad, const Tensor& mask, double scale) {
  return scale_masked(op, out, grad, mask, at::kBool, scale);
}
Status masked_scale(const Op& op, Tensor& out, const Tensor& x, const Tensor& mask, double scale) {
  return scale_masked(op, out, x, mask, at::kByte, scale);
}

// A tensor that is not quantized, as float32.
Status dequantize(const Op& op, Tensor& out, const Tensor& x) {
  if (!is_plain(x)) return Status::refuse(not_plain);
  if (c10::isComplexType(x.scalar_type())) return Status::refuse("complex numbers as real ones");
  if (x.scalar_type() == at::kFloat) {
    out = x;
    return {};
  }
  TensorCall call = call_of(op, {}, {&x});
  call.compute = at::kFloat;
  return run_into_new(call, x, at::kFloat, Made::like, out);
}

Overload prelu, log_sigmoid_forward;

const bool declared = [] {
  const std::string floats = dtype_text(row("_prelu_kernel_backward", Signature::named));
  prelu.declare("_prelu_kernel_backward", "pointwise", floats, &Functional<prelu, &prelu_backward>::bind);
  log_sigmoid_forward.declare("log_sigmoid_forward", "pointwise", floats, &Functional<log_sigmoid_forward, &log_sigmoid>::bind);
  Forms<&log_sigmoid_backward>::backward(row("log_sigmoid_backward", Signature::named));
  constexpr const Op& scaled = row("native_dropout_backward", Signature::named);
  Forms<&dropout_backward>::functional(scaled, {"native_dropout_backward"});
  Forms<&masked_scale>::functional(scaled, {"_masked_scale"});
  Forms<&dequantize>::functional(row("copy_", Signature::copy), {"dequantize.self"});
  return true;
}();

} // namespace

} // namespace corundum::pointwise
