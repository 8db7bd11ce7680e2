#pragma once
// The lowering of dot() to a processor's vectors: tiles are packed into panels in the thread's scratch, so that the inner loop
// reads them from start to end, and sums of a few rows by a few vectors stay in registers while it runs.
#include "lang/target_cpu_mma.h"

namespace cor {

// A factor's tile: panels of `Wide` places of the outer dimension; in a panel, what is multiplied at the same time lies side by
// side. Group k's stay together, and k is filled up with zeros to a multiple of Deep:
//   Group 1   k 0: place 0 1 2 ...    k 1: place 0 1 2 ...
//   Group 2   k 0 and 1 of place 0, of place 1, ...    k 2 and 3 of place 0, ...
template <class T, class Packed, int Outer, int K, Along A, int Wide, int Group, int Deep>
struct Panels {
  using Element = T;
  static constexpr Along along = A;
  static constexpr int outer = Outer, k = K, panel = Wide * ((K + Deep - 1) / Deep * Deep);
  static constexpr int bytes = (Outer / Wide * panel * static_cast<int>(sizeof(Packed)) + 63) / 64 * 64;
  static_assert(Outer % Wide == 0, "make a tile whole panels (PanelShape)");
  Packed* base;
  int used = 0, used_k = 0; // panels that hold something, and how far
  static COR_FN int place(int o, int kk) { return kk / Group * Group * Wide + o * Group + kk % Group; }
};

// The first `count` places from `from`, zeros in the rest. Whole panels have loops of fixed length.
template <bool Whole, int Wide, class Tile, class Packed, class T>
COR_FN void pack_panel(Packed* to, const T* from, i64 stride, int count, int depth) {
  const int wide = Whole ? Wide : count;
  for (int k = 0; k < depth; ++k) {
#pragma GCC ivdep
    for (int o = 0; o < wide; ++o)
      to[Tile::place(o, k)] = convert<Packed>(Tile::along == Along::k ? from[o * stride + k] : from[k * stride + o]);
    for (int o = wide; o < Wide; ++o) to[Tile::place(o, k)] = Packed{};
  }
}

template <class Block, class T, class Packed, int Outer, int K, Along A, int Wide, int Group, int Deep>
COR_FN void fetch(const Block&, Panels<T, Packed, Outer, K, A, Wide, Group, Deep>& tile, const Factor<T, A>& from, i64 outer,
                  i64 k) {
  using Tile = Panels<T, Packed, Outer, K, A, Wide, Group, Deep>;
  const int rows = from.outer - outer < Outer ? static_cast<int>(from.outer - outer) : Outer;
  const int depth = from.k - k < K ? static_cast<int>(from.k - k) : K;
  tile.used = (rows + Wide - 1) / Wide;
  tile.used_k = (depth + Deep - 1) / Deep * Deep;
  for (int p = 0; p < tile.used; ++p) {
    Packed* const to = tile.base + p * Tile::panel;
    const T* const first = from.at(outer + p * Wide, k);
    if (rows - p * Wide >= Wide)
      pack_panel<true, Wide, Tile>(to, first, from.stride, Wide, depth);
    else
      pack_panel<false, Wide, Tile>(to, first, from.stride, rows - p * Wide, depth);
    for (int kk = depth; kk < tile.used_k; ++kk)
      for (int o = 0; o < Wide; ++o) to[Tile::place(o, kk)] = Packed{};
  }
}

// The sums of a block: rows of N, in the thread's scratch.
template <class Sum, int M, int N, class Shape>
struct Accumulator {
  static constexpr int m = M, n = N;
  Sum* v;
};

template <class A, class B, class Sum, int M, int N, class Shape>
COR_FN void dot(const A& a, const B& b, Accumulator<Sum, M, N, Shape>& sums) {
  for (int j = 0; j < b.used; ++j)
    for (int i = 0; i < a.used; ++i)
      Shape::multiply(a.base + i * A::panel, b.base + j * B::panel, a.used_k, sums.v + i * Shape::wide * N + j * Shape::length, N);
}

template <class Block, class Out, class Sum, int M, int N, class Shape, class F>
COR_FN void store(const Block&, const Accumulator<Sum, M, N, Shape>& sums, Out* out, i64 stride, i64 rows, i64 columns, F f) {
  const int count = columns < N ? static_cast<int>(columns) : N;
  for (int i = 0; i < M && i < rows; ++i) put_run<N>(out + i * stride, count, [&](int j) { return f(sums.v[i * N + j]); });
}

template <class A_, class B_>
struct DotStage : StageOf<A_::bytes + B_::bytes> {
  A_ a;
  B_ b;
  COR_FN explicit DotStage(char* p)
      : a{reinterpret_cast<decltype(A_::base)>(p)}, b{reinterpret_cast<decltype(B_::base)>(p + A_::bytes)} {}
};

template <class T, int M, int N, int K, Along AlongA, Along AlongB, int Threads, Unit U = Unit::best>
struct Dot {
  static constexpr int m = M, n = N, k = K;
  static constexpr Unit unit = U == Unit::best ? Unit::fma : U;
  using Element = T;
  using Sum = typename SumOf<T>::type;
  using Shape = PanelShape<unit, T, Sum>;
  using A = Panels<T, typename Shape::Packed, M, K, AlongA, Shape::wide, Shape::group_a, Shape::deep>;
  using B = Panels<T, typename Shape::Packed, N, K, AlongB, Shape::length, Shape::group_b, Shape::deep>;
  using Sums = Accumulator<Sum, M, N, Shape>;
  using Stage = DotStage<A, B>;
};

// They lie behind the stage.
template <class Dot, class Block>
COR_FN typename Dot::Sums zeros(const Block& block) {
  auto* const v = reinterpret_cast<typename Dot::Sum*>(block.scratch + Dot::Stage::bytes);
  for (int i = 0; i < Dot::m * Dot::n; ++i) v[i] = 0;
  return {v};
}

} // namespace cor
