#pragma once
// Walks of lanes, warps and blocks.
namespace cor {

// So many columns and more lie apart in memory (a row of a tile is a part of a row of the tensor); fewer are the whole row.
inline constexpr int wide_columns = 32;

struct Marker {
  u32 n, e;
  template <class T>
  COR_FN Marked<T> operator()(T value) {
    const bool begins = e == 0;
    e = e + 1 == n ? 0 : e + 1;
    return {value, begins};
  }
};
struct NoMarker {
  template <class T>
  COR_FN T operator()(T value) const {
    return value;
  }
};

template <int Threads, int Items, int Columns, Order Kind>
struct Walk : Block<Threads, Items, Columns> {
  using Base = Block<Threads, Items, Columns>;
  static constexpr Order order = Kind;
  static constexpr bool apart = Columns == wide_columns;
  template <class M>
  using Sequence = typename Choose<Kind == Order::segments, Segmented<M>, Plain<M>>::type;

  const WalkHead& head;
  i64 first; // the tile's first element, counted over all sequences
  Span span; // what of the tile is there
  i64 column0 = 0;
  i64 place = 0, sequence; // Order::pieces: which piece of which sequence
  int columns_here = Columns;

  template <class Args>
  COR_FN explicit Walk(const Args& a) : Base(a), head(a.head) {
    u32 number = block_id();
    if constexpr (Kind == Order::pieces && !Target::blocks_start_in_order)
      number = static_cast<u32>(ticket(*this, static_cast<u32*>(head.workspace)));
    const u32 groups = apart ? static_cast<u32>((head.inner + Columns - 1) / Columns) : 1;
    const u32 sequences = static_cast<u32>(head.outer) * groups;
    if constexpr (Kind == Order::pieces) { // the first pieces of all sequences start first: a piece finds those before it done
      place = number / sequences;
      number %= sequences;
    }
    sequence = number;
    if constexpr (Columns > 1) {
      column0 = apart ? static_cast<i64>(number % groups) * Columns : 0;
      columns_here = head.inner - column0 < Columns ? static_cast<int>(head.inner - column0) : Columns;
      number /= groups;
    }
    if constexpr (Kind == Order::segments) {
      const i64 before = number * head.per_block, left = head.outer - before;
      first = before * head.n;
      span = {0, (left < head.per_block ? left : head.per_block) * head.n};
    } else {
      first = number * head.n + place * Base::size;
      span = {0, head.n - place * Base::size};
    }
  }

  COR_FN int step() const { return Columns == 1 ? 1 : apart ? Columns : static_cast<int>(head.inner); }
  COR_FN i64 offset(int f) const { return apart ? f / Columns * head.inner + f % Columns : f; }
  COR_FN bool has(int f) const { return !apart || f % Columns < columns_here; }
  COR_FN bool has_column() const { return Columns == 1 || Base::column() < columns_here; }
  COR_FN bool is_wide(int bytes) const { return !apart || (columns_here == Columns && head.inner * bytes % 16 == 0); }

  // A tile begins at the aligned-down address of what it holds first, where single elements stand in a row.
  template <class T>
  COR_FN void align_to(const T* tensor) {
    if constexpr (Columns == 1) {
      const i64 start = first - place * Base::size;
      const int low = static_cast<int>(reinterpret_cast<u64>(tensor + start) / sizeof(T) % (16 / sizeof(T)));
      first -= low;
      span.high += low;
      if (place == 0) span.low = low;
    }
  }
  template <class T>
  COR_FN T* at(T* tensor) const {
    return tensor + first * head.inner + column0;
  }
  template <class F>
  COR_FN void each_tile(F f) {
    if constexpr (Kind == Order::whole) {
#pragma unroll 1
      for (; span.high > 0; first += Base::size, span = {0, span.high - Base::size}) f();
    } else {
      f();
    }
  }
  // Called with a lane's elements from its first on, tells where sequences begin.
  COR_FN auto marker() const {
    if constexpr (Kind == Order::segments) {
      const u32 n = static_cast<u32>(head.n);
      return Marker{n, static_cast<u32>(Base::element(0) + 16 * n - span.low) % n}; // low is below 16
    } else {
      return NoMarker();
    }
  }
};

template <class M, class Walk>
struct Before {
  using State = typename M::State;
  Walk& walk;
  State carry = M::identity();
  COR_FN explicit Before(Walk& w) : walk(w) {}
  COR_FN State operator()(State total) {
    if constexpr (Walk::order == Order::pieces) {
      const LookBack order = LookBack::of<State, Walk>(walk.head.workspace, walk.head.pieces, walk.sequence);
      return look_back<M>(walk, order, walk.place, total);
    } else {
      const State before = carry;
      if constexpr (Walk::order == Order::whole) carry = M::combine(carry, total);
      return before;
    }
  }
};

// From tile to tile in shared memory: a lane folds its elements, waits for what stands before them, and walks over them again. So
// little is in registers while it waits, and many blocks fit. Rolled, for the compiler's sake.
template <class Out, class M, class T, class Walk>
COR_FN Staged<Out, Walk> scan(Walk& walk, Staged<T, Walk> x, Before<M, Walk>& before) {
  using State = typename M::State;
  constexpr int piece = lane_piece<T, Walk> < lane_piece<Out, Walk> ? lane_piece<T, Walk> : lane_piece<Out, Walk>;
  constexpr int group = piece < 4 && Walk::items % 4 == 0 ? 4 : piece;
  State own = M::identity();
  auto mark = walk.marker();
#pragma unroll 1
  for (int k = 0; k < Walk::items; k += group) {
    const auto v = x.template read<group>(walk, k);
#pragma unroll
    for (int i = 0; i < group; ++i) own = M::combine(own, M::of(mark(v.v[i])));
  }
  const int lane = Walk::lane();
  own = scan_warp<M, Walk>(own);
  const State previous = shuffle(own, (lane - Walk::columns) & (Target::warp_size - 1));
  const Halves<State> warps = across_warps<M>(walk, own);
  State all = M::combine(before(warps.all), warps.before);
  if (lane >= Walk::columns) all = M::combine(all, previous);
  const Staged<Out, Walk> sums{Stage<sizeof(Out), Walk>::room()};
  mark = walk.marker();
#pragma unroll 1
  for (int k = 0; k < Walk::items; k += group) {
    const auto v = x.template read<group>(walk, k);
    Vec<Out, group> r;
#pragma unroll
    for (int i = 0; i < group; ++i) {
      all = M::combine(all, M::of(mark(v.v[i])));
      r.v[i] = convert<Out>(M::value(all));
    }
    sums.write(walk, k, r);
  }
  return sums;
}

} // namespace cor
