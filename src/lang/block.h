#pragma once
// Block programs over tiles: a block has Threads * Items elements of a sequence at a time, its tile, numbered in their order.
// Scans, folds, ranks and exchanges are operations of the whole block; lang/across.h orders blocks among each other.
//
//   Block<Threads, Items>             lane t has the elements t * Items, ... (t + 1) * Items - 1
//   Block<Threads, Items, Columns>    sequences side by side, in neighbouring lanes; an element is a row of them, and each
//   operation
//                                     works along every column by itself. A walk (lang/walk.h) says where the columns lie
//   Tile<T, Block>                    an element a number; on GPUs spread over the lanes (T v[Items]), on CPUs an array
//
//   load(block, p, left, pad)         elements p[0], ... p[left - 1], in wide accesses; `pad` stands for those that are not there
//   store(block, p, left, tile)       the same back, converted as ATen's copy_ does
//   map(block, f, tiles...)           f(value, ...) of each element
//   for_each(block, tile, f)          f(element number, value) of each element
//   for_range(block, count, f)        f(number) of each number below count, whatever the tile
//   fold_range<Monoid>(block, count, f)
//                                     the combination of all f(number), of a monoid that commutes
//   fold<Monoid>(block, tile)         the combination of all, known to all lanes (of a column)
//   inclusive_scan<Monoid>(block, tile, &total), exclusive_scan<Monoid>(...)
//                                     a tile of States; `total` is the fold
//
// A monoid (lang/tile.h) combines in the order of element numbers, so it need not commute; how it associates follows from the
// block's shape alone. COR_BLOCKS(entry, Block, Args, body) is the entry point: it calls body(block, args) for each block; the
// first member of Args is their number, i64 blocks. All lanes of a block take part in each operation.
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
COR_FN Tile<T, Block> load(Block& block, const T* p, i64 left, T pad) {
  return load(block, p, Span{0, left}, pad);
}
template <class T, class V, class Block>
COR_FN void store(Block& block, T* p, i64 left, const Tile<V, Block>& tile) {
  store(block, p, Span{0, left}, tile);
}
template <class Monoid, class T, class Block>
COR_FN auto inclusive_scan(Block& block, const Tile<T, Block>& tile, PerColumn<typename Monoid::State, Block>* total) {
  return scan_tile<Monoid, true>(block, tile, total);
}
template <class Monoid, class T, class Block>
COR_FN auto exclusive_scan(Block& block, const Tile<T, Block>& tile, PerColumn<typename Monoid::State, Block>* total) {
  return scan_tile<Monoid, false>(block, tile, total);
}

} // namespace cor
