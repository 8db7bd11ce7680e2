// Sums, means and vector norms: dimensions, dtypes and results as ATen's resize_reduction has them.
#include <ATen/ATen.h>

#include <bitset>
#include <cmath>

#include "ops/reduce/reduce.h"
#include "torch/call.h"
#include "torch/tensors.h"

namespace corundum::reduce {

namespace {

using at::Tensor;
using MaybeType = std::optional<at::ScalarType>;

constexpr const char* float_dtypes = "float16 bfloat16 float32 float64";

struct Dims {
  uint64_t reduced = 0;
  at::DimVector kept; // the result's shape
  at::DimVector full; // the same with a one for each reduced dimension
};

// No dimensions given means all of them. Wrong and repeated ones are refused: the previous kernel says so in ATen's words.
Status find_dims(const Tensor& x, at::OptionalIntArrayRef dims, bool keepdim, Dims* found) {
  const int64_t rank = x.dim();
  if (dims && !dims->empty()) {
    for (int64_t d : *dims) {
      const int64_t limit = rank == 0 ? 1 : rank;
      if (d < -limit || d >= limit) return Status::refuse("a dimension is out of range");
      if (d < 0) d += limit;
      if (found->reduced >> d & 1) return Status::refuse("a dimension is repeated");
      found->reduced |= uint64_t{1} << d;
    }
  } else {
    found->reduced = rank == 64 ? ~uint64_t{0} : (uint64_t{1} << rank) - 1;
  }
  for (int64_t d = 0; d < rank; ++d) {
    const bool is_reduced = found->reduced >> d & 1;
    found->full.push_back(is_reduced ? 1 : x.size(d));
    if (!is_reduced || keepdim) found->kept.push_back(found->full.back());
  }
  if (rank == 0) found->reduced = 0;
  return {};
}

// ATen converts, then accumulates. The kernel accumulates in the input's kind, so convert first where that would lose something.
bool must_convert(at::ScalarType from, at::ScalarType to) {
  if (from == to) return false;
  if (c10::isFloatingType(from) != c10::isFloatingType(to)) return true;
  return to == at::kDouble;
}

bool is_covered(at::ScalarType type) {
  switch (type) {
    case at::kBool:
    case at::kByte:
    case at::kChar:
    case at::kShort:
    case at::kInt:
    case at::kLong:
    case at::kHalf:
    case at::kBFloat16:
    case at::kFloat:
    case at::kDouble:
      return true;
    default:
      return false;
  }
}

Status run(Kind kind, double p, const Tensor& x, const Dims& dims, at::ScalarType type, Tensor& out) {
  Target target;
  CORUNDUM_TRY(find_target(x.device(), &target));
  const DeviceScope device(target);
  const Tensor in = must_convert(x.scalar_type(), type) ? x.to(type) : x;
  Tensor result = out.defined() ? out : allocate(target, dims.kept, type);
  // A dimension that is gone has no stride: give the kernel one for every dimension of the input.
  at::DimVector strides(dims.full.size(), 0);
  const bool keeps = result.dim() == x.dim();
  for (int64_t d = 0, at = 0; d < x.dim(); ++d) {
    const bool is_reduced = dims.reduced >> d & 1;
    if (!is_reduced) strides[d] = result.stride(keeps ? d : at);
    if (!is_reduced || keeps) ++at;
  }
  Call call{kind, view_of(in, read_pointer(in)), dims.reduced, {}, p};
  call.out = {result.mutable_data_ptr(), dtype_of(type), static_cast<int>(dims.full.size()), dims.full.data(), strides.data()};
  LaunchList list;
  CORUNDUM_TRY(plan(*target.chip, call, list));
  CORUNDUM_TRY(launch(target, list));
  if (!out.defined()) out = std::move(result);
  return {};
}

Status check_output(const Tensor& x, const Dims& dims, at::ScalarType type, const Tensor& out) {
  CORUNDUM_TRY(require_plain(x, out));
  if (out.scalar_type() != type) return Status::refuse("the output has another dtype than the result");
  if (!out.sizes().equals(dims.kept)) return Status::refuse("the output has to be resized");
  if (!out.is_non_overlapping_and_dense() || !is_disjoint(out, x)) return Status::refuse("the output overlaps an input or itself");
  return {};
}

Status reduce(Kind kind, double p, const Tensor& x, at::OptionalIntArrayRef dim, bool keepdim, at::ScalarType type, Tensor& out) {
  if (!is_covered(x.scalar_type()) || !is_covered(type) || type == at::kBool) return Status::refuse("dtype not covered");
  Dims dims;
  CORUNDUM_TRY(find_dims(x, dim, keepdim, &dims));
  if (out.defined()) CORUNDUM_TRY(check_output(x, dims, type, out));
  return run(kind, p, x, dims, type, out);
}

Status sum(const Tensor& x, at::OptionalIntArrayRef dim, bool keepdim, MaybeType dtype, Tensor& out) {
  CORUNDUM_TRY(require_plain(x));
  const at::ScalarType own = c10::isIntegralType(x.scalar_type(), true) ? at::kLong : x.scalar_type();
  const at::ScalarType type = dtype ? *dtype : out.defined() ? out.scalar_type() : own;
  // Converting fractions or bounds away before adding is ATen's rule; the conversion kernel is not ours for every such pair.
  if (!c10::isFloatingType(type) && c10::isFloatingType(x.scalar_type())) return Status::refuse("a sum of floats as integers");
  return reduce(Kind::sum, 0, x, dim, keepdim, type, out);
}

Status mean(const Tensor& x, at::OptionalIntArrayRef dim, bool keepdim, MaybeType dtype, Tensor& out) {
  CORUNDUM_TRY(require_plain(x));
  const at::ScalarType type = dtype ? *dtype : out.defined() ? out.scalar_type() : x.scalar_type();
  if (!c10::isFloatingType(type) || (!dtype && !c10::isFloatingType(x.scalar_type())))
    return Status::refuse("a mean needs a floating point dtype");
  return reduce(Kind::mean, 0, x, dim, keepdim, type, out);
}

Kind norm_of(double order) {
  if (order == 0) return Kind::norm0;
  if (order == 1) return Kind::norm1;
  if (order == 2) return Kind::norm2;
  if (std::isinf(order)) return order > 0 ? Kind::norm_inf : Kind::norm_neg_inf;
  return Kind::norm_p;
}

Status norm(const Tensor& x, const at::Scalar& order, at::OptionalIntArrayRef dim, bool keepdim, MaybeType dtype, Tensor& out) {
  CORUNDUM_TRY(require_plain(x));
  if (order.isComplex() || !c10::isFloatingType(x.scalar_type())) return Status::refuse("a norm needs floating point numbers");
  const double p = order.toDouble();
  const at::ScalarType type = dtype ? *dtype : out.defined() ? out.scalar_type() : x.scalar_type();
  if (!c10::isFloatingType(type) || c10::promoteTypes(x.scalar_type(), type) != type)
    return Status::refuse("the dtype is narrower than the tensor's");
  if (dim && dim->empty()) return Status::refuse("an empty list of dimensions");
  if (std::isnan(p) || (x.numel() == 0 && (p < 0 || std::isinf(p))))
    return Status::refuse("the norm of no numbers has no identity");
  return reduce(norm_of(p), p, x, dim, keepdim, type, out);
}

constexpr at::OptionalIntArrayRef all_dims = std::nullopt;

Status sum_all(Tensor& result, const Tensor& x, MaybeType dtype) { return sum(x, all_dims, false, dtype, result); }
Status sum_new(Tensor& result, const Tensor& x, at::OptionalIntArrayRef dim, bool keepdim, MaybeType dtype) {
  return sum(x, dim, keepdim, dtype, result);
}
Status sum_out(const Tensor& x, at::OptionalIntArrayRef dim, bool keepdim, MaybeType dtype, Tensor& out) {
  return sum(x, dim, keepdim, dtype, out);
}
Status mean_all(Tensor& result, const Tensor& x, MaybeType dtype) { return mean(x, all_dims, false, dtype, result); }
Status mean_new(Tensor& result, const Tensor& x, at::OptionalIntArrayRef dim, bool keepdim, MaybeType dtype) {
  return mean(x, dim, keepdim, dtype, result);
}
Status mean_out(const Tensor& x, at::OptionalIntArrayRef dim, bool keepdim, MaybeType dtype, Tensor& out) {
  return mean(x, dim, keepdim, dtype, out);
}
Status norm_new(Tensor& result, const Tensor& x, const at::Scalar& order, at::OptionalIntArrayRef dim, bool keepdim,
                MaybeType dtype) {
  return norm(x, order, dim, keepdim, dtype, result);
}
Status norm_out(const Tensor& x, const at::Scalar& order, at::OptionalIntArrayRef dim, bool keepdim, MaybeType dtype, Tensor& out) {
  return norm(x, order, dim, keepdim, dtype, out);
}

Overload sum_full, sum_dims, sum_dims_out, mean_full, mean_dims, mean_dims_out, vector_norm, vector_norm_out;

const bool declared = [] {
  constexpr const char* family = "reduce";
  constexpr const char* sum_dtypes = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64";
  sum_full.declare("sum", family, sum_dtypes, &Functional<sum_full, &sum_all>::bind);
  sum_dims.declare("sum.dim_IntList", family, sum_dtypes, &Functional<sum_dims, &sum_new>::bind);
  sum_dims_out.declare("sum.IntList_out", family, sum_dtypes, &Writing<sum_dims_out, &sum_out>::bind);
  mean_full.declare("mean", family, float_dtypes, &Functional<mean_full, &mean_all>::bind);
  mean_dims.declare("mean.dim", family, float_dtypes, &Functional<mean_dims, &mean_new>::bind);
  mean_dims_out.declare("mean.out", family, float_dtypes, &Writing<mean_dims_out, &mean_out>::bind);
  vector_norm.declare("linalg_vector_norm", family, float_dtypes, &Functional<vector_norm, &norm_new>::bind);
  vector_norm_out.declare("linalg_vector_norm.out", family, float_dtypes, &Writing<vector_norm_out, &norm_out>::bind);
  return true;
}();

} // namespace

} // namespace corundum::reduce
