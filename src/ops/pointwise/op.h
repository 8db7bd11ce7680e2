#pragma once
// What a row of the table of pointwise operators says. From a row come its ATen overloads, kernels, tests and documentation.
#include <cstdint>

namespace corundum::pointwise {

// Which arguments an operator's ATen overloads have. One file of src/torch/ registers each; overloads that ATen lacks, or makes of
// others, are left out.
enum class Signature : uint8_t {
  unary,             // f, f_, f.out
  unary_approximate, // the same with `str approximate`: flag 0 "none", 1 "tanh"
  unary_scalars,     // the same with as many `Scalar` as the row has scalars
  binary,            // f.Tensor or f, f_.Tensor or f_, f.Tensor_out or f.out
  comparison,        // the same with f.Scalar, f_.Scalar, f.Scalar_out
  binary_dividing,   // binary, where ATen raises an error for an integer over zero on CPUs
  binary_same,       // binary of one dtype
  binary_alpha,      // binary with `Scalar alpha`, which is scalar 0
  binary_rounding,   // f.Tensor_mode, f_.Tensor_mode, f.out_mode with `str? rounding_mode`: flag 0 "trunc", 1 "floor",
                     // 2 "trunc" of a quotient that is rounded first
  backward,          // f(grad, x), f.grad_input
  backward_approximate,
  backward_scalars, // f(grad, x, Scalar...), f.grad_input, as many as the row has scalars
  ternary_value,    // f, f_, f.out of three tensors with `Scalar value`, which is scalar 0
  lerp,             // f.Tensor, f_.Tensor, f.Tensor_out of three inputs; f.Scalar, ... of two and scalar 0
  shift,            // __f__.Tensor, __f__.Scalar, __if__.Tensor, __if__.Scalar
  clamp,            // f, f_, f.out with `Scalar? min, max`: flag 0 both, 1 only min, 2 only max; scalars 0 and 1
  clamp_tensor,     // f.Tensor, f_.Tensor, f.Tensor_out with `Tensor? min, max`: flag as clamp
  clamp_one,        // f, f_, f.out with `Scalar`, which is scalar 0
  where,            // f.self, f.self_out: inputs condition, self, other
  fill,             // f.Scalar, f.Tensor: scalar 0; the input is not read
  zero,             // f, likewise
  masked_fill,      // f.Scalar, f.Tensor and in-place: inputs self and mask, scalar 0
  copy,             // copy_: converts between dtypes; flag bit 0: the conjugate, bit 1: the negative
  verdict,          // whether the expression holds of all elements: the output is a word that is set where it does not
  named,            // what else there is: a file of src/torch/ looks for the row by its name
};

// Which result dtype the inputs give, named as torch names them. The compute dtype is the one before "always" and "to".
enum class Promotion : uint8_t {
  standard,         // torch.result_type
  int_to_float,     // integral results become the default dtype
  always_bool,      // of torch.result_type
  complex_to_float, // complex numbers give real ones
  any_to_float,     // both: integral ones the default dtype, complex ones real ones
  float_to_complex, // real numbers give complex ones
  none,             // every tensor argument has the same dtype (backward rows), or the row says how (masked_fill, copy)
};

// The compute dtypes that a row takes.
enum DtypeSet : uint8_t {
  set_bool = 1,
  set_int = 2,
  set_half = 4,
  set_float = 8,
  set_complex = 16,
  set_unsigned = 32, // uint16, uint32, uint64
  set_all = 15,
  set_floating = 12,
  set_no_bool = 14,
  set_numbers = 30,      // int, floating, complex
  set_every = 31,        // all of these and bool
  set_with_complex = 28, // floating and complex
};

// How far a result may be from the exact one, rounded to its dtype: in units of the last place, or bit for bit as ATen's.
using Ulp = uint8_t;
inline constexpr Ulp exact = 0;

// What sets a row apart from TensorIterator's ways, or a device from another.
enum Trait : uint8_t {
  made_like = 1,        // ATen makes a new result by empty_like: strides of dimensions of one element stay
  whole_made_like = 2,  // the same of integers alone
  half_on_cpus = 4,     // ATen has 16-bit floats on CPUs alone
  unsigned_on_cpus = 8, // likewise uint16, uint32 and uint64
};

struct Op {
  const char* name; // ATen's base name
  Signature signature;
  uint8_t inputs;  // tensors
  uint8_t scalars; // numbers, passed in the compute type
  uint8_t dtypes;  // DtypeSet of the compute dtype
  Promotion promotion;
  // Over x, y, z, w (inputs in the compute type), s0, s1, ... (scalars) and Common (the compute dtype as stored); one text per
  // flag. Of several outputs: "a, b".
  const char* expression[4];
  Ulp ulp = 2;
  uint8_t outputs = 1;
  uint8_t own = 0; // bit i: input i takes no part in promotion and comes as it is stored (masks, conditions)
  uint8_t traits = 0;
};

} // namespace corundum::pointwise
