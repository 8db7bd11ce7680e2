#pragma once
// Zeroes the words that the next launch wants to be zero, while that one starts.
#include "lang/types.h"

namespace cor {

struct ClearArgs {
  u64* words;
  i64 count;
};

} // namespace cor

#define COR_CLEAR(entry, Threads)                                              \
  COR_KERNEL(entry, Threads, cor::ClearArgs) {                                 \
    cor::let_next_launch_start();                                              \
    const cor::i64 i = cor::i64{cor::block_id()} * Threads + cor::thread_id(); \
    if (i < a.count) a.words[i] = 0;                                           \
  }
