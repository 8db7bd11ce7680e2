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

// A tile in memory, and its scan: elements are read when the scan is stored, in one loop.
template <class T, class Walk>
COR_FN const T* stage(Walk&, const T* p, Span, T) {
  return p;
}
template <class M, class T, class Walk>
struct Scanned {
  const T* x;
  Before<M, Walk>& before;
};
template <class Out, class M, class T, class Walk>
COR_FN Scanned<M, T, Walk> scan(Walk&, const T* x, Before<M, Walk>& before) {
  return {x, before};
}

// Elements that do not wait for each other: the chain is one combine a group.
inline constexpr int run_group = 4;

// out[k * stride] = the scan of x[k * stride], from `all` on. `out` may be `x`.
template <class M, class T, class Out>
COR_FN void scan_run(const T* x, Out* out, i64 stride, int count, typename M::State& all) {
  using State = typename M::State;
  State carry = all;
  int e = 0;
  for (; e + run_group <= count; e += run_group) {
    State s[run_group];
    s[0] = M::of(x[e * stride]);
    for (int i = 1; i < run_group; ++i) s[i] = M::combine(s[i - 1], M::of(x[(e + i) * stride]));
    for (int i = 0; i < run_group; ++i) out[(e + i) * stride] = convert<Out>(M::value(M::combine(carry, s[i])));
    carry = M::combine(carry, s[run_group - 1]);
  }
  for (; e < count; ++e) {
    carry = M::combine(carry, M::of(x[e * stride]));
    out[e * stride] = convert<Out>(M::value(carry));
  }
  all = carry;
}

template <class M, class T, class Out, class Walk>
COR_FN void store(Walk& walk, Out* p, Span span, Scanned<M, T, Walk> scanned) {
  using State = typename M::State;
  const int count = span.high < Walk::size ? static_cast<int>(span.high) : Walk::size;
  auto& carry = scanned.before.carry;
  if constexpr (Walk::columns == 1 && sizeof(Out) == 2) { // 16-bit results are converted in a loop of their own, which vectorises
    State wide[Walk::size];
    scan_run<M>(scanned.x, wide, 1, count, carry);
    put_run<Walk::size>(
        p, count, [&](int k) __attribute__((always_inline)) { return wide[k]; });
  } else if constexpr (Walk::columns == 1) {
    scan_run<M>(scanned.x, p, 1, count, carry);
  } else if constexpr (Walk::columns <= 8) { // too few to lie in a vector
    for (int c = 0; c < walk.width(); ++c) scan_run<M>(scanned.x + c, p + c, walk.stride(), count, carry.v[c]);
  } else {
    const int width = walk.width();
    for (int e = 0; e < count; ++e) {
      const T* x = scanned.x + e * walk.stride();
      Out* out = p + e * walk.stride();
#pragma GCC ivdep
      for (int c = 0; c < width; ++c) carry.v[c] = M::combine(carry.v[c], M::of(x[c]));
      put_run<Walk::columns>(
          out, width, [&](int c) __attribute__((always_inline)) { return M::value(carry.v[c]); });
    }
  }
}

} // namespace cor
