#pragma once
// The logistic function.
#include "lang/maths/exp.h"

namespace cor {

// 2 ulp.
template <class T>
COR_FN typename EnableIf<is_float<T>, T>::type sigmoid(T x) {
  return T(1) / (T(1) + exp(-x));
}

} // namespace cor
