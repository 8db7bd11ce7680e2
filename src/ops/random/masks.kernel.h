#pragma once
// Draws that meet a tensor: dropout, bernoulli numbers of as many probabilities, leaky rectifiers of random slope.
#include "lang/draws.h"

// A is f32 for the 16-bit floats.
struct DropoutArgs {
  cor::DrawArgs draws;
  const void* in;
  void* out;
  void* mask;           // bool
  cor::u64 keep, scale; // the probability that an element stays, and what it is multiplied with then; as A
};
template <class T, class A>
struct Dropout {
  template <int N>
  static COR_FN void put(const DropoutArgs& a, cor::i64 e, const cor::Vec<float, N>& v, int count) {
    const A keep = cor::slot_value<A>(a.keep), scale = cor::slot_value<A>(a.scale);
    const cor::Vec<T, N> x = cor::load_some<T, N>(static_cast<const T*>(a.in) + e, count);
    cor::Vec<T, N> r;
    cor::Vec<bool, N> stays;
#pragma unroll
    for (int k = 0; k < N; ++k) {
      stays.v[k] = v.v[k] < keep;
      r.v[k] = cor::convert<T>(cor::widen(x.v[k]) * (stays.v[k] ? 1.0f : 0.0f) * scale);
    }
    cor::store_some(static_cast<T*>(a.out) + e, r, count);
    cor::store_some(static_cast<bool*>(a.mask) + e, stays, count);
  }
};

// P is f32, or f64 where the result is.
struct ChancesArgs {
  cor::DrawArgs draws;
  const void* chances;
  void* out;
};
template <class T, class P>
struct Chances {
  template <int N>
  static COR_FN void put(const ChancesArgs& a, cor::i64 e, const cor::Vec<float, N>& v, int count) {
    const cor::Vec<P, N> p = cor::load_some<P, N>(static_cast<const P*>(a.chances) + e, count);
    cor::Vec<T, N> r;
#pragma unroll
    for (int k = 0; k < N; ++k) {
      if (!(p.v[k] >= P(0) && p.v[k] <= P(1))) cor::device_assert_failed();
      r.v[k] = cor::convert<T>(v.v[k] <= p.v[k]);
    }
    cor::store_some(static_cast<T*>(a.out) + e, r, count);
  }
};

struct RreluArgs {
  cor::DrawArgs draws;
  const void* in;
  void* out;
  void* noise;
  cor::u64 lower, range; // f64
};
template <class T, class A>
struct Rrelu {
  using Draw = typename cor::Choose<cor::same<T, double>, cor::UniformDoubles, cor::UniformFloats>::type;
  template <int N>
  static COR_FN void put(const RreluArgs& a, cor::i64 e, const cor::Vec<A, N>& v, int count) {
    const double lower = cor::slot_value<double>(a.lower), range = cor::slot_value<double>(a.range);
    const cor::Vec<T, N> x = cor::load_some<T, N>(static_cast<const T*>(a.in) + e, count);
    cor::Vec<T, N> r, slope;
#pragma unroll
    for (int k = 0; k < N; ++k) {
      const A value = cor::widen(x.v[k]);
      const bool leaks = value <= A(0);
      const double drawn = static_cast<double>(cor::round_to<T>(v.v[k]));
      slope.v[k] = cor::convert<T>(leaks ? cor::convert<A>(cor::convert<T>(cor::fma(drawn, range, lower))) : A(1));
      r.v[k] = leaks ? cor::convert<T>(value * cor::widen(slope.v[k])) : x.v[k];
    }
    cor::store_some(static_cast<T*>(a.out) + e, r, count);
    cor::store_some(static_cast<T*>(a.noise) + e, slope, count);
  }
};
