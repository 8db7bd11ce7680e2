#pragma once
// Rounding, signs and classes of numbers, of any type; exact.
#include "lang/maths/basic.h"

namespace cor {

// Integers are whole already.
template <class T>
COR_FN T floor(T x) {
  if constexpr (is_float<T>)
    return native::floor(x);
  else
    return x;
}
template <class T>
COR_FN T ceil(T x) {
  if constexpr (is_float<T>)
    return -native::floor(-x);
  else
    return x;
}
template <class T>
COR_FN T trunc(T x) {
  if constexpr (is_float<T>)
    return native::trunc(x);
  else
    return x;
}
// Halves to even.
template <class T>
COR_FN T round_even(T x) {
  if constexpr (is_float<T>)
    return native::rint(x);
  else
    return x;
}
template <class T>
COR_FN T frac(T x) {
  return x - native::trunc(x);
}

template <class T>
COR_FN bool is_nan(T x) {
  return x != x;
}
template <class T>
COR_FN bool is_inf(T x) {
  if constexpr (is_float<T>)
    return abs(x) == Limits<T>::infinity();
  else if constexpr (is_complex<T>)
    return is_inf(x.re) || is_inf(x.im);
  else
    return false;
}
template <class T>
COR_FN bool is_positive_inf(T x) {
  if constexpr (is_float<T>)
    return x == Limits<T>::infinity();
  else
    return false;
}
template <class T>
COR_FN bool is_negative_inf(T x) {
  if constexpr (is_float<T>)
    return x == -Limits<T>::infinity();
  else
    return false;
}
template <class T>
COR_FN bool is_finite_number(T x) {
  if constexpr (is_float<T>)
    return abs(x) < Limits<T>::infinity();
  else if constexpr (is_complex<T>)
    return is_finite_number(x.re) && is_finite_number(x.im);
  else
    return true;
}
// Whether the sign is negative, of zeros and NaN, too.
template <class T>
COR_FN bool signbit(T x) {
  if constexpr (is_float<T>)
    return (to_bits(x) & Layout<T>::sign) != 0;
  else
    return x < T(0);
}

// 1, 0 or -1; 0 of NaN, as ATen's. Of a complex number z / |z|, or 0.
template <class T>
COR_FN T sign(T x) {
  if constexpr (is_complex<T>) {
    const auto size = abs(x);
    if (size == 0) return {0, 0};
    return {x.re / size, x.im / size};
  } else {
    return static_cast<T>(static_cast<int>(x > T(0)) - static_cast<int>(x < T(0)));
  }
}
// 0 or pi of a real number.
template <class T>
COR_FN typename EnableIf<is_float<T>, T>::type angle(T x) {
  const T r = x < 0 ? T(3.14159265358979323846) : T(0);
  return x != x ? x : r;
}
template <class T>
COR_FN typename EnableIf<!is_complex<T>, T>::type conj(T x) {
  return x;
}
// 1 / x, rounded once.
template <class T>
COR_FN typename EnableIf<is_float<T>, T>::type inverse(T x) {
  return T(1) / x;
}

// NaN gives way.
template <class T>
COR_FN T fmax(T a, T b) {
  const T r = a > b ? a : b;
  return b != b ? a : r;
}
template <class T>
COR_FN T fmin(T a, T b) {
  const T r = a < b ? a : b;
  return b != b ? a : r;
}
template <class T>
COR_FN T nan_to_num(T x, T nan, T positive, T negative) {
  const T finite = x == Limits<T>::infinity() ? positive : x == -Limits<T>::infinity() ? negative : x;
  return x != x ? nan : finite;
}
template <class T>
COR_FN Complex<T> nan_to_num(Complex<T> x, Complex<T> nan, Complex<T> positive, Complex<T> negative) {
  return {nan_to_num(x.re, nan.re, positive.re, negative.re), nan_to_num(x.im, nan.re, positive.re, negative.re)};
}

} // namespace cor
