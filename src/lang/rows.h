#pragma once
// Row kernels: passes (fold, keep, store) over a view in [outer, reduce, inner] form. The text of a kernel says what happens to one
// fold; how many run side by side, which lanes share one and where its elements wait between passes is the pass type's business:
//   RowPass     inner = 1: lanes (or a vector loop) walk along the fold
//   ColumnPass  inner > 1: lanes (or a vector loop) lie across inner, so that neighbours in memory stay neighbours
// A resident pass keeps elements between passes (shared memory of a block or a cluster, the scratch arena on CPUs), otherwise
// keep() is lazy and the elements are read and computed again. On GPUs the text includes the pass's own header as well.
#include "lang/index.h"
#include "lang/tile.h"

namespace cor {

template <bool First, class A, class B>
struct Pick {
  using type = A;
};
template <class A, class B>
struct Pick<false, A, B> {
  using type = B;
};

// First member of every row kernel's argument struct.
struct RowsHead {
  i64 outer, n, inner;
};

// A tensor in the canonical form: element e of this pass's fold(s) is at p[e * step] (+ column).
template <class V, class T, class Chunk>
struct Loaded {
  using node_tag = NodeTag;
  using value_type = V;
  using stored_type = T;
  const T* p;
  Chunk now;
  template <class Pass, class At>
  COR_FN void fetch(const Pass& pass, At at) {
    now = pass.fetch(p, at);
  }
  COR_FN V at(int k) const { return convert<V>(now.at(k)); }
};
template <class V, class T, class Pass>
using LoadedBy = Loaded<V, T, typename Pass::template Chunk<T>>;

// A contiguous [outer, n, inner] tensor.
template <class V, class Pass, class T>
COR_FN LoadedBy<V, T, Pass> load(const Pass& pass, const T* tensor) {
  return {tensor + pass.offset(), {}};
}
// A contiguous [n] tensor that all folds share (inner = 1).
template <class V, class Pass, class T>
COR_FN LoadedBy<V, T, Pass> load_along(const Pass&, const T* vector) {
  static_assert(Pass::columns == 1, "load_along wants folds along the last dimension");
  return {vector, {}};
}

// The first element of each fold (inner = 1), which is there.
template <class V, class Pass, class T>
COR_FN Folded<V, 1> first(const Pass& pass, const T* tensor) {
  static_assert(Pass::columns == 1, "first wants folds along the last dimension");
  return {{convert<V>(tensor[pass.offset()])}};
}

// What keep_and_fold() gives: `auto [kept, folded] = ...`.
template <class Kept, class F>
struct KeptAndFolded {
  Kept kept;
  F folded;
};

} // namespace cor

#if COR_SIMT
#include "lang/rows_simt.h"
#else
#include "lang/rows_simd.h"
#endif
