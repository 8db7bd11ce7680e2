#pragma once
// Digits of a tile: how often each occurs, where each element goes when the tile is put in their order, and going there. What radix
// sorts are made of.
//
//   histogram<Bits>(block, digits)      counts[d] for each digit d below 1 << Bits, the same in all lanes
//   rank_by_digit<Bits>(block, digits)  .place: each element's place in the order of digits, equal digits in the order of elements;
//                                       .start[d]: how many digits are below d
//   permute(block, tile, places)        the tile with each element at its place; `places` has every number once
//
// `digits` is a tile of int. Elements that are not there count as any other: give them the highest digit. What is returned is good
// until the next call of the same operation.
#include "lang/block.h"
#include "lang/tile.h"

namespace cor {

#if COR_SIMT

template <int Bits, class Block>
COR_FN const u32* histogram(Block&, const Tile<int, Block>& digits) {
  constexpr int bins = 1 << Bits;
  using Counts = u32[bins];
  COR_SHARED(counts, Counts);
  barrier(); // the readers of the call before are done
#pragma unroll 1
  for (int d = thread_id(); d < bins; d += Block::threads) counts[d] = 0;
  barrier();
#pragma unroll
  for (int k = 0; k < Block::items; ++k) atomic_add(&counts[digits.v[k]], 1u);
  barrier();
  return counts;
}

// Where digits begin.
template <int Bits, class Block>
struct Starts {
  using Counts = u16[1 << Bits][Block::threads];
  const Counts* counts;
  COR_FN int operator[](int digit) const { return (*counts)[digit][0]; }
};
template <int Bits, class Block>
struct Ranks {
  Tile<int, Block> place;
  Starts<Bits, Block> start;
};

// A lane counts its own digits, in a column of its own; the scan over all columns, digit by digit, says where each lane's go.
template <int Bits, class Block>
COR_FN Ranks<Bits, Block> rank_by_digit(Block& block, const Tile<int, Block>& digits) {
  constexpr int bins = 1 << Bits;
  static_assert(Block::columns == 1 && Block::size < 65536, "counts of a tile are kept in 16 bits");
  static_assert(bins * Block::threads * 2 <= 32768, "the counts need more shared memory than there is for them: take fewer bits");
  COR_SHARED(counts, typename Starts<Bits, Block>::Counts);
  const int lane = thread_id();
  barrier(); // the readers of the call before are done
#pragma unroll 1
  for (int d = 0; d < bins; ++d) counts[d][lane] = 0;
  Ranks<Bits, Block> r{{}, {&counts}};
#pragma unroll
  for (int k = 0; k < Block::items; ++k) r.place.v[k] = counts[digits.v[k]][lane]++;
  barrier();
  u16* const mine = &counts[0][0] + lane * bins; // neighbours in the order of the scan
  int sum = 0;
#pragma unroll 1
  for (int i = 0; i < bins; ++i) sum += mine[i];
  const int upto = scan_warp<Sum<int>, Block>(sum);
  int before = across_warps<Sum<int>>(block, upto).before + upto - sum;
#pragma unroll 1
  for (int i = 0; i < bins; ++i) {
    const int here = mine[i];
    mine[i] = static_cast<u16>(before);
    before += here;
  }
  barrier();
#pragma unroll
  for (int k = 0; k < Block::items; ++k) r.place.v[k] += counts[digits.v[k]][lane];
  return r;
}

template <class T, class Block>
COR_FN Tile<T, Block> permute(Block&, const Tile<T, Block>& tile, const Tile<int, Block>& places) {
  static_assert(Block::columns == 1, "columns keep their elements");
  using Staged = Stage<sizeof(T), Block>;
  char* const room = Staged::room();
  barrier(); // the readers of the tile before are done
#pragma unroll
  for (int k = 0; k < Block::items; ++k) *reinterpret_cast<T*>(Staged::at(room, places.v[k])) = tile.v[k];
  barrier();
  Tile<T, Block> r;
#pragma unroll
  for (int k = 0; k < Block::items; ++k) r.v[k] = *reinterpret_cast<const T*>(Staged::at(room, Block::element(k)));
  return r;
}

#else

template <int Bits>
struct Counts {
  u32 v[1 << Bits];
  COR_FN u32 operator[](int digit) const { return v[digit]; }
};
template <int Bits, class Block>
struct Ranks {
  Tile<int, Block> place;
  Counts<Bits> start;
};

template <int Bits, class Block>
COR_FN Counts<Bits> histogram(Block&, const Tile<int, Block>& digits) {
  Counts<Bits> counts{};
  for (int e = 0; e < digits.count; ++e) ++counts.v[digits.v[e]];
  return counts;
}

template <int Bits, class Block>
COR_FN Ranks<Bits, Block> rank_by_digit(Block& block, const Tile<int, Block>& digits) {
  const Counts<Bits> counts = histogram<Bits>(block, digits);
  Ranks<Bits, Block> r;
  u32 next[1 << Bits], sum = 0;
  for (int d = 0; d < 1 << Bits; ++d) {
    r.start.v[d] = next[d] = sum;
    sum += counts.v[d];
  }
  r.place.count = digits.count;
  for (int e = 0; e < digits.count; ++e) r.place.v[e] = static_cast<int>(next[digits.v[e]]++);
  return r;
}

template <class T, class Block>
COR_FN Tile<T, Block> permute(Block&, const Tile<T, Block>& tile, const Tile<int, Block>& places) {
  Tile<T, Block> r;
  r.count = tile.count;
  for (int e = 0; e < tile.count; ++e) r.v[places.v[e]] = tile.v[e];
  return r;
}

#endif

} // namespace cor
