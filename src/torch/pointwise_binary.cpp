// Arithmetic, comparisons and whatever else meets two tensors, or a tensor and a number; and three with a factor.
#include <ATen/native/TypeProperties.h>

#include "torch/pointwise_forms.h"
#include "torch/tensors.h"

namespace corundum::pointwise {

namespace {

Status binary(const Op& op, Tensor& out, const Tensor& x, const Tensor& y) { return run(call_of(op, arithmetic, {&x, &y}), out); }

Status binary_same(const Op& op, Tensor& out, const Tensor& x, const Tensor& y) {
  return run_as_made(call_of(op, {.casts_output = false, .same_dtypes = true}, {&x, &y}), x, out);
}

bool divides_integers_on_cpu(const Tensor& x, const Tensor& y) {
  return category(x.scalar_type()) < 2 && category(y.scalar_type()) < 2 && !x.is_cuda() && !y.is_cuda();
}
constexpr const char* may_raise = "integer division by zero must raise on a CPU"; // from inside ATen's loop

Status binary_dividing(const Op& op, Tensor& out, const Tensor& x, const Tensor& y) {
  if (divides_integers_on_cpu(x, y)) return Status::refuse(may_raise);
  return binary(op, out, x, y);
}

Status number_first(const Op& op, Tensor& out, const at::Scalar& number, const Tensor& y) {
  if (!is_plain(y)) return Status::refuse(not_plain);
  return binary_dividing(op, out, wrapped(number), y);
}

Status number_second(const Op& op, Tensor& out, const Tensor& x, const at::Scalar& number) {
  if (!is_plain(x)) return Status::refuse(not_plain);
  return binary(op, out, x, wrapped(number));
}

Status comparison(const Op& op, Tensor& out, const Tensor& x, const at::Scalar& number) {
  if (!is_plain(x)) return Status::refuse(not_plain);
  const bool floats = number.isFloatingPoint() || number.isComplex();
  if (!floats && !c10::isComplexType(x.scalar_type()) && !fits(number, x.scalar_type()))
    return Status::refuse("the number does not fit the tensor's dtype");
  const Tensor y = wrapped(number);
  return run(call_of(op, arithmetic, {&x, &y}), out);
}

// ATen's own words for a wrong alpha, or for subtracting bools, are the previous kernel's to say.
bool alpha_is_valid(const at::Scalar& alpha, const Tensor& x, const Tensor& y) {
  if (alpha.isBoolean()) return x.scalar_type() == at::kBool && y.scalar_type() == at::kBool;
  if (alpha.isIntegral(false)) return true;
  const int highest = std::max(category(x.scalar_type()), category(y.scalar_type()));
  return alpha.isComplex() ? highest == 3 : highest >= 2;
}

Status binary_alpha(const Op& op, Tensor& out, const Tensor& x, const Tensor& y, const at::Scalar& alpha) {
  TensorCall call = call_of(op, arithmetic, {&x, &y});
  if (!alpha_is_valid(alpha, x, y)) return Status::refuse("alpha is of another kind than the tensors");
  // Subtraction of one bool tensor is an error even where the other one promotes it.
  if (!(op.dtypes & set_bool) && (x.scalar_type() == at::kBool || y.scalar_type() == at::kBool))
    return Status::refuse("bool tensors cannot be subtracted");
  call.scalars[0] = to_scalar(alpha);
  return run(call, out);
}

bool meets_in_half(const Tensor& x, const Tensor& y) {
  const auto state = at::native::update_result_type_state(y, at::native::update_result_type_state(x, {}));
  const at::ScalarType type = at::native::result_type(state);
  return type == at::kHalf || type == at::kBFloat16;
}

// ATen rounds a 16-bit quotient to 16 bits before it truncates (2.999 becomes 3), but not the one by a single number. On CUDA it
// multiplies by the reciprocal of a number instead, which misses whole quotients.
Status truncate(const Tensor& x, const Tensor& y, uint8_t* flag) {
  const bool is_number_x = x.is_cpu() && x.dim() == 0, is_number_y = y.is_cpu() && y.dim() == 0;
  if (is_number_y && x.is_cuda()) return Status::refuse("truncated division by a number on CUDA");
  if (!meets_in_half(x, y)) return {};
  if (is_number_x && !is_number_y) return Status::refuse("truncated division of a number by 16-bit numbers");
  const bool divides_by_one_number = x.is_cpu() && y.numel() == 1;
  *flag = divides_by_one_number ? 0 : 2;
  return {};
}

Status binary_rounding(const Op& op, Tensor& out, const Tensor& x, const Tensor& y, std::optional<c10::string_view> mode) {
  if (!mode) return binary(row("div", Signature::binary), out, x, y);
  if (*mode != "trunc" && *mode != "floor") return Status::refuse("rounding_mode is neither None, \"trunc\" nor \"floor\"");
  if (divides_integers_on_cpu(x, y)) return Status::refuse(may_raise);
  TensorCall call = call_of(op, arithmetic, {&x, &y});
  call.flag = *mode == "floor";
  if (*mode == "trunc") CORUNDUM_TRY(truncate(x, y, &call.flag));
  return run(call, out);
}

Status ternary_value(const Op& op, Tensor& out, const Tensor& x, const Tensor& y, const Tensor& z, const at::Scalar& value) {
  TensorCall call = call_of(op, arithmetic, {&x, &y, &z});
  const int highest = std::max({category(x.scalar_type()), category(y.scalar_type()), category(z.scalar_type())});
  if ((value.isComplex() && highest < 3) || (value.isFloatingPoint() && highest < 2))
    return Status::refuse("the factor is of another kind than the tensors");
  call.scalars[0] = to_scalar(value);
  return run(call, out);
}

Status lerp_tensor(const Op& op, Tensor& out, const Tensor& x, const Tensor& y, const Tensor& weight) {
  return run(call_of(op, {.casts_output = false, .same_dtypes = true}, {&x, &y, &weight}), out);
}
Status lerp_scalar(const Op& op, Tensor& out, const Tensor& x, const Tensor& y, const at::Scalar& weight) {
  TensorCall call = call_of(op, {.casts_output = false, .same_dtypes = true}, {&x, &y});
  if (weight.isComplex() && category(x.scalar_type()) < 3) return Status::refuse("the weight is of another kind than the tensors");
  call.scalars[0] = to_scalar(weight);
  return run(call, out);
}

// Names are tried in order, as ATen has one or another.
template <auto work>
void declare_binary(const Op& op) {
  const std::string name = op.name;
  const std::string tensor = op.name == std::string_view("pow") ? "Tensor_Tensor" : "Tensor";
  Forms<work>::functional(op, {name + "." + tensor, name});
  Forms<work>::in_place(op, {name + "_.Tensor", name + "_"});
  Forms<work>::output(op, {name + "." + tensor + "_out", name + ".OutTensor", name + ".out"});
}

void declare_lerp(const Op& op) {
  if (op.inputs == 3)
    Forms<&lerp_tensor>::all(op, "Tensor", "Tensor_out");
  else
    Forms<&lerp_scalar>::all(op, "Scalar", "Scalar_out");
}

// The operators << and >>, whose in-place names are <<= and >>=.
void declare_shift(const Op& op) {
  const std::string plain = std::string("__") + op.name + "__", in_place = std::string("__i") + op.name + "__";
  Forms<&binary>::functional(op, {plain + ".Tensor"});
  Forms<&number_second>::functional(op, {plain + ".Scalar"});
  Forms<&binary>::in_place(op, {in_place + ".Tensor"});
  Forms<&number_second>::in_place(op, {in_place + ".Scalar"});
}

const bool declared =
    for_rows(Signature::binary, &declare_binary<&binary>) && for_rows(Signature::binary_same, &declare_binary<&binary_same>) &&
    for_rows(Signature::binary_dividing,
             [](const Op& op) {
               declare_binary<&binary_dividing>(op);
               Forms<&number_first>::functional(op, {op.name + std::string(".Scalar_Tensor")});
             }) &&
    for_rows(Signature::comparison,
             [](const Op& op) {
               declare_binary<&binary>(op);
               Forms<&comparison>::all(op, "Scalar", "Scalar_out");
             }) &&
    for_rows(Signature::binary_alpha, &declare_binary<&binary_alpha>) &&
    for_rows(Signature::binary_rounding, [](const Op& op) { Forms<&binary_rounding>::all(op, "Tensor_mode", "out_mode"); }) &&
    for_rows(Signature::ternary_value, [](const Op& op) { Forms<&ternary_value>::all(op); }) &&
    for_rows(Signature::lerp, &declare_lerp) && for_rows(Signature::shift, &declare_shift);

} // namespace

} // namespace corundum::pointwise
