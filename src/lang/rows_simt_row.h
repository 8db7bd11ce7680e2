#pragma once
// Folds along the last dimension, by lanes.
namespace cor {

// A block has `Threads` threads, `Lanes` of which share a row; a cluster of `Cluster` blocks shares one row. Aligned: every row of
// every tensor starts at a multiple of the access and n is a multiple of Width. Otherwise chunks begin at the aligned-down address
// of the row of the first tensor, and tensors of the same phase still get wide accesses. Staged: what is kept waits in shared
// memory; each lane reads back what it brought itself, so that no barrier is needed. Lanes beyond the last row do its work once
// more and write nothing.
template <int Threads, int Lanes, int Width, bool IsStaged, bool Aligned, int Cluster>
struct RowPass {
  static constexpr int threads = Threads, width = Width, columns = 1;
  static constexpr bool across_columns = false, resident = IsStaged, ragged = !Aligned;
  static constexpr int rows_per_block = Threads / Lanes, step = Lanes * Width, reach = Width;
  static constexpr int warps = (Lanes + Target::warp_size - 1) / Target::warp_size; // that share a row
  using Index = typename Pick<IsStaged, int, i64>::type;                            // a staged row is short
  template <class T>
  using Chunk = Vec<T, Width>;

  const i64 outer, own_row, row;
  i64 n;
  const int lane;
  int parity = 0, used = 0; // which half of the exchange is next; bytes of shared memory
  // Elements are counted from the aligned-down address: the row is [head, end), this block's part [begin, stop).
  int head = 0;
  Index part, begin, end, stop;

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
    stop = Cluster == 1 || end < begin + part ? end : begin + part;
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

  COR_FN At<Index, Aligned> first() const { return {begin + lane * Width}; }
  // Reload: whole chunks from here on, then those at the two ends.
  COR_FN At<Index, true> first_whole() const { return {lane * Width < head ? lane * Width + step : lane * Width}; }
  COR_FN bool at_end(int e, Index next) const { return e ? next < stop : lane * Width < head; }
  COR_FN At<Index, false> end_chunk(int e, Index next) const { return {e ? next : lane * Width}; }

  template <class A>
  COR_FN bool whole(A at) const {
    return A::whole || (at.i >= head && at.i + Width <= end);
  }
  template <class A>
  COR_FN bool has(A at, int k) const {
    return at.i + k >= head && at.i + k < end;
  }
  template <class A>
  COR_FN i64 element(A at) const {
    return at.i - head;
  }
  template <class T>
  COR_FN static bool wide(const T* p) {
    return Aligned || reinterpret_cast<u64>(p) % (sizeof(T) * Width) == 0;
  }
  // Elements outside the row are anything; folds and stores leave them out.
  template <class T, class A>
  COR_FN Vec<T, Width> fetch(const T* p, A at) const {
    const T* here = p + (at.i - head);
    if (whole(at) && wide(here)) return load_vec<T, Width>(here);
    Vec<T, Width> r = {};
    if constexpr (!Aligned) {
#pragma unroll
      for (int k = 0; k < Width; ++k)
        if (has(at, k)) r.v[k] = here[k];
    }
    return r;
  }
  template <class T, class A>
  COR_FN void put(T* p, A at, const Vec<T, Width>& v) const {
    T* here = p + (at.i - head);
    if constexpr (Aligned) {
      store_vec<T, Width>(here, v);
    } else if (whole(at) && wide(here)) {
      store_wide(here, v); // compilers break a plain store up and merge its pieces with those below
    } else {
#pragma unroll
      for (int k = 0; k < Width; ++k)
        if (has(at, k)) here[k] = v.v[k];
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
        const int left = static_cast<int>((end - at.i) * static_cast<int>(sizeof(T)));
        async_copy16(room + place(at.i), here, Aligned || left > 16 ? 16 : left);
      } else {
#pragma unroll 1
        for (int k = 0; k < Width; ++k)
          if (has(at, k)) room[place(at.i) + k] = here[k];
      }
    }
    async_commit();
    if constexpr (Cluster > 1) cluster_barrier(); // whoever writes to another block must know that it has begun
    async_wait<0>();
    return room;
  }

  template <class M>
  COR_FN Folded<typename M::State, 1> across(const typename M::State (&own)[1]) {
    using State = typename M::State;
    State s = combine_lanes<M>(own[0], Lanes < Target::warp_size ? Lanes : Target::warp_size);
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
