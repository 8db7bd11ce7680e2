#pragma once
// acc += a * b over a block's tiles: a is [M, K], b is [K, N], the sums are [M, N].
//
//   Dot<T, M, N, K, AlongA, AlongB, Threads, Unit>   all that is fixed at compile time; its types:
//     Dot::Stage                     the two tiles of a step, `a` and `b`, for pipeline()
//     Dot::Sums                      the sums of a block: f32 for 16-bit floats and f32, f64 for f64, i32 for i8
//   Factor<T, Along>                 a whole matrix in memory, a or b: `outer` rows of a (columns of b) by k
//   fetch(block, stage.a, factor, outer, k)   starts the copy of the tile whose first element is (outer, k); zeros stand for
//                                    what the matrix does not have
//   zeros<Dot>(block)                sums of nothing
//   dot(stage.a, stage.b, sums)      all lanes of the block
//   store(block, sums, out, stride, rows, columns, f)   out[i * stride + j] = f(sum) for the first rows and columns, in wide
//                                    pieces through the arena, so after pipeline()
//   tile_at<M, N>(block, m, n)       the first row and column of the block's tile, in an order that keeps inputs in the last cache
//
// Where a tile lies is a type, too:
//   SwizzledShared   a factor's tile in shared memory (GPUs)      Panels   the same in a thread's scratch (CPUs)
//   Accumulator      sums, spread over lanes as the unit that computes them wants it
//   Blocked          how lanes walk over a tile in memory: pieces of 16 bytes, neighbours side by side
#include "lang/block.h"
#include "lang/pipeline.h"

namespace cor {

// Which dimension of a factor is contiguous: k, over which dot() sums, or the outer one (rows of a, columns of b).
enum class Along { k, outer };

// What computes. `best` is the fastest of the target that is exact: products of 16-bit floats and of bytes are, f32 is not rounded.
//   fma          lanes, or a CPU's vectors: any type
//   mma, wgmma   tensor cores of a warp, of four warps: f16, bf16, i8
//   mapped       wgmma on tiles that the copy engine brings, through tensor maps (MappedFactor)
//   tf32         tensor cores on f32, rounded to 11 bits: to be asked for
//   pairs, amx   CPUs that multiply pairs, or tiles, of bf16: to be asked for where the processor has them
enum class Unit { best, fma, mma, wgmma, mapped, tf32, pairs, amx };

template <class T>
struct SumOf {
  using type = Compute<T>;
};
template <>
struct SumOf<i8> {
  using type = i32;
};

template <class T, Along A>
struct Factor {
  const T* p;
  i64 outer, k, stride; // extents; elements from one contiguous row to the next
  COR_FN const T* at(i64 o, i64 kk) const { return p + (A == Along::k ? o * stride + kk : kk * stride + o); }
};

struct TileAt {
  i64 m, n;
};
// Blocks that run at the same time share inputs: numbers go down a strip of 8 tiles of rows, then on to the next column.
template <int M, int N, class Block>
COR_FN TileAt tile_at(const Block& block, i64 m, i64 n) {
  constexpr u32 strip = 8;
  const u32 rows = static_cast<u32>((m + M - 1) / M), columns = static_cast<u32>((n + N - 1) / N);
  const u32 id = static_cast<u32>(block.id), first = id / (strip * columns) * strip, in = id % (strip * columns);
  const u32 height = rows - first < strip ? rows - first : strip;
  return {static_cast<i64>(first + in % height) * M, static_cast<i64>(in / height) * N};
}

} // namespace cor

#if COR_SIMT
#include "lang/dot_simt.h"
#else
#include "lang/dot_simd.h"
#endif
