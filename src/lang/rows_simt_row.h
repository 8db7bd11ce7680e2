#pragma once
// Folds along the last dimension, by lanes.
namespace cor {

// A block has `Threads` threads, `Lanes` of which share a row; a cluster of `Cluster` blocks shares one row. Aligned: every row of
// every tensor starts at a multiple of the access and n is a multiple of Width. Otherwise chunks begin at the aligned-down address
// of the row of the first tensor, and tensors of the same phase still get wide accesses; what no whole chunk holds, at the ends of
// a row, goes element by element, a lane each. Staged: what is kept waits in shared
// memory; each lane reads back what it brought itself, so that no barrier is needed. Lanes beyond the last row do its work once
// more and write nothing.
template <int Threads, int Lanes, int Width, bool IsStaged, bool Aligned, int Cluster>
struct RowPass {
  static constexpr int threads = Threads, width = Width, columns = 1;
  static constexpr bool across_columns = false, resident = IsStaged, ragged = !Aligned;
  static constexpr int rows_per_block = Threads / Lanes, step = Lanes * Width;
  static constexpr int warps = (Lanes + Target::warp_size - 1) / Target::warp_size; // that share a row
  using Index = typename Pick<IsStaged, int, i64>::type;                            // a staged row is short
  template <class T>
  using Chunk = Vec<T, Width>;

  const i64 outer, own_row, row;
  i64 n;
  const int lane;
  int parity = 0, used = 0; // which half of the exchange is next; bytes of shared memory
  // Elements are counted from the aligned-down address: the row is [head, end), this block's part [begin, begin + part), of which
  // [low, stop) are whole chunks.
  int head = 0;
  Index part, begin, end, low, stop;

  COR_FN explicit RowPass(const RowsHead& h)
      : outer(h.outer),
        own_row(static_cast<i64>(block_id() / Cluster) * rows_per_block + thread_id() / Lanes),
        row(own_row < h.outer ? own_row : h.outer - 1),
        n(h.n),
        lane(thread_id() % Lanes) {
    place_row();
  }
  COR_FN void place_row() {
    constexpr int head_room = Aligned ? 0 : Width - 1;
    part = (static_cast<Index>(n) + head_room + Width * Cluster - 1) / (Width * Cluster) * Width;
    begin = Cluster == 1 ? 0 : static_cast<Index>(cluster_rank()) * part;
    end = static_cast<Index>(n) + head;
    low = head > begin ? Width : begin;
    stop = Aligned ? end : end / Width * Width;
    if (Cluster > 1 && begin + part < stop) stop = begin + part;
  }
  template <class T>
  COR_FN void align_to(const T* tensor) {
    if constexpr (!Aligned) align_to_row(tensor + offset());
  }
  template <class T>
  COR_FN void align_to_row(const T* start) {
    if constexpr (!Aligned) {
      head = static_cast<int>(reinterpret_cast<u64>(start) / sizeof(T) % Width);
      place_row();
    }
  }
  // Folds that end early: only the first `left` elements are there.
  COR_FN void shorten(i64 left) {
    n = left < n ? left : n;
    place_row();
  }
  COR_FN bool active() const { return own_row < outer; }
  COR_FN i64 offset() const { return row * n; }

  COR_FN At<Index, false> first() const { return {low + lane * Width}; }
  // The elements beside the chunks: up to Width - 1 before them, and as many behind. A lane takes every Lanes-th.
  struct Single {
    int e; // of 2 * Width places, some of which are empty
    At<Index, true> at;
  };
  COR_FN Single first_single() const { return {lane - Lanes, {}}; }
  COR_FN bool next_single(Single& one) const {
    for (one.e += Lanes; one.e < 2 * Width; one.e += Lanes) {
      const bool behind = one.e >= Width;
      one.at.i = behind ? (stop > low ? stop : low) + one.e - Width : one.e;
      if (behind ? one.at.i < end && one.at.i < begin + part : one.e >= head && one.e < low && begin == 0 && one.e < end)
        return true;
    }
    return false;
  }
  template <class A>
  COR_FN i64 element(A at) const {
    return at.i - head;
  }
  template <class T>
  COR_FN static bool wide(const T* p) {
    return Aligned || reinterpret_cast<u64>(p) % (sizeof(T) * Width) == 0;
  }
  template <class T, class A>
  COR_FN Vec<T, Width> fetch(const T* p, A at) const {
    const T* here = p + (at.i - head);
    if (!A::single && wide(here)) return load_vec<T, Width>(here);
    Vec<T, Width> r = {};
#pragma unroll
    for (int k = 0; k < (A::single ? 1 : Width); ++k) r.v[k] = here[k];
    return r;
  }
  template <class T, class A>
  COR_FN void put(T* p, A at, const Vec<T, Width>& v) const {
    T* here = p + (at.i - head);
    if constexpr (Aligned) {
      store_vec<T, Width>(here, v);
    } else if (wide(here)) {
      store_wide(here, v); // compilers break a plain store up and merge its pieces with those below
    } else {
#pragma unroll
      for (int k = 0; k < Width; ++k) here[k] = v.v[k];
    }
  }

  COR_FN int place(Index i) const { return static_cast<int>(i - begin); }
  // Brings the row of `p` to shared memory.
  template <class T>
  COR_FN const T* stage(const T* p) {
    const int row_bytes = static_cast<int>(part) * static_cast<int>(sizeof(T));
    T* room = reinterpret_cast<T*>(shared_arena() + used + thread_id() / Lanes * row_bytes);
    used += rows_per_block * row_bytes;
#pragma unroll 1
    for (auto at = first(); at.i < stop; at.i += step) {
      const T* here = p + (at.i - head);
      if (sizeof(T) * Width == 16 && wide(here)) {
        async_copy16(room + place(at.i), here);
      } else {
#pragma unroll 1
        for (int k = 0; k < Width; ++k) room[place(at.i) + k] = here[k];
      }
    }
    if constexpr (ragged) {
#pragma unroll 1
      for (auto one = first_single(); next_single(one);) room[place(one.at.i)] = p[element(one.at)];
    }
    async_commit();
    if constexpr (Cluster > 1) cluster_barrier(); // whoever writes to another block must know that it has begun
    async_wait<0>();
    return room;
  }

  // What the lanes of a warp hold of a row, combined.
  template <class M>
  COR_FN void across_lanes(typename M::State (&s)[1]) const {
    s[0] = combine_lanes<M>(s[0], Lanes < Target::warp_size ? Lanes : Target::warp_size);
  }
  // What all lanes of the row hold; those of a warp hold the same.
  template <class M>
  COR_FN Folded<typename M::State, 1> across_warps(const typename M::State (&own)[1]) {
    using State = typename M::State;
    State s = own[0];
    constexpr int partials = warps * Cluster;
    if constexpr (partials > 1) {
      using Partial = State[2][Threads / Target::warp_size * Cluster];
      COR_SHARED(partial, Partial);
      State* mine = partial[parity];
      parity ^= 1;
      const int in_warp = thread_id() % Target::warp_size, warp = thread_id() / Target::warp_size;
      if constexpr (Cluster > 1) { // every warp tells every block
        if (in_warp < Cluster) in_block(mine, in_warp)[cluster_rank() * warps + warp] = s;
        cluster_barrier();
      } else {
        if (in_warp == 0) mine[warp] = s;
        barrier();
      }
      mine += warp / warps * warps;
      constexpr int most = partials < Target::warp_size ? partials : Target::warp_size;
      s = mine[in_warp % most];
#pragma unroll
      for (int i = most; i < partials; i += most) s = M::combine(s, mine[i + in_warp % most]);
      s = combine_lanes<M>(s, most);
    }
    return {{s}};
  }
  COR_FN bool leader() const { return active() && lane == 0 && (Cluster == 1 || cluster_rank() == 0); }
  COR_FN i64 fold_unit() const { return row; }
  COR_FN i64 first_column() const { return 0; }
  COR_FN i64 fold_index() const { return row; }
};

} // namespace cor
