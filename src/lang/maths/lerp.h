#pragma once
// From a to b, from the nearer end, as ATen goes.
#include "lang/maths/basic.h"

namespace cor {

template <class T>
COR_FN bool is_below_half(T weight) {
  return abs(weight) < T(0.5);
}
template <class T>
COR_FN bool is_below_half(Complex<T> weight) {
  return weight.re * weight.re + weight.im * weight.im < T(0.25);
}
template <class T>
COR_FN T one_minus(T x) {
  return T(1) - x;
}
template <class T>
COR_FN Complex<T> one_minus(Complex<T> x) {
  return {T(1) - x.re, -x.im};
}
template <class T>
COR_FN T lerp(T a, T b, T weight) {
  return is_below_half(weight) ? a + weight * (b - a) : b - (b - a) * one_minus(weight);
}

} // namespace cor
