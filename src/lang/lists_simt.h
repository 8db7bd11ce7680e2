#pragma once
// The lowering of lang/lists.h to lanes: a tile is U vectors of V neighbours a lane. Where a tensor's addresses are not aligned,
// and in its last tile, elements go one by one.
namespace cor {

// V neighbours of each list.
template <class Body, int V>
struct ListPiece {
  Vec<typename Body::In, V> v[Body::lists];
  COR_FN void read(const ListPointers<Body>& p, i64 at) {
#pragma unroll
    for (int l = 0; l < Body::lists; ++l)
      if (is_read<Body>(l)) v[l] = load_vec<typename Body::In, V>(p.in(l) + at);
  }
  COR_FN void write(const ListPointers<Body>& p, i64 at, Body& body) {
    Vec<typename Body::Out, V> r[Body::lists];
#pragma unroll
    for (int k = 0; k < V; ++k) {
      typename Body::Value x[Body::lists];
#pragma unroll
      for (int l = 0; l < Body::lists; ++l)
        if (is_read<Body>(l)) x[l] = convert<typename Body::Value>(v[l].v[k]);
      body(x);
#pragma unroll
      for (int l = 0; l < Body::lists; ++l)
        if (is_written<Body>(l)) r[l].v[k] = convert<typename Body::Out>(x[l]);
    }
#pragma unroll
    for (int l = 0; l < Body::lists; ++l)
      if (is_written<Body>(l)) store_vec<typename Body::Out, V>(p.out(l) + at, r[l]);
  }
};

template <class Body, int Threads, int V, class Args>
COR_FN void run_lists(const Args& a) {
  constexpr int tile = Threads * V;
  const int tensor = tensor_of(a, block_id());
  const i64 base = static_cast<i64>(block_id() - a.first[tensor]) * tile, left = a.n[tensor] - base;
  const ListPointers<Body> p(a, tensor);
  u64 phase = 0;
#pragma unroll
  for (int l = 0; l < Body::lists; ++l) phase |= p.address[l];
  Body body(a, tensor);
  if (body.idle()) return;
  const int count = left < tile ? static_cast<int>(left) : tile, whole = phase % 16 == 0 ? count / V * V : 0;
  if (thread_id() * V < whole) {
    ListPiece<Body, V> piece;
    piece.read(p, base + thread_id() * V);
    piece.write(p, base + thread_id() * V, body);
  }
#pragma unroll 1
  for (int i = whole + thread_id(); i < count; i += Threads) {
    ListPiece<Body, 1> piece;
    piece.read(p, base + i);
    piece.write(p, base + i, body);
  }
  body.finish();
}

} // namespace cor

#define COR_LISTS(entry, Body, Args, Threads, V) \
  COR_KERNEL(entry, Threads, Args) { cor::run_lists<Body, Threads, V>(a); }
