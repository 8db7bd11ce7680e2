#pragma once
// Elementary functions. The f32 forms for CPUs are branch-free, so that loops over them vectorise; polynomials are weighted minimax
// fits made for this file (relative error before rounding in brackets). Worst errors in ulp, held by tests/lang: exp 1.05, log
// 0.85, erf 1.15, tanh 1.3, on the whole range; NaN, infinities and signed zeros as IEEE 754 wants.
#include "lang/types.h"

namespace cor {

#if COR_NATIVE_MATHS
using native::erf;
using native::exp;
using native::log;
using native::tanh;
// For x <= 0 and a result that is stored as T: next to a 16-bit float's half ulp, |x| / 2^24 is nothing.
template <class T>
COR_FN float exp_nonpositive(float x) {
  if constexpr (sizeof(T) == 2)
    return exp2_fast(x * 1.44269504f);
  else
    return exp(x);
}
COR_FN float reciprocal(float x) { return reciprocal_fast(x); }
#else
COR_FN float reciprocal(float x) { return 1.f / x; }
COR_FN double exp(double x) { return native::exp(x); }
COR_FN double log(double x) { return native::log(x); }
COR_FN double erf(double x) { return native::erf(x); }
COR_FN double tanh(double x) { return native::tanh(x); }

// e^x = 2^n e^r, |r| <= ln2/2 [3.4e-9]: r and n of an x in [-104, 89.5] (NaN stays NaN), and e^r.
struct ExpParts {
  float power; // e^r
  int n;
};
COR_FN ExpParts exp_parts(float x) {
  const float shifted = fma(x, 1.44269504f, 12582912.f); // 1.5 * 2^23: the low bits are round(x / ln2)
  const float n = shifted - 12582912.f;
  float r = fma(n, -0.693145752f, x);
  r = fma(n, -1.42860677e-6f, r);
  float p = fma(r, 0.0013951717f, 0.008369599f);
  p = fma(r, p, 0.041666187f);
  p = fma(r, p, 0.16666512f);
  p = fma(r, p, 0.5f);
  return {fma(r * r, p, r) + 1.f, static_cast<int>(float_to_bits(shifted)) - 0x4b400000};
}
// For |x| < 87: no overflow, no denormal result.
COR_FN float exp_bounded(float x) {
  const ExpParts e = exp_parts(x);
  return e.power * bits_to_float(static_cast<u32>(e.n + 127) << 23);
}
// 2^n is applied in two steps, so that results overflow to infinity and become denormal or 0 where they should.
COR_FN float exp(float x) {
  x = x > 89.5f ? 89.5f : x;
  x = x < -104.f ? -104.f : x;
  const ExpParts e = exp_parts(x);
  const int half = e.n >> 1;
  return e.power * bits_to_float(static_cast<u32>(half + 127) << 23) * bits_to_float(static_cast<u32>(e.n - half + 127) << 23);
}

// For x <= 0 (NaN stays NaN): as exp, but results below 2^-126 may be 0, since 2^n is applied in one step.
template <class T>
COR_FN float exp_nonpositive(float x) {
  x = x < -104.f ? -104.f : x;
  const ExpParts e = exp_parts(x);
  const int biased = e.n + 127;
  return e.power * bits_to_float(static_cast<u32>(biased > 0 ? biased : 0) << 23);
}

// log(x) = k ln2 + log1p(f), sqrt(1/2) <= 1 + f < sqrt(2) [7e-10].
COR_FN float log(float x) {
  const bool tiny = x < 1.17549435e-38f;
  const float scaled = tiny ? x * 8388608.f : x;
  const u32 bits = float_to_bits(scaled);
  const int e = static_cast<int>(bits - 0x3f3504f3u) >> 23;
  const float f = bits_to_float(bits - (static_cast<u32>(e) << 23)) - 1.f;
  const float k = static_cast<float>(e - (tiny ? 23 : 0));
  float p = fma(f, 0.06915578f, -0.117887996f);
  p = fma(f, p, 0.118723094f);
  p = fma(f, p, -0.123844944f);
  p = fma(f, p, 0.1421878f);
  p = fma(f, p, -0.16669245f);
  p = fma(f, p, 0.20002219f);
  p = fma(f, p, -0.24999987f);
  p = fma(f, p, 0.3333331f);
  const float s = f * f;
  float r = fma(k, -2.12194440e-4f, fma(-0.5f, s, p * s * f)); // ln2 = 0.693359375 - 2.1219444e-4
  r = fma(k, 0.693359375f, r + f);
  r = x == 0.f ? bits_to_float(0xff800000u) : r;
  r = x < 0.f ? bits_to_float(0x7fc00000u) : r;
  r = float_to_bits(x) == 0x7f800000u ? x : r;
  return x != x ? x : r;
}

// |x| < 0.9: x + x P(x^2) [1.2e-8 of erf]; beyond: 1 - exp(-x Q(x)) [1e-9].
COR_FN float erf(float x) {
  const float a = bits_to_float(float_to_bits(x) & 0x7fffffffu);
  const float s = x * x;
  float p = fma(s, -0.00061112916f, 0.005016228f);
  p = fma(s, p, -0.026781958f);
  p = fma(s, p, 0.1128223f);
  p = fma(s, p, -0.37612534f);
  p = fma(s, p, 0.12837915f);
  const float inner = fma(x, p, x);
  const float t = a > 4.f ? 4.f : a;
  float q = fma(t, 1.0433115e-05f, -0.0003148581f);
  q = fma(t, q, 0.003610342f);
  q = fma(t, q, -0.023694566f);
  q = fma(t, q, 0.10615905f);
  q = fma(t, q, 0.63519806f);
  q = fma(t, q, 1.1286371f);
  const float outer = 1.f - exp_bounded(-t * q);
  const float signed_outer = bits_to_float(float_to_bits(outer) | (float_to_bits(x) & 0x80000000u));
  return a < 0.9f ? inner : signed_outer; // NaN comes through t
}

// |x| < 0.65: x + x^3 P(x^2) [6.4e-9]; beyond: 1 - 2 / (e^2x + 1).
COR_FN float tanh(float x) {
  const float a = bits_to_float(float_to_bits(x) & 0x7fffffffu);
  const float s = x * x;
  float p = fma(s, -0.0055286246f, 0.020483306f);
  p = fma(s, p, -0.053692963f);
  p = fma(s, p, 0.13330899f);
  p = fma(s, p, -0.33333263f);
  const float inner = fma(x * s, p, x);
  const float t = a > 10.f ? 10.f : a;
  const float outer = 1.f - 2.f / (exp_bounded(2.f * t) + 1.f); // NaN comes through t
  const float r = a < 0.65f ? inner : outer;
  return bits_to_float(float_to_bits(r) | (float_to_bits(x) & 0x80000000u)); // -0 stays -0, too
}
#endif

template <class T>
COR_FN double exp_nonpositive(double x) {
  return exp(x);
}
COR_FN double reciprocal(double x) { return 1. / x; }

using native::pow;
using native::rsqrt;
using native::sqrt;

template <class T>
COR_FN T abs(T x) {
  if constexpr (same<T, float>)
    return bits_to_float(float_to_bits(x) & 0x7fffffffu);
  else
    return x < T(0) ? -x : x; // f64: -0 stays, which no caller can see through its use in sums and maxima
}

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

// x/2 (1 + erf(x / sqrt 2)), and its tanh form (Hendrycks and Gimpel, 2016).
template <class T>
COR_FN T gelu_erf(T x) {
  return T(0.5) * x * (T(1) + erf(x * T(0.70710678118654752440)));
}
template <class T>
COR_FN T gelu_tanh(T x) {
  const T inner = T(0.79788456080286535588) * (x + T(0.044715) * x * x * x);
  return T(0.5) * x * (T(1) + tanh(inner));
}
template <class T>
COR_FN T gelu_erf_derivative(T x) {
  const T cdf = T(0.5) * (T(1) + erf(x * T(0.70710678118654752440)));
  const T pdf = exp(T(-0.5) * x * x) * T(0.39894228040143267794);
  return cdf + x * pdf;
}
template <class T>
COR_FN T gelu_tanh_derivative(T x) {
  const T beta = T(0.79788456080286535588), kappa = T(0.044715);
  const T x2 = x * x;
  const T t = tanh(beta * (x + kappa * x2 * x));
  const T left = T(0.5) * x, right = T(1) + t;
  return T(0.5) * right + left * (T(1) - t * t) * beta * (T(1) + T(3) * kappa * x2);
}

// Division that rounds. Integers: by zero is the caller's to refuse; the most negative number over -1 wraps.
template <class T>
COR_FN T div_trunc(T a, T b) {
  if constexpr (is_float<T>)
    return native::trunc(a / b);
  else
    return T(-1) < T(0) && b == T(-1) ? static_cast<T>(0 - static_cast<u64>(a)) : static_cast<T>(a / (b == T(0) ? T(1) : b));
}
// As Python's //, by way of fmod as in ATen's div_floor_floating.
template <class T>
COR_FN T div_floor(T a, T b) {
  if constexpr (is_float<T>) {
    const T mod = native::fmod(a, b);
    T div = (a - mod) / b;
    div = (mod != T(0) && (b < T(0)) != (mod < T(0))) ? div - T(1) : div;
    T r = native::floor(div);
    r = div - r > T(0.5) ? r + T(1) : r;
    const T quotient = a / b;
    const T zero = quotient < T(0) || (quotient == T(0) && 1 / quotient < T(0)) ? T(-0.) : T(0);
    r = div == T(0) ? zero : r;
    return b == T(0) ? quotient : r;
  } else {
    const T q = div_trunc(a, b);
    const T rest = static_cast<T>(static_cast<u64>(a) - static_cast<u64>(q) * static_cast<u64>(b));
    return static_cast<T>((rest != T(0) && (rest < T(0)) != (b < T(0))) ? q - T(1) : q);
  }
}

} // namespace cor
