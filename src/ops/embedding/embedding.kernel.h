#pragma once
// out[i, :] = table[index[i], :], moved as opaque words.
#include "lang/movers.h"
#include "lang/types.h"

struct EmbeddingArgs {
  void* out;
  cor::MoveArgs move;
  const void *table, *index;
  cor::i64 rows, row_stride; // of the table, in words
};

template <class Word, class Index>
struct Embedding {
  static COR_FN const Word* row(const EmbeddingArgs& a, cor::i64 i) {
    const cor::i64 row = static_cast<const Index*>(a.index)[i];
    if (row < 0 || row >= a.rows) cor::device_assert_failed();
    return static_cast<const Word*>(a.table) + row * a.row_stride;
  }
};
