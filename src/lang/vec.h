#pragma once
// Short vectors and how they come from and go to memory.
#include "lang/types.h"

namespace cor {

template <class T, int N>
struct alignas(sizeof(T) * N >= 16 ? 16 : sizeof(T) * N) Vec {
  T v[N];
  COR_FN T at(int k) const { return v[k]; }
};

#if COR_SIMT
// Words of 4 bytes, which compilers merge to one wide access more readily than elements of 2.
template <class T, int N>
union Packed {
  static constexpr int words = sizeof(Vec<T, N>) / 4;
  Vec<T, N> v;
  Vec<u32, words> w;
  u32 part[(words + 3) / 4][4];
  COR_FN Packed() {}
};

// To global memory, in accesses of 16 bytes that stay whole.
template <class T, int N>
COR_FN void store_wide(T* p, const Vec<T, N>& v) {
  if constexpr (sizeof(Vec<T, N>) % 16 == 0) {
    Packed<T, N> r;
    r.v = v;
#pragma unroll
    for (int i = 0; i < r.words / 4; ++i) store16(reinterpret_cast<u32*>(p) + 4 * i, r.part[i]);
  } else {
    store_whole(reinterpret_cast<Vec<T, N>*>(p), v);
  }
}
#endif

// The address is a multiple of the vector's alignment, so that it is read in accesses of 16 bytes (tests/lang looks).
template <class T, int N>
COR_FN Vec<T, N> load_vec(const T* p) {
#if COR_SIMT
  if constexpr (sizeof(T) < 4 && sizeof(Vec<T, N>) % 4 == 0) {
    Packed<T, N> r;
    r.w = load_whole(reinterpret_cast<const Vec<u32, Packed<T, N>::words>*>(p));
    return r.v;
  } else {
    return load_whole(reinterpret_cast<const Vec<T, N>*>(p));
  }
#else
  Vec<T, N> r;
  for (int k = 0; k < N; ++k) r.v[k] = p[k];
  return r;
#endif
}
template <class T, int N>
COR_FN void store_vec(T* p, const Vec<T, N>& v) {
#if COR_SIMT
  if constexpr (sizeof(T) < 4 && sizeof(Vec<T, N>) % 4 == 0) {
    Packed<T, N> r;
    r.v = v;
    store_whole(reinterpret_cast<Vec<u32, Packed<T, N>::words>*>(p), r.w);
  } else {
    store_whole(reinterpret_cast<Vec<T, N>*>(p), v);
  }
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
