// masked_select: the elements that a mask selects, in their order.
#include <ATen/ExpandUtils.h>
#include <ATen/core/Tensor.h>

#include <numeric>

#include "ops/compact/compact.h"
#include "torch/call.h"
#include "torch/tensors.h"

namespace corundum::compact {

namespace {

using at::Tensor;

// The operands as the kernels want them: of one shape, contiguous.
struct Operands {
  Tensor x, mask;
};

Status prepare(const Tensor& x, const Tensor& mask, Operands* operands) {
  CORUNDUM_TRY(require_plain(x, mask));
  if (mask.scalar_type() != at::kBool) return Status::refuse("the mask is not bool");
  if (dtype_of(x.scalar_type()) == Dtype::invalid) return Status::refuse("dtype not covered");
  if (c10::isBarebonesUnsignedType(x.scalar_type())) return Status::refuse("ATen selects none of this dtype");
  if (x.sizes().equals(mask.sizes())) {
    *operands = {x, mask};
    return {};
  }
  if (!at::are_expandable(x.sizes(), mask.sizes())) return Status::refuse("tensor and mask do not broadcast");
  const auto shape = at::infer_size_dimvector(x.sizes(), mask.sizes());
  *operands = {x.expand(shape), mask.expand(shape)};
  return {};
}

// How many elements are set: the device's word reaches the host, as ATen's does.
Status count_set(const Target& target, Call& call, Tensor& counts, int64_t* total) {
  LaunchList list;
  CORUNDUM_TRY(count(*target.chip, call, list));
  CORUNDUM_TRY(launch(target, list));
  *total = call.n; // while a plan is made: the most that there can be
  if (target.device == nullptr) return {};
  const Tensor known = counts.cpu();
  const auto* first = static_cast<const int64_t*>(known.const_data_ptr());
  *total = std::accumulate(first, first + known.numel(), int64_t{0});
  return {};
}

// An output that is defined must already have the result's shape.
Status run(const Tensor& self, const Tensor& mask, Tensor& out) {
  Operands operands;
  CORUNDUM_TRY(prepare(self, mask, &operands));
  if (out.defined()) {
    CORUNDUM_TRY(require_plain(self, out));
    if (out.scalar_type() != self.scalar_type() || out.dim() != 1 || !out.is_contiguous())
      return Status::refuse("the output is not contiguous, or of another shape or dtype");
    if (!is_disjoint(out, self) || !is_disjoint(out, mask)) return Status::refuse("the output overlaps an input or itself");
  }
  Target target;
  CORUNDUM_TRY(find_target(self.device(), &target));
  const DeviceScope device(target);
  const Tensor x = operands.x.contiguous(), set = operands.mask.contiguous();
  Tensor counts = allocate(target, {blocks(*target.chip, x.numel())}, at::kLong);
  Call call{x.numel(),
            read_pointer(set),
            static_cast<int64_t*>(counts.mutable_data_ptr()),
            read_pointer(x),
            static_cast<size_t>(x.element_size()),
            nullptr};
  int64_t total = 0;
  CORUNDUM_TRY(count_set(target, call, counts, &total));
  if (out.defined() && out.numel() != total) return Status::refuse("the output has to be resized");
  Tensor result = out.defined() ? out : allocate(target, {total}, self.scalar_type());
  if (total != 0) {
    call.out = result.mutable_data_ptr();
    LaunchList moving;
    CORUNDUM_TRY(move(*target.chip, call, moving));
    CORUNDUM_TRY(launch(target, moving));
  }
  if (!out.defined()) out = std::move(result);
  return {};
}

Status to_new(Tensor& result, const Tensor& x, const Tensor& mask) { return run(x, mask, result); }
Status to_out(const Tensor& x, const Tensor& mask, Tensor& out) { return run(x, mask, out); }

Overload plain, plain_out;

// Elements move as opaque bits.
constexpr const char* every_dtype =
    "bool uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128 float8_e4m3fn "
    "float8_e5m2";

const bool declared = [] {
  plain.declare("masked_select", "compact", every_dtype, &Functional<plain, &to_new>::bind);
  plain_out.declare("masked_select.out", "compact", every_dtype, &Writing<plain_out, &to_out>::bind);
  return true;
}();

} // namespace

} // namespace corundum::compact
