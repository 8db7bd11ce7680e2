#pragma once
// The row mover: rows of opaque words, each copied from where Body says.
//
//   struct Args { void* out; cor::MoveArgs move; ... };  // in any order
//   struct Body {
//     static COR_FN auto row(const Args& a, cor::i64 i);  // what row i of the output is: anything with [] of a word's number
//   };
//   COR_MOVE_ROWS(entry, Args, Word, Body)
//
// A row is a pointer, or one of the rows below. Where it lies may follow from its number by strides (AffineRows), from a tensor, or
// by any function. (The transpose is in lang/transpose.h.)
#include "lang/runs.h"

namespace cor {

struct MoveArgs {
  i64 rows;
  Divider width; // words a row
  i64 stride;    // words between the output's rows, not negative
};

// `fill` outside of [first, first + count): padding.
template <class Word>
struct PaddedRow {
  const Word* p; // the word of column `first`; is not read where count is 0
  i64 first, count;
  Word fill;
  COR_FN Word operator[](i64 k) const {
    const i64 j = k - first;
    return j >= 0 && j < count ? p[j] : fill;
  }
};
template <class Word>
struct ReversedRow {
  const Word* last;
  COR_FN Word operator[](i64 k) const { return last[-k]; }
};
template <class Word>
struct RepeatedRow {
  const Word* p;
  Divider period; // below 2^31
  COR_FN Word operator[](i64 k) const {
    // Numbers of 2^31 and more have no magic.
    return p[k >> 31 == 0 ? k - static_cast<i64>(period.divide(static_cast<u32>(k))) * period.size : k % period.size];
  }
};

// The offset of row i where rows lie at strides; fastest dimension first.
template <int Rank>
struct AffineRows {
  Shape<Rank> shape;
  i64 stride[Rank][1];
  template <bool Wide = false>
  COR_FN i64 offset(i64 i) const {
    i64 at[1] = {0};
    add_offsets<Wide>(shape, stride, i, at);
    return at[0];
  }
};

#if COR_SIMT
// Words that a block of 128 threads moves: four a lane at a time, and more of the narrow ones, so that finding the block's first
// row is shared by enough.
template <class Word>
inline constexpr int move_tile = 512 * (sizeof(Word) < 2 ? 8 : 16 / sizeof(Word));

template <class Word, class Body, int Threads, int PerLane, class Args>
COR_FN void move_rows(const Args& a) {
  constexpr int tile = move_tile<Word>;
  const i64 left = a.move.rows * a.move.width.size - static_cast<i64>(block_id()) * tile;
  const RowCounter<tile> counter(block_id(), a.move.width);
#pragma unroll 1
  for (int turn = 0; turn < tile / (Threads * PerLane); ++turn) {
    Word w[PerLane];
    i64 to[PerLane]; // or -1
#pragma unroll
    for (int u = 0; u < PerLane; ++u) {
      const int e = (turn * PerLane + u) * Threads + thread_id();
      i64 row, column;
      counter.find(a.move.width, e, &row, &column);
      to[u] = e < left ? row * a.move.stride + column : -1;
      if (e < left) store_whole(&w[u], static_cast<Word>(Body::row(a, row)[column]));
    }
#pragma unroll
    for (int u = 0; u < PerLane; ++u)
      if (to[u] >= 0) store_whole(static_cast<Word*>(a.out) + to[u], load_whole(&w[u]));
  }
}
#else
inline constexpr i64 move_piece = 16384; // words of a row that a block moves

template <class Word, class Row>
COR_FN void move_words(Word* out, const Row& row, i64 begin, i64 end) {
#pragma GCC ivdep
  for (i64 k = begin; k < end; ++k) out[k] = row[k];
}
template <class Word>
COR_FN void move_words(Word* out, const Word* row, i64 begin, i64 end) {
  __builtin_memcpy(out + begin, row + begin, static_cast<unsigned long>(end - begin) * sizeof(Word));
}

template <class Word, class Body, class Args>
static void move_rows(const Args& a, i64 first, i64 last) {
  const i64 width = a.move.width.size, pieces = (width + move_piece - 1) / move_piece;
  i64 i = first / pieces, piece = first % pieces;
  for (i64 b = first; b < last; ++b) {
    const i64 begin = piece * move_piece, end = begin + move_piece < width ? begin + move_piece : width;
    move_words(static_cast<Word*>(a.out) + i * a.move.stride, Body::row(a, i), begin, end);
    if (++piece == pieces) piece = 0, ++i;
  }
}
#endif

} // namespace cor

// On GPUs blocks of 128 threads and move_tile<Word> words; on CPUs a block is a row, or a piece of 16384 words of a long one.
#if COR_SIMT
#define COR_MOVE_ROWS(entry, Args, Word, Body) \
  COR_KERNEL(entry, 128, Args) { cor::move_rows<Word, Body, 128, 4>(a); }
#else
#define COR_MOVE_ROWS(entry, Args, Word, Body)                                    \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void*) { \
    cor::move_rows<Word, Body>(*static_cast<const Args*>(args), first, last);     \
  }
#endif
