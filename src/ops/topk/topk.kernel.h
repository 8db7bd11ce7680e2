#pragma once
// The k largest or smallest of a stretch of a row, in order, with their indices. A long row is cut into stretches, one a block; a
// second launch selects among what they found, which brings its indices along.
#include "lang/select.h"

struct TopkArgs {
  cor::i64 blocks, stretches, length;    // of a row: stretches, and elements in each but the last
  cor::i64 n, k, capacity;               // elements of a row, wanted, places of the list
  cor::i64 found;                        // of a row: what all its stretches find
  cor::u64 flip;                         // all ones: the smallest
  char* work;                            // what follows is an address, or an offset into this
  cor::u64 in_work, out_work;            // 1: an offset
  cor::u64 in, in_index, out, out_index; // in_index is read where `in` is an offset: else an element's index is its place
};

COR_FN char* topk_address(const TopkArgs& a, cor::u64 in_work, cor::u64 where) {
  return in_work ? a.work + where : reinterpret_cast<char*>(where);
}

template <class T, class Block>
COR_FN void topk(Block& block, const TopkArgs& a) {
  const cor::u32 id = static_cast<cor::u32>(block.id), stretches = static_cast<cor::u32>(a.stretches);
  const cor::i64 row = id / stretches, stretch = id % stretches, first = stretch * a.length;
  const cor::i64 n = a.n - first < a.length ? a.n - first : a.length, k = a.k < n ? a.k : n;
  const T* p = reinterpret_cast<const T*>(topk_address(a, a.in_work, a.in)) + row * a.n + first;
  const cor::i64* index = reinterpret_cast<const cor::i64*>(topk_address(a, a.in_work, a.in_index)) + row * a.n + first;
  T* out = reinterpret_cast<T*>(topk_address(a, a.out_work, a.out)) + row * a.found + stretch * a.k;
  cor::i64* out_index = reinterpret_cast<cor::i64*>(topk_address(a, a.out_work, a.out_index)) + row * a.found + stretch * a.k;

  const auto list = cor::list_in<cor::Ordered<T>>(block, static_cast<int>(a.capacity));
  const cor::Keys<T> keys{p, static_cast<cor::u32>(n), static_cast<cor::Ordered<T>>(a.flip)};
  cor::select(block, keys, static_cast<int>(k), list);
  cor::for_range(block, static_cast<int>(k), [&](int i) {
    const cor::u32 at = list.number[i];
    out[i] = p[at];
    out_index[i] = a.in_work ? index[at] : first + at;
  });
}
