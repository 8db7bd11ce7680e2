#pragma once
// The lowering of row kernels to lanes, warps and blocks.
namespace cor {

template <class T, int Chunks, int Width>
struct Registers {
  using node_tag = NodeTag;
  using value_type = T;
  Vec<T, Width> v[Chunks];
  static_assert(sizeof(T) * Chunks * Width <= 128,
                "a kept tile is at most 128 bytes a lane: give the row more threads, or reload it");
  template <class Pass, class Index>
  COR_FN const Vec<T, Width>& chunk(const Pass&, Index at) const {
    return v[at.c];
  }
};

template <class State>
COR_FN State shuffle_xor(State value, int mask) {
  constexpr int words = (sizeof(State) + 3) / 4;
  union U {
    u32 w[words];
    State s;
    COR_FN U() {}
  } u;
  u.s = value;
#pragma unroll
  for (int i = 0; i < words; ++i) u.w[i] = shuffle_xor_word(u.w[i], mask);
  return u.s;
}

// Chunk c of a pass. Full: every lane has all of its elements, so that nothing needs a mask.
template <bool Full>
struct At {
  i64 c;
};

// Which of a chunk's elements are there: [low, high).
struct Mask {
  int low, high;
  COR_FN bool at(int k) const { return k >= low && k < high; }
};

// Threads of a block, LanesPerRow of which share a row; each holds Width neighbours a chunk, Chunks chunks in registers (0:
// reload). Aligned: every row of every tensor starts at a multiple of the access and n is a multiple of Width. Otherwise chunks
// begin at the aligned-down address of the row of the first tensor, with a head and a tail mask, and only same-phase tensors get
// wide accesses. Lanes beyond the last row do its work once more and write nothing.
template <int Threads, int LanesPerRow, int Width, int Chunks, bool Aligned>
struct RowPass {
  static constexpr int threads = Threads, width = Width, columns = 1;
  static constexpr bool across_columns = false;
  static constexpr bool resident = Chunks > 0;
  static constexpr int rows_per_block = Threads / LanesPerRow, span = LanesPerRow * Width;
  template <class T>
  using Kept = Registers<T, Chunks, Width>;

  const i64 outer;
  i64 n;
  const i64 own_row, row;
  const int lane;
  int head = 0; // elements between the aligned-down address and the row's start
  int parity = 0;

  COR_FN explicit RowPass(const RowsHead& h)
      : outer(h.outer),
        n(h.n),
        own_row(static_cast<i64>(block_id()) * rows_per_block + thread_id() / LanesPerRow),
        row(own_row < h.outer ? own_row : h.outer - 1),
        lane(thread_id() % LanesPerRow) {}

  template <class T>
  COR_FN void align_to(const T* tensor) {
    align_to_row(tensor + offset());
  }
  template <class T>
  COR_FN void align_to_row(const T* start) {
    if constexpr (!Aligned) head = static_cast<int>(reinterpret_cast<u64>(start) / sizeof(T) % Width);
  }
  // Folds that end early: only the first `left` elements are there.
  COR_FN void shorten(i64 left) { n = left < n ? left : n; }
  COR_FN bool active() const { return own_row < outer; }
  COR_FN i64 offset() const { return row * n; }
  template <bool Full>
  COR_FN i64 element(At<Full> at) const {
    return (at.c * LanesPerRow + lane) * Width - head;
  }
  template <bool Full>
  COR_FN Mask mask(At<Full> at) const {
    if constexpr (Full) return {0, Width};
    const i64 e = element(at), left = n - e;
    return {e < 0 ? static_cast<int>(-e) : 0, left < 0 ? 0 : left < Width ? static_cast<int>(left) : Width};
  }
  // All of this lane's elements of the chunk are there.
  template <bool Full>
  COR_FN bool whole(At<Full> at) const {
    if constexpr (Full) return true;
    if constexpr (Aligned) return element(at) < n;
    const Mask m = mask(at);
    return m.low == 0 && m.high == Width;
  }
  template <class F>
  COR_FN void for_chunks(F f) const {
    if constexpr (resident) { // the key's chunk count holds for every n that it serves: only chunks at the ends can be ragged
      constexpr int first = Aligned ? 0 : 1, last = Aligned ? Chunks - 1 : Chunks - 2;
      if constexpr (!Aligned) f(At<false>{0});
#pragma unroll
      for (int c = first; c < last; ++c) f(At<true>{c});
#pragma unroll
      for (int c = last > first ? last : first; c < Chunks; ++c) f(At<false>{c});
    } else {
      const i64 full = (n + head) / span, count = (n + head + span - 1) / span;
      i64 c = 0;
      if (!Aligned && count > 0) f(At<false>{c++});
#pragma unroll 4
      for (; c < full; ++c) f(At<true>{c});
      if (c < count) f(At<false>{c});
    }
  }
  template <class T>
  COR_FN static bool wide(const T* p) {
    return Aligned || reinterpret_cast<u64>(p) % (sizeof(T) * Width) == 0;
  }

  // Elements outside the row are zeros; passes mask them.
  template <class T, bool Full>
  COR_FN Vec<T, Width> fetch(const T* p, At<Full> at) const {
    const T* here = p + element(at);
    if (whole(at) && wide(here)) return load_vec<T, Width>(here);
    Vec<T, Width> r = {};
    if constexpr (!Aligned) {
      const Mask m = mask(at);
#pragma unroll
      for (int k = 0; k < Width; ++k)
        if (m.at(k)) r.v[k] = here[k];
    }
    return r;
  }
  template <class T, bool Full>
  COR_FN void put(T* p, At<Full> at, const Vec<T, Width>& v) const {
    T* here = p + element(at);
    if (!active()) return;
    if (whole(at) && wide(here)) {
      store_vec<T, Width>(here, v);
    } else if constexpr (!Aligned) {
      const Mask m = mask(at);
#pragma unroll
      for (int k = 0; k < Width; ++k)
        if (m.at(k)) here[k] = v.v[k];
    }
  }

  template <class M>
  COR_FN Folded<typename M::State, 1> across(typename M::State s) {
    using State = typename M::State;
#pragma unroll
    for (int m = 1; m < LanesPerRow && m < Target::warp_size; m *= 2) s = M::combine(s, shuffle_xor(s, m));
    if constexpr (LanesPerRow > Target::warp_size) {
      constexpr int warps = Threads / Target::warp_size, warps_per_row = LanesPerRow / Target::warp_size;
      using Partial = State[2][warps];
      COR_SHARED(partial, Partial);
      State* mine = partial[parity];
      parity ^= 1;
      if (thread_id() % Target::warp_size == 0) mine[thread_id() / Target::warp_size] = s;
      barrier();
      const int first = thread_id() / LanesPerRow * warps_per_row;
      s = mine[first];
#pragma unroll
      for (int w = 1; w < warps_per_row; ++w) s = M::combine(s, mine[first + w]);
    }
    return {{s}};
  }
  COR_FN bool leader() const { return active() && lane == 0; }
  COR_FN i64 fold_unit() const { return row; }
  COR_FN i64 first_column() const { return 0; }
  COR_FN i64 fold_index() const { return row; }
};

// LanesAcross lanes lie across inner, each with Width columns (inner and all addresses are multiples of Width); Threads /
// LanesAcross lanes share a column's fold. Lanes beyond the last column do the first one's work and write nothing.
template <int Threads, int LanesAcross, int Width>
struct ColumnPass {
  static constexpr int threads = Threads, width = Width, columns = Width;
  static constexpr bool across_columns = true;
  static constexpr bool resident = false;
  static constexpr int lanes_along = Threads / LanesAcross;
  template <class T>
  using Kept = Registers<T, 1, Width>;

  const i64 outer, inner;
  i64 n, column, o;
  const int along;
  bool has_column;

  COR_FN explicit ColumnPass(const RowsHead& h) : outer(h.outer), inner(h.inner), n(h.n), along(thread_id() / LanesAcross) {
    const u32 blocks_across = static_cast<u32>((inner + LanesAcross * Width - 1) / (LanesAcross * Width));
    o = block_id() / blocks_across;
    column = (static_cast<i64>(block_id() % blocks_across) * LanesAcross + thread_id() % LanesAcross) * Width;
    has_column = column < inner;
    if (!has_column) column = 0;
  }
  template <class T>
  COR_FN void align_to(const T*) {}
  template <class T>
  COR_FN void align_to_row(const T*) {}
  COR_FN void shorten(i64 left) { n = left < n ? left : n; }
  COR_FN bool active() const { return has_column; }
  COR_FN i64 offset() const { return o * n * inner + column; }
  template <bool Full>
  COR_FN i64 element(At<Full> at) const {
    return at.c * lanes_along + along;
  }
  template <bool Full>
  COR_FN bool whole(At<Full> at) const {
    return Full || element(at) < n;
  }
  template <bool Full>
  COR_FN Mask mask(At<Full> at) const {
    return {0, whole(at) ? Width : 0};
  }
  template <class F>
  COR_FN void for_chunks(F f) const {
    const i64 full = n / lanes_along;
#pragma unroll 4
    for (i64 c = 0; c < full; ++c) f(At<true>{c});
    if (full * lanes_along < n) f(At<false>{full});
  }
  template <class T, bool Full>
  COR_FN Vec<T, Width> fetch(const T* p, At<Full> at) const {
    return fetch_at(p + element(at) * inner, at);
  }
  template <class T, bool Full>
  COR_FN Vec<T, Width> fetch_at(const T* here, At<Full> at) const {
    return whole(at) ? load_vec<T, Width>(here) : Vec<T, Width>{};
  }
  template <class T, bool Full>
  COR_FN void put(T* p, At<Full> at, const Vec<T, Width>& v) const {
    if (active() && whole(at)) store_vec<T, Width>(p + element(at) * inner, v);
  }
  template <class M>
  COR_FN Folded<typename M::State, Width> across(const typename M::State (&s)[Width]) {
    using State = typename M::State;
    Folded<State, Width> r;
#pragma unroll
    for (int k = 0; k < Width; ++k) r.v[k] = s[k];
    if constexpr (lanes_along > 1) {
      using Partial = State[lanes_along][LanesAcross * Width];
      COR_SHARED(partial, Partial);
      const int first = thread_id() % LanesAcross * Width;
      barrier(); // the readers of the fold before are done
#pragma unroll
      for (int k = 0; k < Width; ++k) partial[along][first + k] = r.v[k];
#pragma unroll
      for (int half = lanes_along / 2; half > 0; half /= 2) {
        barrier();
        if (along < half) {
#pragma unroll
          for (int k = 0; k < Width; ++k)
            partial[along][first + k] = M::combine(partial[along][first + k], partial[along + half][first + k]);
        }
      }
      barrier();
#pragma unroll
      for (int k = 0; k < Width; ++k) r.v[k] = partial[0][first + k];
    }
    return r;
  }
  COR_FN bool leader() const { return active() && along == 0; }
  COR_FN i64 fold_unit() const { return o; }
  COR_FN i64 first_column() const { return column; }
  COR_FN i64 fold_index() const { return o * inner + column; }
};

template <class Monoid, class Pass, class Node>
COR_FN auto fold(Pass& pass, const Node& node) {
  using State = typename Monoid::State;
  State s[Pass::columns];
#pragma unroll
  for (int k = 0; k < Pass::columns; ++k) s[k] = Monoid::identity();
  pass.for_chunks([&](auto at) {
    const auto chunk = node.chunk(pass, at);
    const Mask m = pass.mask(at);
#pragma unroll
    for (int k = 0; k < Pass::width; ++k) {
      State& mine = s[Pass::across_columns ? k : 0];
      const State one = Monoid::of(chunk.at(k));
      mine = Monoid::combine(mine, m.at(k) ? one : Monoid::identity());
    }
  });
  if constexpr (Pass::across_columns)
    return pass.template across<Monoid>(s);
  else
    return pass.template across<Monoid>(s[0]);
}

// The node's values, kept where the pass keeps them.
template <class Pass, class Node>
COR_FN auto keep(Pass& pass, const Node& node) {
  if constexpr (Pass::resident) {
    typename Pass::template Kept<typename Node::value_type> kept;
    pass.for_chunks([&](auto at) {
      const auto chunk = node.chunk(pass, at);
#pragma unroll
      for (int k = 0; k < Pass::width; ++k) kept.v[at.c].v[k] = chunk.at(k);
    });
    return kept;
  } else {
    return node;
  }
}

// keep() and fold(); one walk on targets where that is cheaper.
template <class Monoid, class Pass, class Node>
COR_FN auto keep_and_fold(Pass& pass, const Node& node) {
  const auto kept = keep(pass, node);
  const auto folded = fold<Monoid>(pass, kept);
  return KeptAndFolded<decltype(keep(pass, node)), decltype(fold<Monoid>(pass, kept))>{kept, folded};
}

// Writes a contiguous [outer, n, inner] tensor.
template <class Pass, class T, class Node>
COR_FN void store(Pass& pass, T* tensor, const Node& node) {
  T* p = tensor + pass.offset();
  pass.for_chunks([&](auto at) {
    const auto chunk = node.chunk(pass, at);
    Vec<T, Pass::width> r;
#pragma unroll
    for (int k = 0; k < Pass::width; ++k) r.v[k] = convert<T>(chunk.at(k));
    pass.put(p, at, r);
  });
}

// Writes one value a fold; `first` is where this pass's first fold goes.
template <class Pass, class T, class V, int Columns>
COR_FN void put_folded(Pass& pass, T* first, const Folded<V, Columns>& folded) {
  if (!pass.leader()) return;
#pragma unroll
  for (int k = 0; k < Columns; ++k) first[k] = convert<T>(folded.v[k]);
}
// The same into a contiguous [outer, inner] tensor.
template <class Pass, class T, class V, int Columns>
COR_FN void store_folded(Pass& pass, T* tensor, const Folded<V, Columns>& folded) {
  put_folded(pass, tensor + pass.fold_index(), folded);
}

} // namespace cor

#define COR_ROWS(entry, Pass, Args, body)  \
  COR_KERNEL(entry, Pass::threads, Args) { \
    Pass pass(a.head);                     \
    body(pass, a);                         \
  }
