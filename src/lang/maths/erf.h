#pragma once
// erf, erfc, the normal distribution function, and gelu, which is made of it.
#include "lang/maths/exp.h"

namespace cor {

#if !COR_NATIVE_MATHS
// |x| < 0.9: x + x P(x^2) [1.2e-8 of erf]; beyond: 1 - exp(-x Q(x)) [1e-9]. 1.15 ulp.
COR_FN float erf_of(float x) {
  const float a = abs(x), s = x * x;
  const float p = horner(s, -0.00061112916f, 0.005016228f, -0.026781958f, 0.1128223f, -0.37612534f, 0.12837915f);
  const float inner = fma(x, p, x);
  const float t = a > 4.f ? 4.f : a;
  const float q = horner(t, 1.0433115e-05f, -0.0003148581f, 0.003610342f, -0.023694566f, 0.10615905f, 0.63519806f, 1.1286371f);
  const float outer = copysign(1.f - exp_bounded(-t * q), x);
  return a < 0.9f ? inner : outer; // NaN comes through t
}

// e^(-a^2), 0 <= a: the square in two parts, the first of which is exact.
template <class T>
COR_FN Exponential<T> exp_of_minus_square(T a) {
  constexpr auto mask = ~((typename Layout<T>::Bits(1) << (Layout<T>::fraction / 2 + 1)) - 1);
  const T high = from_bits(to_bits(a) & mask);
  return exponential(-high * high, (high - a) * (high + a));
}
// (a - c) / (a + c), to the last place, where the inverse of the divisor is nearly known.
template <class T>
COR_FN T exact_quotient(T a, T c, T inverse) {
  const T q = (a - c) * inverse;
  return fma(fma(-a, q, fma(q + 1, -c, a)), inverse, q);
}
// The way of N. Juffa's erfcx: (1 + 2a) e^(a^2) erfc(a) is a tame function of t = (a - c) / (a + c). 0 <= a [1.4e-8].
COR_FN float erfc_of_size(float a) {
  a = a > 10.2f ? 10.2f : a;
  const float d = 1 + 2 * a, inverse = 1 / ((a + 2) * d), t = exact_quotient(a, 2.f, d * inverse);
  const float p = horner(t, -0.000430728163f, -0.00126574305f, 0.00134394469f, 0.00866967533f, -0.00807150174f, -0.0542171374f,
                         0.164057523f, -0.166030049f, -0.0927641317f, 1.27697837f);
  return exp_of_minus_square(a).value() * (p * ((a + 2) * inverse));
}
// [1.2e-17].
COR_FN double erfc_of_size(double a) {
  a = a > 28. ? 28. : a;
  const double d = 1 + 2 * a, inverse = 1 / ((a + 4) * d), t = exact_quotient(a, 4., d * inverse);
  const double p = horner(t, 1.0705703283550848e-10, -8.1447349272007088e-09, -8.28006631547399e-09, 1.0070731219151865e-07,
                          5.5265893853553118e-08, -8.1904146948709677e-07, 3.1409527618982723e-07, 5.7084119068958958e-06,
                          -1.1234673401479919e-05, -2.4400014822049201e-05, 0.0001506266234874383, -0.00019925607353215688,
                          -0.0007577745182653497, 0.0050319697952246186, -0.016197733867834057, 0.037167515565091409,
                          -0.066330365829391266, 0.093732834996235193, -0.10103906603550193, 0.068097054254763062,
                          0.015379652102604963, -0.13962111684056316, 1.2329951186255526);
  return exp_of_minus_square(a).value() * (p * ((a + 4) * inverse));
}
// 5 ulp.
template <class T>
COR_FN T erfc_of(T x) {
  const T r = erfc_of_size(abs(x));
  return x < 0 ? 2 - r : r;
}
// |x| < 1: x + x P(x^2) [7.3e-18 of erf]; beyond: 1 - erfc. 1.1 ulp.
COR_FN double erf_of(double x) {
  const double a = abs(x), s = x * x;
  const double p = horner(s, -7.6091748160900488e-10, 1.3617360224690404e-08, -1.6184127306393557e-07, 1.6444166090015563e-06,
                          -1.4924466709920928e-05, 0.00012055280542376981, -0.00085483254861988794, 0.005223977596754097,
                          -0.026866170641960552, 0.11283791670936955, -0.37612638903183343, 0.12837916709551256);
  const double inner = fma(x, p, x), outer = copysign(1 - erfc_of_size(a), x);
  return a < 1 ? inner : outer;
}
#endif

COR_FUNCTION(erf)
COR_FUNCTION(erfc)

// The standard normal distribution function. f32 on CPUs: x P(x^2) + 1/2 [8.8e-9] up to 5.5, where it is within 2e-8 of 0 or 1;
// absolute error at most 1e-7, as in 0.5 (1 + erf(x / sqrt 2)), at a third of the cost.
template <class T>
COR_FN T normal_cdf(T x) {
#if !COR_NATIVE_MATHS
  if constexpr (same<T, float>) {
    const float s = x * x, t = fma(s > 30.25f ? 30.25f : s, 0.0661157025f, -1.f);
    const float p = horner(t, -0.000238169014f, 0.000635825214f, -0.00052005914f, 0.00070333312f, -0.00243748212f, 0.00464807684f,
                           -0.00680050533f, 0.0102072489f, -0.0150092309f, 0.0203727782f, -0.026045816f, 0.0320687592f,
                           -0.0387929827f, 0.0477377139f, -0.064172335f, 0.12855193f);
    const float r = fma(x, p, 0.5f), up = x > 5.5f ? 1.f : r;
    return x < -5.5f ? 0.f : up;
  }
#endif
  return T(0.5) * (T(1) + erf(x * T(0.70710678118654752440)));
}

// x Phi(x).
template <class T>
COR_FN T gelu_erf_of(T x) {
  return x * normal_cdf(x);
}
COR_FN float gelu_erf(float x) { return gelu_erf_of(x); }
COR_FN double gelu_erf(double x) { return gelu_erf_of(x); }
COR_UNARY(gelu_erf, cor::gelu_erf(x))
template <class T>
COR_FN T gelu_erf_derivative(T x) {
  return normal_cdf(x) + x * exp_nonpositive(T(-0.5) * x * x) * T(0.39894228040143267794);
}

} // namespace cor
