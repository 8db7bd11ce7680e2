#pragma once
// The lowering of block programs to loops: a block is an iteration, its tile an array of which `count` elements are there.
namespace cor {

template <int Threads, int Items, int Width = Items, int Columns = 1>
struct Block {
  static constexpr int columns = Columns, size = Threads * Items;
  const i64 id, count; // which block of how many
  char* scratch;       // the launch's shared_bytes

  COR_FN Block(i64 which, i64 how_many, void* arena) : id(which), count(how_many), scratch(static_cast<char*>(arena)) {}
};

template <class T, class B>
struct Tile {
  int count;
  T v[B::size];
};

template <class T, class Block>
COR_FN Tile<T, Block> load(const Block&, const T* p, Span span, T pad) {
  Tile<T, Block> r;
  r.count = span.high < Block::size ? static_cast<int>(span.high) : Block::size;
  const int low = static_cast<int>(span.low);
  for (int e = 0; e < low; ++e) r.v[e] = pad;
  for (int e = low; e < r.count; ++e) r.v[e] = p[e];
  return r;
}

template <class T, class V, class Block>
COR_FN void store(const Block&, T* p, Span span, const Tile<V, Block>& tile) {
  const int low = static_cast<int>(span.low);
  const int high = span.high < tile.count ? static_cast<int>(span.high) : tile.count;
#pragma GCC ivdep
  for (int e = low; e < high; ++e) p[e] = convert<T>(tile.v[e]);
}

template <class F, class First, class... T, class Block>
COR_FN auto map(const Block&, F f, const Tile<First, Block>& first, const Tile<T, Block>&... tiles) {
  Tile<decltype(f(first.v[0], tiles.v[0]...)), Block> r;
  r.count = first.count;
#pragma GCC ivdep
  for (int e = 0; e < r.count; ++e) r.v[e] = f(first.v[e], tiles.v[e]...);
  return r;
}
template <class F, class T, class Block>
COR_FN void for_each(const Block&, const Tile<T, Block>& tile, F f) {
  for (int e = 0; e < tile.count; ++e) f(e, tile.v[e]);
}
// f(number) of each number below `count`.
template <class Block, class F>
COR_FN void for_range(const Block&, int count, F f) {
  for (int i = 0; i < count; ++i) f(i);
}

// Elements whose combinations do not wait for what comes before them: the chain is one combine a group.
inline constexpr int scan_group = 8;

template <class Monoid, class T, class Block>
COR_FN typename Monoid::State fold(Block&, const Tile<T, Block>& tile) {
  auto all = Monoid::identity();
  int e = 0;
  for (; e + scan_group <= tile.count; e += scan_group) {
    auto s = Monoid::of(tile.v[e]);
    for (int i = 1; i < scan_group; ++i) s = Monoid::combine(s, Monoid::of(tile.v[e + i]));
    all = Monoid::combine(all, s);
  }
  for (; e < tile.count; ++e) all = Monoid::combine(all, Monoid::of(tile.v[e]));
  return all;
}

template <class Monoid, bool Inclusive, class T, class Block>
COR_FN Tile<typename Monoid::State, Block> scan_tile(Block&, const Tile<T, Block>& tile, typename Monoid::State* total) {
  using State = typename Monoid::State;
  Tile<State, Block> r;
  r.count = tile.count;
  State all = Monoid::identity();
  int e = 0;
  for (; e + scan_group <= tile.count; e += scan_group) {
    State s[scan_group];
    s[0] = Monoid::of(tile.v[e]);
    for (int i = 1; i < scan_group; ++i) s[i] = Monoid::combine(s[i - 1], Monoid::of(tile.v[e + i]));
    if constexpr (Inclusive) {
      for (int i = 0; i < scan_group; ++i) r.v[e + i] = Monoid::combine(all, s[i]);
    } else {
      r.v[e] = all;
      for (int i = 1; i < scan_group; ++i) r.v[e + i] = Monoid::combine(all, s[i - 1]);
    }
    all = Monoid::combine(all, s[scan_group - 1]);
  }
  for (; e < tile.count; ++e) {
    const State next = Monoid::combine(all, Monoid::of(tile.v[e]));
    r.v[e] = Inclusive ? next : all;
    all = next;
  }
  *total = all;
  return r;
}

} // namespace cor

#define COR_BLOCKS(entry, Block, Args, body)                                                           \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void* scratch) {              \
    const Args& a = *static_cast<const Args*>(args);                                                   \
    for (cor::i64 id = first; id < last; ++id) {                                                       \
      Block block(id, a.blocks, scratch);                                                              \
      body(block, a);                                                                                  \
    }                                                                                                  \
  }
