#pragma once
// Walks: how the tiles of a block program go over a contiguous [outer, n, inner] tensor, along n.
//
//   Walk<Threads, Items, Columns, Order::whole>      a block has whole sequences, tile after tile
//   Walk<..., Order::pieces>                         a sequence is cut: a block has one piece of it
//   Walk<..., Order::segments>                       several short sequences lie in one tile (GPUs)
//
// Columns is 1 for inner = 1; neighbours across inner are walked side by side otherwise. A walk is a block (lang/block.h); in
// the kernel's text stand
//   walk.align_to(p)              the tensor whose alignment counts
//   walk.each_tile(f)             f() for each tile, with walk.at(p), where it begins in tensor p, and walk.span, what is there
//   auto before = before_tiles<M>(walk)   what a sequence holds before a tile, by the monoid M; passed on from tile to tile
//   stage(walk, p, span, pad)     as load, but the tile waits in shared memory (GPUs)
//   scan<Out>(walk, x, before)    the inclusive scan of a sequence's next tile, to be stored as Out
//   Total<M, Walk> all(walk)      all(fold of a tile) for each, then all.put(): what a piece holds (CPUs)
#include "lang/across.h"
#include "lang/monoids.h"

namespace cor {

// First member of the argument struct of a kernel that walks.
struct WalkHead {
  i64 blocks, outer, n, inner;
  i64 pieces;      // of a sequence (Order::pieces)
  i64 per_block;   // elements of a piece on CPUs; sequences of a tile (Order::segments)
  void* workspace; // Order::pieces on GPUs: zeroed; on CPUs: one State a piece and column, as left by Total and a scan over the
                   // pieces
};

// The arguments of a walk from one tensor to another.
struct WalkArgs {
  WalkHead head;
  const void* in;
  void* out;
};

enum class Order { whole, pieces, segments };
template <class M, class Walk>
struct Before;
template <class M, class Walk>
struct Total;

// An element, and whether a sequence begins with it.
template <class T>
struct Marked {
  T value;
  bool first;
};
template <class M>
struct Plain : M {
  static COR_FN typename M::State value(typename M::State s) { return s; }
};
// The monoid over sequences that lie one after the other: what stands before a beginning does not count.
template <class M>
struct Segmented {
  struct State {
    typename M::State value;
    u32 has_first;
  };
  static COR_FN State identity() { return {M::identity(), 0}; }
  template <class T>
  static COR_FN State of(Marked<T> x) {
    return {M::of(x.value), x.first};
  }
  static COR_FN State combine(State a, State b) {
    return {b.has_first ? b.value : M::combine(a.value, b.value), a.has_first | b.has_first};
  }
  static COR_FN typename M::State value(State s) { return s.value; }
};

} // namespace cor

#if COR_SIMT
#include "lang/walk_simt.h"
#else
#include "lang/walk_simd.h"
#endif

namespace cor {

// Walk::Sequence<M> is M over one sequence: where several lie in a tile, it stops where one begins.
template <class M, class Walk>
COR_FN Before<typename Walk::template Sequence<M>, Walk> before_tiles(Walk& walk) {
  return Before<typename Walk::template Sequence<M>, Walk>(walk);
}

} // namespace cor
