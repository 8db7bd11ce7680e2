#pragma once
// The norm of any order, apart from the others for the sake of their compile time: pow is long.
#include "lang/maths/pow.h"

struct NormP : Identity {
  template <class C>
  static COR_FN C before(C x, C p) {
    return cor::pow(cor::abs(x), p);
  }
  template <class C>
  static COR_FN C after(C s, C, C p) {
    return cor::pow(s, C(1) / p);
  }
};
