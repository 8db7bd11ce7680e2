#pragma once
// Compaction: which elements of a tile are set, one after the other.
//
//   const Picked<Block> picked = pick(block, flags);   // flags: a tile of bytes that are 0, or not: then the element is set
//   picked.count                                       how many are set
//   gather(block, picked, in, out)                     out[place] = in[element number] of each, in order
#include "lang/block.h"
#include "lang/tile.h"

namespace cor {

// Numbers of elements in the scratch of the block: of the tile's `size`, those that are set.
template <class Block>
struct Picked {
  static_assert(Block::size <= 65536, "numbers are kept in 16 bits");
  using Numbers = u16[Block::size];
  const u16* number;
  int count;
};

#if COR_SIMT

template <class Block>
COR_FN Picked<Block> pick(Block& block, const Tile<u8, Block>& flags) {
  static_assert(Block::columns == 1 && Block::items <= 32, "a lane's flags fit a word");
  COR_SHARED(numbers, typename Picked<Block>::Numbers);
  u32 set = 0;
#pragma unroll
  for (int k = 0; k < Block::items; ++k) set |= flags.v[k] != 0 ? 1u << k : 0;
  const int own = count_bits(set), upto = scan_warp<Sum<int>, Block>(own);
  const auto warps = across_warps<Sum<int>>(block, upto); // its barrier lets all readers of an earlier pick go
  int place = warps.before + upto - own;
#pragma unroll 1
  for (; set != 0; set &= set - 1) numbers[place++] = static_cast<u16>(Block::element(lowest_bit(set)));
  barrier();
  return {numbers, warps.all};
}

// Neighbouring lanes write neighbours, and read near ones; some elements are under way in each lane.
template <class T, class Block>
COR_FN void gather(Block&, const Picked<Block>& picked, const T* in, T* out) {
  constexpr int ahead = 4;
#pragma unroll 1
  for (int first = thread_id(); first < picked.count; first += ahead * Block::threads) {
    T v[ahead];
#pragma unroll
    for (int u = 0; u < ahead; ++u)
      if (const int place = first + u * Block::threads; place < picked.count) v[u] = in[picked.number[place]];
#pragma unroll
    for (int u = 0; u < ahead; ++u)
      if (const int place = first + u * Block::threads; place < picked.count) out[place] = v[u];
  }
}

#else

template <class Block>
COR_FN Picked<Block> pick(Block& block, const Tile<u8, Block>& flags) {
  u16* numbers = reinterpret_cast<u16*>(block.scratch);
  int total = 0;
  for (int e = 0; e < flags.count; ++e) { // no branch: it would be mispredicted half the time
    numbers[total] = static_cast<u16>(e);
    total += flags.v[e] != 0;
  }
  return {numbers, total};
}

template <class T, class Block>
COR_FN void gather(Block&, const Picked<Block>& picked, const T* in, T* out) {
  for (int place = 0; place < picked.count; ++place) out[place] = in[picked.number[place]];
}

#endif

} // namespace cor
