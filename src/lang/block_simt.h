#pragma once
// The lowering of block programs to lanes and warps. Lane t of a block is in column t % Columns; the operations see t / Columns,
// "along", as the order of lanes. Tiles come from and go to memory through shared memory: there in wide, coalesced pieces, here in
// a lane's own order.
namespace cor {

template <int Threads, int Items, int Columns = 1>
struct Block {
  static constexpr int threads = Threads, items = Items, columns = Columns;
  static constexpr int size = Threads / Columns * Items; // elements, of a column
  static constexpr int warps = Threads / Target::warp_size;
  static_assert(Threads % Target::warp_size == 0, "a block is whole warps");
  static_assert(Target::warp_size % Columns == 0, "a warp holds all columns of an element");

  i64 id, count; // which block of how many
  int parity = 0;

  template <class Args>
  COR_FN explicit Block(const Args&) : id(block_id()), count(block_count()) {}
  COR_FN static int lane() { return thread_id() % Target::warp_size; }
  COR_FN static int warp() { return thread_id() / Target::warp_size; }
  COR_FN static int column() { return lane() % Columns; }
  COR_FN static int along() { return thread_id() / Columns; }
  // The number of this lane's item k.
  COR_FN static int element(int k) { return along() * Items + k; }
  // How element e of a tile lies in memory: flat number f = e * step() + column, at offset(f).
  COR_FN static int step() { return 1; }
  COR_FN static i64 offset(int f) { return f; }
  COR_FN static bool is_wide(int) { return true; } // neighbours in f are neighbours in memory, in pieces of 16 bytes
  COR_FN static bool has(int) { return true; }     // f is there
  COR_FN static bool has_column() { return true; } // this lane's column is
};

template <class T, class B>
struct Tile {
  T v[B::items];
};
// One value a column.
template <class T, class B>
using PerColumn = T;

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

// --- tiles and memory ------------------------------------------------------------------------------------------------------------

// Where a tile waits between memory's order and the lanes'. 16 bytes are left free after each 128, and again after each 1024, so
// that lanes which read their own neighbours meet different banks. All tiles of a block with elements of this size share the place.
template <int Bytes, class Block>
struct Stage {
  static constexpr int piece = 16 / Bytes; // elements of a wide access
  static constexpr int lines = (Block::size * Block::columns * Bytes + 127) / 128;
  using Room = Vec<Opaque<16>, lines * 9 + lines / 8>;
  COR_FN static char* room() {
    COR_SHARED(shared, Room);
    return reinterpret_cast<char*>(&shared);
  }
  COR_FN static char* at(char* room, int f) {
    const unsigned line = static_cast<unsigned>(f) / (8 * piece);
    return room + (f + (line + line / 8) * piece) * Bytes;
  }
};

template <class T>
COR_FN bool is_wide(const T* p) {
  return reinterpret_cast<u64>(p) % 16 == 0;
}

// Calls wide(f) for the pieces of flat numbers that lie in [low, high), and narrow(f, whether it is there) for each element of the
// others below `end`: at the ends, and everywhere where memory has another phase. Rolled: loops over registers are what compiles
// slowly.
template <class Block, int Piece, class Wide, class Narrow>
COR_FN void for_pieces(bool aligned, int low, int high, int end, Wide wide, Narrow narrow) {
#pragma unroll 1
  for (int f = thread_id() * Piece; f < end; f += Block::threads * Piece) {
    if (aligned && f >= low && f + Piece <= high) {
      wide(f);
    } else {
#pragma unroll 1
      for (int i = f; i < f + Piece; ++i) narrow(i, i >= low && i < high);
    }
  }
}

template <class Block>
COR_FN int clamp_to_tile(i64 e) {
  return e < 0 ? 0 : e < Block::size ? static_cast<int>(e) : Block::size;
}

// Elements a lane reads from its stage at once.
template <class T, class Block>
inline constexpr int lane_piece = Block::columns > 1                   ? 1
                                  : Block::items * sizeof(T) % 16 == 0 ? 16 / static_cast<int>(sizeof(T))
                                  : Block::items * sizeof(T) < 16      ? Block::items
                                                                       : 1;

// A tile that waits in shared memory, for those who walk over a lane's own elements there.
template <class T, class B>
struct Staged {
  using Place = Stage<sizeof(T), B>;
  char* room;
  // `Count` neighbours from this lane's item k on; k and Count are multiples of a piece.
  template <int Count>
  COR_FN Vec<T, Count> read(const B& block, int k) const {
    constexpr int piece = lane_piece<T, B> < Count ? lane_piece<T, B> : Count;
    Vec<T, Count> r = {};
    if (!block.has_column()) return r;
#pragma unroll
    for (int j = 0; j < Count; j += piece) {
      const auto v =
          load_vec<T, piece>(reinterpret_cast<const T*>(Place::at(room, B::element(k + j) * block.step() + B::column())));
#pragma unroll
      for (int i = 0; i < piece; ++i) r.v[j + i] = v.v[i];
    }
    return r;
  }
  template <int Count>
  COR_FN void write(const B& block, int k, const Vec<T, Count>& values) const {
    constexpr int piece = lane_piece<T, B> < Count ? lane_piece<T, B> : Count;
    if (!block.has_column()) return;
#pragma unroll
    for (int j = 0; j < Count; j += piece) {
      Vec<T, piece> v;
#pragma unroll
      for (int i = 0; i < piece; ++i) v.v[i] = values.v[j + i];
      store_vec<T, piece>(reinterpret_cast<T*>(Place::at(room, B::element(k + j) * block.step() + B::column())), v);
    }
  }
};

template <class T, class Block>
COR_FN Staged<T, Block> stage(Block& block, const T* p, Span span, T pad) {
  using Place = Stage<sizeof(T), Block>;
  const int low = clamp_to_tile<Block>(span.low), high = clamp_to_tile<Block>(span.high);
  char* const room = Place::room();
  barrier(); // the readers of the tile before are done
  for_pieces<Block, Place::piece>(
      is_wide(p) && block.is_wide(sizeof(T)), low * block.step(), high * block.step(), Block::size * block.step(),
      [&](int f) { async_copy16(Place::at(room, f), p + block.offset(f)); },
      [&](int f, bool there) { *reinterpret_cast<T*>(Place::at(room, f)) = there && block.has(f) ? p[block.offset(f)] : pad; });
  async_commit();
  async_wait<0>();
  barrier();
  return {room};
}
template <class T, class Block>
COR_FN void store(Block& block, T* p, Span span, Staged<T, Block> tile) {
  using Place = Stage<sizeof(T), Block>;
  barrier(); // the lanes have written it
  const int low = clamp_to_tile<Block>(span.low), high = clamp_to_tile<Block>(span.high);
  for_pieces<Block, Place::piece>(
      is_wide(p) && block.is_wide(sizeof(T)), low * block.step(), high * block.step(), high * block.step(),
      [&](int f) {
        *reinterpret_cast<Opaque<16>*>(p + block.offset(f)) = *reinterpret_cast<const Opaque<16>*>(Place::at(tile.room, f));
      },
      [&](int f, bool there) {
        if (there && block.has(f)) p[block.offset(f)] = *reinterpret_cast<const T*>(Place::at(tile.room, f));
      });
}

template <class T, class Block>
COR_FN Tile<T, Block> load(Block& block, const T* p, Span span, T pad) {
  const auto all = stage(block, p, span, pad).template read<Block::items>(block, 0);
  Tile<T, Block> r;
#pragma unroll
  for (int k = 0; k < Block::items; ++k) r.v[k] = all.v[k];
  return r;
}
template <class T, class V, class Block>
COR_FN void store(Block& block, T* p, Span span, const Tile<V, Block>& tile) {
  const Staged<T, Block> staged{Stage<sizeof(T), Block>::room()};
  Vec<T, Block::items> all;
#pragma unroll
  for (int k = 0; k < Block::items; ++k) all.v[k] = convert<T>(tile.v[k]);
  barrier(); // the readers of the tile before are done
  staged.write(block, 0, all);
  store(block, p, span, staged);
}

template <class F, class Block, class First, class... T>
COR_FN auto map(const Block&, F f, const Tile<First, Block>& first, const Tile<T, Block>&... tiles) {
  Tile<decltype(f(first.v[0], tiles.v[0]...)), Block> r;
#pragma unroll
  for (int k = 0; k < Block::items; ++k) r.v[k] = f(first.v[k], tiles.v[k]...);
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

// --- folds and scans -------------------------------------------------------------------------------------------------------------

// The inclusive scan along the warp's lanes of this column: the last lane has the fold.
template <class Monoid, class Block>
COR_FN typename Monoid::State scan_warp(typename Monoid::State s) {
  const int lane = Block::lane();
#pragma unroll
  for (int d = Block::columns; d < Target::warp_size; d *= 2) {
    const auto other = shuffle(s, (lane - d) & (Target::warp_size - 1));
    if (lane >= d) s = Monoid::combine(other, s);
  }
  return s;
}

// What the warps hold (the states of the last lanes), combined in order: of the warps before this one, and of all.
template <class State>
struct Halves {
  State before, all;
};
template <class Monoid, class Block>
COR_FN Halves<typename Monoid::State> across_warps(Block& block, typename Monoid::State s) {
  using State = typename Monoid::State;
  using Partial = State[2][Block::warps][Block::columns];
  COR_SHARED(partial, Partial);
  auto& now = partial[block.parity]; // two in turn: one barrier keeps a call's readers from the next but one's writers
  block.parity ^= 1;
  if (Block::lane() >= Target::warp_size - Block::columns) now[Block::warp()][Block::column()] = s;
  barrier();
  Halves<State> r{Monoid::identity(), Monoid::identity()};
#pragma unroll 1
  for (int w = 0; w < Block::warps; ++w) {
    if (w == Block::warp()) r.before = r.all;
    r.all = Monoid::combine(r.all, now[w][Block::column()]);
  }
  return r;
}

// A state a lane, folded over the block in the order of lanes.
template <class Monoid, class Block>
COR_FN typename Monoid::State fold_lanes(Block& block, typename Monoid::State s) {
  return across_warps<Monoid>(block, scan_warp<Monoid, Block>(s)).all;
}

// The combination of f(number) of each number below `count`, of a monoid that commutes.
template <class Monoid, class Block, class F>
COR_FN typename Monoid::State fold_range(Block& block, int count, F f) {
  auto s = Monoid::identity();
  for_range(block, count, [&](int i) { s = Monoid::combine(s, Monoid::of(f(i))); });
  return fold_lanes<Monoid>(block, s);
}

template <class Monoid, class T, class Block>
COR_FN typename Monoid::State fold(Block& block, const Tile<T, Block>& tile) {
  auto s = Monoid::of(tile.v[0]);
#pragma unroll
  for (int k = 1; k < Block::items; ++k) s = Monoid::combine(s, Monoid::of(tile.v[k]));
  return fold_lanes<Monoid>(block, s);
}

template <class Monoid, bool Inclusive, class T, class Block>
COR_FN Tile<typename Monoid::State, Block> scan_tile(Block& block, const Tile<T, Block>& tile, typename Monoid::State* total) {
  using State = typename Monoid::State;
  const int lane = Block::lane();
  Tile<State, Block> r;
  r.v[0] = Monoid::of(tile.v[0]);
#pragma unroll
  for (int k = 1; k < Block::items; ++k) r.v[k] = Monoid::combine(r.v[k - 1], Monoid::of(tile.v[k]));
  const State upto = scan_warp<Monoid, Block>(r.v[Block::items - 1]);
  const State previous = shuffle(upto, (lane - Block::columns) & (Target::warp_size - 1));
  const Halves<State> warps = across_warps<Monoid>(block, upto);
  *total = warps.all;
  const State first = lane < Block::columns ? warps.before : Monoid::combine(warps.before, previous);
#pragma unroll
  for (int k = Block::items - 1; k >= 0; --k) {
    if constexpr (Inclusive)
      r.v[k] = Monoid::combine(first, r.v[k]);
    else
      r.v[k] = k > 0 ? Monoid::combine(first, r.v[k > 0 ? k - 1 : 0]) : first;
  }
  return r;
}

} // namespace cor

#define COR_BLOCKS(entry, Block, Args, body) \
  COR_KERNEL(entry, Block::threads, Args) {  \
    Block block(a);                          \
    body(block, a);                          \
  }
