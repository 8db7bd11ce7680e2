#pragma once
// Inclusive scans along n of a contiguous [outer, n, inner] tensor. A scan is a monoid whose of() takes the stored type, and which
// element changes nothing.
#include "lang/walk.h"

template <class In, class C>
struct CumSum : cor::Sum<C> {
  static COR_FN In absent() { return In{}; }
  static COR_FN C of(In x) { return cor::convert<C>(x); }
};

template <class M, class In, class Out, class Walk>
COR_FN void cumulate(Walk& walk, const cor::WalkArgs& a) {
  walk.align_to(static_cast<Out*>(a.out));
  auto before = cor::before_tiles<M>(walk);
  walk.each_tile([&] {
    const auto x = cor::stage(walk, walk.at(static_cast<const In*>(a.in)), walk.span, M::absent());
    cor::store(walk, walk.at(static_cast<Out*>(a.out)), walk.span, cor::scan<Out>(walk, x, before));
  });
}

// On CPUs a long sequence is cut into pieces: first what each holds, then a scan of that, then a scan of each piece.
template <class M, class In, class Walk>
COR_FN void fold_pieces(Walk& walk, const cor::WalkArgs& a) {
  cor::Total<cor::Plain<M>, Walk> all(walk);
  walk.each_tile([&] { all(cor::fold<M>(walk, cor::load(walk, walk.at(static_cast<const In*>(a.in)), walk.span, M::absent()))); });
  all.put();
}
template <class M, class State, class Walk>
COR_FN void cumulate_pieces(Walk& walk, const cor::WalkArgs& a) {
  cumulate<M, State, State>(walk, {a.head, a.head.workspace, a.head.workspace});
}
