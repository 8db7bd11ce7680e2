// embedding: rows of a table.
#include <ATen/core/Tensor.h>

#include <algorithm>

#include "ops/embedding/embedding.h"
#include "torch/call.h"
#include "torch/tensors.h"

namespace corundum::embedding {

namespace {

using at::Tensor;

template <class Index>
bool all_in_range(const void* indices, int64_t count, int64_t rows) {
  const auto* first = static_cast<const Index*>(indices);
  return std::all_of(first, first + count, [rows](Index i) { return i >= 0 && i < rows; });
}

Status check(const Tensor& weight, const Tensor& indices) {
  CORUNDUM_TRY(require_plain(weight, indices));
  if (weight.dim() != 2) return Status::refuse("the weight is not a matrix");
  if (indices.scalar_type() != at::kLong && indices.scalar_type() != at::kInt)
    return Status::refuse("indices are not int32 or int64");
  if (dtype_of(weight.scalar_type()) == Dtype::invalid) return Status::refuse("dtype not covered");
  return {};
}

// A GPU kernel asserts; on a CPU the error must come before anything is written.
Status check_range(const Target& target, const Tensor& indices, int64_t rows) {
  if (target.device == nullptr || target.follows_cuda()) return {};
  const bool fine = indices.scalar_type() == at::kInt ? all_in_range<int32_t>(indices.const_data_ptr(), indices.numel(), rows)
                                                      : all_in_range<int64_t>(indices.const_data_ptr(), indices.numel(), rows);
  return fine ? Status() : Status::refuse("an index is out of range");
}

// padding_idx, scale_grad_by_freq and sparse speak of the gradient alone.
Status run(Tensor& result, const Tensor& weight, const Tensor& indices, int64_t, bool, bool) {
  CORUNDUM_TRY(check(weight, indices));
  Target target;
  CORUNDUM_TRY(find_target(weight.device(), &target));
  const DeviceScope device(target);
  const Tensor table = weight.stride(1) == 1 || weight.size(1) <= 1 ? weight : weight.contiguous();
  const Tensor picks = indices.contiguous();
  CORUNDUM_TRY(check_range(target, picks, weight.size(0)));
  at::DimVector sizes(indices.sizes());
  sizes.push_back(weight.size(1));
  Tensor out = allocate(target, sizes, weight.scalar_type());
  if (out.numel() != 0) {
    const Call call{read_pointer(table),
                    table.size(0),
                    table.size(1),
                    table.stride(0),
                    static_cast<size_t>(table.element_size()),
                    read_pointer(picks),
                    dtype_of(picks.scalar_type()),
                    picks.numel(),
                    out.mutable_data_ptr()};
    LaunchList list;
    CORUNDUM_TRY(plan(*target.chip, call, list));
    CORUNDUM_TRY(launch(target, list));
  }
  result = std::move(out);
  return {};
}

// Rows move as opaque bits.
constexpr const char* every_dtype =
    "bool uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 bfloat16 float32 float64 complex64 complex128 float8_e4m3fn "
    "float8_e5m2";

Overload overload;

const bool declared = [] {
  overload.declare("embedding", "embedding", every_dtype, &Functional<overload, &run>::bind);
  return true;
}();

} // namespace

} // namespace corundum::embedding
