#pragma once
// Pointwise kernels with inputs whose unit stride lies along dimension 1.
#include "lang/pointwise.h"

namespace cor {

#if COR_SIMT
// Dimension 0 is fast for the output, dimension 1 for the transposed inputs: those pass through a tile in shared memory. Accesses
// of either side take V neighbours.
template <class O, int Edge, int V>
struct Tile {
  using S = typename O::S;
  static constexpr int edge = O::kind == Kind::transposed ? Edge : 1;
  S v[edge][edge + 1];

  template <int Threads>
  COR_FN void fill(const u64* slot, i64 offset, i64 stride0, int n0, int n1) {
    if constexpr (O::kind == Kind::transposed) {
      constexpr int lanes = Edge / V, rows = Threads / lanes;
      const S* p = reinterpret_cast<const S*>(*slot) + offset;
      const int j = thread_id() % lanes * V;
#pragma unroll
      for (int i = thread_id() / lanes; i < Edge; i += rows)
        if (i < n0 && j < n1) {
          const Vec<S, V> from = load_vec<S, V>(p + i * stride0 + j);
#pragma unroll
          for (int k = 0; k < V; ++k) v[i][j + k] = from.v[k];
        }
    }
  }
  template <class Piece>
  COR_FN void read(Piece& piece, const u64* slot, i64 offset, int i, int j) const {
    if constexpr (O::kind == Kind::transposed) {
#pragma unroll
      for (int k = 0; k < V; ++k) piece.v.v[k] = v[i + k][j];
    } else {
      piece.read(slot, offset);
    }
  }
};

template <int Edge, int V>
struct TileOf {
  template <class O>
  using type = Tile<O, Edge, V>;
};

template <class B, int Rank, bool Wide, int Threads, int Edge, int V>
COR_FN void pointwise_tiled(const PointwiseArgs<B, Rank>& a) {
  constexpr int operands = B::outputs + B::inputs, lanes = Edge / V, rows = Threads / lanes, ahead = 4;
  using Tiles = typename B::template Each<TileOf<Edge, V>::template type>;
  COR_SHARED(tiles, Tiles);
  const i64 size0 = a.shape.dims[0].size, size1 = a.shape.dims[1].size;
  const u32 tiles0 = static_cast<u32>((size0 + Edge - 1) / Edge), tiles1 = static_cast<u32>((size1 + Edge - 1) / Edge);
  const u32 t0 = block_id() % tiles0, rest = block_id() / tiles0, t1 = rest % tiles1;
  const i64 first = static_cast<i64>(rest / tiles1) * size0 * size1 + static_cast<i64>(t1) * Edge * size0 + t0 * Edge;
  i64 off[operands] = {};
  add_offsets<Wide>(a.shape, a.stride, first, off);
  const i64 left0 = size0 - static_cast<i64>(t0) * Edge, left1 = size1 - static_cast<i64>(t1) * Edge;
  const int n0 = left0 < Edge ? static_cast<int>(left0) : Edge, n1 = left1 < Edge ? static_cast<int>(left1) : Edge;
  const Scalars<B> s(a.head);
  tiles.visit([&](auto& tile, int o) {
    const int operand = B::outputs + o;
    tile.template fill<Threads>(a.head.in + o * B::slots, off[operand], a.stride[0][operand], n0, n1);
  });
  barrier();
  const int i = thread_id() % lanes * V;
  if (i >= n0) return;
#pragma unroll 1
  for (int first = thread_id() / lanes; first < n1; first += ahead * rows) { // stores keep later loads back: some go ahead
    Pieces<B, V> pieces[ahead];
    i64 at[ahead][operands];
#pragma unroll
    for (int u = 0; u < ahead; ++u) {
      const int j = first + u * rows;
      if (j >= n1) continue;
#pragma unroll
      for (int o = 0; o < operands; ++o) at[u][o] = off[o] + i * a.stride[0][o] + j * a.stride[1][o];
      tiles.visit_beside(pieces[u].in, [&](const auto& tile, auto& piece, int o) {
        tile.read(piece, a.head.in + o * B::slots, at[u][B::outputs + o], i, j);
      });
    }
#pragma unroll
    for (int u = 0; u < ahead; ++u)
      if (first + u * rows < n1) pieces[u].write(a.head, s, at[u]);
  }
}
#else
// Edge x Edge tiles of dimensions 0 and 1, so that the lines a transposed input touches stay in the first cache.
template <class B, int Rank, int Edge>
static void pointwise_tiles(const PointwiseArgs<B, Rank>& a, i64 first, i64 last) {
  constexpr int operands = B::outputs + B::inputs;
  const i64 size0 = a.shape.dims[0].size, size1 = a.shape.dims[1].size;
  const i64 tiles0 = (size0 + Edge - 1) / Edge, tiles1 = (size1 + Edge - 1) / Edge;
  for (i64 b = first; b < last; ++b) {
    const i64 t0 = b % tiles0, t1 = b / tiles0 % tiles1;
    i64 rest = b / tiles0 / tiles1, off[operands] = {};
    for (int d = 2; d < Rank; ++d) {
      const i64 i = rest % a.shape.dims[d].size;
      rest /= a.shape.dims[d].size;
      for (int o = 0; o < operands; ++o) off[o] += i * a.stride[d][o];
    }
    const i64 count = size0 - t0 * Edge < Edge ? size0 - t0 * Edge : Edge;
    for (i64 j = t1 * Edge; j < size1 && j < (t1 + 1) * Edge; ++j) {
      i64 here[operands];
      for (int o = 0; o < operands; ++o) here[o] = off[o] + t0 * Edge * a.stride[0][o] + j * a.stride[1][o];
      run_pointwise<B, true>(a.head, here, a.stride[0], count);
    }
  }
}
#endif

} // namespace cor

#if COR_SIMT
#define COR_POINTWISE_TILED(entry, B, Rank, Wide, Threads, Edge, V) \
  COR_KERNEL(entry, Threads, cor::PointwiseArgs<B, Rank>) { cor::pointwise_tiled<B, Rank, Wide, Threads, Edge, V>(a); }
#else
#define COR_POINTWISE_TILED(entry, B, Rank, Edge)                                      \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void*) {      \
    using Args = cor::PointwiseArgs<B, Rank>;                                          \
    cor::pointwise_tiles<B, Rank, Edge>(*static_cast<const Args*>(args), first, last); \
  }
#endif
