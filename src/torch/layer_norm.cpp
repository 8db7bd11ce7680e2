// native_layer_norm: the normalised tensor, and the mean and reciprocal deviation that the backward wants.
#include <ATen/core/Tensor.h>

#include <tuple>

#include "ops/layer_norm/layer_norm.h"
#include "torch/call.h"
#include "torch/tensors.h"

namespace corundum::layer_norm {

namespace {

using at::Tensor;
using MaybeTensor = std::optional<Tensor>;
using Results = std::tuple<Tensor, Tensor, Tensor>;

const Tensor& given(const MaybeTensor& t) {
  static const Tensor* none = new Tensor;
  return t ? *t : *none;
}

// Wrong shapes go to the previous kernel, which says so.
Status check_shapes(const Tensor& x, at::IntArrayRef shape, const Tensor& weight, const Tensor& bias) {
  if (shape.empty() || x.dim() < static_cast<int64_t>(shape.size()) || !x.sizes().slice(x.dim() - shape.size()).equals(shape))
    return Status::refuse("the normalized shape is not the end of the tensor's");
  for (const Tensor* parameter : {&weight, &bias}) {
    if (!parameter->defined()) continue;
    if (!parameter->sizes().equals(shape)) return Status::refuse("weight or bias is not of the normalized shape");
    CORUNDUM_TRY(require_plain(x, *parameter));
  }
  return {};
}

// ATen keeps the statistics in the accumulation type on a GPU. On a CPU they have the parameters' dtype; 16-bit inputs may come
// with float32 parameters there.
Status find_types(const Target& target, const Tensor& x, const Tensor& weight, const Tensor& bias, at::ScalarType* parameters,
                  at::ScalarType* statistics) {
  const at::ScalarType type = x.scalar_type();
  const bool is_half = type == at::kHalf || type == at::kBFloat16;
  if (!is_half && type != at::kFloat && type != at::kDouble) return Status::refuse("dtype not covered");
  *parameters = weight.defined() ? weight.scalar_type() : bias.defined() ? bias.scalar_type() : type;
  if (weight.defined() && bias.defined() && weight.scalar_type() != bias.scalar_type())
    return Status::refuse("weight and bias have different dtypes");
  const bool is_mixed = *parameters != type;
  if (is_mixed && (target.follows_cuda() || !is_half || *parameters != at::kFloat))
    return Status::refuse("weight and bias have another dtype than the tensor");
  if (target.follows_cuda())
    *statistics = type == at::kDouble ? at::kDouble : at::kFloat;
  else
    *statistics = is_mixed ? at::kFloat : type;
  return {};
}

Status run(Results& results, const Tensor& x, at::IntArrayRef shape, const MaybeTensor& maybe_weight, const MaybeTensor& maybe_bias,
           double eps) {
  const Tensor &weight = given(maybe_weight), &bias = given(maybe_bias);
  CORUNDUM_TRY(require_plain(x));
  CORUNDUM_TRY(check_shapes(x, shape, weight, bias));
  Target target;
  CORUNDUM_TRY(find_target(x.device(), &target));
  at::ScalarType parameters, statistics;
  CORUNDUM_TRY(find_types(target, x, weight, bias, &parameters, &statistics));

  const size_t axis = x.dim() - shape.size();
  at::DimVector statistics_shape(x.sizes().begin(), x.sizes().begin() + axis);
  statistics_shape.resize(x.dim(), 1);
  const int64_t n = c10::multiply_integers(shape), rows = c10::multiply_integers(x.sizes().slice(0, axis));
  if (n == 0) return Status::refuse("rows of no elements");

  const DeviceScope device(target);
  const Tensor in = x.contiguous();
  const Tensor w = weight.defined() ? weight.contiguous() : weight, b = bias.defined() ? bias.contiguous() : bias;
  Tensor out = allocate(target, x.sizes(), x.scalar_type());
  Tensor mean = allocate(target, statistics_shape, statistics), rstd = allocate(target, statistics_shape, statistics);
  if (rows != 0) {
    const Call call{rows,
                    n,
                    eps,
                    read_pointer(in),
                    w.defined() ? read_pointer(w) : nullptr,
                    b.defined() ? read_pointer(b) : nullptr,
                    out.mutable_data_ptr(),
                    mean.mutable_data_ptr(),
                    rstd.mutable_data_ptr(),
                    dtype_of(x.scalar_type()),
                    dtype_of(parameters),
                    dtype_of(statistics),
                    w.defined(),
                    b.defined()};
    LaunchList list;
    CORUNDUM_TRY(plan(*target.chip, call, list));
    CORUNDUM_TRY(launch(target, list));
  }
  results = {std::move(out), std::move(mean), std::move(rstd)};
  return {};
}

Overload overload;

const bool declared = [] {
  overload.declare("native_layer_norm", "layer_norm", "float16 bfloat16 float32 float64", &Functional<overload, &run>::bind);
  return true;
}();

} // namespace

} // namespace corundum::layer_norm
