// Rows whose arguments no other row has.
#include <ATen/native/TypeProperties.h>

#include <limits>

#include "torch/pointwise_forms.h"
#include "torch/tensors.h"

namespace corundum::pointwise {

namespace {

// Exponents that ATen has its own formulas for: their results at zeros and infinities are not pow's.
const Op* formula_of(double exponent, bool floating, uint8_t* flag) {
  static constexpr const Op *power = &row("pow", Signature::named), *root = &row("sqrt", Signature::unary);
  *flag = exponent == 2 ? 1 : exponent == 3 ? 2 : exponent == -2 && floating ? 3 : 0;
  return floating && exponent == 0.5 ? root : power;
}

Status pow_number(const Op& op, Tensor& out, const Tensor& x, const at::Scalar& exponent) {
  if (!is_plain(x)) return Status::refuse(not_plain);
  const auto state = at::native::update_result_type_state(exponent, at::native::update_result_type_state(x, {}));
  const at::ScalarType type = at::native::result_type(state);
  if (!is_covered(op, type)) return Status::refuse("dtype not covered");
  if (category(type) < 2 && exponent.toLong() < 0) return Status::refuse("integers to negative integer powers");
  uint8_t flag = 0;
  const Op* chosen = exponent.isComplex() ? &op : formula_of(exponent.toDouble(), category(type) >= 2, &flag);
  TensorCall call = call_of(*chosen, {}, {&x});
  call.flag = flag;
  call.compute = type;
  call.scalars[0] = to_scalar(exponent);
  return run(call, out);
}

Status pow_of_number(const Op&, Tensor& out, const at::Scalar& base, const Tensor& exponent) {
  if (!is_plain(exponent)) return Status::refuse(not_plain);
  const Tensor x = wrapped(base);
  const auto state = at::native::update_result_type_state(exponent, at::native::update_result_type_state(x, {}));
  const TensorCall call = call_of(row("pow", Signature::binary), arithmetic, {&x, &exponent});
  return run_into_new(call, exponent, at::native::result_type(state), Made::contiguous, out);
}

using MaybeDouble = std::optional<double>;

Status nan_to_num(const Op& op, Tensor& out, const Tensor& x, MaybeDouble nan, MaybeDouble positive, MaybeDouble negative) {
  if (!is_plain(x)) return Status::refuse(not_plain);
  const at::ScalarType type = c10::toRealValueType(x.scalar_type());
  if (!is_covered(op, type)) return Status::refuse("dtype not covered");
  const double most = type == at::kDouble     ? std::numeric_limits<double>::max()
                      : type == at::kFloat    ? std::numeric_limits<float>::max()
                      : type == at::kBFloat16 ? static_cast<double>(std::numeric_limits<at::BFloat16>::max())
                                              : static_cast<double>(std::numeric_limits<at::Half>::max());
  TensorCall call = call_of(op, {}, {&x});
  call.scalars[0] = corundum::Scalar::of(nan.value_or(0));
  call.scalars[1] = corundum::Scalar::of(positive.value_or(most));
  call.scalars[2] = corundum::Scalar::of(negative.value_or(-most));
  return run_into_new(call, x, x.scalar_type(), Made::like, out);
}

// ATen's, of quantized models, is for CPUs, of tensors of one dtype.
Status add_relu(const Op& op, Tensor& out, const Tensor& x, const Tensor& y, const at::Scalar& alpha) {
  CORUNDUM_TRY(require_plain(x, y));
  if (x.scalar_type() != y.scalar_type()) return Status::refuse("the tensors have different dtypes");
  if (x.scalar_type() == at::kByte || !is_covered(op, x.scalar_type())) return Status::refuse("dtype not covered");
  if (!fits(alpha, x.scalar_type()) || (alpha.isFloatingPoint() && category(x.scalar_type()) < 2))
    return Status::refuse("alpha is of another kind than the tensors");
  TensorCall call = call_of(op, {}, {&x, &y});
  call.scalars[0] = to_scalar(alpha);
  return run(call, out);
}

const bool declared = for_rows(Signature::named, [](const Op& op) {
  const std::string name = op.name;
  if (name == "pow") {
    Forms<&pow_number>::functional(op, {name + ".Tensor_Scalar"});
    Forms<&pow_number>::in_place(op, {name + "_.Scalar"});
    Forms<&pow_number>::output(op, {name + ".Tensor_Scalar_out"});
    Forms<&pow_of_number>::functional(op, {name + ".Scalar"});
    Forms<&pow_of_number>::output(op, {name + ".Scalar_out"});
  } else if (name == "_add_relu") {
    Forms<&add_relu>::all(op, "Tensor");
  } else if (name == "nan_to_num") {
    Forms<&nan_to_num>::all(op);
  }
});

} // namespace

} // namespace corundum::pointwise
