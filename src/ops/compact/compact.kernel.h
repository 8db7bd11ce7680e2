#pragma once
// What a mask selects, one after the other. First each block counts in its part of the mask; then, once the host has made room for
// as many, each block moves its own to where those before it end.
#include "lang/compact.h"
#include "lang/sweep.h"

struct CompactArgs {
  cor::i64 blocks, n, part; // elements a block: a multiple of its tile
  const void* mask;
  cor::i64* counts; // of each block
  const void* in;
  void* out;
};

// Where a block's part ends.
template <class Block>
COR_FN cor::i64 end_of(const Block& block, const CompactArgs& a) {
  return (block.id + 1) * a.part < a.n ? (block.id + 1) * a.part : a.n;
}

template <class Block>
COR_FN void count_set(Block& block, const CompactArgs& a) {
  const cor::i64 first = block.id * a.part;
  const int count = cor::count_nonzero(block, static_cast<const cor::u8*>(a.mask) + first, end_of(block, a) - first);
  cor::for_range(block, 1, [&](int) { a.counts[block.id] = count; });
}

template <class T, class Block>
COR_FN void compact(Block& block, const CompactArgs& a) {
  const auto* mask = static_cast<const cor::u8*>(a.mask);
  cor::i64 place = cor::fold_range<cor::Sum<cor::i64>>(block, static_cast<int>(block.id), [&](int b) { return a.counts[b]; });
  for (cor::i64 first = block.id * a.part, end = end_of(block, a); first < end; first += Block::size) {
    const auto picked = cor::pick(block, cor::load(block, mask + first, end - first, cor::u8(0)));
    cor::gather(block, picked, static_cast<const T*>(a.in) + first, static_cast<T*>(a.out) + place);
    place += picked.count;
  }
}
