#pragma once
// What all mathematical functions share, and the functions that are a few instructions. The other headers of this folder hold one
// family of functions each: a kernel text includes those that its expressions name. Every function states its worst error in ulp
// and its domain (all numbers, where nothing is said), and tests/lang/test_maths.cpp holds it to that. NaN, infinities and signed
// zeros come out as C99 has them, and denormals are numbers like others. All is free of branches, so that loops over it vectorise.
// Constants were made for these files by weighted minimax fits (Remez' exchange in 160 bits, leading coefficients rounded one by
// one); brackets give the error before rounding. On GPUs the functions are the device's own (lang/target_*.h say how good).
#include "lang/node.h"
#include "lang/types.h"

// Makes name(x) for f32, f64 and nodes: of the device's own function, or of name_of(x), a template or overloads.
#if COR_NATIVE_MATHS
#define COR_FUNCTION(name) \
  using native::name;      \
  COR_UNARY(name, cor::name(x))
#define COR_FUNCTION_2(name) using native::name;
#else
#define COR_FUNCTION(name)                              \
  COR_FN float name(float x) { return name##_of(x); }   \
  COR_FN double name(double x) { return name##_of(x); } \
  COR_UNARY(name, cor::name(x))
#define COR_FUNCTION_2(name)                                      \
  COR_FN float name(float x, float y) { return name##_of(x, y); } \
  COR_FN double name(double x, double y) { return name##_of(x, y); }
#endif

// The same for a function that no device has.
#define COR_SPECIAL(name)                               \
  COR_FN float name(float x) { return name##_of(x); }   \
  COR_FN double name(double x) { return name##_of(x); } \
  COR_UNARY(name, cor::name(x))

namespace cor {

COR_FN u32 to_bits(float x) { return float_to_bits(x); }
COR_FN u64 to_bits(double x) { return double_to_bits(x); }
COR_FN float from_bits(u32 x) { return bits_to_float(x); }
COR_FN double from_bits(u64 x) { return bits_to_double(x); }

// The layout of a float. Adding `rounder` rounds to an integer, which then stands in the low bits.
template <class T>
struct Layout;
template <>
struct Layout<float> {
  using Bits = u32;
  static constexpr int fraction = 23;
  static constexpr u32 bias = 127, sign = 0x80000000u, one = 0x3f800000u;
  static constexpr float rounder = 12582912.f; // 1.5 * 2^23
};
template <>
struct Layout<double> {
  using Bits = u64;
  static constexpr int fraction = 52;
  static constexpr u64 bias = 1023, sign = 0x8000000000000000ull, one = 0x3ff0000000000000ull;
  static constexpr double rounder = 6755399441055744.; // 1.5 * 2^52
};

// What functions compute in whose zeros cost digits: f64 on CPUs.
#if COR_NATIVE_MATHS
template <class T>
using Wide = T;
#else
template <class T>
using Wide = double;
#endif

// ((first x + c) x + ...): a polynomial, the coefficient of the highest power first.
template <class T, class... C>
COR_FN T horner(T x, T first, C... rest) {
  T r = first;
  ((r = fma(x, r, T(rest))), ...);
  return r;
}

COR_FN float abs(float x) { return from_bits(to_bits(x) & 0x7fffffffu); }
COR_FN double abs(double x) { return from_bits(to_bits(x) & 0x7fffffffffffffffull); }
template <class T>
COR_FN typename EnableIf<!IsNode<T>::value && !is_complex<T>, T>::type abs(T x) {
  return x < T(0) ? static_cast<T>(-x) : x;
}
template <class T>
COR_FN T copysign(T size, T sign) {
  return from_bits((to_bits(size) & ~Layout<T>::sign) | (to_bits(sign) & Layout<T>::sign));
}
// x with its sign turned over where `sign` is negative.
template <class T>
COR_FN T flip_sign(T x, T sign) {
  return from_bits(to_bits(x) ^ (to_bits(sign) & Layout<T>::sign));
}

// Instructions: 0.5 ulp; rsqrt 1.5.
using native::rsqrt;
using native::sqrt;
COR_UNARY(abs, cor::abs(x))
COR_UNARY(sqrt, cor::sqrt(x))
COR_UNARY(rsqrt, cor::rsqrt(x))

// NaN wins, as in ATen's maximum and minimum.
template <class T>
COR_FN T maximum(T a, T b) {
  const T r = a > b ? a : b;
  return a != a ? a : r;
}
template <class T>
COR_FN T minimum(T a, T b) {
  const T r = a < b ? a : b;
  return a != a ? a : r;
}
// The larger one; which comes out of a comparison with NaN is not said. For callers whose NaN spreads another way.
template <class T>
COR_FN T larger(T a, T b) {
  return a > b ? a : b;
}
// Both spread NaN, of the number and of the bound, as ATen's clamp does. Two plain selects, since GCC has no vector form for the
// select of a combined condition.
template <class T>
COR_FN T clamp_min(T x, T low) {
  const T r = low > x ? low : x;
  return low != low ? low : r;
}
template <class T>
COR_FN T clamp_max(T x, T high) {
  const T r = high < x ? high : x;
  return high != high ? high : r;
}

// 1 ulp in f32.
COR_FN float reciprocal(float x) { return reciprocal_fast(x); }
COR_FN double reciprocal(double x) { return 1. / x; }
COR_UNARY(reciprocal, cor::reciprocal(x))

} // namespace cor
