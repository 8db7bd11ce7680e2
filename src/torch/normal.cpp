// normal_, and normal numbers whose mean or deviation is a tensor: drawn, then scaled and shifted as ATen does it.
#include <ATen/ExpandUtils.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/min.h>
#include <ATen/ops/view_as_real.h>

#include <cmath>

#include "torch/call.h"
#include "torch/random.h"
#include "torch/tensors.h"

namespace corundum::random {

namespace {

using at::Tensor;
using MaybeGenerator = std::optional<at::Generator>;

constexpr const char* bad_deviation = "a deviation is below 0";

bool is_floating(const Tensor& t) {
  const Dtype dtype = dtype_of(t.scalar_type());
  return dtype >= Dtype::float16 && dtype <= Dtype::float64;
}

Status normal_in_place(Tensor& self, double mean, double deviation, MaybeGenerator generator) {
  CORUNDUM_TRY(require_plain(self));
  if (!(deviation >= 0)) return Status::refuse(bad_deviation);
  Tensor real = self.is_complex() ? at::view_as_real(self) : self;
  if (!is_floating(real)) return Status::refuse("dtype not covered");
  if (self.is_complex()) deviation /= std::sqrt(2); // each part has half of the variance
  return fill(real, {Kind::normal, {mean, deviation}}, generator);
}

Status check(const Tensor& like, const Tensor& deviation) {
  CORUNDUM_TRY(require_plain(like, deviation));
  if (!is_floating(like) || !is_floating(deviation)) return Status::refuse("dtype not covered");
  Target target;
  CORUNDUM_TRY(find_target(like.device(), &target));
  if (!target.follows_cuda()) return Status::refuse(not_on_cpus);
  if (target.device != nullptr && deviation.numel() != 0 && !at::min(deviation).ge(0).item<bool>())
    return Status::refuse(bad_deviation);
  return {};
}

// `out`, or where it is undefined a new tensor of the shape.
Status prepare_output(const Tensor& like, at::IntArrayRef sizes, Tensor& out) {
  if (!out.defined()) {
    out = at::empty(sizes, like.options());
    return {};
  }
  CORUNDUM_TRY(require_plain(like, out));
  if (!is_floating(out)) return Status::refuse("dtype not covered");
  if (!out.sizes().equals(sizes)) return Status::refuse("the output has to be resized");
  if (!is_disjoint(out, like)) return Status::refuse("the output overlaps the input");
  return {};
}

Status mean_and_number(const Tensor& mean, double deviation, MaybeGenerator generator, Tensor& out) {
  CORUNDUM_TRY(check(mean, mean.new_empty({0})));
  if (!(deviation >= 0)) return Status::refuse(bad_deviation);
  CORUNDUM_TRY(prepare_output(mean, mean.sizes(), out));
  CORUNDUM_TRY(fill(out, {Kind::normal, {0, deviation}}, generator));
  out.add_(mean);
  return {};
}

Status number_and_deviation(double mean, const Tensor& deviation, MaybeGenerator generator, Tensor& out) {
  CORUNDUM_TRY(check(deviation, deviation));
  CORUNDUM_TRY(prepare_output(deviation, deviation.sizes(), out));
  const Tensor shift = at::full({}, mean, out.options()); // in the result's dtype
  CORUNDUM_TRY(fill(out, {Kind::normal, {0, 1}}, generator));
  out.mul_(deviation).add_(shift);
  return {};
}

Status mean_and_deviation(const Tensor& mean, const Tensor& deviation, MaybeGenerator generator, Tensor& out) {
  CORUNDUM_TRY(check(mean, deviation));
  if (!at::are_expandable(mean.sizes(), deviation.sizes())) return Status::refuse("mean and deviation do not broadcast");
  CORUNDUM_TRY(prepare_output(mean, at::infer_size_dimvector(mean.sizes(), deviation.sizes()), out));
  if (!is_disjoint(out, deviation)) return Status::refuse("the output overlaps the input");
  CORUNDUM_TRY(fill(out, {Kind::normal, {0, 1}}, generator));
  out.mul_(deviation).add_(mean);
  return {};
}

// The same with the result first.
template <auto work, class First, class Second>
Status to_new(Tensor& result, First mean, Second deviation, MaybeGenerator generator) {
  return work(mean, deviation, std::move(generator), result);
}

Overload normal_, means, means_to, deviations, deviations_to, both, both_to;

const bool declared = [] {
  constexpr const char *family = "random", *floats = "float16 bfloat16 float32 float64";
  normal_.declare("normal_", family, floats, &Writing<normal_, &normal_in_place>::bind);
  means.declare("normal.Tensor_float", family, floats, &Functional<means, &to_new<&mean_and_number, const Tensor&, double>>::bind);
  means_to.declare("normal.Tensor_float_out", family, floats, &Writing<means_to, &mean_and_number>::bind);
  deviations.declare("normal.float_Tensor", family, floats,
                     &Functional<deviations, &to_new<&number_and_deviation, double, const Tensor&>>::bind);
  deviations_to.declare("normal.float_Tensor_out", family, floats, &Writing<deviations_to, &number_and_deviation>::bind);
  both.declare("normal.Tensor_Tensor", family, floats,
               &Functional<both, &to_new<&mean_and_deviation, const Tensor&, const Tensor&>>::bind);
  both_to.declare("normal.Tensor_Tensor_out", family, floats, &Writing<both_to, &mean_and_deviation>::bind);
  return true;
}();

} // namespace

} // namespace corundum::random
