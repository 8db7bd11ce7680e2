#pragma once
// Flat numbers of rows of equal length, as row and column.
#include "lang/index.h"

namespace cor {

// The numbers of a block of Tile, a power of two.
template <int Tile>
struct RowCounter {
  i64 row, column; // of the first one
  // block * Tile is divided without 64-bit division, which would be most of a short kernel: block < 2^31 by its magic number, the
  // rest too, unless rows are long; then a bit of the tile at a time.
  COR_FN RowCounter(u32 block, const Divider& width) {
    row = width.size >> 31 ? 0 : static_cast<i64>(width.divide(block));
    column = block - row * width.size;
    if (width.size <= (1ll << 31) / Tile) {
      const u32 n = static_cast<u32>(column) * Tile, q = width.divide(n);
      row = row * Tile + q;
      column = n - q * static_cast<u32>(width.size);
      return;
    }
#pragma unroll 1
    for (int bit = 1; bit < Tile; bit *= 2) {
      column *= 2;
      const bool carry = column >= width.size;
      row = 2 * row + carry;
      column -= carry ? width.size : 0;
    }
  }
  // `ahead` < 2^30 numbers further on. Of rows of 2^30 and more at most one ends on the way there.
  COR_FN void find(const Divider& width, int ahead, i64* r, i64* c) const {
    const i64 n = column + ahead;
    const i64 q = width.size < (1 << 30) ? static_cast<i64>(width.divide(static_cast<u32>(n))) : n >= width.size;
    *r = row + q;
    *c = n - q * width.size;
  }
};

} // namespace cor
