#pragma once
// What a mask selects, one after the other. First each block counts in its part of the mask; then, once the host has made room for
// as many, each block moves its own to where those before it end.
#include "lang/compact.h"

struct CompactArgs {
  cor::i64 blocks, n, part; // elements a block: a multiple of its tile
  const void* mask;
  cor::i64* counts; // of each block
  const void* in;
  void* out;
};

template <class Block>
COR_FN cor::Tile<int, Block> flags_at(Block& block, const CompactArgs& a, cor::i64 first) {
  const auto bytes = cor::load(block, static_cast<const cor::u8*>(a.mask) + first, a.n - first, cor::u8(0));
  return cor::map(
      block, [](cor::u8 byte) { return byte != 0 ? 1 : 0; }, bytes);
}

// Calls f(tile's flags, its first element) for each tile of the block's part.
template <class Block, class F>
COR_FN void for_tiles(Block& block, const CompactArgs& a, F f) {
  const cor::i64 end = (block.id + 1) * a.part < a.n ? (block.id + 1) * a.part : a.n;
  for (cor::i64 first = block.id * a.part; first < end; first += Block::size) f(flags_at(block, a, first), first);
}

template <class Block>
COR_FN void count_set(Block& block, const CompactArgs& a) {
  int count = 0;
  for_tiles(block, a, [&](const auto& flags, cor::i64) { count += cor::fold<cor::Sum<int>>(block, flags); });
  cor::for_range(block, 1, [&](int) { a.counts[block.id] = count; });
}

template <class T, class Block>
COR_FN void compact(Block& block, const CompactArgs& a) {
  cor::i64 place =
      cor::fold_range<cor::Sum<cor::i64>>(block, static_cast<int>(block.id), [&](int earlier) { return a.counts[earlier]; });
  for_tiles(block, a, [&](const auto& flags, cor::i64 first) {
    const auto picked = cor::pick(block, flags);
    cor::gather(block, picked, static_cast<const T*>(a.in) + first, static_cast<T*>(a.out) + place);
    place += picked.count;
  });
}
