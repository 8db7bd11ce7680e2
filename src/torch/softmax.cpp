// _softmax and _log_softmax, to which every softmax of torch comes down.
#include <ATen/core/Tensor.h>

#include "ops/softmax/softmax.h"
#include "torch/call.h"
#include "torch/tensors.h"

namespace corundum::softmax {

namespace {

using at::Tensor;

struct Request {
  bool log;
  int64_t dim;
  bool half_to_float;
};

Status check(const Request& request, const Tensor& x, const Target& target) {
  const int64_t limit = x.dim() == 0 ? 1 : x.dim();
  if (request.dim < -limit || request.dim >= limit) return Status::refuse("the dimension is out of range");
  if (!c10::isFloatingType(x.scalar_type()) || c10::isFloat8Type(x.scalar_type())) return Status::refuse("dtype not covered");
  if (request.half_to_float && (!target.follows_cuda() || x.scalar_type() != at::kHalf))
    return Status::refuse("half to float is for float16 on a GPU");
  return {};
}

Status check_output(const Tensor& x, at::ScalarType type, const Tensor& out) {
  CORUNDUM_TRY(require_plain(x, out));
  if (out.scalar_type() != type || !out.sizes().equals(x.sizes()) || !out.is_contiguous())
    return Status::refuse("the output is not contiguous, or of another shape or dtype");
  if (!is_disjoint(out, x)) return Status::refuse("the output overlaps the input");
  return {};
}

Status run(const Request& request, const Tensor& x, Tensor& out) {
  CORUNDUM_TRY(require_plain(x));
  Target target;
  CORUNDUM_TRY(find_target(x.device(), &target));
  CORUNDUM_TRY(check(request, x, target));
  const at::ScalarType type = request.half_to_float ? at::kFloat : x.scalar_type();
  if (out.defined()) CORUNDUM_TRY(check_output(x, type, out));
  const DeviceScope device(target);
  const Tensor in = x.contiguous();
  Tensor result = out.defined() ? out : allocate(target, x.sizes(), type);
  Call call{request.log, read_pointer(in), dtype_of(in.scalar_type()), result.mutable_data_ptr(), dtype_of(type), 1, 1, 1};
  const int64_t dim = request.dim < 0 ? request.dim + x.dim() : request.dim;
  for (int64_t d = 0; d < x.dim(); ++d) (d < dim ? call.outer : d == dim ? call.n : call.inner) *= x.size(d);
  if (x.numel() != 0) {
    LaunchList list;
    CORUNDUM_TRY(plan(*target.chip, call, list));
    CORUNDUM_TRY(launch(target, list));
  }
  if (!out.defined()) out = std::move(result);
  return {};
}

template <bool log>
Status to_new(Tensor& result, const Tensor& x, int64_t dim, bool half_to_float) {
  return run({log, dim, half_to_float}, x, result);
}
template <bool log>
Status to_out(const Tensor& x, int64_t dim, bool half_to_float, Tensor& out) {
  return run({log, dim, half_to_float}, x, out);
}

Overload plain, plain_out, logarithm, logarithm_out;

const bool declared = [] {
  constexpr const char *family = "softmax", *dtypes = "float16 bfloat16 float32 float64";
  plain.declare("_softmax", family, dtypes, &Functional<plain, &to_new<false>>::bind);
  plain_out.declare("_softmax.out", family, dtypes, &Writing<plain_out, &to_out<false>>::bind);
  logarithm.declare("_log_softmax", family, dtypes, &Functional<logarithm, &to_new<true>>::bind);
  logarithm_out.declare("_log_softmax.out", family, dtypes, &Writing<logarithm_out, &to_out<true>>::bind);
  return true;
}();

} // namespace

} // namespace corundum::softmax
