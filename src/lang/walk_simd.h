#pragma once
// Walks of loops. Short sequences are walked one after the other.
namespace cor {

template <int Threads, int Items, int Columns, Order Kind>
struct Walk : Block<Threads, Items, Columns> {
  using Base = Block<Threads, Items, Columns>;
  static constexpr Order order = Kind;
  static_assert(Kind != Order::segments, "a CPU walks sequence by sequence");
  template <class M>
  using Sequence = Plain<M>;

  const WalkHead& head;
  i64 first; // the tile's first element, counted over all sequences
  Span span; // what of the tile, and behind it, is there
  i64 column0, place = 0, outer;

  template <class Args>
  COR_FN Walk(const Args& a, i64 id, void* scratch) : Base(a.head, id, scratch), head(a.head) {
    const i64 groups = (head.inner + Columns - 1) / Columns;
    column0 = id % groups * Columns;
    id /= groups;
    const i64 each = Kind == Order::pieces ? head.per_block : head.n;
    if (Kind == Order::pieces) place = id % head.pieces, id /= head.pieces;
    outer = id;
    const i64 left = head.n - place * each;
    first = outer * head.n + place * each;
    span = {0, left < each ? left : each};
  }
  COR_FN int width() const {
    if constexpr (Columns == 1) return 1;
    return head.inner - column0 < Columns ? static_cast<int>(head.inner - column0) : Columns;
  }
  COR_FN i64 stride() const { return head.inner; }

  template <class T>
  COR_FN void align_to(const T*) {}
  template <class T>
  COR_FN T* at(T* tensor) const {
    return tensor + first * head.inner + column0;
  }
  template <class F>
  COR_FN void each_tile(F f) {
    for (; span.high > 0; first += Base::size, span.high -= Base::size) f();
  }
  template <class T>
  COR_FN const Tile<T, Walk>& marked(const Tile<T, Walk>& tile) const {
    return tile;
  }
};

// A state a column: from a scalar where there is one column.
template <class State>
COR_FN State& in_column(State& s, int) {
  return s;
}
template <class State, int Columns>
COR_FN State& in_column(Row<State, Columns>& s, int c) {
  return s.v[c];
}
template <class State, int Columns>
COR_FN const State& in_column(const Row<State, Columns>& s, int c) {
  return s.v[c];
}

template <class M, class Walk>
struct Before {
  using State = typename M::State;
  using Each = PerColumn<State, Walk>;
  Walk& walk;
  Each carry;
  COR_FN Before(Walk& w, bool follows) : walk(w) {
    for (int c = 0; c < walk.width(); ++c) in_column(carry, c) = follows ? slot(walk.place - 1)[c] : M::identity();
  }
  COR_FN explicit Before(Walk& w) : Before(w, Walk::order == Order::pieces && w.place > 0) {}
  COR_FN Each operator()(const Each& total) {
    const Each before = carry;
    for (int c = 0; c < walk.width(); ++c) in_column(carry, c) = M::combine(in_column(before, c), in_column(total, c));
    return before;
  }
  // The states of these columns of piece `place` in the workspace.
  COR_FN State* slot(i64 place) const {
    return static_cast<State*>(walk.head.workspace) + (walk.outer * walk.head.pieces + place) * walk.head.inner + walk.column0;
  }
};
// What this block's piece holds, for Before in the piece after it (once a scan has gone over the pieces).
template <class M, class Walk>
struct Total : Before<M, Walk> {
  COR_FN explicit Total(Walk& w) : Before<M, Walk>(w, false) {}
  COR_FN void put() {
    for (int c = 0; c < this->walk.width(); ++c) this->slot(this->walk.place)[c] = in_column(this->carry, c);
  }
};

template <class M, class Walk, class Each, class State>
COR_FN auto prepend(const Walk& walk, const Each& before, const Tile<State, Walk>& tile) {
  Tile<State, Walk> r;
  r.count = tile.count;
  for_runs(
      walk, 0, r.count, [&](int at, i64, int n) __attribute__((always_inline)) {
#pragma GCC ivdep
        for (int k = 0; k < n; ++k)
          r.v[at + k] = M::combine(Walk::columns == 1 ? in_column(before, 0) : in_column(before, k), tile.v[at + k]);
      });
  return r;
}

} // namespace cor
