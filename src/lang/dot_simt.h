#pragma once
// The lowering of dot() to lanes: tiles in swizzled shared memory, and plain multiplications. lang/dot_mma.h has the tensor cores.
namespace cor {

// How lanes walk over a tile in memory: pieces of 16 bytes, neighbouring lanes on neighbouring pieces of a row. Lane by lane:
//   row 0:  0 1 2 ... per_row-1      row 1:  per_row ...
template <class T, int Rows, int Columns, int Threads>
struct Blocked {
  static constexpr int piece = 16 / static_cast<int>(sizeof(T)), per_row = Columns / piece;
  static_assert(Columns % piece == 0, "a row is whole pieces");
  static constexpr int step = Threads / per_row, all = Rows / step;
  static_assert(Threads % per_row == 0 && Rows % step == 0, "a lane stays in its columns, and all lanes have as many rows");
  // f(row, column) for each of this lane's pieces.
  template <int Unroll, class F>
  static COR_FN void for_each(F f) {
    const int first = thread_id() / per_row, column = thread_id() % per_row * piece;
#pragma unroll Unroll
    for (int i = 0; i < all; ++i) f(first + i * step, column);
  }
};

// A factor's tile. Memory's rows stay rows, cut into panels of 128 bytes; in row r of a panel the 16-byte piece p stands at p ^ r %
// 8:
//   row 0:  0 1 2 3 4 5 6 7
//   row 1:  1 0 3 2 5 4 7 6
//   row 2:  2 3 0 1 6 7 4 5   ...  so 8 rows of a piece, or 8 pieces of a row, lie in different banks
template <class T, int Outer, int K, Along A>
struct SwizzledShared {
  using Element = T;
  static constexpr Along along = A;
  static constexpr int outer = Outer, k = K, rows = A == Along::k ? Outer : K, columns = A == Along::k ? K : Outer;
  static constexpr int size = static_cast<int>(sizeof(T)), panel = 128 / size, panel_bytes = rows * 128;
  static constexpr int bytes = Outer * K * size;
  static_assert(columns % panel == 0 && rows % 8 == 0, "make a tile's contiguous side a multiple of 128 bytes, the other of 8");
  char* base;

  static COR_FN int offset(int row, int column) {
    const int byte = column % panel * size;
    return column / panel * panel_bytes + row * 128 + ((byte / 16 ^ row % 8) * 16 | byte % 16);
  }
  // Element (o, kk) and its neighbours in memory.
  COR_FN char* at(int o, int kk) const { return base + (A == Along::k ? offset(o, kk) : offset(kk, o)); }
};

COR_FN int clamp(i64 value, int most) { return value < 0 ? 0 : value < most ? static_cast<int>(value) : most; }

template <class Block, class T, int Outer, int K, Along A>
COR_FN void fetch(const Block&, SwizzledShared<T, Outer, K, A> tile, const Factor<T, A>& from, i64 outer, i64 k) {
  using To = SwizzledShared<T, Outer, K, A>;
  using Walk = Blocked<T, To::rows, To::columns, Block::threads>;
  const int rows = A == Along::k ? clamp(from.outer - outer, To::rows) : clamp(from.k - k, To::rows);
  const int columns = A == Along::k ? clamp(from.k - k, To::columns) : clamp(from.outer - outer, To::columns);
  const T* const first = from.at(outer, k);
  const bool wide = (reinterpret_cast<u64>(from.p) | static_cast<u64>(from.stride) * sizeof(T)) % 16 == 0;
  if (wide) {
    Walk::template for_each<4>([&](int row, int column) {
      const int count = row < rows ? clamp(columns - column, Walk::piece) : 0;
      async_copy16(tile.base + To::offset(row, column), count ? first + row * from.stride + column : from.p, count * To::size);
    });
  } else {
    Walk::template for_each<1>([&](int row, int column) {
      const int count = row < rows ? clamp(columns - column, Walk::piece) : 0;
      T* const to = reinterpret_cast<T*>(tile.base + To::offset(row, column));
#pragma unroll 1
      for (int e = 0; e < Walk::piece; ++e) to[e] = e < count ? first[row * from.stride + column + e] : T{};
    });
  }
}

// The sums of a block. Spread says which of them a lane has: register i is (row(i), column(i)), `run` of them side by side.
template <class Sum, class Spread>
struct Accumulator {
  using Element = Sum;
  using spread = Spread;
  Sum v[Spread::count];
};

// Lanes in a grid, 16 across; each has rows and columns in turn, in runs of RowRun and ColumnRun.
template <int M, int N, int Threads, int RowRun, int ColumnRun>
struct LaneSpread {
  static constexpr int m = M, n = N, threads = Threads;
  static constexpr int across = 16, down = Threads / across, mine_m = M / down, mine_n = N / across;
  static constexpr int row_run = RowRun < mine_m ? RowRun : mine_m, run = ColumnRun < mine_n ? ColumnRun : mine_n;
  static constexpr int count = mine_m * mine_n;
  static_assert(M % down == 0 && N % across == 0 && mine_m % row_run == 0 && mine_n % run == 0, "a tile is whole runs a lane");
  static COR_FN char* arena() { return shared_arena(); }
  static COR_FN int row_lane() { return thread_id() / across; }
  static COR_FN int column_lane() { return thread_id() % across; }
  static COR_FN int row(int i) { return (i / mine_n / row_run * down + row_lane()) * row_run + i / mine_n % row_run; }
  static COR_FN int column(int i) { return (i % mine_n / run * across + column_lane()) * run + i % mine_n % run; }
};

// Values at `Count` outer places and `Depth` places of k, of lane `lane` of `Lanes`, in the order of a LaneSpread's runs.
template <int Lanes, int Run, int Count, int Depth, class Sum, class Tile>
COR_FN void load_values(const Tile& tile, int lane, int k, Sum (&v)[Count][Depth]) {
  using T = typename Tile::Element;
  if constexpr (Tile::along == Along::k) {
#pragma unroll
    for (int i = 0; i < Count; ++i) {
      const auto piece = load_vec<T, Depth>(reinterpret_cast<const T*>(tile.at((i / Run * Lanes + lane) * Run + i % Run, k)));
#pragma unroll
      for (int d = 0; d < Depth; ++d) v[i][d] = convert<Sum>(piece.v[d]);
    }
  } else {
#pragma unroll
    for (int d = 0; d < Depth; ++d)
#pragma unroll
      for (int i = 0; i < Count; i += Run) {
        const auto piece = load_vec<T, Run>(reinterpret_cast<const T*>(tile.at((i / Run * Lanes + lane) * Run, k + d)));
#pragma unroll
        for (int r = 0; r < Run; ++r) v[i + r][d] = convert<Sum>(piece.v[r]);
      }
  }
}

template <class A, class B, class Sum, int M, int N, int Threads, int RowRun, int ColumnRun>
COR_FN void dot(const A& a, const B& b, Accumulator<Sum, LaneSpread<M, N, Threads, RowRun, ColumnRun>>& sums) {
  using S = LaneSpread<M, N, Threads, RowRun, ColumnRun>;
  constexpr int depth = sizeof(Sum) == 8 ? 2 : 4; // k's at a time: an access of up to 16 bytes, and no more registers than that
#pragma unroll 1
  for (int k = 0; k < A::k; k += depth) {
    Sum x[S::mine_m][depth], y[S::mine_n][depth];
    load_values<S::down, S::row_run>(a, S::row_lane(), k, x);
    load_values<S::across, S::run>(b, S::column_lane(), k, y);
#pragma unroll
    for (int d = 0; d < depth; ++d)
#pragma unroll
      for (int i = 0; i < S::mine_m; ++i)
#pragma unroll
        for (int j = 0; j < S::mine_n; ++j) sums.v[i * S::mine_n + j] += x[i][d] * y[j][d];
  }
}

// Sums go to the arena as rows, each a piece longer than it needs to be, and from there to memory in wide pieces.
template <class Block, class Out, class Sum, class Spread, class F>
COR_FN void store(const Block&, const Accumulator<Sum, Spread>& sums, Out* out, i64 stride, i64 rows, i64 columns, F f) {
  constexpr int run = Spread::run, size = static_cast<int>(sizeof(Out)), pitch = Spread::n * size + 16;
  using Walk = Blocked<Out, Spread::m, Spread::n, Block::threads>;
  char* const arena = Spread::arena();
#pragma unroll
  for (int i = 0; i < Spread::count; i += run) {
    Vec<Out, run> v;
#pragma unroll
    for (int r = 0; r < run; ++r) v.v[r] = convert<Out>(f(sums.v[i + r]));
    *reinterpret_cast<Vec<Out, run>*>(arena + Spread::row(i) * pitch + Spread::column(i) * size) = v;
  }
  barrier();
  const int row_count = clamp(rows, Spread::m), column_count = clamp(columns, Spread::n);
  const bool wide = (reinterpret_cast<u64>(out) | static_cast<u64>(stride) * sizeof(Out)) % 16 == 0;
  Walk::template for_each<1>([&](int row, int column) {
    const int count = row < row_count ? clamp(column_count - column, Walk::piece) : 0;
    const char* const from = arena + row * pitch + column * size;
    Out* const to = out + row * stride + column;
    if (wide && count == Walk::piece) {
      store_vec(to, load_vec<Out, Walk::piece>(reinterpret_cast<const Out*>(from)));
    } else {
#pragma unroll 1
      for (int e = 0; e < count; ++e) to[e] = reinterpret_cast<const Out*>(from)[e];
    }
  });
  barrier();
}

template <class A_, class B_, int Lag = 0>
struct DotStage : StageOf<A_::bytes + B_::bytes, Lag> {
  A_ a;
  B_ b;
  COR_FN explicit DotStage(char* p) : a{p}, b{p + A_::bytes} {}
};

// Elements of a 16-byte piece along the outer dimension, one where k is contiguous: the run of a LaneSpread.
template <class Tile>
inline constexpr int outer_run = Tile::along == Along::k ? 1 : 16 / Tile::size;

// The types that a unit works on.
template <Unit U, class T, int M, int N, class A, class B, int Threads>
struct DotUnit {
  static_assert(U == Unit::fma, "this target has no such unit: ask for Unit::best");
  using Sums = Accumulator<typename SumOf<T>::type, LaneSpread<M, N, Threads, outer_run<A>, outer_run<B>>>;
  using Stage = DotStage<A, B>;
};

} // namespace cor

#if defined(COR_TENSOR_CORES)
#include "lang/dot_mma.h"
#else
namespace cor {
template <class T, int M, int N, int Threads>
inline constexpr Unit best_unit = Unit::fma;
}
#endif

namespace cor {

template <class T, int M, int N, int K, Along AlongA, Along AlongB, int Threads, Unit U = Unit::best>
struct Dot {
  static constexpr int m = M, n = N, k = K;
  static constexpr Unit unit = U == Unit::best ? best_unit<T, M, N, Threads> : U;
  using Element = T;
  using A = SwizzledShared<T, M, K, AlongA>;
  using B = SwizzledShared<T, N, K, AlongB>;
  using Sums = typename DotUnit<unit, T, M, N, A, B, Threads>::Sums;
  using Stage = typename DotUnit<unit, T, M, N, A, B, Threads>::Stage;
};

template <class Dot, class Block>
COR_FN typename Dot::Sums zeros(const Block&) {
  typename Dot::Sums sums;
#pragma unroll
  for (int i = 0; i < Dot::Sums::spread::count; ++i) sums.v[i] = 0;
  return sums;
}

} // namespace cor
