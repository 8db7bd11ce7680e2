#pragma once
// Scatter: runs of elements are combined with rows of a destination that Body names.
//
//   struct Args { cor::ScatterArgs scatter; ... };                   // in any order
//   struct Body {
//     using T = float;
//     static COR_FN cor::i64 row(const Args& a, cor::i64 i);           // to which row run i goes
//     static COR_FN T* to(const Args& a, cor::i64 row, cor::i64 i);    // the run's place in it
//     static COR_FN const T* from(const Args& a, cor::i64 i);          // the run's elements
//   };
//   COR_SCATTER(entry, Args, Op, Body)                                 // Op: Add, Multiply, Smallest, Largest (lang/atomics.h)
//
// On GPUs elements are updated atomically, in any order. On CPUs each block owns a range of the rows and walks over all runs: no
// atomic operation, and the order of the runs, whatever the number of threads.
#include "lang/atomics.h"
#include "lang/runs.h"

namespace cor {

struct ScatterArgs {
  i64 runs, rows;
  Divider width; // elements a run, neighbours in both places
  i64 blocks;    // on CPUs: owners
};

#if COR_SIMT
template <class Op, class Body, int Threads, int PerLane, class Args>
COR_FN void scatter(const Args& a) {
  constexpr int tile = Threads * PerLane;
  const i64 left = a.scatter.runs * a.scatter.width.size - static_cast<i64>(block_id()) * tile;
  const RowCounter<tile> counter(block_id(), a.scatter.width);
#pragma unroll(is_atomic_in_hardware <Op, typename Body::T> ? PerLane : 1)
  for (int u = 0; u < PerLane; ++u) {
    const int e = u * Threads + thread_id();
    if (e >= left) break;
    i64 i, k;
    counter.find(a.scatter.width, e, &i, &k);
    const i64 row = Body::row(a, i);
    if (row < 0 || row >= a.scatter.rows) device_assert_failed();
    atomic_update<Op>(Body::to(a, row, i) + k, Body::from(a, i)[k]);
  }
}
#else
template <class Op, bool Single, class Body, class Args>
static void scatter_owned(const Args& a, i64 first, i64 last) {
  const i64 width = a.scatter.width.size;
  for (i64 i = 0; i < a.scatter.runs; ++i) {
    const i64 row = Body::row(a, i);
    if (row < first || row >= last) {
      if (row < 0 || row >= a.scatter.rows) device_assert_failed();
      continue;
    }
    auto* to = Body::to(a, row, i);
    const auto* from = Body::from(a, i);
#pragma GCC ivdep
    for (i64 k = 0; k < (Single ? 1 : width); ++k) to[k] = updated<Op>(to[k], from[k]);
  }
}
template <class Op, class Body, class Args>
static void scatter(const Args& a, i64 block) {
  const i64 first = a.scatter.rows * block / a.scatter.blocks, last = a.scatter.rows * (block + 1) / a.scatter.blocks;
  if (a.scatter.width.size == 1)
    scatter_owned<Op, true, Body>(a, first, last);
  else
    scatter_owned<Op, false, Body>(a, first, last);
}
#endif

} // namespace cor

// On GPUs blocks of 128 threads, 4 elements a lane; on CPUs as many blocks as owners.
#if COR_SIMT
#define COR_SCATTER(entry, Args, Op, Body) \
  COR_KERNEL(entry, 128, Args) { cor::scatter<Op, Body, 128, 4>(a); }
#else
#define COR_SCATTER(entry, Args, Op, Body)                                                                              \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void*) {                                       \
    for (cor::i64 block = first; block < last; ++block) cor::scatter<Op, Body>(*static_cast<const Args*>(args), block); \
  }
#endif
