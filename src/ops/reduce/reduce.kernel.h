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
template <class V, class T, class Args, bool Unit, bool Wide>
struct Strided {
  using node_tag = cor::NodeTag;
  using value_type = V;
  const Args& a;
  const T* base;
  cor::i64 first; // of this split

  COR_FN cor::i64 offset(cor::i64 e) const {
    cor::i64 o = 0;
    cor::add_offsets<Wide>(a.reduced, a.reduced_stride, first + e, &o);
    return o;
  }
#if COR_SIMT
  template <class Pass, class At>
  COR_FN auto chunk(const Pass& pass, At c) const {
    using Piece = cor::Vec<T, Pass::width>;
    const cor::i64 e = pass.element(c);
    if constexpr (!Pass::across_columns && Unit && Args::reduced_rank == 1) {
      return cor::Converted<V, Piece>{pass.fetch(base + first, c)};
    } else if constexpr (Pass::across_columns) {
      return cor::Converted<V, Piece>{pass.whole(c) ? pass.fetch_at(base + offset(e), c) : Piece{}};
    } else {
      Piece r = {};
      if constexpr (Unit) {
        if (pass.whole(c)) r = cor::load_vec<T, Pass::width>(base + offset(e));
      } else {
        const cor::Mask m = pass.mask(c);
#pragma unroll
        for (int k = 0; k < Pass::width; ++k)
          if (m.at(k)) r.v[k] = base[offset(e + k)];
      }
      return cor::Converted<V, Piece>{r};
    }
  }
#else
  struct Gather {
    const Strided& s;
    cor::i64 e;
    COR_FN V at(int k) const { return cor::convert<V>(s.base[s.offset(e + k)]); }
  };
  template <class Pass, class At>
  COR_FN auto chunk(const Pass& pass, At c) const {
    const cor::i64 e = pass.element(c);
    if constexpr (Pass::across_columns || Unit)
      return cor::Converted<V, cor::Stretch<T> >{{base + offset(e)}};
    else
      return Gather{*this, e};
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
  template <class Chunk>
  struct View {
    Chunk chunk;
    value_type p;
    COR_FN value_type at(int k) const { return Kind::before(chunk.at(k), p); }
  };
  template <class Pass, class At>
  COR_FN auto chunk(const Pass& pass, At c) const {
    return View<decltype(node.chunk(pass, c))>{node.chunk(pass, c), p};
  }
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
  using Node = Strided<C, In, Args, Unit, Wide>;
  const In* base = static_cast<const In*>(a.in) + off[0] + pass.first_column();
  pass.align_to_row(base + first);
  const Before<Pre, Node> node = {{a, base, first}, p};
  auto folded = cor::fold<Monoid>(pass, node);
  for (int k = 0; k < Pass::columns; ++k) folded.v[k] = Post::after(folded.v[k], cor::slot_value<C>(a.scale), p);
  cor::put_folded(pass, static_cast<Out*>(a.out) + off[1] + split * a.head.inner + pass.first_column(), folded);
}
