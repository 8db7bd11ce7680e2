// Random numbers that meet a tensor: native_dropout, bernoulli numbers of as many probabilities, rrelu_with_noise.
#include <ATen/ExpandUtils.h>
#include <ATen/ops/clone.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros_like.h>

#include <string>
#include <tuple>

#include "torch/call.h"
#include "torch/random.h"
#include "torch/tensors.h"

namespace corundum::random {

namespace {

using at::Tensor;
using MaybeGenerator = std::optional<at::Generator>;

bool is_floating(const Tensor& t) {
  const Dtype dtype = dtype_of(t.scalar_type());
  return dtype >= Dtype::float16 && dtype <= Dtype::float64;
}

// The vectors in which ATen's kernel walks: at most 16 bytes, as wide as the address and the length allow.
int vector_of(const Tensor& x) {
  const auto size = static_cast<uint64_t>(x.element_size()), address = reinterpret_cast<uint64_t>(x.const_data_ptr());
  int vector = static_cast<int>(16 / size);
  while (vector > 1 && (address % (vector * size) != 0 || x.numel() % vector != 0)) vector /= 2;
  return vector;
}

Status dropout_on_gpu(const Target& target, const Tensor& x, double p, Tensor& out, Tensor& mask) {
  at::GeneratorImpl* generator;
  CORUNDUM_TRY(find_generator(target, std::nullopt, &generator));
  const DeviceScope device(target);
  const bool dense = x.is_non_overlapping_and_dense();
  const int vector = dense ? vector_of(x) : 1;
  out = at::empty_like(x);
  // One by one ATen counts in the order of indices.
  if (vector == 1 && !out.is_contiguous()) return Status::refuse("dropout of a permuted tensor that is no whole number of vectors");
  mask = at::empty_like(x, x.options().dtype(at::kBool));
  const Tensor in = dense ? x : x.contiguous();
  const Dropout call{
      dtype_of(x.scalar_type()), read_pointer(in), out.mutable_data_ptr(), mask.mutable_data_ptr(), x.numel(), 1. - p, vector};
  return draw(target, generator, policy(*target.chip, x.numel(), 4).increment,
              [&](const PhiloxState& state, LaunchList& list) { return plan_dropout(*target.chip, call, state, list); });
}

Status dropout(std::tuple<Tensor, Tensor>& results, const Tensor& x, double p, std::optional<bool> train) {
  auto& [out, mask] = results;
  CORUNDUM_TRY(require_plain(x));
  if (!is_floating(x)) return Status::refuse("dtype not covered");
  Target target;
  CORUNDUM_TRY(find_target(x.device(), &target));
  if (!target.follows_cuda()) return Status::refuse("on a CPU dropout is made of other operators");
  const auto booleans = x.options().dtype(at::kBool);
  if (train && !*train) {
    results = {at::clone(x), at::ones_like(x, booleans)};
  } else if (p == 1) {
    results = {at::zeros_like(x), at::zeros_like(x, booleans)};
  } else if (x.numel() == 0) {
    results = {at::clone(x), at::empty_like(x, booleans)};
  } else {
    return dropout_on_gpu(target, x, p, out, mask);
  }
  return {};
}

// Writes `self`, one number for each probability.
Status draw_chances(Tensor& self, const Tensor& probabilities, const MaybeGenerator& given) {
  CORUNDUM_TRY(require_plain(self, probabilities));
  const Dtype dtype = dtype_of(self.scalar_type());
  if (!(dtype <= Dtype::int64 || is_floating(self)) || !is_floating(probabilities)) return Status::refuse("dtype not covered");
  if (self.numel() == 0) return {};
  if (!self.is_contiguous()) return Status::refuse("the tensor is not contiguous");
  if (!at::is_expandable_to(probabilities.sizes(), self.sizes())) return Status::refuse("the probabilities do not broadcast");
  Target target;
  CORUNDUM_TRY(find_target(self.device(), &target));
  at::GeneratorImpl* generator;
  CORUNDUM_TRY(find_generator(target, given, &generator));
  const DeviceScope device(target);
  const bool wide = target.follows_cuda() ? self.scalar_type() == at::kDouble : probabilities.scalar_type() == at::kDouble;
  const Tensor p = probabilities.to(wide ? at::kDouble : at::kFloat).expand(self.sizes()).contiguous();
  int64_t valid = 1;
  const Chances call{dtype, dtype_of(p.scalar_type()), read_pointer(p), self.mutable_data_ptr(), self.numel(), &valid};
  if (target.follows_cuda())
    return draw(target, generator, chances_increment,
                [&](const PhiloxState& state, LaunchList& list) { return plan_chances(*target.chip, call, state, list); });
  CORUNDUM_TRY(draw_serially(target, generator, [&](MersenneState* state, LaunchList& list) {
    return plan_serial_chances(*target.chip, call, state, list);
  }));
  return valid ? Status() : Status::refuse("a number is no probability");
}

Status chances_in_place(Tensor& self, const Tensor& p, MaybeGenerator generator) { return draw_chances(self, p, generator); }
Status chances_out(const Tensor& p, MaybeGenerator generator, Tensor& out) {
  if (!out.sizes().equals(p.sizes())) return Status::refuse("the output has to be resized");
  return draw_chances(out, p, generator);
}

Status rrelu(const Tensor& x, const Tensor& noise, const at::Scalar& lower, const at::Scalar& upper, bool training,
             const MaybeGenerator& given, Tensor& out) {
  CORUNDUM_TRY(require_plain(x, noise, out));
  if (!is_floating(x) || x.scalar_type() != out.scalar_type() || x.scalar_type() != noise.scalar_type())
    return Status::refuse("dtype not covered");
  if (!training) return Status::refuse("rrelu that is not training is leaky_relu");
  if (!out.sizes().equals(x.sizes()) || !noise.sizes().equals(x.sizes())) return Status::refuse("the output has to be resized");
  if (!x.is_contiguous() || !noise.is_contiguous() || !out.is_contiguous()) return Status::refuse("the tensor is not contiguous");
  if (!is_disjoint(noise, x) || !is_disjoint(noise, out) || !(out.is_same(x) || is_disjoint(out, x)))
    return Status::refuse("the output overlaps the input");
  Target target;
  CORUNDUM_TRY(find_target(x.device(), &target));
  if (!target.follows_cuda()) return Status::refuse(not_on_cpus);
  if (x.numel() == 0) return {};
  at::GeneratorImpl* generator;
  CORUNDUM_TRY(find_generator(target, given, &generator));
  const DeviceScope device(target);
  const Rrelu call{dtype_of(x.scalar_type()), read_pointer(x), out.mutable_data_ptr(), noise.mutable_data_ptr(), x.numel(),
                   lower.toDouble(),          upper.toDouble()};
  const uint64_t increment = policy(*target.chip, x.numel(), numbers_a_call(Kind::uniform, call.dtype)).increment;
  return draw(target, generator, increment,
              [&](const PhiloxState& state, LaunchList& list) { return plan_rrelu(*target.chip, call, state, list); });
}

Status rrelu_new(Tensor& result, const Tensor& x, Tensor& noise, const at::Scalar& lower, const at::Scalar& upper, bool training,
                 MaybeGenerator generator) {
  Tensor out = at::empty_like(x, at::MemoryFormat::Contiguous);
  CORUNDUM_TRY(rrelu(x, noise, lower, upper, training, generator, out));
  result = std::move(out);
  return {};
}

Overload native_dropout, bernoulli_, bernoulli_to, rrelu_with_noise;

const bool declared = [] {
  constexpr const char *family = "random", *floats = "float16 bfloat16 float32 float64";
  constexpr const char* common = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64";
  native_dropout.declare("native_dropout", family, floats, &Functional<native_dropout, &dropout>::bind);
  bernoulli_.declare(std::string("bernoulli_") + ".Tensor", family, common, &Writing<bernoulli_, &chances_in_place>::bind);
  bernoulli_to.declare("bernoulli.out", family, common, &Writing<bernoulli_to, &chances_out>::bind);
  rrelu_with_noise.declare("rrelu_with_noise", family, floats, &Functional<rrelu_with_noise, &rrelu_new>::bind);
  return true;
}();

} // namespace

} // namespace corundum::random
