#pragma once
// out[i, :] = table[index[i], :], moved as opaque words.
#include "lang/types.h"

struct EmbeddingArgs {
  const void *table, *index;
  void* out;
  cor::i64 rows, words, row_stride, count; // words a row, words between rows of the table
};

#if COR_SIMT
// Each block moves Threads * PerLane words of the output, found by their number.
template <class Word, class Index, int Threads, int PerLane>
COR_FN void embedding(const EmbeddingArgs& a) {
  const cor::i64 total = a.count * a.words, base = static_cast<cor::i64>(cor::block_id()) * Threads * PerLane + cor::thread_id();
  Word w[PerLane];
#pragma unroll
  for (int u = 0; u < PerLane; ++u) {
    const cor::i64 e = base + u * Threads;
    if (e >= total) break;
    const cor::i64 i = e / a.words, row = static_cast<const Index*>(a.index)[i];
    if (row < 0 || row >= a.rows) cor::device_assert_failed();
    w[u] = static_cast<const Word*>(a.table)[row * a.row_stride + (e - i * a.words)];
  }
#pragma unroll
  for (int u = 0; u < PerLane; ++u)
    if (base + u * Threads < total) static_cast<Word*>(a.out)[base + u * Threads] = w[u];
}
#define COR_EMBEDDING(entry, Word, Index, Threads, PerLane) \
  COR_KERNEL(entry, Threads, EmbeddingArgs) { embedding<Word, Index, Threads, PerLane>(a); }
#else
template <class Word, class Index, cor::i64 RowsPerBlock>
static void embedding(const EmbeddingArgs& a, cor::i64 first, cor::i64 last) {
  const cor::i64 end = last * RowsPerBlock < a.count ? last * RowsPerBlock : a.count;
  for (cor::i64 i = first * RowsPerBlock; i < end; ++i)
    __builtin_memcpy(static_cast<Word*>(a.out) + i * a.words,
                     static_cast<const Word*>(a.table) + static_cast<const Index*>(a.index)[i] * a.row_stride,
                     a.words * sizeof(Word));
}
#define COR_EMBEDDING(entry, Word, Index, RowsPerBlock)                                          \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void*) {                \
    embedding<Word, Index, RowsPerBlock>(*static_cast<const EmbeddingArgs*>(args), first, last); \
  }
#endif
