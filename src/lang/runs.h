#pragma once
// Flat numbers of rows of equal length, as row and column.
#include "lang/index.h"

namespace cor {

// Numbers that follow `first`, the first one of a block.
struct RowCounter {
  i64 row, column; // of `first`
  COR_FN RowCounter(i64 first, const Divider& width)
      : row(static_cast<i64>(static_cast<u64>(first) / static_cast<u64>(width.size))), column(first - row * width.size) {}
  // `ahead` < 2^30 numbers further on. Of rows of 2^30 and more at most one ends on the way there.
  COR_FN void find(const Divider& width, int ahead, i64* r, i64* c) const {
    const i64 n = column + ahead;
    const i64 q = width.size < (1 << 30) ? static_cast<i64>(width.divide(static_cast<u32>(n))) : n >= width.size;
    *r = row + q;
    *c = n - q * width.size;
  }
};

} // namespace cor
