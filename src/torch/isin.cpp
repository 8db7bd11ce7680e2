// isin: elements that are among the elements of another tensor, which is sorted unless it is small.
#include <ATen/ScalarOps.h>
#include <ATen/ops/result_type.h>
#include <ATen/ops/sort.h>

#include "ops/isin/isin.h"
#include "torch/lists.h"
#include "torch/pointwise_call.h"

namespace corundum::isin {

namespace {

using at::Tensor;

bool is_known(at::ScalarType type) {
  return type != at::kBool && pointwise::is_covered(pointwise::row("sign", pointwise::Signature::unary), type);
}

Status tensors(Tensor& result, const Tensor& elements, const Tensor& tests, bool, bool invert) {
  CORUNDUM_TRY(require_plain(elements, tests));
  if (!is_known(elements.scalar_type()) || !is_known(tests.scalar_type())) return Status::refuse("dtype not covered");
  Target target;
  CORUNDUM_TRY(find_target(elements.device(), &target));
  const DeviceScope device(target);
  const at::ScalarType type = at::result_type(elements, tests);
  const Tensor in = elements.to(type).contiguous();
  Tensor among = tests.to(type).contiguous().view(-1);
  if (among.numel() > few) among = std::get<0>(at::sort(among));
  Tensor out = allocate(target, elements.sizes(), at::kBool);
  ListItem item;
  std::optional<ListLaunches> launches;
  const Call call{read_pointer(in),
                  read_pointer(among),
                  static_cast<bool*>(out.mutable_data_ptr()),
                  in.numel(),
                  among.numel(),
                  dtype_of(type),
                  invert};
  CORUNDUM_TRY(plan(*target.chip, call, &item, &launches));
  CORUNDUM_TRY(launch_all(target, *launches));
  result = std::move(out);
  return {};
}

// One number among many: ATen's own way is the same.
Status one_element(Tensor& result, const at::Scalar& element, const Tensor& tests, bool unique, bool invert) {
  if (!is_plain(tests)) return Status::refuse(not_plain);
  Tensor x = at::scalar_to_tensor(element, tests.device());
  x.unsafeGetTensorImpl()->set_wrapped_number(true);
  return tensors(result, x, tests, unique, invert);
}

Status one_test(Tensor& result, const Tensor& elements, const at::Scalar& test, bool, bool invert) {
  using pointwise::row, pointwise::Signature;
  if (!is_plain(elements)) return Status::refuse(not_plain);
  if (!is_known(elements.scalar_type()) || test.isBoolean() || test.isComplex()) return Status::refuse("dtype not covered");
  if (test.isIntegral(false) && !pointwise::fits(test, elements.scalar_type()))
    return Status::refuse("the number does not fit the tensor's dtype");
  const Tensor number = pointwise::wrapped(test);
  const pointwise::Op& op = invert ? row("ne", Signature::comparison) : row("eq", Signature::comparison);
  const auto call = pointwise::call_of(op, {.cpu_scalars = true}, {&elements, &number});
  return pointwise::run_into_new(call, elements, at::kBool, pointwise::Made::contiguous, result);
}

Overload of_tensors, of_element, of_test;

const bool declared = [] {
  constexpr const char* dtypes = "uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64";
  of_tensors.declare("isin.Tensor_Tensor", "isin", dtypes, &Functional<of_tensors, &tensors>::bind);
  of_element.declare("isin.Scalar_Tensor", "isin", dtypes, &Functional<of_element, &one_element>::bind);
  of_test.declare("isin.Tensor_Scalar", "isin", dtypes, &Functional<of_test, &one_test>::bind);
  return true;
}();

} // namespace

} // namespace corundum::isin
