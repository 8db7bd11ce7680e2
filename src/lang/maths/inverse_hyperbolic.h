#pragma once
// asinh, acosh, atanh: forms of log1p.
#include "lang/maths/log.h"

namespace cor {

#if !COR_NATIVE_MATHS
// Squares of larger numbers are not needed: 1 + x^2 is x^2 long before.
template <class T>
inline constexpr T large_root = T(sizeof(T) == 4 ? 1e9 : 1e150);

// log1p(a + a^2 / (1 + sqrt(a^2 + 1))), log a + ln2 for large a. 1.9 ulp.
template <class T>
COR_FN T asinh_of(T x) {
  const T a = abs(x), s = a * a;
  const bool large = a > large_root<T>;
  const T inner = a + s / (1 + sqrt(s + 1)), l = log1p_of(large ? a : inner);
  return copysign(large ? l + T(0.69314718055994531) : l, x);
}
// log1p(t + sqrt(t (t + 2))), t = x - 1. NaN below 1. 2.2 ulp in f32, 2.4 in f64.
template <class T>
COR_FN T acosh_of(T x) {
  const T t = x - 1;
  const bool large = x > large_root<T>;
  const T inner = t + sqrt(t * (t + 2)), l = log1p_of(large ? x : inner);
  const T r = large ? l + T(0.69314718055994531) : l;
  return x < 1 ? Limits<T>::nan() : r;
}
// log1p(2a / (1 - a)) / 2. NaN outside [-1, 1]. 2.3 ulp in f32, 2.2 in f64.
template <class T>
COR_FN T atanh_of(T x) {
  const T a = abs(x);
  return copysign(T(0.5) * log1p_of(2 * a / (1 - a)), x);
}
#endif

COR_FUNCTION(asinh)
COR_FUNCTION(acosh)
COR_FUNCTION(atanh)

} // namespace cor
