#pragma once
// sinh, cosh.
#include "lang/maths/exp.h"

namespace cor {

#if !COR_NATIVE_MATHS
// |x| <= 1: (sinh x - x) / x^3 of s = x^2 [5.2e-11, 6.3e-23 of sinh].
COR_FN float sinh_rest(float s) { return horner(s, 2.78223001e-06f, 0.000198428941f, 0.00833331048f, 0.166666672f); }
COR_FN double sinh_rest(double s) {
  return horner(s, 6.475413705296402e-15, 7.5032614939788067e-13, 1.6061339227706523e-10, 2.5052089412344308e-08,
                2.7557319310091963e-06, 0.00019841269841061157, 0.0083333333333335726, 0.16666666666666666);
}
// 1.8 ulp in f32, 1.7 in f64.
template <class T>
COR_FN T sinh_of(T x) {
  const T a = abs(x), e = half_exp(a), s = x * x;
  const T inner = fma(x * s, sinh_rest(s), x), outer = copysign(e - T(0.25) / e, x);
  return a < 1 ? inner : outer;
}
// 1.6 ulp in f32, 1.5 in f64.
template <class T>
COR_FN T cosh_of(T x) {
  const T e = half_exp(abs(x));
  return e + T(0.25) / e;
}
#endif

COR_FUNCTION(sinh)
COR_FUNCTION(cosh)

} // namespace cor
