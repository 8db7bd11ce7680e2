#pragma once
// The lowering of dot() to tensor cores.
#include "lang/target_cuda_mma.h"

namespace cor {

// Warps in a grid, `Across` of them side by side; each computes fragments of 16 x 8: its rows are every Down-th 16 of the block's,
// its columns lie together. Lane l of a fragment has, in registers 0 to 3:
//   (l / 4, 2 * (l % 4)), (.., +1), (l / 4 + 8, 2 * (l % 4)), (.., +1)
template <int M, int N, int Threads, int Across>
struct FragmentSpread {
  static constexpr int m = M, n = N, threads = Threads, run = 2;
  static constexpr int across = Across, down = Threads / 32 / Across, tiles_m = M / 16 / down, tiles_n = N / 8 / across;
  static constexpr int count = M * N / Threads;
  static_assert(M % (16 * down) == 0 && N % (16 * across) == 0, "a tile is whole fragments a warp");
  static COR_FN char* arena() { return shared_arena(); }
  static COR_FN int warp_row() { return thread_id() / 32 / across; }
  static COR_FN int warp_column() { return thread_id() / 32 % across; }
  static COR_FN int first_row(int i) { return (i * down + warp_row()) * 16; }
  static COR_FN int first_column(int j) { return (warp_column() * tiles_n + j) * 8; }
  static COR_FN int row(int i) { return first_row(i / 4 / tiles_n) + thread_id() % 32 / 4 + i % 4 / 2 * 8; }
  static COR_FN int column(int i) { return first_column(i / 4 % tiles_n) + thread_id() % 4 * 2 + i % 2; }
};

// 16 places of the outer dimension by 32 bytes of k as four 8 x 16 bytes. OuterFirst: the second is 8 places further (what a
// wants), otherwise 16 bytes (b). Elements of other sizes than 2 bytes are put together one by one where k is not contiguous.
template <bool OuterFirst, class Tile>
COR_FN void load_fragment(const Tile& tile, int outer, int k, unsigned (&r)[4]) {
  constexpr int piece = 16 / Tile::size, word = 4 / Tile::size;
  const int lane = thread_id() % 32, matrix = lane / 8;
  if constexpr (Tile::along == Along::k || Tile::size == 2) {
    const int o = outer + (OuterFirst ? matrix % 2 : matrix / 2) * 8, kk = k + (OuterFirst ? matrix / 2 : matrix % 2) * piece;
    if constexpr (Tile::along == Along::k)
      load_matrices<false>(r, tile.at(o + lane % 8, kk));
    else
      load_matrices<true>(r, tile.at(o, kk + lane % 8));
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int o = outer + (OuterFirst ? i % 2 : i / 2) * 8 + lane / 4;
      const int kk = k + (OuterFirst ? i / 2 : i % 2) * piece + lane % 4 * word;
      union {
        typename Tile::Element v[word];
        unsigned bits;
      } w;
#pragma unroll
      for (int e = 0; e < word; ++e) w.v[e] = *reinterpret_cast<const typename Tile::Element*>(tile.at(o, kk + e));
      r[i] = w.bits;
    }
  }
  if constexpr (same<typename Tile::Element, float>)
#pragma unroll
    for (int i = 0; i < 4; ++i) r[i] = round_to_tf32(r[i]);
}

template <class A, class B, class Sum, int M, int N, int Threads, int Across>
COR_FN void dot(const A& a, const B& b, Accumulator<Sum, FragmentSpread<M, N, Threads, Across>>& sums) {
  using S = FragmentSpread<M, N, Threads, Across>;
  using T = typename A::Element;
  constexpr int depth = 32 / A::size;
#pragma unroll 1
  for (int k = 0; k < A::k; k += depth) {
    unsigned x[S::tiles_m][4];
#pragma unroll
    for (int i = 0; i < S::tiles_m; ++i) load_fragment<true>(a, S::first_row(i), k, x[i]);
#pragma unroll
    for (int j = 0; j < S::tiles_n; j += 2) {
      unsigned y[4];
      load_fragment<false>(b, S::first_column(j), k, y);
#pragma unroll
      for (int i = 0; i < S::tiles_m; ++i) {
        mma(sums.v + (i * S::tiles_n + j) * 4, x[i], y[0], y[1], T{});
        mma(sums.v + (i * S::tiles_n + j + 1) * 4, x[i], y[2], y[3], T{});
      }
    }
  }
}

// Two warps side by side where that leaves each 16 rows or more: a's fragments and b's are then about as many.
template <int M, int Threads>
inline constexpr int warps_across = Threads >= 64 && M % (Threads / 4) == 0 ? 2 : 1;

template <class T, int M, int N, class A, class B, int Threads>
struct DotUnit<Unit::mma, T, M, N, A, B, Threads> {
  static_assert(sizeof(T) <= 2, "tensor cores multiply f16, bf16 and i8 exactly; f32 only as Unit::tf32");
  using Sums = Accumulator<typename SumOf<T>::type, FragmentSpread<M, N, Threads, warps_across<M, Threads>>>;
  using Stage = DotStage<A, B>;
};
template <int M, int N, class A, class B, int Threads>
struct DotUnit<Unit::tf32, float, M, N, A, B, Threads> {
  using Sums = Accumulator<float, FragmentSpread<M, N, Threads, warps_across<M, Threads>>>;
  using Stage = DotStage<A, B>;
};

#if __CUDA_ARCH_FEAT_SM90_ALL

// Four warps a 64 rows, all columns; the fragments are those of warps below each other.
template <int M, int N, int Threads>
struct GroupSpread : FragmentSpread<M, N, Threads, 1> {
  static_assert(M % (Threads / 2) == 0 && (N == 64 || N == 128 || N == 256), "64 rows for each four warps; 64, 128 or 256 columns");
  static COR_FN char* arena() { return swizzle_arena(); }
};

template <class A, class B, int M, int N, int Threads>
COR_FN void dot(const A& a, const B& b, Accumulator<float, GroupSpread<M, N, Threads>>& sums) {
  using S = GroupSpread<M, N, Threads>;
  constexpr bool across_a = A::along == Along::outer, across_b = B::along == Along::outer;
  const unsigned left = shared_address(a.base), right = shared_address(b.base);
#pragma unroll
  for (int i = 0; i < S::count; ++i) pin(sums.v[i]);
  wgmma_begin();
#pragma unroll
  for (int k = 0; k < A::k; k += 16)
#pragma unroll
    for (int i = 0; i < S::tiles_m; ++i) {
      const int row = i * (Threads / 2) + thread_id() / 128 * 64;
      // Down the rows of a panel, or from panel to panel; swizzling goes by addresses, so 32 bytes further is 16 places of k.
      const unsigned at_a =
          left + (across_a ? row / 64 * A::panel_bytes + k * 128 : k / 64 * A::panel_bytes + row * 128 + k % 64 * 2);
      const unsigned at_b = right + (across_b ? k * 128 : k / 64 * B::panel_bytes + k % 64 * 2);
      Wgmma<N, typename A::Element, across_a, across_b>::run(sums.v + i * (N / 2), matrix_descriptor(at_a, A::panel_bytes),
                                                             matrix_descriptor(at_b, B::panel_bytes));
    }
  wgmma_commit();
}

template <class A, class B>
struct GroupStage : DotStage<A, B, 1> {
  using DotStage<A, B, 1>::DotStage;
  static_assert(A::bytes % 1024 == 0 && B::bytes % 1024 == 0, "tiles begin where swizzling begins anew");
  static COR_FN char* arena() { return swizzle_arena(); }
  template <int Left>
  static COR_FN void settle() {
    wgmma_wait<Left>();
    publish_shared();
  }
};

template <class T, int M, int N, class A, class B, int Threads>
struct DotUnit<Unit::wgmma, T, M, N, A, B, Threads> {
  using Sums = Accumulator<float, GroupSpread<M, N, Threads>>;
  using Stage = GroupStage<A, B>;
};

// A factor whose rows are a multiple of 16 bytes, by a map with boxes of 128 bytes by the tile's rows.
template <class T, Along A>
struct MappedFactor {
  const TensorMap* map;
};
template <class Tile>
struct Mapped : Tile {
  u64* full;
};
template <class Block, class Tile, class T, Along A>
COR_FN void fetch(const Block&, const Mapped<Tile>& tile, const MappedFactor<T, A>& from, i64 outer, i64 k) {
  static_assert(Tile::along == A, "a factor is contiguous as its tile is");
  const int x = static_cast<int>(A == Along::k ? k : outer), y = static_cast<int>(A == Along::k ? outer : k);
  if (thread_id() != 0) return;
#pragma unroll
  for (int p = 0; p < Tile::columns / Tile::panel; ++p)
    bulk_copy(tile.base + p * Tile::panel_bytes, from.map, x + p * Tile::panel, y, tile.full);
}

template <class A, class B>
struct MappedStage : StageOf<A::bytes + B::bytes, 1> {
  static constexpr int bulk = A::bytes + B::bytes;
  Mapped<A> a;
  Mapped<B> b;
  COR_FN MappedStage(char* p, u64* full) : a{{p}, full}, b{{p + A::bytes}, full} {}
  static COR_FN char* arena() { return swizzle_arena(); }
  static COR_FN void bulk_init(u64* full) { cor::bulk_init(full); }
  static COR_FN void bulk_expect(u64* full) { cor::bulk_expect(full, bulk); }
  static COR_FN void bulk_wait(u64* full, unsigned parity) { cor::bulk_wait(full, parity); }
  template <int Left>
  static COR_FN void settle() {
    wgmma_wait<Left>();
  }
};

template <class T, int M, int N, class A, class B, int Threads>
struct DotUnit<Unit::mapped, T, M, N, A, B, Threads> {
  using Sums = Accumulator<float, GroupSpread<M, N, Threads>>;
  using Stage = MappedStage<A, B>;
};
template <class T, int M, int N, int Threads>
inline constexpr bool fits_wgmma = (same<T, f16> || same<T, bf16>)&&Threads % 128 == 0 && M % (Threads / 2) == 0 &&
                                   (N == 64 || N == 128 || N == 256);

#else

template <class T, int M, int N, int Threads>
inline constexpr bool fits_wgmma = false;

#endif

template <class T, int M, int N, int Threads>
inline constexpr Unit best_unit = fits_wgmma<T, M, N, Threads> ? Unit::wgmma
                                  : sizeof(T) <= 2             ? Unit::mma
                                                               : Unit::fma;

} // namespace cor
