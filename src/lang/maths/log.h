#pragma once
// log, log1p, log2, log10.
#include "lang/maths/basic.h"

namespace cor {

#if !COR_NATIVE_MATHS
// A positive number as 2^k (1 + f), sqrt(1/2) <= 1 + f < sqrt(2), with k a whole number.
template <class T>
struct Binary {
  T f, k;
};
COR_FN Binary<float> binary(float x) {
  const bool tiny = x < 1.17549435e-38f;
  const u32 bits = to_bits(tiny ? x * 8388608.f : x);
  const int e = static_cast<int>(bits - 0x3f3504f3u) >> 23;
  return {from_bits(bits - (static_cast<u32>(e) << 23)) - 1.f, static_cast<float>(e - (tiny ? 23 : 0))};
}
// Without an arithmetic shift and a conversion of 64-bit integers, which AVX2 lacks.
COR_FN Binary<double> binary(double x) {
  const bool tiny = x < 2.2250738585072014e-308;
  const u64 bits = to_bits(tiny ? x * 18014398509481984. : x); // 2^54
  const u64 biased = (bits + (Layout<double>::one - 0x3fe6a09e667f3bcdull)) >> 52;
  const double k = from_bits(biased | 0x4330000000000000ull) - (tiny ? 4503599627371573. : 4503599627371519.);
  return {from_bits(bits + Layout<double>::one - (biased << 52)) - 1., k};
}

// log(1 + f) + k ln2 for the numbers of Binary: [7e-10 of log(1 + f)].
COR_FN float log_of_parts(float f, float k) {
  const float p = horner(f, 0.06915578f, -0.117887996f, 0.118723094f, -0.123844944f, 0.1421878f, -0.16669245f, 0.20002219f,
                         -0.24999987f, 0.3333331f);
  const float s = f * f;
  const float low = fma(k, -2.12194440e-4f, fma(-0.5f, s, p * s * f)); // ln2 = 0.693359375 - 2.1219444e-4
  return fma(k, 0.693359375f, low + f);
}
// As in FreeBSD's e_log.c: of s = f / (2 + f) [1.2e-18].
COR_FN double log_of_parts(double f, double k) {
  const double s = f / (2 + f), z = s * s, half = 0.5 * f * f;
  const double r = z * horner(z, 0.14795626427882336, 0.15314085453197543, 0.18183562830873046, 0.22222198605372909,
                              0.28571428742025884, 0.39999999999416647, 0.6666666666666734);
  const double low = fma(k, 1.9082149292705877e-10, s * (half + r));
  return fma(k, 0.69314718036912382, f - (half - low));
}
// What a logarithm of x is where x is no positive finite number; r elsewhere.
template <class T>
COR_FN T log_edges(T x, T r) {
  r = x == 0 ? -Limits<T>::infinity() : r;
  r = x < 0 ? Limits<T>::nan() : r;
  r = x == Limits<T>::infinity() ? x : r;
  return x != x ? x : r;
}

// 0.9 ulp in f32, 0.8 in f64.
template <class T>
COR_FN T log_of(T x) {
  const Binary<T> b = binary(x);
  return log_edges(x, log_of_parts(b.f, b.k));
}

// log(1 + x) of the rounded 1 + x, with what the rounding lost put back into f. 1.45 ulp in f32, 1.3 in f64.
template <class T>
COR_FN T log1p_of(T x) {
  const T u = x + 1, lost = x > 1 ? 1 - (u - x) : x - (u - 1);
  const Binary<T> b = binary(u);
  const T scale = from_bits(to_bits(T(1)) - (to_bits(b.k + Layout<T>::rounder) << Layout<T>::fraction)); // 2^-k
  T f = fma(lost, scale, b.f);
  f = b.k > 60 ? b.f : f; // where 2^-k may be no number
  const T r = log_edges(u, log_of_parts(b.k == 0 ? x : f, b.k));
  return x == 0 ? x : r;
}

// k + log(1 + f) / log(base), 1 / log(base) in two parts. log2: 1.6 ulp.
template <class T>
COR_FN T log2_of(T x) {
  constexpr double inverse = 1.4426950408889634, rest = 2.0355273740931033e-17;
  constexpr T high = T(inverse), low = T((inverse - double(high)) + rest);
  const Binary<T> b = binary(x);
  const T l = log_of_parts(b.f, T(0));
  return log_edges(x, fma(l, high, fma(l, low, b.k)));
}
// log10: 1.6 ulp.
template <class T>
COR_FN T log10_of(T x) {
  constexpr double inverse = 0.43429448190325182, rest = 1.098319650216765e-17;
  constexpr T high = T(inverse), low = T((inverse - double(high)) + rest);
  // log10(2), the first part short enough for its product with k to be exact.
  constexpr T step = T(sizeof(T) == 4 ? 0.301025390625 : 0.3010299956513336);
  constexpr T step_low = T(sizeof(T) == 4 ? 4.605038981195214e-06 : 1.2647602381650425e-11);
  const Binary<T> b = binary(x);
  const T l = log_of_parts(b.f, T(0));
  return log_edges(x, fma(b.k, step, fma(l, high, fma(l, low, b.k * step_low))));
}
#endif

COR_FUNCTION(log)
COR_FUNCTION(log1p)
COR_FUNCTION(log2)
COR_FUNCTION(log10)

} // namespace cor
