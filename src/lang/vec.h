#pragma once
// Short vectors and how they come from and go to memory.
#include "lang/types.h"

namespace cor {

template <class T, int N>
struct alignas(sizeof(T) * N >= 16 ? 16 : sizeof(T) * N) Vec {
  T v[N];
  COR_FN T at(int k) const { return v[k]; }
};

// The address is a multiple of the vector's alignment, so that it is read in accesses of 16 bytes (tests/lang looks).
template <class T, int N>
COR_FN Vec<T, N> load_vec(const T* p) {
#if COR_SIMT
  return load_whole(reinterpret_cast<const Vec<T, N>*>(p));
#else
  Vec<T, N> r;
  for (int k = 0; k < N; ++k) r.v[k] = p[k];
  return r;
#endif
}
template <class T, int N>
COR_FN void store_vec(T* p, const Vec<T, N>& v) {
#if COR_SIMT
  store_whole(reinterpret_cast<Vec<T, N>*>(p), v);
#else
  for (int k = 0; k < N; ++k) p[k] = v.v[k];
#endif
}

#if !COR_SIMT
// p[k] = value(k) for k < count <= Most. 16-bit results go through an array of floats: GCC narrows the selects of the arithmetic to
// the result's width otherwise, and then finds no vector form for them.
template <int Most, class T, class F>
COR_FN void put_run(T* p, int count, F value) {
  using V = decltype(value(0));
  if constexpr (sizeof(T) == 2 && is_float<V>) {
    V wide[Most];
#pragma GCC ivdep
    for (int k = 0; k < count; ++k) wide[k] = value(k);
#pragma GCC ivdep
    for (int k = 0; k < count; ++k) p[k] = convert<T>(wide[k]);
  } else {
#pragma GCC ivdep
    for (int k = 0; k < count; ++k) p[k] = convert<T>(value(k));
  }
}
#endif

} // namespace cor
