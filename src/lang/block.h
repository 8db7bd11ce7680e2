#pragma once
// Block programs over tiles: a block has Threads * Items elements of a sequence at a time, its tile, in the order of their numbers.
// Scans, folds, ranks and exchanges are operations of the whole block; lang/across.h orders blocks among each other.
//
//   Block<Threads, Items>             element numbers go through a lane's items, then through lanes
//   Block<Threads, Items, Width>      a lane has pieces of Width neighbours, a warp's pieces side by side: one wide access each
//   Block<Threads, Items, Items, C>   C sequences side by side (columns): neighbouring lanes are in neighbouring columns, and each
//                                     operation works along each column by itself
//   Tile<T, Block>                    an element a number; on GPUs spread over the lanes (T v[Items]), on CPUs an array
//
//   load(block, p, left, pad)         elements p[0], ... p[left-1]; `pad` stands for those that are not there. Any alignment
//   store(block, p, left, tile)       converts, as ATen's copy_ does
//   map(block, f, tiles...)           f(value, ...) of each element
//   for_each(block, tile, f)          f(element number, value) of each element
//   for_range(block, count, f)        f(number) of each number below count, whatever the tile
//   fold<Monoid>(block, tile)         one State, the same in all lanes (of a column)
//   inclusive_scan<Monoid>(block, tile, &total), exclusive_scan<Monoid>(...)
//                                     a tile of States; `total` is the fold, the same in all lanes (of a column)
//
// A monoid (lang/tile.h) combines in the order of element numbers, so it need not commute; how it associates is fixed by the
// block's shape. COR_BLOCKS(entry, Block, Args, body) is the entry point: it calls body(block, args) for each block.
// All lanes of a block take part in each operation.
#include "lang/vec.h"

namespace cor {

// Which elements of a tile are there: the numbers in [low, high).
struct Span {
  i64 low, high;
};

} // namespace cor

#if COR_SIMT
#include "lang/block_simt.h"
#else
#include "lang/block_simd.h"
#endif

namespace cor {

template <class T, class Block>
COR_FN Tile<T, Block> load(const Block& block, const T* p, i64 left, T pad) {
  return load(block, p, Span{0, left}, pad);
}
template <class T, class V, class Block>
COR_FN void store(const Block& block, T* p, i64 left, const Tile<V, Block>& tile) {
  store(block, p, Span{0, left}, tile);
}
template <class Monoid, class T, class Block>
COR_FN auto inclusive_scan(Block& block, const Tile<T, Block>& tile, typename Monoid::State* total) {
  return scan_tile<Monoid, true>(block, tile, total);
}
template <class Monoid, class T, class Block>
COR_FN auto exclusive_scan(Block& block, const Tile<T, Block>& tile, typename Monoid::State* total) {
  return scan_tile<Monoid, false>(block, tile, total);
}

} // namespace cor
