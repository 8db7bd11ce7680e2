#pragma once
// A tensor as planning sees it. Borrowed arrays; nothing here owns memory.
#include <cstdint>

#include "core/dtype.h"

namespace corundum {

struct View {
  void* data; // first element; may be null when planning without a device
  Dtype dtype;
  int rank;
  const int64_t* sizes;
  const int64_t* strides; // in elements
};

// A number argument. Kernels receive it in their compute type.
struct Scalar {
  double f = 0;
  int64_t i = 0;
  bool integral = false;
  double im = 0; // f is the real part

  static Scalar of(double v, double im = 0) { return {v, static_cast<int64_t>(v), false, im}; }
  static Scalar of(int64_t v) { return {static_cast<double>(v), v, true}; }
};

} // namespace corundum
