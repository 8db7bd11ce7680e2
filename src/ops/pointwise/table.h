#pragma once
// The pointwise operators, one row each. From a row come its ATen overloads, kernels, tests and documentation.
#include <cstdint>
#include <iterator>

#include "core/dtype.h"

namespace corundum::pointwise {

// The C++ signature of an operator's ATen overloads, which src/torch/pointwise.cpp knows how to register.
enum class Signature : uint8_t {
  unary,             // f, f_, f.out
  unary_approximate, // the same with `str approximate`: flag 0 "none", 1 "tanh"
  binary,            // f.Tensor, f_.Tensor, f.out
  binary_tensor_out, // f.Tensor, f_.Tensor, f.Tensor_out
  comparison,        // the same with f.Scalar, f_.Scalar, f.Scalar_out
  binary_alpha,      // the same with `Scalar alpha`, which is scalar 0
  binary_rounding,   // f.Tensor_mode, f_.Tensor_mode, f.out_mode with `str? rounding_mode`: flag 0 "trunc", 1 "floor",
                     // 2 "trunc" of a quotient that is rounded first
  backward,          // f(grad, x), f.grad_input
  backward_approximate,
  clamp,        // f, f_, f.out with `Scalar? min, max`: flag 0 both, 1 only min, 2 only max; scalars 0 and 1
  clamp_tensor, // f.Tensor, f_.Tensor, f.Tensor_out with `Tensor? min, max`: flag as clamp
  clamp_one,    // f, f_, f.out with `Scalar`, which is scalar 0
  where,        // f.self, f.self_out: inputs condition, self, other
  fill,         // f.Scalar, f.Tensor: scalar 0; the input is not read
  zero,         // f, likewise
  masked_fill,  // f.Scalar, f.Tensor and in-place: inputs self and mask, scalar 0
  copy,         // copy_: converts between dtypes
};

// Which result dtype the inputs give, named as torch names them.
enum class Promotion : uint8_t {
  standard,     // torch.result_type
  int_to_float, // integral results become the default dtype
  always_bool,
  none, // every tensor argument has the same dtype (backward rows), or the row says how (masked_fill, copy)
};

// The compute dtypes that a row takes.
enum DtypeSet : uint8_t {
  set_bool = 1,
  set_int = 2,
  set_half = 4,
  set_float = 8,
  set_all = 15,
  set_floating = 12,
  set_no_bool = 14
};

struct Op {
  const char* name; // ATen's base name
  Signature signature;
  uint8_t inputs;  // tensors
  uint8_t scalars; // numbers, passed in the compute type
  uint8_t dtypes;  // DtypeSet of the result's dtype (of the inputs' for always_bool)
  Promotion promotion;
  // Over x, y, z (inputs in the compute type), s0, s1 (scalars) and Common (the compute dtype as stored); one text per flag.
  const char* expression[3];
};

inline constexpr Op ops[] = {
    {"add", Signature::binary_alpha, 2, 1, set_all, Promotion::standard, {"x + s0 * y"}},
    {"sub", Signature::binary_alpha, 2, 1, set_no_bool, Promotion::standard, {"x - s0 * y"}},
    {"mul", Signature::binary, 2, 0, set_all, Promotion::standard, {"x * y"}},
    {"div", Signature::binary, 2, 0, set_floating, Promotion::int_to_float, {"x / y"}},
    {"div",
     Signature::binary_rounding,
     2,
     0,
     set_no_bool,
     Promotion::standard,
     {"div_trunc(x, y)", "div_floor(x, y)", "native::trunc(round_to<Common>(x / y))"}},
    {"gelu", Signature::unary_approximate, 1, 0, set_floating, Promotion::standard, {"gelu_erf(x)", "gelu_tanh(x)"}},
    {"gelu_backward",
     Signature::backward_approximate,
     2,
     0,
     set_floating,
     Promotion::none,
     {"x * gelu_erf_derivative(y)", "x * gelu_tanh_derivative(y)"}},
    {"tanh", Signature::unary, 1, 0, set_floating, Promotion::int_to_float, {"tanh(x)"}},
    {"tanh_backward", Signature::backward, 2, 0, set_floating, Promotion::none, {"x * (1 - y * y)"}},
    {"clamp",
     Signature::clamp,
     1,
     2,
     set_no_bool,
     Promotion::standard,
     {"clamp_max(clamp_min(x, s0), s1)", "clamp_min(x, s0)", "clamp_max(x, s1)"}},
    {"clamp",
     Signature::clamp_tensor,
     3,
     0,
     set_no_bool,
     Promotion::standard,
     {"clamp_max(clamp_min(x, y), z)", "clamp_min(x, y)", "clamp_max(x, y)"}},
    {"clamp_min", Signature::clamp_one, 1, 1, set_no_bool, Promotion::standard, {"clamp_min(x, s0)"}},
    {"clamp_max", Signature::clamp_one, 1, 1, set_no_bool, Promotion::standard, {"clamp_max(x, s0)"}},
    {"clamp_min", Signature::binary_tensor_out, 2, 0, set_no_bool, Promotion::standard, {"clamp_min(x, y)"}},
    {"clamp_max", Signature::binary_tensor_out, 2, 0, set_no_bool, Promotion::standard, {"clamp_max(x, y)"}},
    {"eq", Signature::comparison, 2, 0, set_all, Promotion::always_bool, {"x == y"}},
    {"ne", Signature::comparison, 2, 0, set_all, Promotion::always_bool, {"x != y"}},
    {"lt", Signature::comparison, 2, 0, set_all, Promotion::always_bool, {"x < y"}},
    {"le", Signature::comparison, 2, 0, set_all, Promotion::always_bool, {"x <= y"}},
    {"gt", Signature::comparison, 2, 0, set_all, Promotion::always_bool, {"x > y"}},
    {"ge", Signature::comparison, 2, 0, set_all, Promotion::always_bool, {"x >= y"}},
    {"bitwise_and", Signature::binary_tensor_out, 2, 0, set_bool | set_int, Promotion::standard, {"x & y"}},
    {"bitwise_or", Signature::binary_tensor_out, 2, 0, set_bool | set_int, Promotion::standard, {"x | y"}},
    {"bitwise_xor", Signature::binary_tensor_out, 2, 0, set_bool | set_int, Promotion::standard, {"x ^ y"}},
    {"where", Signature::where, 3, 0, set_all, Promotion::none, {"x ? y : z"}},
    {"fill_", Signature::fill, 1, 1, set_all, Promotion::none, {"s0"}},
    {"zero_", Signature::zero, 1, 1, set_all, Promotion::none, {"s0"}},
    {"masked_fill", Signature::masked_fill, 2, 1, set_all, Promotion::none, {"y ? s0 : x"}},
    {"copy_", Signature::copy, 1, 0, set_all, Promotion::none, {"x"}},
};
inline constexpr int op_count = static_cast<int>(std::size(ops));

} // namespace corundum::pointwise
