#pragma once
// The lowering of block programs to lanes and warps. Thread t of a block with columns is in column t % Columns; the operations
// below see the t / Columns, "along", as the order of lanes.
namespace cor {

template <int Threads, int Items, int Width = Items, int Columns = 1>
struct Block {
  static constexpr int threads = Threads, items = Items, width = Width, columns = Columns;
  static constexpr int size = Threads / Columns * Items; // elements of a column
  static constexpr int warps = Threads / Target::warp_size, along = Target::warp_size / Columns;
  static_assert(Threads % Target::warp_size == 0 && Items % Width == 0, "whole warps, whole pieces");
  static_assert(Target::warp_size % Columns == 0, "a warp holds all columns of a row");

  i64 id, count; // which block of how many
  int parity = 0;

  COR_FN Block() : id(block_id()), count(block_count()) {}
  COR_FN static int lane() { return thread_id() % Target::warp_size; }
  COR_FN static int warp() { return thread_id() / Target::warp_size; }
  COR_FN static int column() { return lane() % Columns; }
  // The number of this lane's item k.
  COR_FN static int element(int k) {
    return ((warp() * (Items / Width) + k / Width) * along + lane() / Columns) * Width + k % Width;
  }
};

template <class T, class B>
struct Tile {
  T v[B::items];
};

// The value of another lane of the warp.
template <class T>
COR_FN T shuffle(T value, int lane) {
  constexpr int words = (sizeof(T) + 3) / 4;
  union U {
    u32 w[words];
    T t;
    COR_FN U() {}
  } u;
  u.t = value;
#pragma unroll
  for (int i = 0; i < words; ++i) u.w[i] = shuffle_word(u.w[i], lane);
  return u.t;
}

// Neighbours in memory that one access moves: at most 16 bytes.
template <class T, class Block>
inline constexpr int piece_of = Block::columns > 1                 ? 1
                                : Block::width * sizeof(T) <= 16   ? Block::width
                                : Block::width % (16 / sizeof(T)) ? 1
                                                                   : 16 / static_cast<int>(sizeof(T));
template <class T, int Piece>
COR_FN bool is_wide(const T* p) {
  return reinterpret_cast<u64>(p) % (sizeof(T) * Piece) == 0;
}

template <class T, class Block>
COR_FN Tile<T, Block> load(const Block&, const T* p, Span span, T pad) {
  static_assert(Block::columns == 1, "a tile of columns comes from a walk");
  constexpr int piece = piece_of<T, Block>;
  const bool wide = is_wide<T, piece>(p);
  Tile<T, Block> r;
#pragma unroll
  for (int k = 0; k < Block::items; k += piece) {
    const int e = Block::element(k);
    if (wide && e >= span.low && e + piece <= span.high) {
      const Vec<T, piece> v = load_vec<T, piece>(p + e);
#pragma unroll
      for (int i = 0; i < piece; ++i) r.v[k + i] = v.v[i];
    } else {
#pragma unroll
      for (int i = 0; i < piece; ++i) r.v[k + i] = e + i >= span.low && e + i < span.high ? p[e + i] : pad;
    }
  }
  return r;
}

template <class T, class V, class Block>
COR_FN void store(const Block&, T* p, Span span, const Tile<V, Block>& tile) {
  static_assert(Block::columns == 1, "a tile of columns goes through a walk");
  constexpr int piece = piece_of<T, Block>;
  const bool wide = is_wide<T, piece>(p);
#pragma unroll
  for (int k = 0; k < Block::items; k += piece) {
    const int e = Block::element(k);
    Vec<T, piece> v;
#pragma unroll
    for (int i = 0; i < piece; ++i) v.v[i] = convert<T>(tile.v[k + i]);
    if (wide && e >= span.low && e + piece <= span.high) {
      store_vec<T, piece>(p + e, v);
    } else {
#pragma unroll
      for (int i = 0; i < piece; ++i)
        if (e + i >= span.low && e + i < span.high) p[e + i] = v.v[i];
    }
  }
}

template <class F, class Block, class... T>
COR_FN auto map(const Block&, F f, const Tile<T, Block>&... tiles) {
  Tile<decltype(f(tiles.v[0]...)), Block> r;
#pragma unroll
  for (int k = 0; k < Block::items; ++k) r.v[k] = f(tiles.v[k]...);
  return r;
}
template <class F, class T, class Block>
COR_FN void for_each(const Block&, const Tile<T, Block>& tile, F f) {
#pragma unroll
  for (int k = 0; k < Block::items; ++k) f(Block::element(k), tile.v[k]);
}
// f(number) of each number below `count`.
template <class Block, class F>
COR_FN void for_range(const Block&, int count, F f) {
#pragma unroll 1
  for (int i = thread_id(); i < count; i += Block::threads) f(i);
}

// What the warps of a block hold, combined in order: of the warps before this one, and of all.
template <class State>
struct Halves {
  State before, all;
};
template <class Monoid, class Block>
COR_FN Halves<typename Monoid::State> across_warps(Block& block, typename Monoid::State s) {
  using State = typename Monoid::State;
  using Partial = State[2][Block::warps][Block::columns];
  COR_SHARED(partial, Partial);
  auto& mine = partial[block.parity]; // two in turn: one barrier keeps a call's readers from the next but one's writers
  block.parity ^= 1;
  if (Block::lane() >= Target::warp_size - Block::columns) mine[Block::warp()][Block::column()] = s;
  barrier();
  Halves<State> r{Monoid::identity(), Monoid::identity()};
#pragma unroll
  for (int w = 0; w < Block::warps; ++w) {
    if (w == Block::warp()) r.before = r.all;
    r.all = Monoid::combine(r.all, mine[w][Block::column()]);
  }
  return r;
}

// The inclusive scan along the warp's lanes of this column: the last lane has the fold.
template <class Monoid, class Block>
COR_FN typename Monoid::State scan_warp(typename Monoid::State s) {
  const int lane = Block::lane();
#pragma unroll
  for (int d = Block::columns; d < Target::warp_size; d *= 2) {
    const auto other = shuffle(s, lane - d & Target::warp_size - 1);
    if (lane >= d) s = Monoid::combine(other, s);
  }
  return s;
}

// A state a lane, folded over the block in the order of lanes.
template <class Monoid, class Block>
COR_FN typename Monoid::State fold_lanes(Block& block, typename Monoid::State s) {
  return across_warps<Monoid>(block, scan_warp<Monoid, Block>(s)).all;
}

template <class Monoid, class T, class Block>
COR_FN typename Monoid::State fold(Block& block, const Tile<T, Block>& tile) {
  auto all = Monoid::identity();
#pragma unroll
  for (int k = 0; k < Block::items; k += Block::width) {
    auto s = Monoid::of(tile.v[k]);
#pragma unroll
    for (int i = 1; i < Block::width; ++i) s = Monoid::combine(s, Monoid::of(tile.v[k + i]));
    s = scan_warp<Monoid, Block>(s);
    all = Monoid::combine(all, shuffle(s, Target::warp_size - Block::columns + Block::column()));
  }
  return across_warps<Monoid>(block, all).all;
}

template <class Monoid, bool Inclusive, class T, class Block>
COR_FN Tile<typename Monoid::State, Block> scan_tile(Block& block, const Tile<T, Block>& tile, typename Monoid::State* total) {
  using State = typename Monoid::State;
  constexpr int pieces = Block::items / Block::width;
  const int lane = Block::lane();
  Tile<State, Block> r;
  State before[pieces]; // what the warp holds before this lane's piece
  State warp = Monoid::identity();
#pragma unroll
  for (int p = 0; p < pieces; ++p) {
    State* s = r.v + p * Block::width;
    s[0] = Monoid::of(tile.v[p * Block::width]);
#pragma unroll
    for (int i = 1; i < Block::width; ++i) s[i] = Monoid::combine(s[i - 1], Monoid::of(tile.v[p * Block::width + i]));
    const State upto = scan_warp<Monoid, Block>(s[Block::width - 1]);
    const State previous = shuffle(upto, lane - Block::columns & Target::warp_size - 1);
    before[p] = lane < Block::columns ? warp : Monoid::combine(warp, previous);
    warp = Monoid::combine(warp, shuffle(upto, Target::warp_size - Block::columns + Block::column()));
  }
  const Halves<State> halves = across_warps<Monoid>(block, warp);
  *total = halves.all;
#pragma unroll
  for (int p = 0; p < pieces; ++p) {
    State* s = r.v + p * Block::width;
    const State first = Monoid::combine(halves.before, before[p]);
#pragma unroll
    for (int i = Block::width - 1; i >= 0; --i) {
      if constexpr (Inclusive)
        s[i] = Monoid::combine(first, s[i]);
      else
        s[i] = i > 0 ? Monoid::combine(first, s[i - 1]) : first;
    }
  }
  return r;
}

} // namespace cor

#define COR_BLOCKS(entry, Block, Args, body)  \
  COR_KERNEL(entry, Block::threads, Args) {   \
    Block block;                              \
    body(block, a);                           \
  }
