#pragma once
// Reductions over any set of dimensions. Offsets come from two lists of dimensions, the kept ones and the reduced ones; in the row
// form the fastest reduced dimension is walked, in the column form lanes lie across the fastest kept dimension (unit stride).
// A long fold is split: launch one leaves `splits` partial results a fold, launch two folds those.
#include "lang/index.h"
#include "lang/rows.h"

template <int KeptRank, int ReducedRank>
struct ReduceArgs {
  static constexpr int reduced_rank = ReducedRank;
  cor::RowsHead head; // outer: folds (row form) or folds / inner; n: elements a split; inner: columns
  const void* in;
  void* out;
  cor::u64 scale; // the result is multiplied by it (mean), in the compute type
  cor::u64 p;     // order of the norm
  cor::i64 total; // elements of a whole fold
  cor::i64 splits;
  cor::Shape<KeptRank> kept;
  cor::i64 kept_stride[KeptRank][2]; // input, output (of partial results: all splits of a fold apart)
  cor::Shape<ReducedRank> reduced;
  cor::i64 reduced_stride[ReducedRank][1];
};

// Elements of a fold at any strides. Unit: Width neighbours along the fold are neighbours in memory (row form).
template <class V, class T, class Args, bool Unit, bool Wide, class Pass>
struct Strided {
  using node_tag = cor::NodeTag;
  using value_type = V;
  const Args& a;
  const T* base;
  cor::i64 first; // of this split
  typename Pass::template Chunk<T> now;

  COR_FN cor::i64 offset(cor::i64 e) const {
    cor::i64 o = 0;
    cor::add_offsets<Wide>(a.reduced, a.reduced_stride, first + e, &o);
    return o;
  }
#if COR_SIMT
  template <class At>
  COR_FN void fetch(const Pass& pass, At at) {
    const cor::i64 e = pass.element(at);
    if constexpr (!Pass::across_columns && Unit && Args::reduced_rank == 1) {
      now = pass.fetch(base + first, at);
    } else if constexpr (Pass::across_columns || Unit) {
      now = cor::load_vec<T, Pass::width>(base + offset(e));
    } else {
#pragma unroll
      for (int k = 0; k < (At::single ? 1 : Pass::width); ++k) now.v[k] = base[offset(e + k)];
    }
  }
  COR_FN V at(int k) const { return cor::convert<V>(now.v[k]); }
#else
  cor::i64 e;
  template <class At>
  COR_FN void fetch(const Pass& pass, At at) {
    e = pass.element(at);
    if constexpr (Pass::across_columns || Unit) now.p = base + offset(e);
  }
  COR_FN V at(int k) const {
    if constexpr (Pass::across_columns || Unit)
      return cor::convert<V>(now.at(k));
    else
      return cor::convert<V>(base[offset(e + k)]);
  }
#endif
};

struct Identity {
  template <class C>
  static COR_FN C before(C x, C) {
    return x;
  }
  template <class C>
  static COR_FN C after(C s, C, C) {
    return s;
  }
};
struct Scaled : Identity {
  template <class C>
  static COR_FN C after(C s, C scale, C) {
    return s * scale;
  }
};
struct Norm0 : Identity {
  template <class C>
  static COR_FN C before(C x, C) {
    return x != C(0) ? C(1) : C(0);
  }
};
struct Norm1 : Identity {
  template <class C>
  static COR_FN C before(C x, C) {
    return cor::abs(x);
  }
};
struct Norm2 : Identity {
  template <class C>
  static COR_FN C before(C x, C) {
    return x * x;
  }
  template <class C>
  static COR_FN C after(C s, C, C) {
    return cor::sqrt(s);
  }
};
template <class Kind, class Node>
struct Before {
  using node_tag = cor::NodeTag;
  using value_type = typename Node::value_type;
  Node node;
  value_type p;
  template <class Pass, class At>
  COR_FN void fetch(const Pass& pass, At at) {
    node.fetch(pass, at);
  }
  COR_FN value_type at(int k) const { return Kind::before(node.at(k), p); }
};

// Pre: what happens to an element (Identity in the second launch of a split). Post: what happens to the result (in the last
// launch).
template <class In, class Out, class C, class Monoid, class Pre, class Post, bool Unit, bool Wide, class Pass, class Args>
COR_FN void reduce(Pass& pass, const Args& a) {
  const C p = cor::slot_value<C>(a.p);
  cor::i64 off[2] = {0, 0};
  const cor::i64 split = pass.fold_unit() % a.splits, unit = pass.fold_unit() / a.splits;
  cor::add_offsets<Wide>(a.kept, a.kept_stride, unit, off);
  const cor::i64 first = split * a.head.n;
  pass.shorten(a.total - first);
  using Node = Strided<C, In, Args, Unit, Wide, Pass>;
  const In* base = static_cast<const In*>(a.in) + off[0] + pass.first_column();
  pass.align_to_row(base + first);
  const Before<Pre, Node> node = {{a, base, first, {}}, p};
  auto folded = cor::fold<Monoid>(pass, node);
  for (int k = 0; k < Pass::columns; ++k) folded.v[k] = Post::after(folded.v[k], cor::slot_value<C>(a.scale), p);
  cor::put_folded(pass, static_cast<Out*>(a.out) + off[1] + split * a.head.inner + pass.first_column(), folded);
}
