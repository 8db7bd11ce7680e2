// The ATen overloads of the rows of ops/pointwise/table.h: one template a signature, instantiated for every row that has it.
#include <ATen/ExpandUtils.h>
#include <ATen/MemoryOverlap.h>
#include <ATen/ScalarOps.h>
#include <ATen/native/TypeProperties.h>

#include <string>
#include <utility>

#include "torch/call.h"
#include "torch/pointwise_call.h"
#include "torch/tensors.h"

namespace corundum::pointwise {

namespace {

using at::Tensor;
using MaybeNumber = std::optional<at::Scalar>;
using MaybeTensor = std::optional<Tensor>;

constexpr Rules arithmetic{.cpu_scalars = true};
constexpr Rules strict_output{.casts_output = false};
constexpr Rules gradient{.same_dtypes = true};

std::string dtype_text(const Op& op) {
  std::string text;
  if (op.signature == Signature::copy) text += "uint16 uint32 uint64 complex64 complex128 float8_e4m3fn float8_e5m2 ";
  if (op.dtypes & set_bool) text += "bool ";
  if (op.dtypes & set_int) text += "uint8 int8 int16 int32 int64 ";
  if (op.dtypes & set_half) text += "float16 bfloat16 ";
  if (op.dtypes & set_float) text += "float32 float64 ";
  text.pop_back();
  return text;
}

TensorCall call_of(const Op& op, Rules rules, std::initializer_list<const Tensor*> inputs) {
  TensorCall call{.op = &op, .rules = rules, .inputs = 0, .in = {}};
  for (const Tensor* input : inputs) call.in[call.inputs++] = input;
  return call;
}

// One row's functional, in-place and out= overloads. `Row` gives the signature: Row::work(out, arguments...) does any of them.
template <int row, class Work, class... Args>
struct Forms {
  inline static Overload functional, in_place, output;

  static Status to_new(Tensor& result, const Tensor& self, Args... args) { return Work::work(ops[row], result, self, args...); }
  static Status to_self(Tensor& self, Args... args) { return Work::work(ops[row], self, self, args...); }
  static Status to_out(const Tensor& self, Args... args, Tensor& out) { return Work::work(ops[row], out, self, args...); }

  static void declare_functional(const std::string& name) {
    functional.declare(name, "pointwise", dtype_text(ops[row]), &Functional<functional, &to_new>::bind);
  }
  static void declare_in_place(const std::string& name) {
    in_place.declare(name, "pointwise", dtype_text(ops[row]), &Writing<in_place, &to_self>::bind);
  }
  static void declare_output(const std::string& name) {
    output.declare(name, "pointwise", dtype_text(ops[row]), &Writing<output, &to_out>::bind);
  }
  // f.overload, f_.overload and f.out; an empty overload is ATen's unnamed one.
  static void declare(const std::string& overload, const std::string& out) {
    const std::string name = ops[row].name, suffix = overload.empty() ? "" : "." + overload;
    declare_functional(name + suffix);
    declare_in_place(name + "_" + suffix);
    declare_output(name + "." + out);
  }
};

struct Unary {
  static Status work(const Op& op, Tensor& out, const Tensor& x) { return run(call_of(op, {}, {&x}), out); }
};

Status approximation(c10::string_view text, uint8_t* flag) {
  *flag = text == "tanh";
  if (text != "tanh" && text != "none") return Status::refuse("approximate is neither \"none\" nor \"tanh\"");
  return {};
}

struct UnaryApproximate {
  static Status work(const Op& op, Tensor& out, const Tensor& x, c10::string_view approximate) {
    TensorCall call = call_of(op, strict_output, {&x});
    CORUNDUM_TRY(approximation(approximate, &call.flag));
    return run(call, out);
  }
};

struct Binary {
  static Status work(const Op& op, Tensor& out, const Tensor& x, const Tensor& y) {
    return run(call_of(op, arithmetic, {&x, &y}), out);
  }
};

// A number beside a tensor, as a tensor that does not promote.
Status wrap(const at::Scalar& number, const Tensor& beside, Tensor* wrapped) {
  if (number.isComplex()) return Status::refuse("complex numbers are not covered");
  if (c10::isComplexType(beside.scalar_type()) || !fits(number, number.isFloatingPoint() ? at::kDouble : beside.scalar_type()))
    return Status::refuse("the number does not fit the tensor's dtype");
  *wrapped = at::scalar_to_tensor(number);
  wrapped->unsafeGetTensorImpl()->set_wrapped_number(true);
  return {};
}

struct Comparison {
  static Status work(const Op& op, Tensor& out, const Tensor& x, const at::Scalar& number) {
    if (!is_plain(x)) return Status::refuse(not_plain);
    Tensor y;
    CORUNDUM_TRY(wrap(number, x, &y));
    return run(call_of(op, arithmetic, {&x, &y}), out);
  }
};

// ATen's own words for a wrong alpha, or for subtracting bools, are the previous kernel's to say.
bool alpha_is_valid(const at::Scalar& alpha, const Tensor& x, const Tensor& y) {
  if (alpha.isBoolean()) return x.scalar_type() == at::kBool && y.scalar_type() == at::kBool;
  if (alpha.isIntegral(false)) return true;
  return alpha.isFloatingPoint() && (c10::isFloatingType(x.scalar_type()) || c10::isFloatingType(y.scalar_type()));
}

struct BinaryAlpha {
  static Status work(const Op& op, Tensor& out, const Tensor& x, const Tensor& y, const at::Scalar& alpha) {
    TensorCall call = call_of(op, arithmetic, {&x, &y});
    if (!alpha_is_valid(alpha, x, y)) return Status::refuse("alpha is of another kind than the tensors");
    // Subtraction of one bool tensor is an error even where the other one promotes it.
    if (!(op.dtypes & set_bool) && (x.scalar_type() == at::kBool || y.scalar_type() == at::kBool))
      return Status::refuse("bool tensors cannot be subtracted");
    CORUNDUM_TRY(to_scalar(alpha, &call.scalars[0]));
    return run(call, out);
  }
};

constexpr int row_of(std::string_view name, Signature signature) {
  for (int i = 0; i < op_count; ++i)
    if (ops[i].name == name && ops[i].signature == signature) return i;
  return -1;
}

bool meets_in_half(const Tensor& x, const Tensor& y) {
  const auto state = at::native::update_result_type_state(y, at::native::update_result_type_state(x, {}));
  const at::ScalarType type = at::native::result_type(state);
  return type == at::kHalf || type == at::kBFloat16;
}

struct BinaryRounding {
  static Status work(const Op& op, Tensor& out, const Tensor& x, const Tensor& y, std::optional<c10::string_view> mode) {
    if (!mode) {
      constexpr int exact = row_of("div", Signature::binary);
      static_assert(exact >= 0, "rounding_mode=None is the division that is not rounded");
      return Binary::work(ops[exact], out, x, y);
    }
    if (*mode != "trunc" && *mode != "floor") return Status::refuse("rounding_mode is neither None, \"trunc\" nor \"floor\"");
    const bool divides_integers = !c10::isFloatingType(x.scalar_type()) && !c10::isFloatingType(y.scalar_type());
    // ATen's CPU kernel raises ZeroDivisionError from inside its loop.
    if (divides_integers && !x.is_cuda() && !y.is_cuda()) return Status::refuse("integer division by zero must raise on a CPU");
    TensorCall call = call_of(op, arithmetic, {&x, &y});
    call.flag = *mode == "floor";
    if (*mode == "trunc") CORUNDUM_TRY(truncate(x, y, &call.flag));
    return run(call, out);
  }

  // ATen rounds a 16-bit quotient to 16 bits before it truncates (2.999 becomes 3), but not the one by a single number. On CUDA it
  // multiplies by the reciprocal of a number instead, which misses whole quotients.
  static Status truncate(const Tensor& x, const Tensor& y, uint8_t* flag) {
    const bool is_number_x = x.is_cpu() && x.dim() == 0, is_number_y = y.is_cpu() && y.dim() == 0;
    if (is_number_y && x.is_cuda()) return Status::refuse("truncated division by a number on CUDA");
    if (!meets_in_half(x, y)) return {};
    if (is_number_x && !is_number_y) return Status::refuse("truncated division of a number by 16-bit numbers");
    const bool divides_by_one_number = x.is_cpu() && y.numel() == 1;
    *flag = divides_by_one_number ? 0 : 2;
    return {};
  }
};

struct Backward {
  static Status work(const Op& op, Tensor& out, const Tensor& grad, const Tensor& y) {
    return run(call_of(op, gradient, {&grad, &y}), out);
  }
};

struct BackwardApproximate {
  static Status work(const Op& op, Tensor& out, const Tensor& grad, const Tensor& x, c10::string_view approximate) {
    TensorCall call = call_of(op, gradient, {&grad, &x});
    CORUNDUM_TRY(approximation(approximate, &call.flag));
    return run(call, out);
  }
};

enum Bounds : uint8_t { both_bounds, only_min, only_max };

struct Clamp {
  // Numbers take part in promotion as ATen lets them: only where the tensor is integral.
  static at::ScalarType result_type(const Tensor& x, const MaybeNumber& min, const MaybeNumber& max) {
    if (c10::isFloatingType(x.scalar_type()) || c10::isComplexType(x.scalar_type())) return x.scalar_type();
    auto state = at::native::update_result_type_state(x, {});
    if (min) state = at::native::update_result_type_state(*min, state);
    if (max) state = at::native::update_result_type_state(*max, state);
    return at::native::result_type(state);
  }

  static Status add_bound(const at::Scalar& bound, at::ScalarType type, corundum::Scalar* scalar) {
    CORUNDUM_TRY(to_scalar(bound, scalar));
    if (!fits(bound, type)) return Status::refuse("a bound overflows the dtype");
    return {};
  }

  static Status work(const Op& op, Tensor& out, const Tensor& x, const MaybeNumber& min, const MaybeNumber& max) {
    if (!min && !max) return Status::refuse("neither min nor max is given");
    if (!is_plain(x)) return Status::refuse(not_plain);
    TensorCall call = call_of(op, strict_output, {&x});
    call.compute = result_type(x, min, max);
    if (!is_covered(op, call.compute)) return Status::refuse("dtype not covered");
    call.flag = min && max ? both_bounds : min ? only_min : only_max;
    if (min) CORUNDUM_TRY(add_bound(*min, call.compute, &call.scalars[0]));
    if (max) CORUNDUM_TRY(add_bound(*max, call.compute, &call.scalars[1]));
    return run(call, out);
  }
};

struct ClampOne {
  static Status work(const Op& op, Tensor& out, const Tensor& x, const at::Scalar& bound) {
    if (!is_plain(x)) return Status::refuse(not_plain);
    TensorCall call = call_of(op, strict_output, {&x});
    call.compute = Clamp::result_type(x, bound, {});
    if (!is_covered(op, call.compute)) return Status::refuse("dtype not covered");
    CORUNDUM_TRY(Clamp::add_bound(bound, call.compute, &call.scalars[0]));
    return run(call, out);
  }
};

struct Where {
  static Status work(const Op& op, Tensor& out, const Tensor& condition, const Tensor& x, const Tensor& y) {
    CORUNDUM_TRY(require_plain(condition, x));
    if (!is_plain(y)) return Status::refuse(not_plain);
    if (condition.scalar_type() != at::kBool) return Status::refuse("the condition is not bool");
    TensorCall call = call_of(op, arithmetic, {&condition, &x, &y});
    call.compute = at::native::result_type(at::native::update_result_type_state(y, at::native::update_result_type_state(x, {})));
    if (!is_covered(op, call.compute)) return Status::refuse("dtype not covered");
    if (out.defined() && out.scalar_type() != call.compute) return Status::refuse("the output has another dtype");
    return run(call, out);
  }
};

// Every element of a tensor becomes one number. The tensor itself stands in as an input, so that its layout is looked at once.
struct Fill {
  static Status fill(const Op& op, Tensor& self, const at::Scalar& value) {
    if (!is_plain(self)) return Status::refuse(not_plain);
    if (!is_covered(op, self.scalar_type())) return Status::refuse("dtype not covered");
    if (value.isComplex() || !fits(value, self.scalar_type())) return Status::refuse("the value does not fit the tensor's dtype");
    if (at::has_internal_overlap(self) == at::MemOverlap::Yes) return Status::refuse("elements share memory");
    Rules rules;
    rules.resizes_output = false;
    TensorCall call = call_of(op, rules, {&self});
    call.compute = self.scalar_type();
    CORUNDUM_TRY(to_scalar(value, &call.scalars[0]));
    return run(call, self);
  }
};

struct ClampTensor {
  static Status work(const Op& op, Tensor& out, const Tensor& x, const MaybeTensor& min, const MaybeTensor& max) {
    const bool has_min = min && min->defined(), has_max = max && max->defined();
    if (!has_min && !has_max) return Status::refuse("neither min nor max is given");
    TensorCall call = has_min && has_max ? call_of(op, {}, {&x, &*min, &*max}) : call_of(op, {}, {&x, has_min ? &*min : &*max});
    call.flag = has_min && has_max ? both_bounds : has_min ? only_min : only_max;
    return run(call, out);
  }
};

struct MaskedFill {
  static Status fill(const Op& op, Tensor& out, const Tensor& x, const Tensor& mask, const at::Scalar& value, bool expands) {
    CORUNDUM_TRY(require_plain(x, mask));
    if (mask.scalar_type() != at::kBool) return Status::refuse("the mask is not bool");
    if (!is_covered(op, x.scalar_type())) return Status::refuse("dtype not covered");
    if (value.isComplex() || !fits(value, x.scalar_type())) return Status::refuse("the value does not fit the tensor's dtype");
    if (!expands && !at::is_expandable_to(mask.sizes(), x.sizes()))
      return Status::refuse("the mask does not broadcast to the tensor");
    Rules rules;
    rules.resizes_output = false;
    TensorCall call = call_of(op, rules, {&x, &mask});
    call.compute = x.scalar_type();
    CORUNDUM_TRY(to_scalar(value, &call.scalars[0]));
    return run(call, out);
  }

  // ATen clones the broadcast tensor: whatever the strides were, the result is what clone() makes of them.
  static Status to_new(const Op& op, Tensor& result, const Tensor& x, const Tensor& mask, const at::Scalar& value) {
    CORUNDUM_TRY(require_plain(x, mask));
    if (!x.sizes().equals(mask.sizes()) || !x.is_contiguous()) {
      if (!at::are_expandable(x.sizes(), mask.sizes())) return Status::refuse("tensor and mask do not broadcast");
      const at::DimVector sizes = at::infer_size_dimvector(x.sizes(), mask.sizes());
      Target target;
      CORUNDUM_TRY(find_target(x.device(), &target));
      const DeviceScope device(target);
      Tensor made = allocate(target, sizes, x.scalar_type());
      CORUNDUM_TRY(fill(op, made, x, mask, value, true));
      result = std::move(made);
      return {};
    }
    return fill(op, result, x, mask, value, true);
  }

  // A value in a tensor is read on the host, as ATen does.
  static Status read(const Tensor& value, const Tensor& x, at::Scalar* number) {
    if (!is_plain(value) || value.dim() != 0) return Status::refuse("the value is not a plain tensor of no dimensions");
    if (value.is_meta() || (!value.is_cpu() && value.device() != x.device())) return Status::refuse(on_two_devices);
    *number = value.item();
    return {};
  }
};

template <int row>
struct MaskedFillForms {
  inline static Overload scalar, tensor, scalar_in_place, tensor_in_place;

  static Status new_scalar(Tensor& result, const Tensor& x, const Tensor& mask, const at::Scalar& value) {
    return MaskedFill::to_new(ops[row], result, x, mask, value);
  }
  static Status new_tensor(Tensor& result, const Tensor& x, const Tensor& mask, const Tensor& value) {
    at::Scalar number;
    CORUNDUM_TRY(MaskedFill::read(value, x, &number));
    return MaskedFill::to_new(ops[row], result, x, mask, number);
  }
  static Status self_scalar(Tensor& x, const Tensor& mask, const at::Scalar& value) {
    return MaskedFill::fill(ops[row], x, x, mask, value, false);
  }
  static Status self_tensor(Tensor& x, const Tensor& mask, const Tensor& value) {
    at::Scalar number;
    CORUNDUM_TRY(MaskedFill::read(value, x, &number));
    return MaskedFill::fill(ops[row], x, x, mask, number, false);
  }

  static void declare() {
    const std::string name = ops[row].name, dtypes = dtype_text(ops[row]);
    scalar.declare(name + ".Scalar", "pointwise", dtypes, &Functional<scalar, &new_scalar>::bind);
    tensor.declare(name + ".Tensor", "pointwise", dtypes, &Functional<tensor, &new_tensor>::bind);
    scalar_in_place.declare(name + "_.Scalar", "pointwise", dtypes, &Writing<scalar_in_place, &self_scalar>::bind);
    tensor_in_place.declare(name + "_.Tensor", "pointwise", dtypes, &Writing<tensor_in_place, &self_tensor>::bind);
  }
};

template <int row>
struct FillForms {
  inline static Overload scalar, tensor, zero;

  static Status with_scalar(Tensor& self, const at::Scalar& value) { return Fill::fill(ops[row], self, value); }
  static Status with_tensor(Tensor& self, const Tensor& value) {
    if (!is_plain(value) || value.dim() != 0 || !value.is_cpu()) return Status::refuse("the value is not a number on the CPU");
    return Fill::fill(ops[row], self, value.item());
  }
  static Status with_zero(Tensor& self) { return Fill::fill(ops[row], self, 0); }

  static void declare() {
    const std::string name = ops[row].name, dtypes = dtype_text(ops[row]);
    scalar.declare(name + ".Scalar", "pointwise", dtypes, &Writing<scalar, &with_scalar>::bind);
    tensor.declare(name + ".Tensor", "pointwise", dtypes, &Writing<tensor, &with_tensor>::bind);
  }
  static void declare_zero() { zero.declare(ops[row].name, "pointwise", dtype_text(ops[row]), &Writing<zero, &with_zero>::bind); }
};

template <int row>
struct CopyForm {
  inline static Overload overload;

  static Status copy(Tensor& self, const Tensor& from, bool) {
    CORUNDUM_TRY(require_plain(self, from));
    if (self.is_same(from)) return {};
    if (!at::is_expandable_to(from.sizes(), self.sizes())) return Status::refuse("the source does not broadcast to the tensor");
    Rules rules;
    rules.resizes_output = false;
    TensorCall call = call_of(ops[row], rules, {&from});
    call.compute = self.scalar_type();
    call.moves_bits = self.scalar_type() == from.scalar_type();
    return run(call, self);
  }

  static void declare() { overload.declare(ops[row].name, "pointwise", dtype_text(ops[row]), &Writing<overload, &copy>::bind); }
};

template <int row>
void declare_row() {
  constexpr Signature signature = ops[row].signature;
  const std::string name = ops[row].name;
  if constexpr (signature == Signature::unary) {
    Forms<row, Unary>::declare("", "out");
  } else if constexpr (signature == Signature::unary_approximate) {
    Forms<row, UnaryApproximate, c10::string_view>::declare("", "out");
  } else if constexpr (signature == Signature::binary) {
    Forms<row, Binary, const Tensor&>::declare("Tensor", "out");
  } else if constexpr (signature == Signature::binary_tensor_out) {
    Forms<row, Binary, const Tensor&>::declare("Tensor", "Tensor_out");
  } else if constexpr (signature == Signature::comparison) {
    Forms<row, Binary, const Tensor&>::declare("Tensor", "Tensor_out");
    Forms<row, Comparison, const at::Scalar&>::declare("Scalar", "Scalar_out");
  } else if constexpr (signature == Signature::clamp_one) {
    Forms<row, ClampOne, const at::Scalar&>::declare("", "out");
  } else if constexpr (signature == Signature::where) {
    Forms<row, Where, const Tensor&, const Tensor&>::declare_functional(name + ".self");
    Forms<row, Where, const Tensor&, const Tensor&>::declare_output(name + ".self_out");
  } else if constexpr (signature == Signature::fill) {
    FillForms<row>::declare();
  } else if constexpr (signature == Signature::zero) {
    FillForms<row>::declare_zero();
  } else if constexpr (signature == Signature::binary_alpha) {
    Forms<row, BinaryAlpha, const Tensor&, const at::Scalar&>::declare("Tensor", "out");
  } else if constexpr (signature == Signature::binary_rounding) {
    Forms<row, BinaryRounding, const Tensor&, std::optional<c10::string_view>>::declare("Tensor_mode", "out_mode");
  } else if constexpr (signature == Signature::backward) {
    Forms<row, Backward, const Tensor&>::declare_functional(name);
    Forms<row, Backward, const Tensor&>::declare_output(name + ".grad_input");
  } else if constexpr (signature == Signature::backward_approximate) {
    Forms<row, BackwardApproximate, const Tensor&, c10::string_view>::declare_functional(name);
    Forms<row, BackwardApproximate, const Tensor&, c10::string_view>::declare_output(name + ".grad_input");
  } else if constexpr (signature == Signature::clamp) {
    Forms<row, Clamp, const MaybeNumber&, const MaybeNumber&>::declare("", "out");
  } else if constexpr (signature == Signature::clamp_tensor) {
    Forms<row, ClampTensor, const MaybeTensor&, const MaybeTensor&>::declare("Tensor", "Tensor_out");
  } else if constexpr (signature == Signature::masked_fill) {
    MaskedFillForms<row>::declare();
  } else {
    static_assert(signature == Signature::copy);
    CopyForm<row>::declare();
  }
}

const bool declared = []<int... row>(std::integer_sequence<int, row...>) {
  (declare_row<row>(), ...);
  return true;
}
(std::make_integer_sequence<int, op_count>());

} // namespace

} // namespace corundum::pointwise
