#pragma once
// The lowering of block programs to loops: a block is an iteration, its tile an array of which `count` elements are there, each a
// row of `width()` columns.
namespace cor {

template <int Threads, int Items, int Columns = 1>
struct Block {
  static constexpr int columns = Columns, size = Threads * Items;
  i64 id, count; // which block of how many
  char* scratch; // the launch's shared_bytes

  template <class Args>
  COR_FN Block(const Args& a, i64 which, void* arena) : id(which), count(a.blocks), scratch(static_cast<char*>(arena)) {}
  COR_FN static constexpr int width() { return 1; }
  COR_FN static constexpr i64 stride() { return 1; } // between elements in memory
};

template <class T, class B>
struct Tile {
  int count;
  T v[B::size * B::columns];
};

// One value a column.
template <class T, int Columns>
struct Row {
  T v[Columns];
};
template <class T, int Columns>
struct PerColumnOf {
  using type = Row<T, Columns>;
};
template <class T>
struct PerColumnOf<T, 1> {
  using type = T;
};
template <class T, class B>
using PerColumn = typename PerColumnOf<T, B::columns>::type;

// Calls f(tile index, memory offset, how many neighbours) for the elements [low, high): one run, or a row an element.
template <class Block, class F>
COR_FN void for_runs(const Block& block, int low, int high, F f) {
  if constexpr (Block::columns == 1)
    f(low, low, high - low);
  else
    for (int e = low; e < high; ++e) f(e * Block::columns, e * block.stride(), block.width());
}

template <class T, class Block>
COR_FN Tile<T, Block> load(Block& block, const T* p, Span span, T pad) {
  Tile<T, Block> r;
  const int low = static_cast<int>(span.low);
  r.count = span.high < Block::size ? static_cast<int>(span.high) : Block::size;
  for (int e = 0; e < low * Block::columns; ++e) r.v[e] = pad;
  for_runs(
      block, low, r.count, [&](int at, i64 offset, int n) __attribute__((always_inline)) {
        for (int k = 0; k < n; ++k) r.v[at + k] = p[offset + k];
      });
  return r;
}

template <class T, class V, class Block>
COR_FN void store(Block& block, T* p, Span span, const Tile<V, Block>& tile) {
  const int high = span.high < tile.count ? static_cast<int>(span.high) : tile.count;
  for_runs(
      block, static_cast<int>(span.low), high, [&](int at, i64 offset, int n) __attribute__((always_inline)) {
#pragma GCC ivdep
        for (int k = 0; k < n; ++k) p[offset + k] = convert<T>(tile.v[at + k]);
      });
}

template <class F, class Block, class First, class... T>
COR_FN auto map(const Block& block, F f, const Tile<First, Block>& first, const Tile<T, Block>&... tiles) {
  Tile<decltype(f(first.v[0], tiles.v[0]...)), Block> r;
  r.count = first.count;
  for_runs(
      block, 0, r.count, [&](int at, i64, int n) __attribute__((always_inline)) {
#pragma GCC ivdep
        for (int k = 0; k < n; ++k) r.v[at + k] = f(first.v[at + k], tiles.v[at + k]...);
      });
  return r;
}
template <class F, class T, class Block>
COR_FN void for_each(const Block&, const Tile<T, Block>& tile, F f) {
  static_assert(Block::columns == 1, "an element is one value");
  for (int e = 0; e < tile.count; ++e) f(e, tile.v[e]);
}
// f(number) of each number below `count`.
template <class Block, class F>
COR_FN void for_range(const Block&, int count, F f) {
  for (int i = 0; i < count; ++i) f(i);
}
// The combination of f(number) of each number below `count`, of a monoid that commutes.
template <class Monoid, class Block, class F>
COR_FN typename Monoid::State fold_range(Block&, int count, F f) {
  auto s = Monoid::identity();
  for (int i = 0; i < count; ++i) s = Monoid::combine(s, Monoid::of(f(i)));
  return s;
}

// --- folds and scans -------------------------------------------------------------------------------------------------------------

// Elements whose combinations do not wait for what comes before them: the chain is one combine a group.
inline constexpr int scan_group = 8;

template <class Monoid, class T, class Block>
COR_FN auto fold(Block& block, const Tile<T, Block>& tile) {
  using State = typename Monoid::State;
  if constexpr (Block::columns == 1) {
    State all = Monoid::identity();
    int e = 0;
    for (; e + scan_group <= tile.count; e += scan_group) {
      State s = Monoid::of(tile.v[e]);
      for (int i = 1; i < scan_group; ++i) s = Monoid::combine(s, Monoid::of(tile.v[e + i]));
      all = Monoid::combine(all, s);
    }
    for (; e < tile.count; ++e) all = Monoid::combine(all, Monoid::of(tile.v[e]));
    return all;
  } else {
    PerColumn<State, Block> all;
    const int width = block.width();
    for (int c = 0; c < width; ++c) all.v[c] = Monoid::identity();
    for (int e = 0; e < tile.count; ++e)
#pragma GCC ivdep
      for (int c = 0; c < width; ++c) all.v[c] = Monoid::combine(all.v[c], Monoid::of(tile.v[e * Block::columns + c]));
    return all;
  }
}

template <class Monoid, bool Inclusive, class T, class Block>
COR_FN auto scan_tile(Block& block, const Tile<T, Block>& tile, PerColumn<typename Monoid::State, Block>* total) {
  using State = typename Monoid::State;
  Tile<State, Block> r;
  r.count = tile.count;
  if constexpr (Block::columns == 1) {
    State all = Monoid::identity();
    int e = 0;
    for (; e + scan_group <= tile.count; e += scan_group) {
      State s[scan_group];
      s[0] = Monoid::of(tile.v[e]);
      for (int i = 1; i < scan_group; ++i) s[i] = Monoid::combine(s[i - 1], Monoid::of(tile.v[e + i]));
      if constexpr (!Inclusive) r.v[e] = all;
      for (int i = 0; i < scan_group - !Inclusive; ++i) r.v[e + i + !Inclusive] = Monoid::combine(all, s[i]);
      all = Monoid::combine(all, s[scan_group - 1]);
    }
    for (; e < tile.count; ++e) {
      const State next = Monoid::combine(all, Monoid::of(tile.v[e]));
      r.v[e] = Inclusive ? next : all;
      all = next;
    }
    *total = all;
  } else {
    const int width = block.width();
    for (int c = 0; c < width; ++c) total->v[c] = Monoid::identity();
    for (int at = 0; at < tile.count * Block::columns; at += Block::columns)
#pragma GCC ivdep
      for (int c = 0; c < width; ++c) {
        const State next = Monoid::combine(total->v[c], Monoid::of(tile.v[at + c]));
        r.v[at + c] = Inclusive ? next : total->v[c];
        total->v[c] = next;
      }
  }
  return r;
}

} // namespace cor

#define COR_BLOCKS(entry, Block, Args, body)                                              \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void* scratch) { \
    const Args& a = *static_cast<const Args*>(args);                                      \
    for (cor::i64 id = first; id < last; ++id) {                                          \
      Block block(a, id, scratch);                                                        \
      body(block, a);                                                                     \
    }                                                                                     \
  }
