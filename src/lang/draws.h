#pragma once
// Kernels that draw, with ATen's numbering of threads and elements: the launch that ATen would make says which words belong to
// which element, whatever the launch is that computes them.
#include "lang/index.h"
#include "lang/philox.h"
#include "lang/vec.h"

namespace cor {

// As ATen's generator hands it out: numbers, or where a graph that is being captured will find them.
struct PhiloxState {
  u64 seed, offset;
  u64 later; // captured: added to the offset found
  i64 captured;
  COR_FN u64 find_seed() const { return captured ? *reinterpret_cast<const u64*>(seed) : seed; }
  COR_FN u64 find_offset() const { return captured ? *reinterpret_cast<const u64*>(offset) + later : offset; }
};

// Each of ATen's `threads` threads is a subsequence of the generator. One call of the generator serves elements `threads` apart
// (uniform_, normal_, random_, ...), or neighbours (dropout of whole vectors, bernoulli of a tensor).
enum class Served { apart, neighbours };
struct DrawArgs {
  PhiloxState state;
  i64 n, threads;
  i64 units;    // of work, one a lane
  Divider line; // units that one round of ATen's loop has
};

// f(first element, V values, how many of them are there): of elements that are neighbours.
template <class Draw, Served S, int V, class F>
COR_FN void draw_unit(const DrawArgs& d, u32 unit, F f) {
  using Value = typename Draw::Value;
  constexpr int count = Draw::count;
  const u64 seed = d.state.find_seed(), offset = d.state.find_offset();
  const u32 round = d.line.divide(unit), place = unit - round * static_cast<u32>(d.line.size);
  const auto there = [&](i64 e) { return d.n - e < V ? static_cast<int>(d.n - e) : V; };
  Vec<Value, V> v;
  if constexpr (S == Served::apart) {
    const i64 thread = static_cast<i64>(place) * V, first = round * (d.threads * count) + thread;
    Value drawn[V][count];
#pragma unroll
    for (int j = 0; j < V; ++j) Draw::draw(philox4(seed, static_cast<u64>(thread + j), offset + u64(4) * round), drawn[j]);
#pragma unroll
    for (int k = 0; k < count; ++k) {
      const i64 e = first + k * d.threads;
      if (e >= d.n) break;
#pragma unroll
      for (int j = 0; j < V; ++j) v.v[j] = drawn[j][k];
      f(e, v, there(e));
    }
  } else {
    constexpr int calls = (V + count - 1) / count;
#pragma unroll
    for (int c = 0; c < calls; ++c) {
      Value drawn[count];
      Draw::draw(philox4(seed, place, offset + u64(4) * (round * calls + c)), drawn);
#pragma unroll
      for (int k = 0; k < count && k < V; ++k) v.v[c * count + k] = drawn[k];
    }
    const i64 e = static_cast<i64>(unit) * V;
    f(e, v, there(e));
  }
}

// The first `count` of V neighbours, in one access where all are there.
template <class T, int V>
COR_FN Vec<T, V> load_some(const T* p, int count) {
  if (count == V) return load_vec<T, V>(p);
  Vec<T, V> v{};
#pragma unroll
  for (int j = 0; j < V; ++j)
    if (j < count) v.v[j] = p[j];
  return v;
}
template <class T, int V>
COR_FN void store_some(T* p, const Vec<T, V>& v, int count) {
  if (count == V) return store_vec<T, V>(p, v);
#pragma unroll
  for (int j = 0; j < V; ++j)
    if (j < count) p[j] = v.v[j];
}

} // namespace cor

// A kernel that draws: Args has a member `draws` (DrawArgs); Body::put(a, first element, values, how many) takes V neighbours; the
// first element's number is a multiple of V. A block is 256 units.
#if COR_SIMT
#define COR_DRAWS(entry, Args, Draw, S, V, Body)                                                            \
  COR_KERNEL(entry, 256, Args) {                                                                            \
    const cor::i64 unit = static_cast<cor::i64>(cor::block_id()) * 256 + cor::thread_id();                  \
    if (unit < a.draws.units)                                                                               \
      cor::draw_unit<Draw, S, V>(a.draws, static_cast<cor::u32>(unit),                                      \
                                 [&](cor::i64 e, const auto& v, int count) { Body::put(a, e, v, count); }); \
  }
#else
#define COR_DRAWS(entry, Args, Draw, S, V, Body)                                                            \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void*) {                           \
    const Args& a = *static_cast<const Args*>(args);                                                        \
    const cor::i64 end = last * 256 < a.draws.units ? last * 256 : a.draws.units;                           \
    for (cor::i64 unit = first * 256; unit < end; ++unit)                                                   \
      cor::draw_unit<Draw, S, V>(a.draws, static_cast<cor::u32>(unit),                                      \
                                 [&](cor::i64 e, const auto& v, int count) { Body::put(a, e, v, count); }); \
  }
#endif
