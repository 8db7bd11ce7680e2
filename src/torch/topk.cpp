// topk: the k largest or smallest along a dimension, with their indices. They always come in order, as sorted=True asks.
#include <ATen/core/Tensor.h>

#include <tuple>

#include "ops/topk/topk.h"
#include "torch/call_two.h"
#include "torch/tensors.h"

namespace corundum::topk {

namespace {

using at::Tensor;

struct Request {
  int64_t k, dim;
  bool largest;
};

Status check(const Request& request, const Tensor& x) {
  const int64_t limit = x.dim() == 0 ? 1 : x.dim();
  if (request.dim < -limit || request.dim >= limit) return Status::refuse("the dimension is out of range");
  const Dtype dtype = dtype_of(x.scalar_type());
  if (dtype == Dtype::invalid || dtype == Dtype::boolean || is_complex(dtype) || c10::isFloat8Type(x.scalar_type()) ||
      c10::isBarebonesUnsignedType(x.scalar_type()))
    return Status::refuse("dtype not covered");
  const int64_t n = x.dim() == 0 ? 1 : x.size(request.dim);
  if (request.k < 0 || request.k > n) return Status::refuse("k is not between 0 and the row's length");
  return {};
}

// [rows, n] -> [rows, k], both contiguous.
Status select_rows(const Target& target, const Request& request, const Tensor& rows, int64_t n, Tensor& values, Tensor& indices) {
  if (values.numel() == 0) return {};
  const Call call{read_pointer(rows),
                  dtype_of(rows.scalar_type()),
                  rows.numel() / n,
                  n,
                  request.k,
                  request.largest,
                  values.mutable_data_ptr(),
                  static_cast<int64_t*>(indices.mutable_data_ptr())};
  LaunchList list;
  CORUNDUM_TRY(plan(*target.chip, call, list));
  return launch(target, list);
}

Status check_output(const Tensor& x, at::IntArrayRef sizes, at::ScalarType type, const Tensor& out) {
  if (out.scalar_type() != type || !out.sizes().equals(sizes) || !out.is_contiguous())
    return Status::refuse("the output is not contiguous, or of another shape or dtype");
  if (!is_disjoint(out, x)) return Status::refuse("the output overlaps the input");
  return {};
}

// Where values and indices are defined, they are the outputs.
Status run(Request request, const Tensor& x, Tensor& values, Tensor& indices) {
  CORUNDUM_TRY(require_plain(x));
  CORUNDUM_TRY(check(request, x));
  if (x.dim() == 0) request.k = 1; // ATen gives the number itself, whatever k is
  Target target;
  CORUNDUM_TRY(find_target(x.device(), &target));
  const int64_t last = x.dim() - 1, dim = request.dim < 0 ? request.dim + x.dim() : request.dim;
  const bool along_rows = x.dim() == 0 || dim == last;
  at::DimVector sizes(x.sizes());
  if (x.dim() != 0) sizes[dim] = request.k;
  const bool writes = values.defined();
  if (writes) {
    CORUNDUM_TRY(require_plain(x, values, indices));
    CORUNDUM_TRY(check_output(x, sizes, x.scalar_type(), values));
    CORUNDUM_TRY(check_output(x, sizes, at::kLong, indices));
    if (!is_disjoint(values, indices)) return Status::refuse("the output overlaps the input");
  }
  const DeviceScope device(target);
  const Tensor rows = (along_rows ? x : x.transpose(dim, last)).contiguous();
  if (!writes) {
    values = allocate(target, sizes, x.scalar_type());
    indices = allocate(target, sizes, at::kLong);
  }
  if (along_rows) return select_rows(target, request, rows, x.dim() == 0 ? 1 : x.size(dim), values, indices);
  std::swap(sizes[dim], sizes[last]);
  Tensor found = allocate(target, sizes, x.scalar_type()), where = allocate(target, sizes, at::kLong);
  CORUNDUM_TRY(select_rows(target, request, rows, x.size(dim), found, where));
  values.copy_(found.transpose(dim, last));
  indices.copy_(where.transpose(dim, last));
  return {};
}

Status to_new(std::tuple<Tensor, Tensor>& results, const Tensor& x, int64_t k, int64_t dim, bool largest, bool) {
  return run({k, dim, largest}, x, std::get<0>(results), std::get<1>(results));
}
Status to_out(const Tensor& x, int64_t k, int64_t dim, bool largest, bool, Tensor& values, Tensor& indices) {
  return run({k, dim, largest}, x, values, indices);
}

Overload plain, plain_out;

const bool declared = [] {
  constexpr const char *family = "topk", *dtypes = "uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64";
  plain.declare("topk", family, dtypes, &Functional<plain, &to_new>::bind);
  plain_out.declare("topk.values", family, dtypes, &WritingTwo<plain_out, &to_out>::bind);
  return true;
}();

} // namespace

} // namespace corundum::topk
