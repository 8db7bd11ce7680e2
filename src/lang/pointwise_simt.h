#pragma once
// The lowering of pointwise kernels to lanes: U vectors of V neighbours a lane, and a rolled loop for the last, partial block. Kept
// short on purpose: each template that is instantiated here costs every first call.
namespace cor {

// V neighbours of an operand, in its value type when read.
template <class O, int V>
struct Dense {
  Vec<typename O::S, V> v;
  COR_FN void read(const u64* slot, i64 offset) {
    v = load_vec<typename O::S, V>(reinterpret_cast<const typename O::S*>(*slot) + offset);
  }
  COR_FN typename O::V at(int k) const { return convert<typename O::V>(v.v[k]); }
};
// One value for all of them.
template <class O>
struct Single {
  typename O::V value;
  COR_FN void read(const u64* slot, i64 offset) {
    if constexpr (O::kind == Kind::scalar)
      value = number<typename O::V>(slot);
    else
      value = convert<typename O::V>(reinterpret_cast<const typename O::S*>(*slot)[offset]);
  }
  COR_FN typename O::V at(int) const { return value; }
};
template <class O, int V, Kind K = O::kind>
struct PieceOf {
  using type = Dense<O, V>;
};
template <class O, int V>
struct PieceOf<O, V, Kind::broadcast> {
  using type = Single<O>;
};
template <class O, int V>
struct PieceOf<O, V, Kind::scalar> {
  using type = Single<O>;
};

// V neighbours of every operand; offsets are those of the outputs, then of the inputs.
template <int V>
struct PiecesOf {
  template <class O>
  using type = typename PieceOf<O, V>::type;
};
template <class B, int V, template <class> class P = PiecesOf<V>::template type>
struct Pieces {
  typename B::template Each<P> in;

  COR_FN void read(const PointwiseHead<B>& h, const i64* at) {
    in.visit([&](auto& piece, int i) { piece.read(h.in + i * B::slots, at[B::outputs + i]); });
  }
  COR_FN void write(const PointwiseHead<B>& h, const Scalars<B>& s, const i64* at) const {
    if constexpr (same<typename B::Out0, Verdict>) {
      bool all = true;
#pragma unroll
      for (int k = 0; k < V; ++k) all = all && in.at(k, s);
      if (!all) settle(h.out[0]);
    } else if constexpr (B::outputs == 1) {
      using Out = typename B::Out0;
      Vec<Out, V> r;
#pragma unroll
      for (int k = 0; k < V; ++k) r.v[k] = convert<Out>(in.at(k, s));
      store_vec<Out, V>(static_cast<Out*>(h.out[0]) + at[0], r);
    } else {
      typename B::Results all[V];
#pragma unroll
      for (int k = 0; k < V; ++k) all[k] = in.at(k, s);
      B::each_output([&](auto member, auto type, int o) {
        using Out = typename decltype(type)::type;
        Vec<Out, V> r;
#pragma unroll
        for (int k = 0; k < V; ++k) r.v[k] = convert<Out>(all[k].*member);
        store_vec<Out, V>(static_cast<Out*>(h.out[o]) + at[o], r);
      });
    }
  }
};

// Blocks of Threads * U pieces of V elements. `locate(e, at)` says where element e of each operand is.
template <class B, int Threads, int V, int U, class Locate>
COR_FN void pointwise_block(const PointwiseHead<B>& h, i64 block, Locate locate) {
  constexpr int tile = Threads * V * U, operands = B::outputs + B::inputs;
  const i64 base = block * tile, left = h.n - base;
  const Scalars<B> s(h);
  if (left >= tile) {
    Pieces<B, V> pieces[U];
    i64 at[U][operands];
#pragma unroll
    for (int u = 0; u < U; ++u) {
      locate(base + (u * Threads + thread_id()) * V, at[u]);
      pieces[u].read(h, at[u]);
    }
#pragma unroll
    for (int u = 0; u < U; ++u) pieces[u].write(h, s, at[u]);
  } else {
#pragma unroll 1
    for (int i = thread_id(); i < left; i += Threads) {
      i64 at[operands];
      locate(base + i, at);
      Pieces<B, 1> piece;
      piece.read(h, at);
      piece.write(h, s, at);
    }
  }
}

// A verdict has a few blocks that walk over all: starting a block costs more than seeing that all is settled.
template <class B, int Threads, int V, int U, class Locate>
COR_FN void pointwise_blocks(const PointwiseHead<B>& h, Locate locate) {
  if constexpr (same<typename B::Out0, Verdict>) {
#pragma unroll 1
    for (i64 block = block_id(); block * (Threads * V * U) < h.n && !is_settled(h.out[0]); block += block_count())
      pointwise_block<B, Threads, V, U>(h, block, locate);
  } else {
    pointwise_block<B, Threads, V, U>(h, block_id(), locate);
  }
}

// Every operand is one dense stretch, or one element.
template <class B, int Threads, int V, int U>
COR_FN void pointwise_flat(const PointwiseHead<B>& h) {
  pointwise_blocks<B, Threads, V, U>(h, [](i64 e, i64* at) {
#pragma unroll
    for (int o = 0; o < B::outputs + B::inputs; ++o) at[o] = B::broadcasts >> o & 1 ? 0 : e;
  });
}

// Elements are found by their number; V neighbours never straddle dimension 0.
template <class B, int Rank, bool Wide, int Threads, int V, int U>
COR_FN void pointwise_indexed(const PointwiseArgs<B, Rank>& a) {
  pointwise_blocks<B, Threads, V, U>(a.head, [&](i64 e, i64* at) {
#pragma unroll
    for (int o = 0; o < B::outputs + B::inputs; ++o) at[o] = 0;
    add_offsets<Wide>(a.shape, a.stride, e, at);
  });
}

} // namespace cor

#define COR_POINTWISE_FLAT(entry, B, Threads, V, U) \
  COR_KERNEL(entry, Threads, cor::PointwiseHead<B>) { cor::pointwise_flat<B, Threads, V, U>(a); }
#define COR_POINTWISE(entry, B, Rank, Wide, Threads, V, U) \
  COR_KERNEL(entry, Threads, cor::PointwiseArgs<B, Rank>) { cor::pointwise_indexed<B, Rank, Wide, Threads, V, U>(a); }
