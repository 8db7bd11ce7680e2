#pragma once
// Pointwise kernels with inputs whose unit stride lies along dimension 1.
#include "lang/pointwise.h"

namespace cor {

#if COR_SIMT
// Dimension 0 is fast for the output, dimension 1 for the transposed inputs: those pass through a tile in shared memory.
template <class O, int Edge>
struct TransposedTile {
  typename O::S v[Edge][Edge + 1];
};
template <class O, int Edge, int Threads>
COR_FN void fill_tile(TransposedTile<O, Edge>& tile, u64 slot, i64 offset, i64 stride0, i64 stride1, int n0, int n1) {
  const auto* p = reinterpret_cast<const typename O::S*>(slot) + offset;
  const int j = thread_id() % Edge;
#pragma unroll
  for (int i = thread_id() / Edge; i < Edge; i += Threads / Edge)
    if (i < n0 && j < n1) tile.v[i][j] = p[i * stride0 + j * stride1];
}
template <class B, class O, int Index, int Edge>
COR_FN typename O::V tiled_value(const TransposedTile<O, Edge>& tile, const PointwiseHead& h, i64 offset, int i, int j) {
  if constexpr (O::kind == Kind::transposed)
    return convert<typename O::V>(tile.v[i][j]);
  else if constexpr (O::kind == Kind::scalar)
    return slot_value<typename O::V>(h.in[Index]);
  else
    return convert<typename O::V>(reinterpret_cast<const typename O::S*>(h.in[Index])[offset]);
}
template <class O, int Edge>
using TileFor = TransposedTile<O, O::kind == Kind::transposed ? Edge : 1>;

template <class B, int Rank, bool Wide, int Threads, int Edge>
COR_FN void pointwise_tiled(const PointwiseArgs<Rank, B::operands>& a) {
  COR_SHARED(tile0, TileFor<typename B::In0, Edge>);
  COR_SHARED(tile1, TileFor<typename B::In1, Edge>);
  COR_SHARED(tile2, TileFor<typename B::In2, Edge>);
  const i64 size0 = a.shape.dims[0].size, size1 = a.shape.dims[1].size;
  const u32 tiles0 = static_cast<u32>((size0 + Edge - 1) / Edge), tiles1 = static_cast<u32>((size1 + Edge - 1) / Edge);
  const u32 t0 = block_id() % tiles0, rest = block_id() / tiles0, t1 = rest % tiles1;
  const i64 first = static_cast<i64>(rest / tiles1) * size0 * size1 + static_cast<i64>(t1) * Edge * size0 + t0 * Edge;
  i64 off[4] = {};
  Locate<B, Rank, Wide>::run(a, first, off);
  const i64 left0 = size0 - static_cast<i64>(t0) * Edge, left1 = size1 - static_cast<i64>(t1) * Edge;
  const int n0 = left0 < Edge ? static_cast<int>(left0) : Edge, n1 = left1 < Edge ? static_cast<int>(left1) : Edge;
  const Scalars<B> s(a.head);
  if constexpr (B::In0::kind == Kind::transposed)
    fill_tile<typename B::In0, Edge, Threads>(tile0, a.head.in[0], off[1], a.stride[0][1], a.stride[1][1], n0, n1);
  if constexpr (B::In1::kind == Kind::transposed)
    fill_tile<typename B::In1, Edge, Threads>(tile1, a.head.in[1], off[2], a.stride[0][2], a.stride[1][2], n0, n1);
  if constexpr (B::In2::kind == Kind::transposed)
    fill_tile<typename B::In2, Edge, Threads>(tile2, a.head.in[2], off[3], a.stride[0][3], a.stride[1][3], n0, n1);
  barrier();
  const int i = thread_id() % Edge;
  constexpr int last = B::operands - 1;
#pragma unroll
  for (int j = thread_id() / Edge; j < Edge; j += Threads / Edge) {
    if (i >= n0 || j >= n1) continue;
    const auto at = [&](int o) { return off[o] + i * a.stride[0][o] + j * a.stride[1][o]; };
    const auto x = tiled_value<B, typename B::In0, 0>(tile0, a.head, at(1), i, j);
    const auto y = tiled_value<B, typename B::In1, 1>(tile1, a.head, at(last < 2 ? last : 2), i, j);
    const auto z = tiled_value<B, typename B::In2, 2>(tile2, a.head, at(last < 3 ? last : 3), i, j);
    static_cast<typename B::Out*>(a.head.out)[at(0)] = convert<typename B::Out>(B::apply(x, y, z, s.s0, s.s1));
  }
}
#else
// Edge x Edge tiles of dimensions 0 and 1, so that the lines a transposed input touches stay in the first cache.
template <class B, int Rank, int Edge>
static void pointwise_tiles(const PointwiseArgs<Rank, B::operands>& a, i64 first, i64 last) {
  const i64 size0 = a.shape.dims[0].size, size1 = a.shape.dims[1].size;
  const i64 tiles0 = (size0 + Edge - 1) / Edge, tiles1 = (size1 + Edge - 1) / Edge;
  i64 stride[4] = {1, 1, 1, 1};
  for (int o = 0; o < B::operands; ++o) stride[o] = a.stride[0][o];
  for (i64 b = first; b < last; ++b) {
    const i64 t0 = b % tiles0, t1 = b / tiles0 % tiles1;
    i64 rest = b / tiles0 / tiles1, off[4] = {};
    for (int d = 2; d < Rank; ++d) {
      const i64 i = rest % a.shape.dims[d].size;
      rest /= a.shape.dims[d].size;
      for (int o = 0; o < B::operands; ++o) off[o] += i * a.stride[d][o];
    }
    const i64 count = size0 - t0 * Edge < Edge ? size0 - t0 * Edge : Edge;
    for (i64 j = t1 * Edge; j < size1 && j < (t1 + 1) * Edge; ++j) {
      i64 here[4] = {};
      for (int o = 0; o < B::operands; ++o) here[o] = off[o] + t0 * Edge * a.stride[0][o] + j * a.stride[1][o];
      run_pointwise<B, true>(a.head, here, stride, count);
    }
  }
}
#endif

} // namespace cor

#if COR_SIMT
#define COR_POINTWISE_TILED(entry, B, Rank, Wide, Threads, Edge) \
  COR_KERNEL(entry, Threads, cor::PointwiseArgs<Rank, B::operands>) { cor::pointwise_tiled<B, Rank, Wide, Threads, Edge>(a); }
#else
#define COR_POINTWISE_TILED(entry, B, Rank, Edge)                                      \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void*) {      \
    using Args = cor::PointwiseArgs<Rank, B::operands>;                                \
    cor::pointwise_tiles<B, Rank, Edge>(*static_cast<const Args*>(args), first, last); \
  }
#endif
