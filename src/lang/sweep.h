#pragma once
// Walks of a block over a sequence of any length and alignment, in no particular order.
#include "lang/block.h"
#include "lang/tile.h"

namespace cor {

// Groups of elements, on GPUs those of one lane: where the others hold nothing of interest, it is enough to look at these.
struct Groups {
  const u32* lane;
  int count; // 0: look at all elements
};

#if COR_SIMT

// f(values, number of the first, which of them are there) of all elements, or those of groups: 16 bytes at a time, some of them
// under way in each lane while it works on others. What precedes or follows whole vectors comes first, one by one: then the values
// are one element many times, and one is there. One rolled loop with one call of f: unrolled ones took seconds to compile.
template <class Block, class T, class F>
COR_FN void sweep(const T* p, u32 n, Groups groups, F f) {
  constexpr u32 per = 16 / sizeof(T), ahead = 4, threads = Block::threads;
  const u32 lane = thread_id(), before = static_cast<u32>((0 - reinterpret_cast<u64>(p)) % 16 / sizeof(T));
  const u32 head = before < n ? before : n, vectors = (n - head) / per;
  const T* whole = p + head;
  // A lane has every threads-th vector. Those of a group are shared out among a team of lanes.
  u32 at = lane, step = threads;
  if (groups.count != 0) {
    u32 team = threads;
#pragma unroll 1
    while (team * groups.count > threads) team /= 2;
    at = lane / team < static_cast<u32>(groups.count) ? groups.lane[lane / team] + lane % team * threads : vectors;
    step = team * threads;
  }
  Vec<T, per> now, next[ahead];
#pragma unroll
  for (u32 u = 0; u < ahead; ++u)
    if (at + u * step < vectors) next[u] = load_vec<T, per>(whole + (at + u * step) * per);
  u32 first = lane < head ? lane : lane + vectors * per, there = first < n;
  if (there) {
#pragma unroll
    for (auto& value : now.v) value = p[first];
  }
#pragma unroll 1
  for (;; at += step) {
    if (there != 0) f(now, first, there);
    if (at >= vectors) break;
    now = next[0];
    first = head + at * per, there = (1u << per) - 1;
#pragma unroll
    for (u32 u = 1; u < ahead; ++u) next[u - 1] = next[u];
    if (at + ahead * step < vectors) next[ahead - 1] = load_vec<T, per>(whole + (at + ahead * step) * per);
  }
}

// How many of a word's bytes are not 0.
COR_FN int nonzero_bytes(u32 w) { return count_bits((((w & 0x7f7f7f7fu) + 0x7f7f7f7fu) | w) & 0x80808080u); }

// How many bytes are not 0.
template <class Block>
COR_FN int count_nonzero(Block& block, const u8* p, i64 n) {
  constexpr int per = 16, ahead = 4, threads = Block::threads;
  const int before = static_cast<int>((0 - reinterpret_cast<u64>(p)) % per), head = before < n ? before : static_cast<int>(n);
  const int vectors = static_cast<int>((n - head) / per), rest = static_cast<int>(n - vectors * per), lane = thread_id();
  int count = 0;
  if (lane < rest) count = p[lane < head ? lane : lane + vectors * per] != 0;
#pragma unroll 1
  for (int first = lane; first < vectors; first += ahead * threads) {
    Vec<u32, 4> v[ahead];
#pragma unroll
    for (int u = 0; u < ahead; ++u) {
      const int at = first + u * threads;
      v[u] = at < vectors ? load_vec<u32, 4>(reinterpret_cast<const u32*>(p + head + at * per)) : Vec<u32, 4>{};
    }
#pragma unroll
    for (const auto& vector : v)
#pragma unroll
      for (const u32 w : vector.v) count += nonzero_bytes(w);
  }
  return fold_lanes<Sum<int>>(block, count);
}

#else

template <class Block>
COR_FN int count_nonzero(Block&, const u8* p, i64 n) {
  constexpr int most = 255; // that a byte can count
  int count = 0;
  i64 i = 0;
  for (; i + 32 * most <= n; i += 32 * most) {
    u8 counts[32] = {};
    for (int r = 0; r < most; ++r)
      for (int e = 0; e < 32; ++e) counts[e] += p[i + 32 * r + e] != 0;
    for (int e = 0; e < 32; ++e) count += counts[e];
  }
  for (; i < n; ++i) count += p[i] != 0;
  return count;
}

#endif

} // namespace cor
