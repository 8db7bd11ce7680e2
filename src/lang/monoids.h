#pragma once
// The monoids of one number.
#include "lang/maths/basic.h"

namespace cor {

// A monoid: State (trivially copyable), identity(), and combine(), which also takes vectors of states. `of` makes the state of one
// element.
template <class T>
struct Sum {
  using State = T;
  static COR_FN T identity() { return T(0); }
  static COR_FN T of(T x) { return x; }
  template <class X>
  static COR_FN X combine(X a, X b) {
    return a + b;
  }
};
template <class T>
struct Max {
  using State = T;
  static COR_FN T identity() { return -Limits<T>::infinity(); }
  static COR_FN T of(T x) { return x; }
  template <class X>
  static COR_FN X combine(X a, X b) {
    return maximum(a, b);
  }
};
// As Max, but NaN may be lost: for folds whose NaN comes back from the elements themselves.
template <class T>
struct Larger : Max<T> {
  template <class X>
  static COR_FN X combine(X a, X b) {
    return larger(a, b);
  }
};
template <class T>
struct Min {
  using State = T;
  static COR_FN T identity() { return Limits<T>::infinity(); }
  static COR_FN T of(T x) { return x; }
  template <class X>
  static COR_FN X combine(X a, X b) {
    return minimum(a, b);
  }
};

} // namespace cor
