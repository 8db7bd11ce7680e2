#pragma once
// (x - mean) * rstd * weight + bias, with the variance from a second pass over the centred row.
#include "lang/rows.h"

struct LayerNormArgs {
  cor::RowsHead head;
  const void *in, *weight, *bias;
  void *out, *mean, *rstd;
  cor::u64 inverse_n, eps; // in the compute type
};

// x - mean. The mean rounds as the elements do where these are as wide as what is computed with: then in two exact steps. Beside
// 16-bit elements its rounding is nothing, and a subtraction is time.
template <bool InTwo, class X, class F>
COR_FN auto from_mean(const X& x, const F& origin, const F& shift, const F& mean) {
  if constexpr (InTwo)
    return x - origin - shift;
  else
    return x - mean;
}

template <class T, class Param, class Stat, class C, bool HasWeight, bool HasBias, class Pass>
COR_FN void layer_norm(Pass& pass, const LayerNormArgs& a) {
  const C inverse_n = cor::slot_value<C>(a.inverse_n);
  pass.align_to(static_cast<const T*>(a.in));
  // All is told from the row's first element, so that a row of equal numbers has just no variance (the shifted data algorithm of
  // Chan, Golub and LeVeque, 1983).
  const auto origin = cor::first<C>(pass, static_cast<const T*>(a.in));
  const auto x = cor::keep(pass, cor::load<C>(pass, static_cast<const T*>(a.in)));
  const auto sum = cor::fold<cor::Sum<C>>(pass, x - origin);
  const cor::Folded<C, 1> shift = {{sum.v[0] * inverse_n}}, mean = {{origin.v[0] + shift.v[0]}};
  const auto centred = from_mean<sizeof(T) == sizeof(C)>(x, origin, shift, mean);
  const C variance = cor::fold<cor::Sum<C>>(pass, centred * centred).v[0] * inverse_n;
  const cor::Folded<C, 1> rstd = {{cor::rsqrt(variance + cor::slot_value<C>(a.eps))}};
  auto weight = cor::load_along<C>(pass, static_cast<const Param*>(a.weight));
  auto bias = cor::load_along<C>(pass, static_cast<const Param*>(a.bias));
  auto y = centred * rstd;
  T* out = static_cast<T*>(a.out);
  if constexpr (HasWeight && HasBias)
    cor::store(pass, out, y * weight + bias);
  else if constexpr (HasWeight)
    cor::store(pass, out, y * weight);
  else if constexpr (HasBias)
    cor::store(pass, out, y + bias);
  else
    cor::store(pass, out, y);
  cor::store_folded(pass, static_cast<Stat*>(a.mean), mean);
  cor::store_folded(pass, static_cast<Stat*>(a.rstd), rstd);
}
