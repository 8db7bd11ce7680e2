#pragma once
// Maximum and sum of e^(x - maximum) of each fold, the heart of softmax and its kin.
#include "lang/maths/exp.h"
#include "lang/rows.h"

namespace cor {

// e^x for x <= 0, for results that are stored as `Stored`.
template <class Stored>
struct ExpAs {
  template <class T>
  static COR_FN T apply(T x) {
    return exp_nonpositive_as<Stored>(x);
  }
};
template <class Stored, class A>
using ExpNode = UnaryNode<ExpAs<Stored>, A>;

// `auto [x, e, most, sum] = ...`: the node as kept, e^(x - most), and each fold's maximum and sum of e.
template <class X, class E, class F>
struct Exponentials {
  X x;
  E e;
  F most, sum;
};

#if COR_SIMT
// Sums of e^(x - most), each to its own maximum.
template <class T, class Stored>
struct ExpSum {
  struct State {
    T most, sum;
  };
  static COR_FN State combine(State a, State b) {
    const T most = larger(a.most, b.most);
    return {most, a.sum * exp_nonpositive_as<Stored>(a.most - most) + b.sum * exp_nonpositive_as<Stored>(b.most - most)};
  }
};

// Warps take their own maximum first, so that maximum and sum cross warps and blocks together, once. Inside a warp two shuffles of
// numbers are cheaper than one of states whose combination takes two exponentials.
template <class Stored, class Pass, class Node>
COR_FN auto fold_exponentials(Pass& pass, const Node& node) {
  using T = typename Node::value_type;
  using Both = ExpSum<T, Stored>;
  constexpr int columns = Pass::columns;
  const auto x = keep(pass, node);
  Folded<T, columns> most, sum;
  fold_lane<Larger<T>>(pass, x, most.v);
  pass.template across_lanes<Larger<T>>(most.v);
#pragma unroll
  for (int k = 0; k < columns; ++k) most.v[k] = larger(most.v[k], -Limits<T>::max_finite()); // x - most is never inf - inf
  ExpNode<Stored, decltype(x - most)> e = {x - most};
  fold_lane<Sum<T>>(pass, e, sum.v);
  pass.template across_lanes<Sum<T>>(sum.v);
  typename Both::State s[columns];
#pragma unroll
  for (int k = 0; k < columns; ++k) s[k] = {most.v[k], sum.v[k]};
  const auto all = pass.template across_warps<Both>(s);
#pragma unroll
  for (int k = 0; k < columns; ++k) most.v[k] = all.v[k].most, sum.v[k] = all.v[k].sum;
  e.a.b = most;
  return Exponentials<decltype(e.a.a), decltype(e), Folded<T, columns>>{x, e, most, sum};
}
#else
template <class Stored, class Pass, class Node>
COR_FN auto fold_exponentials(Pass& pass, const Node& node) {
  using T = typename Node::value_type;
  const auto kept = keep_and_fold<Larger<T>>(pass, node);
  const auto shifted = kept.kept - kept.folded;
  const auto e = keep_and_fold<Sum<T>>(pass, ExpNode<Stored, decltype(kept.kept - kept.folded)>{shifted});
  return Exponentials<decltype(kept.kept), decltype(e.kept), decltype(e.folded)>{kept.kept, e.kept, kept.folded, e.folded};
}
#endif

} // namespace cor
