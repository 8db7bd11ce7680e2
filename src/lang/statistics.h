#pragma once
// Folds with more than a number for a state, for row kernels (lang/rows.h).
#include "lang/maths/basic.h"
#include "lang/node.h"

namespace cor {

// An element and where it stands along its fold.
template <class V>
struct Numbered {
  V value;
  i64 place;
};
template <class A, bool AlongTheChunk>
struct NumberedNode {
  using node_tag = NodeTag;
  using value_type = Numbered<typename A::value_type>;
  A a;
  i64 first;
  template <class Pass, class At>
  COR_FN void fetch(const Pass& pass, At at) {
    a.fetch(pass, at);
    first = pass.element(at);
  }
  COR_FN value_type at(int k) const { return {a.at(k), AlongTheChunk ? first + k : first}; }
};
template <class Pass, class A>
COR_FN NumberedNode<A, Pass::columns == 1> numbered(const Pass&, const A& node) {
  return {node, 0};
}

// Whether a comes before b among the largest (smallest) elements: NaN before all numbers, then the first of equals, as in ATen.
template <class V, bool Largest>
COR_FN bool comes_before(const Numbered<V>& a, const Numbered<V>& b) {
  const bool a_is_nan = a.value != a.value, b_is_nan = b.value != b.value;
  if (a_is_nan != b_is_nan) return a_is_nan;
  if (a_is_nan || a.value == b.value) return a.place < b.place;
  return Largest ? a.value > b.value : a.value < b.value;
}

// Folds numbered() elements to the largest (smallest) one. A fold of none has no such element: its place is the highest i64.
template <class V, bool Largest>
struct ArgExtreme {
  using State = Numbered<V>;
  static COR_FN State identity() { return {Largest ? Limits<V>::lowest() : Limits<V>::highest(), i64(~u64(0) >> 1)}; }
  static COR_FN State of(const State& x) { return x; }
  static COR_FN State combine(const State& a, const State& b) { return comes_before<V, Largest>(a, b) ? a : b; }
};
template <class V>
using ArgMax = ArgExtreme<V, true>;
template <class V>
using ArgMin = ArgExtreme<V, false>;

// How many elements, their mean and the sum of squares of their distances from it, pairwise (Chan, Golub and LeVeque, 1979).
template <class C>
struct Moments {
  struct State {
    C count, mean, m2;
  };
  static COR_FN State identity() { return {C(0), C(0), C(0)}; }
  static COR_FN State of(C x) { return {C(1), x, C(0)}; }
  static COR_FN State combine(const State& a, const State& b) {
    const C count = a.count + b.count, share = count > C(0) ? b.count / count : C(0), apart = b.mean - a.mean;
    return {count, a.mean + apart * share, a.m2 + b.m2 + apart * apart * a.count * share};
  }
};

} // namespace cor
