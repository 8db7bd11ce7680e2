// Tensors that are filled with random numbers: ATen's checks (DistributionTemplates.h) and its numbering of elements.
#include "torch/random.h"

#include <ATen/Context.h>
#include <ATen/MemoryOverlap.h>
#include <ATen/TensorIterator.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/view_as_real.h>

#include <cmath>
#include <limits>
#include <string>

#include "torch/call.h"
#include "torch/tensors.h"

namespace corundum::random {

namespace {

using at::Tensor;
using MaybeGenerator = std::optional<at::Generator>;

constexpr const char* bad_parameter = "a parameter is out of its range";

bool is_real_floating(at::ScalarType type) { return dtype_of(type) >= Dtype::float16 && dtype_of(type) <= Dtype::float64; }
// What ATen's AT_DISPATCH_ALL_TYPES has, and the 16-bit floats.
bool is_common(at::ScalarType type) { return dtype_of(type) <= Dtype::int64 || is_real_floating(type); }

// A part of the tensor that ATen's kernel serves in one launch.
struct Part {
  void* data;
  int64_t n;
  at::DimVector sizes, strides; // empty: dense

  Fill fill(const Distribution& d, Dtype dtype) const {
    return {d, dtype, data, n, static_cast<int>(sizes.size()), sizes.data(), strides.data()};
  }
};

Part part_of(const at::TensorIteratorBase& iter) {
  Part part{iter.data_ptr(0), iter.numel(), {}, {}};
  const bool dense = iter.ndim() == 0 || (iter.ndim() == 1 && iter.strides(0)[0] == iter.element_size(0));
  if (dense) return part;
  part.sizes = at::DimVector(iter.shape());
  part.strides = at::DimVector(iter.strides(0));
  return part;
}

Status draw_part(const Target& target, at::GeneratorImpl* generator, const Distribution& d, Dtype dtype, const Part& part) {
  const uint64_t increment = policy(*target.chip, part.n, numbers_a_call(d.kind, dtype)).increment;
  return draw(target, generator, increment, [&](const PhiloxState& state, LaunchList& list) {
    return plan_fill(*target.chip, part.fill(d, dtype), state, list);
  });
}

// Tensors beyond 32-bit offsets: ATen advances the generator for the whole, and then draws for each part.
Status draw_parts(const Target& target, at::GeneratorImpl* generator, const Distribution& d, Dtype dtype,
                  const at::TensorIteratorBase& iter) {
  std::vector<Part> parts;
  for (auto& part : iter.with_32bit_indexing()) parts.push_back(part_of(part));
  for (const Part& part : parts) {
    LaunchList list;
    CORUNDUM_TRY(plan_fill(*target.chip, part.fill(d, dtype), {}, list));
    if (generator != nullptr) CORUNDUM_TRY(prepare(target, list));
  }
  if (generator != nullptr) reserve(*generator, policy(*target.chip, iter.numel(), numbers_a_call(d.kind, dtype)).increment);
  for (const Part& part : parts) CORUNDUM_TRY(draw_part(target, generator, d, dtype, part));
  return {};
}

Status draw_on_gpu(const Target& target, at::GeneratorImpl* generator, const Distribution& d, Tensor& self) {
  const Dtype dtype = dtype_of(self.scalar_type());
  const bool small = self.numel() * self.element_size() < std::numeric_limits<int32_t>::max();
  if (small && self.is_non_overlapping_and_dense())
    return draw_part(target, generator, d, dtype, {self.mutable_data_ptr(), self.numel(), {}, {}});
  const auto iter = at::TensorIterator::borrowing_nullary_op(self);
  if (!iter.can_use_32bit_indexing()) return draw_parts(target, generator, d, dtype, iter);
  return draw_part(target, generator, d, dtype, part_of(iter));
}

Status draw_on_cpu(const Target& target, at::GeneratorImpl* generator, const Distribution& d, Tensor& self) {
  const bool dense = self.is_non_overlapping_and_dense();
  Tensor filled = dense ? self : at::empty_like(self); // its memory is in the order in which ATen counts
  const Fill all{d, dtype_of(self.scalar_type()), filled.mutable_data_ptr(), self.numel()};
  CORUNDUM_TRY(draw_serially(target, generator,
                             [&](MersenneState* state, LaunchList& list) { return plan_serial(*target.chip, all, state, list); }));
  if (!dense) self.copy_(filled);
  return {};
}

} // namespace

Status fill(Tensor& self, const Distribution& d, const MaybeGenerator& given) {
  CORUNDUM_TRY(require_plain(self));
  if (self.numel() == 0) return {};
  if (at::has_internal_overlap(self) == at::MemOverlap::Yes) return Status::refuse("elements share memory");
  Target target;
  CORUNDUM_TRY(find_target(self.device(), &target));
  if (!target.follows_cuda() && !is_serial(d.kind)) return Status::refuse(not_on_cpus);
  if (!target.follows_cuda() && d.kind == Kind::bernoulli && !draws_bernoulli_itself()) return Status::refuse(not_on_cpus);
  at::GeneratorImpl* generator;
  CORUNDUM_TRY(find_generator(target, given, &generator));
  const DeviceScope device(target);
  return target.follows_cuda() ? draw_on_gpu(target, generator, d, self) : draw_on_cpu(target, generator, d, self);
}

bool draws_bernoulli_itself() {
#if defined(__x86_64__)
  static const bool by_mkl = at::Context::hasMKL() && __builtin_cpu_is("intel");
#else
  static const bool by_mkl = false;
#endif
  return !by_mkl;
}

namespace {

Status require_floating(const Tensor& self) {
  return is_real_floating(self.scalar_type()) ? Status() : Status::refuse("dtype not covered");
}

// In the arithmetic of the stored type.
template <class T>
Status uniform_between(double from, double to, Distribution& d) {
  const double most = static_cast<double>(std::numeric_limits<T>::max());
  if (!(from >= -most && from <= most && to >= -most && to <= most && from <= to && to - from <= most))
    return Status::refuse(bad_parameter);
  const T first = static_cast<T>(from), last = static_cast<T>(to), range = last - first;
  d = {Kind::uniform, {static_cast<double>(first), static_cast<double>(range), static_cast<double>(last)}};
  return {};
}

Status uniform(Tensor& self, double from, double to, MaybeGenerator generator) {
  CORUNDUM_TRY(require_plain(self));
  Tensor real = self.is_complex() ? at::view_as_real(self) : self;
  Distribution d;
  switch (real.scalar_type()) {
    case at::kHalf:
      CORUNDUM_TRY(uniform_between<at::Half>(from, to, d));
      break;
    case at::kBFloat16:
      CORUNDUM_TRY(uniform_between<at::BFloat16>(from, to, d));
      break;
    case at::kFloat:
      CORUNDUM_TRY(uniform_between<float>(from, to, d));
      break;
    case at::kDouble:
      CORUNDUM_TRY(uniform_between<double>(from, to, d));
      break;
    default:
      return Status::refuse("dtype not covered");
  }
  return fill(real, d, generator);
}

Status log_normal(Tensor& self, double mean, double deviation, MaybeGenerator generator) {
  CORUNDUM_TRY(require_floating(self));
  if (!(deviation > 0)) return Status::refuse(bad_parameter);
  return fill(self, {Kind::log_normal, {mean, deviation}}, generator);
}

Status exponential(Tensor& self, double lambda, MaybeGenerator generator) {
  CORUNDUM_TRY(require_floating(self));
  if (!(lambda > 0)) return Status::refuse(bad_parameter);
  return fill(self, {Kind::exponential, {lambda}}, generator);
}

Status cauchy(Tensor& self, double median, double sigma, MaybeGenerator generator) {
  CORUNDUM_TRY(require_floating(self));
  if (!(sigma > 0)) return Status::refuse(bad_parameter);
  return fill(self, {Kind::cauchy, {median, sigma}}, generator);
}

Status geometric(Tensor& self, double p, MaybeGenerator generator) {
  if (!is_common(self.scalar_type()) || self.scalar_type() == at::kBool) return Status::refuse("dtype not covered");
  if (!(p > 0 && p < 1)) return Status::refuse(bad_parameter);
  return fill(self, {Kind::geometric, {p}}, generator);
}

Status bernoulli(Tensor& self, double p, MaybeGenerator generator) {
  if (!is_common(self.scalar_type())) return Status::refuse("dtype not covered");
  if (!(p >= 0 && p <= 1)) return Status::refuse(bad_parameter);
  return fill(self, {Kind::bernoulli, {p}}, generator);
}

// The integers that a dtype holds without a gap: from lowest to highest.
struct Span {
  int64_t lowest, highest;
};
template <class T>
constexpr Span span_of() {
  if constexpr (std::is_integral_v<T>)
    return {static_cast<int64_t>(std::numeric_limits<T>::lowest()), static_cast<int64_t>(std::numeric_limits<T>::max())};
  else
    return {-(int64_t{1} << std::numeric_limits<T>::digits), int64_t{1} << std::numeric_limits<T>::digits};
}
Status span_of(at::ScalarType type, Span* span) {
  switch (type) {
#define SPAN(name, T)     \
  case at::name:          \
    *span = span_of<T>(); \
    return {};
    SPAN(kBool, bool)
    SPAN(kByte, uint8_t)
    SPAN(kChar, int8_t)
    SPAN(kShort, int16_t)
    SPAN(kInt, int32_t)
    SPAN(kLong, int64_t)
    SPAN(kUInt16, uint16_t)
    SPAN(kUInt32, uint32_t)
    SPAN(kHalf, at::Half)
    SPAN(kBFloat16, at::BFloat16)
    SPAN(kFloat, float)
    SPAN(kDouble, double)
#undef SPAN
    default:
      return Status::refuse("dtype not covered");
  }
}

Status integers(Tensor& self, uint64_t range, int64_t from, bool wide, const MaybeGenerator& generator) {
  return fill(self, {wide ? Kind::wide_integers : Kind::integers, {}, range, from}, generator);
}

Status random_from(Tensor& self, int64_t from, std::optional<int64_t> to, MaybeGenerator generator) {
  Span span;
  CORUNDUM_TRY(span_of(self.scalar_type(), &span));
  const bool floating = c10::isFloatingType(self.scalar_type());
  if (!to && from == std::numeric_limits<int64_t>::lowest()) {
    const at::ScalarType type = self.scalar_type();
    if (type != at::kLong && (!floating || type == at::kHalf)) return Status::refuse(bad_parameter);
    return fill(self, {Kind::any_integer}, generator);
  }
  if (to && from >= *to) return Status::refuse(bad_parameter);
  const int64_t last = to ? *to - 1 : span.highest; // included
  if (from < span.lowest || last > span.highest || from > last || (floating && to && *to > span.highest) ||
      (floating && !to && from >= last))
    return floating ? Status::refuse("the bounds are beyond the integers that the dtype holds without a gap")
                    : Status::refuse(bad_parameter);
  const uint64_t range = static_cast<uint64_t>(last) - static_cast<uint64_t>(from) + 1;
  return integers(self, range, from, range >= uint64_t{1} << 28, generator);
}

Status random_to(Tensor& self, int64_t to, MaybeGenerator generator) { return random_from(self, 0, to, std::move(generator)); }

// From 0 to the highest number of the dtype.
Status random_any(Tensor& self, MaybeGenerator generator) {
  if (!is_common(self.scalar_type())) return Status::refuse("dtype not covered");
  Span span;
  CORUNDUM_TRY(span_of(self.scalar_type(), &span));
  const bool wide = self.scalar_type() == at::kLong || self.scalar_type() == at::kDouble;
  return integers(self, static_cast<uint64_t>(span.highest) + 1, 0, wide, generator);
}

Overload uniform_, log_normal_, exponential_, cauchy_, geometric_, bernoulli_, random_, random_from_, random_to_;

const bool declared = [] {
  // Names with a variant stand in one place of the source: where composites say what they are made of.
  constexpr const char *family = "random", *floats = "float16 bfloat16 float32 float64";
  constexpr const char* common = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64";
  constexpr const char* whole = "bool uint8 int8 int16 int32 int64 uint16 uint32 float16 bfloat16 float32 float64";
  constexpr const char* no_bool = "uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64";
  uniform_.declare("uniform_", family, floats, &Writing<uniform_, &uniform>::bind);
  log_normal_.declare("log_normal_", family, floats, &Writing<log_normal_, &log_normal>::bind);
  exponential_.declare("exponential_", family, floats, &Writing<exponential_, &exponential>::bind);
  cauchy_.declare("cauchy_", family, floats, &Writing<cauchy_, &cauchy>::bind);
  geometric_.declare("geometric_", family, no_bool, &Writing<geometric_, &geometric>::bind);
  bernoulli_.declare(std::string("bernoulli_") + ".float", family, common, &Writing<bernoulli_, &bernoulli>::bind);
  random_.declare("random_", family, common, &Writing<random_, &random_any>::bind);
  random_from_.declare(std::string("random_") + ".from", family, whole, &Writing<random_from_, &random_from>::bind);
  random_to_.declare("random_.to", family, whole, &Writing<random_to_, &random_to>::bind);
  return true;
}();

} // namespace

} // namespace corundum::random
