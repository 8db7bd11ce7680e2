// What chooses between numbers, and what fills and copies.
#include <ATen/ExpandUtils.h>
#include <ATen/MemoryOverlap.h>
#include <ATen/native/TypeProperties.h>
#include <ATen/ops/_conj.h>
#include <ATen/ops/_neg_view.h>

#include "torch/pointwise_forms.h"
#include "torch/tensors.h"

namespace corundum::pointwise {

namespace {

using MaybeNumber = const std::optional<at::Scalar>&;
using MaybeTensor = const std::optional<Tensor>&;

enum Bounds : uint8_t { both_bounds, only_min, only_max };

// Numbers take part in promotion as ATen lets them: only where the tensor is integral.
at::ScalarType clamp_type(const Tensor& x, const std::optional<at::Scalar>& min, const std::optional<at::Scalar>& max) {
  if (category(x.scalar_type()) >= 2) return x.scalar_type();
  auto state = at::native::update_result_type_state(x, {});
  if (min) state = at::native::update_result_type_state(*min, state);
  if (max) state = at::native::update_result_type_state(*max, state);
  return at::native::result_type(state);
}

Status add_bound(const at::Scalar& bound, at::ScalarType type, corundum::Scalar* scalar) {
  if (bound.isComplex()) return Status::refuse("complex numbers are not covered");
  if (!fits(bound, type)) return Status::refuse("a bound overflows the dtype");
  *scalar = to_scalar(bound);
  return {};
}

Status clamp(const Op& op, Tensor& out, const Tensor& x, MaybeNumber min, MaybeNumber max) {
  if (!min && !max) return Status::refuse("neither min nor max is given");
  if (!is_plain(x)) return Status::refuse(not_plain);
  TensorCall call = call_of(op, strict_output, {&x});
  call.compute = clamp_type(x, min, max);
  if (!is_covered(op, call.compute)) return Status::refuse("dtype not covered");
  call.flag = min && max ? both_bounds : min ? only_min : only_max;
  if (min) CORUNDUM_TRY(add_bound(*min, call.compute, &call.scalars[0]));
  if (max) CORUNDUM_TRY(add_bound(*max, call.compute, &call.scalars[1]));
  return run(call, out);
}

Status clamp_one(const Op& op, Tensor& out, const Tensor& x, const at::Scalar& bound) {
  if (!is_plain(x)) return Status::refuse(not_plain);
  TensorCall call = call_of(op, strict_output, {&x});
  call.compute = clamp_type(x, bound, {});
  if (!is_covered(op, call.compute)) return Status::refuse("dtype not covered");
  CORUNDUM_TRY(add_bound(bound, call.compute, &call.scalars[0]));
  return run(call, out);
}

Status clamp_tensor(const Op& op, Tensor& out, const Tensor& x, MaybeTensor min, MaybeTensor max) {
  const bool has_min = min && min->defined(), has_max = max && max->defined();
  if (!has_min && !has_max) return Status::refuse("neither min nor max is given");
  TensorCall call = has_min && has_max ? call_of(op, {}, {&x, &*min, &*max}) : call_of(op, {}, {&x, has_min ? &*min : &*max});
  call.flag = has_min && has_max ? both_bounds : has_min ? only_min : only_max;
  return run(call, out);
}

Status where(const Op& op, Tensor& out, const Tensor& condition, const Tensor& x, const Tensor& y) {
  CORUNDUM_TRY(require_plain(condition, x));
  if (!is_plain(y)) return Status::refuse(not_plain);
  if (condition.scalar_type() != at::kBool) return Status::refuse("the condition is not bool");
  TensorCall call = call_of(op, {.cpu_scalars = true, .casts_output = false}, {&condition, &x, &y});
  return run(call, out);
}

// Every element of a tensor becomes one number. The tensor itself stands in as an input, so that its layout is looked at once.
Status fill(const Op& op, Tensor& self, const at::Scalar& value) {
  if (!is_plain(self)) return Status::refuse(not_plain);
  if (!is_covered(op, self.scalar_type())) return Status::refuse("dtype not covered");
  if (!fits(value, self.scalar_type())) return Status::refuse("the value does not fit the tensor's dtype");
  if (at::has_internal_overlap(self) == at::MemOverlap::Yes) return Status::refuse("elements share memory");
  TensorCall call = call_of(op, {.resizes_output = false}, {&self});
  call.compute = self.scalar_type();
  call.scalars[0] = to_scalar(value);
  return run(call, self);
}
Status fill_scalar(const Op& op, Tensor& out, const Tensor&, const at::Scalar& value) { return fill(op, out, value); }
Status fill_tensor(const Op& op, Tensor& out, const Tensor&, const Tensor& value) {
  if (!is_plain(value) || value.dim() != 0 || !value.is_cpu()) return Status::refuse("the value is not a number on the CPU");
  return fill(op, out, value.item());
}
Status zero(const Op& op, Tensor& out, const Tensor&) { return fill(op, out, 0); }

Status masked_fill(const Op& op, Tensor& out, const Tensor& x, const Tensor& mask, const at::Scalar& value, bool expands) {
  CORUNDUM_TRY(require_plain(x, mask));
  if (mask.scalar_type() != at::kBool) return Status::refuse("the mask is not bool");
  if (!is_covered(op, x.scalar_type())) return Status::refuse("dtype not covered");
  if (!fits(value, x.scalar_type())) return Status::refuse("the value does not fit the tensor's dtype");
  if (!expands && !at::is_expandable_to(mask.sizes(), x.sizes()))
    return Status::refuse("the mask does not broadcast to the tensor");
  TensorCall call = call_of(op, {.resizes_output = false}, {&x, &mask});
  call.compute = x.scalar_type();
  call.scalars[0] = to_scalar(value);
  return run(call, out);
}

// ATen clones the broadcast tensor: whatever the strides were, the result is what clone() makes of them.
Status masked_fill_new(const Op& op, Tensor& result, const Tensor& x, const Tensor& mask, const at::Scalar& value) {
  CORUNDUM_TRY(require_plain(x, mask));
  if (x.sizes().equals(mask.sizes()) && x.is_contiguous()) return masked_fill(op, result, x, mask, value, true);
  if (!at::are_expandable(x.sizes(), mask.sizes())) return Status::refuse("tensor and mask do not broadcast");
  const at::DimVector sizes = at::infer_size_dimvector(x.sizes(), mask.sizes());
  Target target;
  CORUNDUM_TRY(find_target(x.device(), &target));
  const DeviceScope device(target);
  Tensor made = allocate(target, sizes, x.scalar_type());
  CORUNDUM_TRY(masked_fill(op, made, x, mask, value, true));
  result = std::move(made);
  return {};
}

// In place: `out` is the tensor itself.
Status masked_fill_scalar(const Op& op, Tensor& out, const Tensor& x, const Tensor& mask, const at::Scalar& value) {
  return out.defined() ? masked_fill(op, out, x, mask, value, false) : masked_fill_new(op, out, x, mask, value);
}

// A value in a tensor is read on the host, as ATen does.
Status masked_fill_tensor(const Op& op, Tensor& out, const Tensor& x, const Tensor& mask, const Tensor& value) {
  if (!is_plain(value) || value.dim() != 0) return Status::refuse("the value is not a plain tensor of no dimensions");
  if (value.is_meta() || (!value.is_cpu() && value.device() != x.device())) return Status::refuse(on_two_devices);
  return masked_fill_scalar(op, out, x, mask, value.item());
}

// A view of the same memory without the bits that say "conjugate me" and "negate me".
Tensor without_bits(const Tensor& t) {
  Tensor plain = t;
  if (plain.is_conj()) plain = at::_conj(plain);
  if (plain.is_neg()) plain = at::_neg_view(plain);
  return plain;
}

Status copy_plain(const Op& op, Tensor& self, const Tensor& from, uint8_t flag) {
  CORUNDUM_TRY(require_plain(self, from));
  if (!at::is_expandable_to(from.sizes(), self.sizes())) return Status::refuse("the source does not broadcast to the tensor");
  if (c10::isComplexType(from.scalar_type()) && !c10::isComplexType(self.scalar_type()))
    return Status::refuse("complex numbers as real ones"); // ATen warns
  if (flag && self.scalar_type() != from.scalar_type()) return Status::refuse("a conjugate or negative view of another dtype");
  TensorCall call = call_of(op, {.resizes_output = false}, {&from});
  call.flag = flag;
  call.compute = self.scalar_type();
  call.moves_bits = flag == 0 && self.scalar_type() == from.scalar_type();
  return run(call, self);
}

Status copy(const Op& op, Tensor& self, const Tensor&, const Tensor& from, bool) {
  if (self.is_same(from)) return {};
  const uint8_t flag = (self.is_conj() != from.is_conj() ? 1 : 0) | (self.is_neg() != from.is_neg() ? 2 : 0);
  if (!self.is_conj() && !self.is_neg() && flag == 0) return copy_plain(op, self, from, 0);
  Tensor to = without_bits(self);
  return copy_plain(op, to, without_bits(from), flag);
}

const bool declared =
    for_rows(Signature::clamp, [](const Op& op) { Forms<&clamp>::all(op); }) &&
    for_rows(Signature::clamp_one, [](const Op& op) { Forms<&clamp_one>::all(op); }) &&
    for_rows(Signature::clamp_tensor, [](const Op& op) { Forms<&clamp_tensor>::all(op, "Tensor", "Tensor_out"); }) &&
    for_rows(Signature::where,
             [](const Op& op) {
               Forms<&where>::functional(op, {op.name + std::string(".self")});
               Forms<&where>::output(op, {op.name + std::string(".self_out")});
             }) &&
    for_rows(Signature::fill,
             [](const Op& op) {
               Forms<&fill_scalar>::in_place(op, {"fill_.Scalar"});
               Forms<&fill_tensor>::in_place(op, {"fill_.Tensor"});
             }) &&
    for_rows(Signature::zero, [](const Op& op) { Forms<&zero>::in_place(op, {op.name}); }) &&
    for_rows(Signature::masked_fill,
             [](const Op& op) {
               Forms<&masked_fill_scalar>::functional(op, {"masked_fill.Scalar"});
               Forms<&masked_fill_tensor>::functional(op, {"masked_fill.Tensor"});
               Forms<&masked_fill_scalar>::in_place(op, {"masked_fill_.Scalar"});
               Forms<&masked_fill_tensor>::in_place(op, {"masked_fill_.Tensor"});
             }) &&
    for_rows(Signature::copy, [](const Op& op) { Forms<&copy>::in_place(op, {op.name}); });

} // namespace

} // namespace corundum::pointwise
