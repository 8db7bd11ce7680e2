// Cumulative sums: dtypes and results as ATen's structured cumsum has them.
#include <ATen/ATen.h>
#include <ATen/MemoryOverlap.h>

#include "ops/scan/scan.h"
#include "torch/call.h"
#include "torch/tensors.h"

namespace corundum::scan {

namespace {

using at::Tensor;
using MaybeType = std::optional<at::ScalarType>;

bool is_covered(at::ScalarType type) {
  const Dtype d = dtype_of(type);
  return d <= Dtype::int64 || (d >= Dtype::float16 && d <= Dtype::float64);
}

// ATen converts to the result's dtype, then adds. The kernel does both at once where that is the same.
bool must_convert(at::ScalarType from, at::ScalarType to) {
  return from != to && !(c10::isIntegralType(from, true) && c10::isIntegralType(to, false));
}

Status check(const Tensor& x, int64_t dim, at::ScalarType type) {
  const int64_t limit = x.dim() == 0 ? 1 : x.dim();
  if (dim < -limit || dim >= limit) return Status::refuse("the dimension is out of range");
  if (!is_covered(x.scalar_type()) || !is_covered(type) || type == at::kBool) return Status::refuse("dtype not covered");
  return {};
}

Status check_output(const Tensor& x, at::ScalarType type, const Tensor& out) {
  CORUNDUM_TRY(require_plain(x, out));
  if (out.scalar_type() != type) return Status::refuse("the output has another dtype than the result");
  if (!out.sizes().equals(x.sizes())) return Status::refuse("the output has to be resized");
  if (at::has_internal_overlap(out) == at::MemOverlap::Yes) return Status::refuse("elements share memory");
  if (!out.is_same(x) && !is_disjoint(out, x)) return Status::refuse("the output overlaps the input");
  return {};
}

// Writes `result`: contiguous, of x's shape; it may be x.
Status scan(Kind kind, const Target& target, const Tensor& x, int64_t dim, const Tensor& result) {
  if (x.numel() == 0) return {};
  Call call{kind, read_pointer(x), dtype_of(x.scalar_type()), result.mutable_data_ptr(), dtype_of(result.scalar_type()), 1, 1, 1};
  if (dim < 0) dim += x.dim();
  for (int64_t d = 0; d < x.dim(); ++d) (d < dim ? call.outer : d == dim ? call.n : call.inner) *= x.size(d);
  LaunchList list;
  CORUNDUM_TRY(plan(*target.chip, call, list));
  return launch(target, list);
}

Status run(Kind kind, const Tensor& x, int64_t dim, at::ScalarType type, Tensor& out) {
  CORUNDUM_TRY(require_plain(x));
  CORUNDUM_TRY(check(x, dim, type));
  if (out.defined()) CORUNDUM_TRY(check_output(x, type, out));
  Target target;
  CORUNDUM_TRY(find_target(x.device(), &target));
  const DeviceScope device(target);
  const Tensor in = (must_convert(x.scalar_type(), type) ? x.to(type) : x).contiguous();
  const bool direct = out.defined() && out.is_contiguous();
  Tensor result = direct ? out : allocate(target, x.sizes(), type);
  CORUNDUM_TRY(scan(kind, target, in, dim, result));
  if (out.defined() && !direct)
    out.copy_(result);
  else
    out = std::move(result);
  return {};
}

Status sum_new(Tensor& result, const Tensor& x, int64_t dim, MaybeType dtype) {
  const at::ScalarType own = c10::isIntegralType(x.scalar_type(), true) ? at::kLong : x.scalar_type();
  return run(Kind::sum, x, dim, dtype.value_or(own), result);
}
Status sum_out(const Tensor& x, int64_t dim, MaybeType dtype, Tensor& out) {
  return run(Kind::sum, x, dim, dtype.value_or(out.scalar_type()), out);
}
Status sum_in_place(Tensor& x, int64_t dim, MaybeType dtype) { return run(Kind::sum, x, dim, dtype.value_or(x.scalar_type()), x); }

Overload sum, sum_to, sum_;

const bool declared = [] {
  constexpr const char *family = "scan", *dtypes = "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64";
  sum.declare("cumsum", family, dtypes, &Functional<sum, &sum_new>::bind);
  sum_to.declare("cumsum.out", family, dtypes, &Writing<sum_to, &sum_out>::bind);
  sum_.declare("cumsum_", family, dtypes, &Writing<sum_, &sum_in_place>::bind);
  return true;
}();

} // namespace

} // namespace corundum::scan
