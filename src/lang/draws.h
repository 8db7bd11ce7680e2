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
  i64 slices;   // lanes that share the rounds of ATen's loop over the elements
  Divider line; // lanes of one slice: V threads each, or one
};

// f(first element, V values, how many of them are there, V or more for all): of elements that are neighbours.
template <class Draw, Served S, int V, class F>
COR_FN void draw_lane(const DrawArgs& d, u32 lane, F f) {
  using Value = typename Draw::Value;
  constexpr bool apart = S == Served::apart;
  constexpr int count = Draw::count, calls = apart ? 1 : (V + count - 1) / count;
  const u32 slice = d.line.divide(lane), place = lane - slice * static_cast<u32>(d.line.size);
  if (slice >= d.slices) return;
  const u64 seed = d.state.find_seed(), step = u64(4) * calls;
  const i64 round = d.threads * (apart ? count : V);
  const int threads = static_cast<int>(d.threads);
  u64 offset = d.state.find_offset() + step * slice;
#pragma unroll 1
  for (i64 first = slice * round + static_cast<i64>(place) * V; first < d.n; first += d.slices * round, offset += step * d.slices) {
    const int left = d.n - first < (1 << 30) ? static_cast<int>(d.n - first) : 1 << 30;
    Vec<Value, V> v;
    if constexpr (apart) {
      Random4 words[V];
      Value drawn[V][count];
      philox4(seed, static_cast<u64>(place) * V, offset, words);
#pragma unroll
      for (int j = 0; j < V; ++j) Draw::draw(words[j], drawn[j]);
#pragma unroll
      for (int k = 0; k < count; ++k) {
#pragma unroll
        for (int j = 0; j < V; ++j) v.v[j] = drawn[j][k];
        if (left > k * threads) f(first + k * threads, v, left - k * threads);
      }
    } else {
#pragma unroll
      for (int c = 0; c < calls; ++c) {
        Value drawn[count];
        Draw::draw(philox4(seed, place, offset + u64(4) * c), drawn);
#pragma unroll
        for (int k = 0; k < count && k < V; ++k) v.v[c * count + k] = drawn[k];
      }
      f(first, v, left);
    }
  }
}

// The first `count` of V neighbours, in one access where all are there.
template <class T, int V>
COR_FN Vec<T, V> load_some(const T* p, int count) {
  if (count >= V) return load_vec<T, V>(p);
  Vec<T, V> v{};
#pragma unroll
  for (int j = 0; j < V; ++j)
    if (j < count) v.v[j] = p[j];
  return v;
}
template <class T, int V>
COR_FN void store_some(T* p, const Vec<T, V>& v, int count) {
  if (count >= V) {
#if COR_SIMT
    if constexpr (sizeof(Vec<T, V>) % 16 == 0) return store_wide(p, v); // beside the single ones it would be broken up
#endif
    return store_vec(p, v);
  }
#pragma unroll
  for (int j = 0; j < V; ++j)
    if (j < count) p[j] = v.v[j];
}

} // namespace cor

// A kernel that draws: Args has a member `draws` (DrawArgs); Body::put(a, first element, values, how many) takes V neighbours; the
// first element's number is a multiple of V. A block is 256 lanes.
#if COR_SIMT
#define COR_DRAWS(entry, Args, Draw, S, V, Body)                                                          \
  COR_KERNEL(entry, 256, Args) {                                                                          \
    cor::draw_lane<Draw, S, V>(a.draws, cor::block_id() * 256 + static_cast<cor::u32>(cor::thread_id()),  \
                               [&](cor::i64 e, const auto& v, int count) { Body::put(a, e, v, count); }); \
  }
#else
#define COR_DRAWS(entry, Args, Draw, S, V, Body)                                                            \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void*) {                           \
    const Args& a = *static_cast<const Args*>(args);                                                        \
    for (cor::i64 lane = first * 256; lane < last * 256; ++lane)                                            \
      cor::draw_lane<Draw, S, V>(a.draws, static_cast<cor::u32>(lane),                                      \
                                 [&](cor::i64 e, const auto& v, int count) { Body::put(a, e, v, count); }); \
  }
#endif
