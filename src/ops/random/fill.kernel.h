#pragma once
// Distributions: what ATen makes of a draw, and a tensor that is filled with it. T is the stored type, A the type that is computed
// with. Formulas and bounds are those of ATen's TransformationHelper.h on CUDA devices.
#include "lang/draws.h"
#include "lang/maths/exp.h"
#include "lang/maths/trig.h"

struct FillArgs {
  cor::DrawArgs draws;
  void* out;
  cor::u64 p[3]; // of the distribution, in the type that it computes with
};
template <int Rank>
struct StridedFillArgs {
  cor::DrawArgs draws;
  void* out;
  cor::u64 p[3];
  cor::Shape<Rank> shape;
  cor::i64 stride[Rank][1];
};

template <class A>
inline constexpr A half_epsilon = A(5.9604644775390625e-08);
template <>
inline constexpr double half_epsilon<double> = 1.1102230246251565e-16;

// Uniform draws come in (0, 1].
template <class A>
struct UniformDraws {
  using Draw = cor::UniformFloats;
  using Parameter = float;
};
template <>
struct UniformDraws<double> {
  using Draw = cor::UniformDoubles;
  using Parameter = double;
};
template <class A>
struct NormalDraws {
  using Draw = cor::NormalFloats;
  using Parameter = float;
};
template <>
struct NormalDraws<double> {
  using Draw = cor::NormalDoubles;
  using Parameter = double;
};

// p: from, to - from, to; each as the stored type holds it.
template <class T, class A>
struct Uniform : UniformDraws<A> {
  static COR_FN T make(A v, A from, A range, A to) { return cor::uniform_in<T>(v, from, range, to); }
};
// p: mean, deviation.
template <class T, class A>
struct Normal : NormalDraws<A> {
  static COR_FN T make(A v, A mean, A deviation, A) { return cor::convert<T>(cor::fma(v, deviation, mean)); }
};
template <class T, class A>
struct LogNormal : NormalDraws<A> {
  static COR_FN T make(A v, A mean, A deviation, A) {
    const A x = cor::fma(v, deviation, mean);
    if constexpr (cor::same<A, float>)
      return cor::convert<T>(cor::exp_fast(x));
    else
      return cor::convert<T>(cor::exp(x));
  }
};
// p: -1 / lambda. The logarithm of 1 is not 0, which would be no exponential number.
template <class T, class A>
struct ExponentialNumber : UniformDraws<A> {
  static COR_FN T make(A v, A scale, A, A) {
    A l;
    if constexpr (cor::same<A, float>)
      l = cor::log_fast(v);
    else
      l = cor::log(v);
    return cor::convert<T>(scale * (v >= A(1) - half_epsilon<A> ? -half_epsilon<A> : l));
  }
};
// p: median, sigma.
template <class T, class A>
struct Cauchy : UniformDraws<A> {
  static COR_FN T make(A v, A median, A sigma, A) {
    if constexpr (cor::same<A, float>) {
      constexpr float least = 2 * half_epsilon<float>, most = 1 - least;
      v = v > most ? most : v;
      v = v < least ? least : v;
      return cor::convert<T>(cor::fma(sigma, cor::tan_fast(3.14159265358979323846f * (v - 0.5f)), median));
    } else {
      return cor::convert<T>(cor::fma(sigma, cor::tan(3.14159265358979323846 * (v - 0.5)), median));
    }
  }
};
// p: the probability.
template <class T, class A>
struct Geometric : UniformDraws<A> {
  static COR_FN T make(A v, A probability, A, A) {
    A quotient;
    if constexpr (cor::same<A, float>)
      quotient = cor::log_fast(v) / cor::log_fast(1 - probability);
    else
      quotient = cor::log(v) / cor::log1p(-probability);
    return cor::convert<T>(-cor::native::floor(-quotient));
  }
};
// p: the probability.
template <class T, class A>
struct Bernoulli : UniformDraws<A> {
  static COR_FN T make(A v, A probability, A, A) { return cor::convert<T>(v < probability); }
};
// p: how many integers there are, and the first one. A is the word that is drawn.
template <class T, class A>
struct Integers {
  using Draw = typename cor::Choose<cor::same<A, cor::u64>, cor::DoubleWords, cor::Words>::type;
  using Parameter = cor::u64;
  static COR_FN T make(A v, cor::u64 range, cor::u64 from, cor::u64) {
    return cor::integer_in<T>(v, range, static_cast<cor::i64>(from));
  }
};
// All 64 bits.
template <class T, class A>
struct AnyInteger {
  using Draw = cor::DoubleWords;
  using Parameter = cor::u64;
  static COR_FN T make(cor::u64 v, cor::u64, cor::u64, cor::u64) { return cor::convert<T>(static_cast<cor::i64>(v)); }
};

template <class T, class A, template <class, class> class Distribution>
struct Fill {
  using Draw = typename Distribution<T, A>::Draw;
  using Parameter = typename Distribution<T, A>::Parameter;
  template <class Args, class V>
  static COR_FN T make(const Args& a, V v) {
    const auto p = [&](int k) { return cor::slot_value<Parameter>(a.p[k]); };
    return Distribution<T, A>::make(v, p(0), p(1), p(2));
  }
  // One dense stretch.
  template <class V, int N>
  static COR_FN void put(const FillArgs& a, cor::i64 e, const cor::Vec<V, N>& v, int count) {
    cor::Vec<T, N> r;
#pragma unroll
    for (int k = 0; k < N; ++k) r.v[k] = make(a, v.v[k]);
    cor::store_some(static_cast<T*>(a.out) + e, r, count);
  }
  // Any strides, of fewer than 2^31 elements.
  template <int Rank, class V>
  static COR_FN void put(const StridedFillArgs<Rank>& a, cor::i64 e, const cor::Vec<V, 1>& v, int) {
    cor::i64 at[1] = {};
    cor::add_offsets<false>(a.shape, a.stride, e, at);
    static_cast<T*>(a.out)[at[0]] = make(a, v.v[0]);
  }
};
