#pragma once
// asin, acos, atan, atan2.
#include "lang/maths/basic.h"

namespace cor {

#if !COR_NATIVE_MATHS
// pi/2 in two parts.
template <class T>
struct HalfPi {
  static constexpr T high = T(1.5707963267948966), low = sizeof(T) == 4 ? T(-4.3711390001862426e-08) : T(6.123233995736766e-17);
};

// |t| <= 1: atan t [1.7e-8, 2.8e-17].
COR_FN float atan_near_0(float t) {
  const float s = t * t;
  const float p = horner(s, 0.00291941897f, -0.0163631774f, 0.0432047099f, -0.075516589f, 0.106657691f, -0.14211002f, 0.199937671f,
                         -0.333331525f);
  return fma(t * s, p, t);
}
COR_FN double atan_near_0(double t) {
  const double s = t * t;
  const double p =
      horner(s, -2.0260614612237405e-05, 0.0002230420532530598, -0.0011641580377094011, 0.0038562061841801581,
             -0.0091849824564863118, 0.016978595943451597, -0.025827350573604073, 0.034068227824980431, -0.040926623458938723,
             0.046739603640275344, -0.052392366846573064, 0.058773087314907796, -0.066658605509112581, 0.076922129574529152,
             -0.090909012381253346, 0.11111110678935412, -0.14285714271342703, 0.199999999997552, -0.3333333333333186);
  return fma(t * s, p, t);
}
// |t| <= 1/2: (asin t - t) / t^3 of s = t^2 [4.9e-9, 1.5e-17 of asin].
COR_FN float asin_rest(float s) { return horner(s, 0.0421664231f, 0.0241807718f, 0.0454697721f, 0.0749530643f, 0.166667521f); }
COR_FN double asin_rest(double s) {
  return horner(s, 0.031934178900017145, -0.016255612190591726, 0.019547848064249397, 0.0065209733888029683, 0.012170792977573994,
                0.01388500075165866, 0.017359727851718378, 0.022371756568912902, 0.030381959196412883, 0.044642856826953375,
                0.075000000003385803, 0.16666666666665403);
}

// 1.6 ulp.
template <class T>
COR_FN T atan_of(T x) {
  const T a = abs(x);
  const bool large = a > 1;
  const T p = atan_near_0((large ? T(1) : a) / (large ? a : T(1)));
  return copysign(large ? HalfPi<T>::high - (p - HalfPi<T>::low) : p, x);
}
// The angle of (x, y). 1.7 ulp.
template <class T>
COR_FN T atan2_of(T y, T x) {
  const T a = abs(x), b = abs(y);
  const bool steep = b > a;
  const T small = steep ? a : b, large = steep ? b : a;
  T t = small / large;
  t = large == 0 ? T(0) : t;
  t = small == Limits<T>::infinity() ? T(1) : t;
  T r = atan_near_0(t);
  r = steep ? HalfPi<T>::high - (r - HalfPi<T>::low) : r;
  r = copysign(T(1), x) < 0 ? 2 * HalfPi<T>::high - (r - 2 * HalfPi<T>::low) : r;
  r = x != x ? x : r;
  return copysign(y != y ? y : r, y);
}

// Beyond 1/2 by the half angle: asin x = pi/2 - 2 asin sqrt((1 - x) / 2).
template <class T>
struct ArcSine {
  T value; // asin of x, or of the half angle's sine
  bool half;
  COR_FN explicit ArcSine(T x) : half(abs(x) > T(0.5)) {
    const T a = abs(x), s = half ? fma(a, T(-0.5), T(0.5)) : a * a, t = half ? sqrt(s) : a;
    value = fma(t * s, asin_rest(s), t);
  }
};
// 2.5 ulp in f32, 2.3 in f64. NaN outside [-1, 1].
template <class T>
COR_FN T asin_of(T x) {
  const ArcSine<T> p(x);
  return copysign(p.half ? HalfPi<T>::high - (2 * p.value - HalfPi<T>::low) : p.value, x);
}
// 1.3 ulp. NaN outside [-1, 1].
template <class T>
COR_FN T acos_of(T x) {
  const ArcSine<T> p(x);
  const T twice = 2 * p.value;
  const T outer = x < 0 ? 2 * HalfPi<T>::high - (twice - 2 * HalfPi<T>::low) : twice;
  return p.half ? outer : HalfPi<T>::high - (copysign(p.value, x) - HalfPi<T>::low);
}
#endif

COR_FUNCTION(asin)
COR_FUNCTION(acos)
COR_FUNCTION(atan)
COR_FUNCTION_2(atan2)

} // namespace cor
