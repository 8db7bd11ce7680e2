#pragma once
// Lazy values: a node is a recipe for the elements of a tile (lang/tile.h walks over them). Here stands what a function needs to
// take nodes as well as numbers.
#include "lang/types.h"

namespace cor {

struct NodeTag {};
template <class T>
struct IsNode {
  template <class U>
  static constexpr bool test(typename U::node_tag*) {
    return true;
  }
  template <class U>
  static constexpr bool test(...) {
    return false;
  }
  static constexpr bool value = test<T>(nullptr);
};
template <bool B, class T>
struct EnableIf {};
template <class T>
struct EnableIf<true, T> {
  using type = T;
};
template <class T, class...>
struct FirstOf {
  using type = T;
};
// T, if A (and B) are nodes; no type otherwise.
template <class A, class T>
using NodeOf = typename FirstOf<T, typename A::node_tag>::type;
template <class A, class B, class T>
using NodeOfBoth = typename FirstOf<T, typename A::node_tag, typename B::node_tag>::type;

template <class F, class A>
struct UnaryNode {
  using node_tag = NodeTag;
  using value_type = decltype(F::apply(typename A::value_type()));
  A a;
  template <class Pass, class At>
  COR_FN void fetch(const Pass& pass, At at) {
    a.fetch(pass, at);
  }
  COR_FN value_type at(int k) const { return F::apply(a.at(k)); }
};

} // namespace cor

// The form of a function of x that takes a node; stands in namespace cor, after the forms that take numbers.
#define COR_UNARY(name, expression)                            \
  struct name##_op {                                           \
    template <class T>                                         \
    static COR_FN auto apply(T x) {                            \
      return expression;                                       \
    }                                                          \
  };                                                           \
  template <class A>                                           \
  COR_FN NodeOf<A, UnaryNode<name##_op, A>> name(const A& a) { \
    return {a};                                                \
  }
