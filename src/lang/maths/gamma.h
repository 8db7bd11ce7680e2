#pragma once
// lgamma, digamma. On CPUs f32 goes through f64, too: their zeros cost digits.
#include "lang/maths/log.h"
#include "lang/maths/trig.h"

namespace cor {

#if !COR_NATIVE_MATHS
// pi times the distance of x from the nearest whole number, with its sign; sin and cos of it.
struct HalfTurn {
  double sin, cos;
};
COR_FN HalfTurn half_turn(double x) {
  const double r = x - native::rint(x), a = abs(r), near = 3.1415926535897932 * (a > 0.25 ? 0.5 - a : a);
  const double s = sin_near_0(near), c = cos_near_0(near);
  return {copysign(a > 0.25 ? c : s, r), a > 0.25 ? s : c};
}
// log |Gamma(x)|, -1/2 <= x. Around 2: u P(u), x = 2 + u [1.1e-17]; elsewhere below 7.5 from there by Gamma(x + 1) = x Gamma(x);
// beyond: Stirling's series.
COR_FN double lgamma_right(double x) {
  const double n = native::rint(x), u = x - n;
  double product = n > 2 ? x - 1 : 1.;
  product *= n > 3 ? x - 2 : 1.;
  product *= n > 4 ? x - 3 : 1.;
  product *= n > 5 ? x - 4 : 1.;
  product *= n > 6 ? x - 5 : 1.;
  const double first = n < 1 ? abs(x * (x + 1)) : x, shifted = n < 2 ? first : product;
  const bool large = x >= 7.5;
  const double l = log_of(large ? x : shifted);
  const double p = u * horner(u, 3.0778898014523564e-07, -5.8627572029177481e-07, 8.8859542482832429e-07, -1.969452537920649e-06,
                              4.3987322845209589e-06, -9.4581396036294631e-06, 2.0502271425301053e-05, -4.4923362970941704e-05,
                              9.9458120888712285e-05, -0.00022315501689656634, 0.00050966948121381036, -0.0011927538987070486,
                              0.0028905103324206424, -0.007385551029000046, 0.020580808427755146, -0.067352301053194966,
                              0.32246703342411337, 0.42278433509846713);
  const double inverse = 1 / x, w = inverse * inverse;
  const double series = horner(w, 0.14486989735230899, -0.0028539296630220108, -0.0017202985306159922, 0.00083965895067397635,
                               -0.00059522668515803396, 0.00079365076398750815, -0.0027777777777488358, 0.083333333333333329);
  const double stirling = fma(x - 0.5, l - 1, fma(series, inverse, 0.4189385332046727)); // (log(2 pi) - 1) / 2
  const double around = n < 2 ? p - l : p + l;
  return large ? stirling : around;
}
// Left of -1/2 by Gamma(x) Gamma(-x) = -pi / (x sin(pi x)). Error in f64: 6 ulp of the larger of |lgamma(x)| and 1 (32 for x < 0).
COR_FN double lgamma_of(double x) {
  const double a = abs(x), right = lgamma_right(x < -0.5 ? a : x);
  const double sine = abs(half_turn(a).sin), l = log_of(3.1415926535897932 / (a * sine)) - right;
  const double left = sine == 0 ? Limits<double>::infinity() : l;
  const double r = x < -0.5 ? left : right;
  return a == Limits<double>::infinity() ? a : r;
}
// 0.6 ulp of the larger of |lgamma(x)| and 2^-26.
COR_FN float lgamma_of(float x) { return static_cast<float>(lgamma_of(static_cast<double>(x))); }

// pi / tan(pi x).
COR_FN double pi_cotangent(double x) {
  const HalfTurn h = half_turn(x);
  return 3.1415926535897932 * h.cos / h.sin;
}
#else
template <class T>
COR_FN T pi_cotangent(T x) {
  const T angle = T(3.1415926535897932) * (x - native::rint(x));
  return T(3.1415926535897932) * native::cos(angle) / native::sin(angle);
}
#endif

// From x + 8 by digamma(x + 1) = digamma(x) + 1 / x, the sum of eight over one denominator; from 8 on: log x - 1/2x - w P(w),
// w = 1 / x^2 [7.6e-22]; left of 0 by digamma(1 - x) = digamma(x) + pi / tan(pi x). As ATen has it: -+infinity at +-0, NaN at
// negative whole numbers. Error on CPUs, f64: 12 ulp of the larger of |digamma(x)| and 1 (32 for x < 0); f32: 0.6 ulp of the larger
// of it and 2^-26.
template <class T>
COR_FN T digamma_of(T x) {
  const T a = x < 0 ? 1 - x : x;
  T top = 1, bottom = a;
#pragma unroll
  for (int i = 1; i < 8; ++i) {
    const T next = a + T(i);
    top = fma(top, next, bottom);
    bottom *= next;
  }
  const bool small = a < 8;
  const T y = small ? a + 8 : a, inverse = 1 / y, w = inverse * inverse;
  const T p = horner(w, T(-0.28737616375448649), T(0.079300039512564868), T(-0.021033583306199553), T(0.0075752429073796639),
                     T(-0.0041666640382798407), T(0.0039682539608163533), T(-0.0083333333333232059), T(0.083333333333333329));
  const T beyond = log(y) - fma(w, p, T(0.5) * inverse);
  T r = small ? beyond - top / bottom : beyond;
  r = x < 0 ? r - pi_cotangent(x) : r;
  r = x < 0 && native::rint(x) == x ? Limits<T>::nan() : r;
  return x == 0 ? copysign(Limits<T>::infinity(), -x) : r;
}

COR_FUNCTION(lgamma)
#if COR_NATIVE_MATHS
COR_FN float digamma(float x) { return digamma_of(x); }
#else
COR_FN float digamma(float x) { return static_cast<float>(digamma_of(static_cast<double>(x))); }
#endif
COR_FN double digamma(double x) { return digamma_of(x); }
COR_UNARY(digamma, cor::digamma(x))

} // namespace cor
