#pragma once
// xlogy, xlog1py, entr, logit, logaddexp, logaddexp2: logarithms with ATen's rules at the edges. Errors are those of log and log1p,
// and of one product more.
#include "lang/maths/exp.h"
#include "lang/maths/log.h"

namespace cor {

// 0 where x is, unless y is NaN.
template <class T>
COR_FN T xlogy(T x, T y) {
  const T r = x == 0 ? T(0) : x * log(y);
  return y != y ? y : r;
}
template <class T>
COR_FN T xlog1py(T x, T y) {
  const T r = x == 0 ? T(0) : x * log1p(y);
  return y != y ? y : r;
}
template <class T>
COR_FN T entr_of(T x) {
  const T edge = x == 0 ? T(0) : -Limits<T>::infinity(), r = x > 0 ? -x * log(x) : edge;
  return x != x ? x : r;
}
COR_SPECIAL(entr)

// log(x / (1 - x)), with x kept within [low, high] in the second form.
template <class T>
COR_FN T logit(T x) {
  return x == 1 ? Limits<T>::infinity() : log(x / (1 - x));
}
template <class T>
COR_FN T logit(T x, T low, T high) {
  const T least = x < low ? low : x, z = least > high ? high : least;
  return log(z / (1 - z));
}

template <class T>
COR_FN T logaddexp(T x, T y) {
  const T most = maximum(x, y), r = most + log1p(exp(-abs(x - y)));
  return x == y && abs(x) == Limits<T>::infinity() ? x : r;
}
template <class T>
COR_FN T logaddexp2(T x, T y) {
  const T most = maximum(x, y), r = fma(log1p(exp2(-abs(x - y))), T(1.4426950408889634), most);
  return x == y && abs(x) == Limits<T>::infinity() ? x : r;
}

} // namespace cor
