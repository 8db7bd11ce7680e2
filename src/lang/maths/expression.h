#pragma once
// Functions of users' expressions (src/codegen/expression.cpp) that are no more than an operator or two. Exact where nothing is
// said.
#include "lang/maths/basic.h"

namespace cor {
namespace expression {

template <class T>
COR_FN T ceil(T x) {
  return -native::floor(-x);
}
template <class T>
COR_FN bool isnan(T x) {
  return x != x;
}
template <class T>
COR_FN bool isfinite(T x) {
  return x - x == T(0);
}
template <class T>
COR_FN bool isinf(T x) {
  return x == x && x - x != T(0);
}
// As torch.sign: 0 of either zero and of NaN.
template <class T>
COR_FN T sign(T x) {
  return static_cast<T>((T(0) < x) - (x < T(0)));
}
template <class T>
COR_FN T clamp(T x, T low, T high) {
  return clamp_max(clamp_min(x, low), high);
}
// 0.5 ulp, unlike the language's own.
template <class T>
COR_FN T reciprocal(T x) {
  return T(1) / x;
}
// Of e = exp(-x).
template <class T>
COR_FN T logistic(T e) {
  return T(1) / (T(1) + e);
}

} // namespace expression
} // namespace cor
