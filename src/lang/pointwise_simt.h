#pragma once
// The lowering of pointwise kernels to lanes: U vectors of V neighbours a lane, and a rolled loop for the last, partial block. Kept
// short on purpose: each template that is instantiated here costs every first call.
namespace cor {

// V neighbours of an operand, in its value type when read.
template <class O, int V>
struct Dense {
  Vec<typename O::S, V> v;
  COR_FN void read(u64 slot, i64 offset) { v = load_vec<typename O::S, V>(reinterpret_cast<const typename O::S*>(slot) + offset); }
  COR_FN typename O::V at(int k) const { return convert<typename O::V>(v.v[k]); }
};
// One value for all of them.
template <class O>
struct Single {
  typename O::V value;
  COR_FN void read(u64 slot, i64 offset) {
    if constexpr (O::kind == Kind::scalar)
      value = slot_value<typename O::V>(slot);
    else
      value = convert<typename O::V>(reinterpret_cast<const typename O::S*>(slot)[offset]);
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

template <class B, int V>
struct Pieces {
  typename PieceOf<typename B::In0, V>::type x;
  typename PieceOf<typename B::In1, V>::type y;
  typename PieceOf<typename B::In2, V>::type z;
  COR_FN void read(const PointwiseHead& h, i64 x_at, i64 y_at, i64 z_at) {
    x.read(h.in[0], x_at);
    y.read(h.in[1], y_at);
    z.read(h.in[2], z_at);
  }
  COR_FN void write(const PointwiseHead& h, const Scalars<B>& s, i64 at) const {
    Vec<typename B::Out, V> r;
#pragma unroll
    for (int k = 0; k < V; ++k) r.v[k] = convert<typename B::Out>(B::apply(x.at(k), y.at(k), z.at(k), s.s0, s.s1));
    store_vec<typename B::Out, V>(static_cast<typename B::Out*>(h.out) + at, r);
  }
};

// Every operand is one dense stretch, or one element.
template <class B, int Threads, int V, int U>
COR_FN void pointwise_flat(const PointwiseHead& h) {
  constexpr int tile = Threads * V * U;
  const i64 base = static_cast<i64>(block_id()) * tile, left = h.n - base;
  const Scalars<B> s(h);
  constexpr i64 x_step = B::In0::kind != Kind::broadcast, y_step = B::In1::kind != Kind::broadcast,
                z_step = B::In2::kind != Kind::broadcast;
  if (left >= tile) {
    Pieces<B, V> pieces[U];
#pragma unroll
    for (int u = 0; u < U; ++u) {
      const i64 e = base + (u * Threads + thread_id()) * V;
      pieces[u].read(h, x_step * e, y_step * e, z_step * e);
    }
#pragma unroll
    for (int u = 0; u < U; ++u) pieces[u].write(h, s, base + (u * Threads + thread_id()) * V);
  } else {
#pragma unroll 1
    for (int i = thread_id(); i < left; i += Threads) {
      const i64 e = base + i;
      Pieces<B, 1> piece;
      piece.read(h, x_step * e, y_step * e, z_step * e);
      piece.write(h, s, e);
    }
  }
}

// Offsets of operands 0 (output) to 3 of the element `e`.
template <class B, int Rank, bool Wide>
struct Locate {
  COR_FN static void run(const PointwiseArgs<Rank, B::operands>& a, i64 e, i64 (&off)[4]) {
    add_offsets<Wide>(a.shape, a.stride, e, off);
  }
};

// Elements are found by their number; V neighbours never straddle dimension 0.
template <class B, int Rank, bool Wide, int Threads, int V, int U>
COR_FN void pointwise_indexed(const PointwiseArgs<Rank, B::operands>& a) {
  constexpr int tile = Threads * V * U;
  const i64 base = static_cast<i64>(block_id()) * tile, left = a.head.n - base;
  const Scalars<B> s(a.head);
  if (left >= tile) {
    Pieces<B, V> pieces[U];
    i64 out[U];
#pragma unroll
    for (int u = 0; u < U; ++u) {
      i64 off[4] = {};
      Locate<B, Rank, Wide>::run(a, base + (u * Threads + thread_id()) * V, off);
      pieces[u].read(a.head, off[1], off[2], off[3]);
      out[u] = off[0];
    }
#pragma unroll
    for (int u = 0; u < U; ++u) pieces[u].write(a.head, s, out[u]);
  } else {
#pragma unroll 1
    for (int i = thread_id(); i < left; i += Threads) {
      i64 off[4] = {};
      Locate<B, Rank, Wide>::run(a, base + i, off);
      Pieces<B, 1> piece;
      piece.read(a.head, off[1], off[2], off[3]);
      piece.write(a.head, s, off[0]);
    }
  }
}

} // namespace cor

#define COR_POINTWISE_FLAT(entry, B, Threads, V, U) \
  COR_KERNEL(entry, Threads, cor::PointwiseFlatArgs) { cor::pointwise_flat<B, Threads, V, U>(a.head); }
#define COR_POINTWISE(entry, B, Rank, Wide, Threads, V, U) \
  COR_KERNEL(entry, Threads, cor::PointwiseArgs<Rank, B::operands>) { cor::pointwise_indexed<B, Rank, Wide, Threads, V, U>(a); }
