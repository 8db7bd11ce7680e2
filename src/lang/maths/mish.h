#pragma once
// The derivative of mish, x tanh(log(1 + e^x)), times a gradient.
#include "lang/maths/log.h"
#include "lang/maths/sigmoid.h"
#include "lang/maths/tanh.h"

namespace cor {

template <class T>
COR_FN T mish_backward(T grad, T x) {
  const T t = tanh(log1p(exp(x)));
  return grad * (t + x * sigmoid(x) * (1 - t * t));
}

} // namespace cor
