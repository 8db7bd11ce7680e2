#pragma once
// Tiles and their lazy arithmetic. A node stands for values that exist nowhere yet; a pass (fold, store, keep) walks over chunks
// with a copy of the node: fetch() moves it to a chunk, then at(k) gives the chunk's elements. What a chunk is, the lowering
// decides: a vector that one lane holds on a GPU, a stretch of a row that one loop walks on a CPU. Few and flat functions: each
// costs a compiler milliseconds. Only row kernels include this: pointwise bodies are plain expressions, and what is not parsed
// costs no compile time.
#include "lang/monoids.h"
#include "lang/node.h"
#include "lang/vec.h"

namespace cor {

template <class T>
struct Constant {
  using node_tag = NodeTag;
  using value_type = T;
  T value;
  template <class Pass, class At>
  COR_FN void fetch(const Pass&, At) {}
  COR_FN T at(int) const { return value; }
};

template <class F, class A, class B>
struct BinaryNode {
  using node_tag = NodeTag;
  using value_type = decltype(F::apply(typename A::value_type(), typename B::value_type()));
  A a;
  B b;
  template <class Pass, class At>
  COR_FN void fetch(const Pass& pass, At at) {
    a.fetch(pass, at);
    b.fetch(pass, at);
  }
  COR_FN value_type at(int k) const { return F::apply(a.at(k), b.at(k)); }
};

// The result of a fold: one value for each of the `Columns` folds that run side by side, the same for all elements of a fold.
template <class T, int Columns>
struct Folded {
  using node_tag = NodeTag;
  using value_type = T;
  T v[Columns];
  template <class Pass, class At>
  COR_FN void fetch(const Pass&, At) {}
  COR_FN T at(int k) const { return v[Columns == 1 ? 0 : k]; }
};

#define COR_BINARY(name, symbol)                                                                                           \
  struct name##_op {                                                                                                       \
    template <class A, class B>                                                                                            \
    static COR_FN auto apply(A x, B y) {                                                                                   \
      return x symbol y;                                                                                                   \
    }                                                                                                                      \
  };                                                                                                                       \
  template <class A, class B>                                                                                              \
  COR_FN NodeOfBoth<A, B, BinaryNode<name##_op, A, B>> operator symbol(const A& a, const B& b) {                           \
    return {a, b};                                                                                                         \
  }                                                                                                                        \
  template <class A>                                                                                                       \
  COR_FN NodeOf<A, BinaryNode<name##_op, A, Constant<typename A::value_type>>> operator symbol(const A& a,                 \
                                                                                               typename A::value_type b) { \
    return {a, {b}};                                                                                                       \
  }                                                                                                                        \
  template <class A>                                                                                                       \
  COR_FN NodeOf<A, BinaryNode<name##_op, Constant<typename A::value_type>, A>> operator symbol(typename A::value_type a,   \
                                                                                               const A& b) {               \
    return {{a}, b};                                                                                                       \
  }
COR_BINARY(plus, +)
COR_BINARY(minus, -)
COR_BINARY(times, *)
COR_BINARY(over, /)
#undef COR_BINARY

} // namespace cor
