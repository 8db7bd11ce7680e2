#pragma once
// Tiles and their lazy arithmetic. A node stands for values that exist nowhere yet; a pass (fold, store, keep) walks over chunks
// with a copy of the node: fetch() moves it to a chunk, then at(k) gives the chunk's elements. What a chunk is, the lowering
// decides: a vector that one lane holds on a GPU, a stretch of a row that one loop walks on a CPU. Few and flat functions: each
// costs a compiler milliseconds. Only row kernels include this: pointwise bodies are plain expressions, and what is not parsed
// costs no compile time.
#include "lang/maths.h"
#include "lang/vec.h"

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

template <class T>
struct Constant {
  using node_tag = NodeTag;
  using value_type = T;
  T value;
  template <class Pass, class At>
  COR_FN void fetch(const Pass&, At) {}
  COR_FN T at(int) const { return value; }
};

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

template <class A, class T>
using NodeOf = typename EnableIf<IsNode<A>::value, T>::type;

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
COR_UNARY(exp, cor::exp(x))
COR_UNARY(reciprocal, cor::reciprocal(x))
COR_UNARY(log, cor::log(x))
COR_UNARY(sqrt, cor::sqrt(x))
COR_UNARY(rsqrt, cor::rsqrt(x))
COR_UNARY(abs, cor::abs(x))
COR_UNARY(tanh, cor::tanh(x))
COR_UNARY(erf, cor::erf(x))
COR_UNARY(gelu_erf, cor::gelu_erf(x))
#undef COR_UNARY

// e^x for x <= 0, as exact as a result that is stored as `Stored` can show.
template <class Stored>
struct ExpNonpositive {
  template <class T>
  static COR_FN T apply(T x) {
    return exp_nonpositive<Stored>(x);
  }
};
template <class Stored, class A>
COR_FN NodeOf<A, UnaryNode<ExpNonpositive<Stored>, A>> exp_nonpositive_as(const A& a) {
  return {a};
}

#define COR_BINARY(name, symbol)                                                                                                  \
  struct name##_op {                                                                                                              \
    template <class A, class B>                                                                                                   \
    static COR_FN auto apply(A x, B y) {                                                                                          \
      return x symbol y;                                                                                                          \
    }                                                                                                                             \
  };                                                                                                                              \
  template <class A, class B>                                                                                                     \
  COR_FN typename EnableIf<IsNode<A>::value && IsNode<B>::value, BinaryNode<name##_op, A, B>>::type operator symbol(const A& a,   \
                                                                                                                    const B& b) { \
    return {a, b};                                                                                                                \
  }                                                                                                                               \
  template <class A>                                                                                                              \
  COR_FN NodeOf<A, BinaryNode<name##_op, A, Constant<typename A::value_type>>> operator symbol(const A& a,                        \
                                                                                               typename A::value_type b) {        \
    return {a, {b}};                                                                                                              \
  }                                                                                                                               \
  template <class A>                                                                                                              \
  COR_FN NodeOf<A, BinaryNode<name##_op, Constant<typename A::value_type>, A>> operator symbol(typename A::value_type a,          \
                                                                                               const A& b) {                      \
    return {{a}, b};                                                                                                              \
  }
COR_BINARY(plus, +)
COR_BINARY(minus, -)
COR_BINARY(times, *)
COR_BINARY(over, /)
#undef COR_BINARY

// --- folds -----------------------------------------------------------------------------------------------------------------------

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
