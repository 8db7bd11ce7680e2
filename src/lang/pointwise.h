#pragma once
// Skeletons of pointwise kernels. The generated text supplies a body:
//   struct Body {
//     using Out = bf16;                                            // as stored
//     using In0 = Operand<bf16, float, Kind::contiguous>; ...In1, In2 (NoOperand where there is none)
//     static constexpr int operands = 3;                           // output and inputs
//     static COR_FN float apply(float x, float y, int z, float s0, float s1);
//     using Scalar = float;                                        // type of s0, s1
//     using Common = bf16;                                         // in which the inputs meet, as stored
//   };
#include "lang/index.h"
#include "lang/tile.h"

namespace cor {

enum class Kind {
  contiguous, // unit stride along dimension 0
  broadcast,  // stride 0 along dimension 0
  scalar,     // no memory: the pointer slot holds the value
  strided,    // any stride along dimension 0
  transposed, // unit stride along dimension 1
};

template <class Stored, class Value, Kind K>
struct Operand {
  using S = Stored;
  using V = Value;
  static constexpr Kind kind = K;
};
struct NoOperand {
  using S = i32;
  using V = i32;
  static constexpr Kind kind = Kind::scalar;
};

// Filled by src/ops/pointwise/plan.cpp, member by member.
struct PointwiseHead {
  void* out;
  u64 in[3]; // addresses, or values of Kind::scalar
  u64 scalar[2];
  i64 n; // elements in all
};
template <int Rank, int Operands>
struct PointwiseArgs {
  PointwiseHead head;
  Shape<Rank> shape;          // fastest dimension first, padded with 1
  i64 stride[Rank][Operands]; // in elements; operand 0 is the output
};
struct PointwiseFlatArgs {
  PointwiseHead head;
};

// V neighbouring elements of an operand, in its value type when read.
template <class O, int V>
struct Piece {
  Vec<typename O::S, V> v;
  COR_FN typename O::V at(int k) const { return convert<typename O::V>(v.v[k]); }
};
template <class O>
struct ScalarPiece {
  typename O::V value;
  COR_FN typename O::V at(int) const { return value; }
};

template <class O, int V>
COR_FN auto read_piece(u64 slot, i64 offset) {
  if constexpr (O::kind == Kind::scalar) {
    return ScalarPiece<O>{slot_value<typename O::V>(slot)};
  } else if constexpr (O::kind == Kind::broadcast) {
    return ScalarPiece<O>{convert<typename O::V>(reinterpret_cast<const typename O::S*>(slot)[offset])};
  } else {
    return Piece<O, V>{load_vec<typename O::S, V>(reinterpret_cast<const typename O::S*>(slot) + offset)};
  }
}

template <class B>
struct Scalars {
  typename B::Scalar s0, s1;
  COR_FN explicit Scalars(const PointwiseHead& h)
      : s0(slot_value<typename B::Scalar>(h.scalar[0])), s1(slot_value<typename B::Scalar>(h.scalar[1])) {}
};

#if COR_SIMT

// Offsets of operands 0 (output) to 3 of the element `e`.
template <class B, int Rank, bool Wide>
struct Locate {
  COR_FN static void run(const PointwiseArgs<Rank, B::operands>& a, i64 e, i64 (&off)[4]) {
    add_offsets<Wide>(a.shape, a.stride, e, off);
  }
};

template <class B, int V>
struct Pieces {
  decltype(read_piece<typename B::In0, V>(0, 0)) x;
  decltype(read_piece<typename B::In1, V>(0, 0)) y;
  decltype(read_piece<typename B::In2, V>(0, 0)) z;
  COR_FN void read(const PointwiseHead& h, const i64 (&off)[4]) {
    x = read_piece<typename B::In0, V>(h.in[0], off[1]);
    y = read_piece<typename B::In1, V>(h.in[1], off[2]);
    z = read_piece<typename B::In2, V>(h.in[2], off[3]);
  }
  COR_FN void write(const PointwiseHead& h, const Scalars<B>& s, i64 off) const {
    Vec<typename B::Out, V> r;
#pragma unroll
    for (int k = 0; k < V; ++k) r.v[k] = convert<typename B::Out>(B::apply(x.at(k), y.at(k), z.at(k), s.s0, s.s1));
    store_vec<typename B::Out, V>(static_cast<typename B::Out*>(h.out) + off, r);
  }
};

// Rank 0: every operand is one dense stretch. Otherwise elements are found by their number; V neighbours never straddle dimension
// 0.
template <class B, int Rank, bool Wide, int Threads, int V, int U, class Args>
COR_FN void pointwise(const Args& a) {
  constexpr int tile = Threads * V * U;
  const i64 base = static_cast<i64>(block_id()) * tile;
  const i64 left = a.head.n - base;
  const Scalars<B> s(a.head);
  const auto locate = [&](i64 e, i64(&off)[4]) {
    if constexpr (Rank == 0) {
      off[0] = e;
      off[1] = B::In0::kind == Kind::broadcast ? 0 : e;
      off[2] = B::In1::kind == Kind::broadcast ? 0 : e;
      off[3] = B::In2::kind == Kind::broadcast ? 0 : e;
    } else {
      off[0] = off[1] = off[2] = off[3] = 0;
      Locate<B, Rank, Wide>::run(a, e, off);
    }
  };
  if (left >= tile) {
    Pieces<B, V> pieces[U];
    i64 out[U];
#pragma unroll
    for (int u = 0; u < U; ++u) {
      i64 off[4];
      locate(base + (u * Threads + thread_id()) * V, off);
      pieces[u].read(a.head, off);
      out[u] = off[0];
    }
#pragma unroll
    for (int u = 0; u < U; ++u) pieces[u].write(a.head, s, out[u]);
  } else {
#pragma unroll 1
    for (int e = thread_id(); e < left; e += Threads) {
      i64 off[4];
      locate(base + e, off);
      Pieces<B, 1> piece;
      piece.read(a.head, off);
      piece.write(a.head, s, off[0]);
    }
  }
}

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
  __shared__ TileFor<typename B::In0, Edge> tile0;
  __shared__ TileFor<typename B::In1, Edge> tile1;
  __shared__ TileFor<typename B::In2, Edge> tile2;
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

#define COR_POINTWISE_FLAT(entry, B, Threads, V, U)                                                               \
  extern "C" __global__ __launch_bounds__(Threads) void entry(const __grid_constant__ cor::PointwiseFlatArgs a) { \
    cor::pointwise<B, 0, false, Threads, V, U>(a);                                                                \
  }
#define COR_POINTWISE(entry, B, Rank, Wide, Threads, V, U)                                                                       \
  extern "C" __global__ __launch_bounds__(Threads) void entry(const __grid_constant__ cor::PointwiseArgs<Rank, B::operands> a) { \
    cor::pointwise<B, Rank, Wide, Threads, V, U>(a);                                                                             \
  }
#define COR_POINTWISE_TILED(entry, B, Rank, Wide, Threads, Edge)                                                                 \
  extern "C" __global__ __launch_bounds__(Threads) void entry(const __grid_constant__ cor::PointwiseArgs<Rank, B::operands> a) { \
    cor::pointwise_tiled<B, Rank, Wide, Threads, Edge>(a);                                                                       \
  }

#else // simd

// A run of `count` elements along dimension 0.
template <class O>
struct Run {
  const typename O::S* p;
  typename O::V value;
  i64 stride;
  COR_FN Run(u64 slot, i64 offset, i64 stride0) : p(nullptr), value(), stride(stride0) {
    if constexpr (O::kind == Kind::scalar)
      value = slot_value<typename O::V>(slot);
    else
      p = reinterpret_cast<const typename O::S*>(slot) + offset;
    if constexpr (O::kind == Kind::broadcast) value = convert<typename O::V>(p[0]);
  }
  COR_FN typename O::V at(i64 k) const {
    if constexpr (O::kind == Kind::contiguous)
      return convert<typename O::V>(p[k]);
    else if constexpr (O::kind == Kind::scalar || O::kind == Kind::broadcast)
      return value;
    else
      return convert<typename O::V>(p[k * stride]);
  }
};

template <class B, bool UnitOut>
COR_FN void run_pointwise(const PointwiseHead& h, const i64 (&off)[4], const i64 (&stride)[4], i64 count) {
  const Scalars<B> s(h);
  auto* out = static_cast<typename B::Out*>(h.out) + off[0];
  const Run<typename B::In0> x(h.in[0], off[1], stride[1]);
  const Run<typename B::In1> y(h.in[1], off[2], stride[2]);
  const Run<typename B::In2> z(h.in[2], off[3], stride[3]);
  const auto value = [&](i64 k) __attribute__((always_inline)) { return B::apply(x.at(k), y.at(k), z.at(k), s.s0, s.s1); };
  if constexpr (UnitOut && sizeof(typename B::Out) == 2) {
    constexpr int step = 256;
    i64 k = 0;
    for (; k + step <= count; k += step)
      put_run<step>(
          out + k, step, [&](int i) __attribute__((always_inline)) { return value(k + i); });
    put_run<step>(
        out + k, static_cast<int>(count - k), [&](int i) __attribute__((always_inline)) { return value(k + i); });
  } else {
#pragma GCC ivdep
    for (i64 k = 0; k < count; ++k) out[UnitOut ? k : k * stride[0]] = convert<typename B::Out>(value(k));
  }
}

template <class B, i64 Block>
static void pointwise_flat(const PointwiseFlatArgs& a, i64 first, i64 last) {
  const i64 begin = first * Block, end = last * Block < a.head.n ? last * Block : a.head.n;
  const auto at = [&](Kind k) { return k == Kind::broadcast ? i64(0) : begin; };
  const i64 off[4] = {begin, at(B::In0::kind), at(B::In1::kind), at(B::In2::kind)}, stride[4] = {1, 1, 1, 1};
  run_pointwise<B, true>(a.head, off, stride, end - begin);
}

// Blocks are stretches of dimension 0 of at most Block elements; what dimensions above them are left is counted by an odometer.
template <class B, int Rank, bool UnitOut, i64 Block>
static void pointwise_rows(const PointwiseArgs<Rank, B::operands>& a, i64 first, i64 last) {
  const i64 size0 = a.shape.dims[0].size, pieces = (size0 + Block - 1) / Block;
  i64 stride[4] = {1, 1, 1, 1};
  for (int o = 0; o < B::operands; ++o) stride[o] = a.stride[0][o];
  i64 row = first / pieces, piece = first % pieces;
  i64 index[Rank] = {}, off[4] = {};
  for (int d = 1; d < Rank; ++d) {
    index[d] = row % a.shape.dims[d].size;
    row /= a.shape.dims[d].size;
    for (int o = 0; o < B::operands; ++o) off[o] += index[d] * a.stride[d][o];
  }
  for (i64 b = first; b < last; ++b) {
    const i64 begin = piece * Block, count = size0 - begin < Block ? size0 - begin : Block;
    i64 here[4];
    for (int o = 0; o < 4; ++o) here[o] = off[o] + (o < B::operands ? begin * stride[o] : 0);
    run_pointwise<B, UnitOut>(a.head, here, stride, count);
    if (++piece < pieces) continue;
    piece = 0;
    for (int d = 1; d < Rank; ++d) {
      for (int o = 0; o < B::operands; ++o) off[o] += a.stride[d][o];
      if (++index[d] < a.shape.dims[d].size) break;
      for (int o = 0; o < B::operands; ++o) off[o] -= index[d] * a.stride[d][o];
      index[d] = 0;
    }
  }
}

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

#define COR_POINTWISE_FLAT(entry, B, Block)                                                        \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void*) {                  \
    cor::pointwise_flat<B, Block>(*static_cast<const cor::PointwiseFlatArgs*>(args), first, last); \
  }
#define COR_POINTWISE(entry, B, Rank, UnitOut, Block)                                           \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void*) {               \
    using Args = cor::PointwiseArgs<Rank, B::operands>;                                         \
    cor::pointwise_rows<B, Rank, UnitOut, Block>(*static_cast<const Args*>(args), first, last); \
  }
#define COR_POINTWISE_TILED(entry, B, Rank, Edge)                                      \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void*) {      \
    using Args = cor::PointwiseArgs<Rank, B::operands>;                                \
    cor::pointwise_tiles<B, Rank, Edge>(*static_cast<const Args*>(args), first, last); \
  }

#endif

} // namespace cor
