#pragma once
// Folds along a dimension that has others inside it, by lanes.
namespace cor {

// `Lanes` lanes lie across inner, each with Width columns (inner and all addresses are multiples of Width); Threads / Lanes lanes
// share a column's fold, and so do the blocks of a cluster. Staged: what is kept waits in shared memory, each lane's part apart.
// Lanes beyond the last column do the first one's work and write nothing.
template <int Threads, int Lanes, int Width, bool IsStaged, int Cluster>
struct ColumnPass {
  static constexpr int threads = Threads, width = Width, columns = Width;
  static constexpr bool across_columns = true, resident = IsStaged, ragged = false;
  static constexpr int lanes_along = Threads / Lanes, block_columns = Lanes * Width, step = lanes_along;
  using Index = typename Pick<IsStaged, int, i64>::type;

  template <class T>
  using Chunk = Vec<T, Width>;

  const i64 inner;
  i64 n, column, o;
  const int along;
  bool has_column;
  int parity = 0, used = 0; // which half of the exchange is next; bytes of shared memory
  Index part, begin, stop;  // this block's steps of the fold

  COR_FN explicit ColumnPass(const RowsHead& h) : inner(h.inner), n(h.n), along(thread_id() / Lanes) {
    const u32 blocks_across = static_cast<u32>((inner + block_columns - 1) / block_columns), block = block_id() / Cluster;
    o = block / blocks_across;
    column = (static_cast<i64>(block % blocks_across) * Lanes + thread_id() % Lanes) * Width;
    has_column = column < inner;
    if (!has_column) column = 0;
    place_part();
  }
  COR_FN void place_part() {
    part = static_cast<Index>((n + Cluster - 1) / Cluster);
    begin = Cluster == 1 ? 0 : static_cast<Index>(cluster_rank()) * part;
    stop = Cluster == 1 || n < begin + part ? static_cast<Index>(n) : begin + part;
  }
  template <class T>
  COR_FN void align_to(const T*) {}
  template <class T>
  COR_FN void align_to_row(const T*) {}
  COR_FN void shorten(i64 left) {
    n = left < n ? left : n;
    place_part();
  }
  COR_FN bool active() const { return has_column; }
  COR_FN i64 offset() const { return o * n * inner + column; }

  COR_FN At<Index, false> first() const { return {begin + along}; }
  template <class A>
  COR_FN i64 element(A at) const {
    return at.i;
  }
  template <class T, class A>
  COR_FN Vec<T, Width> fetch(const T* p, A at) const {
    return load_vec<T, Width>(p + at.i * inner);
  }
  template <class T, class A>
  COR_FN void put(T* p, A at, const Vec<T, Width>& v) const {
    store_vec<T, Width>(p + at.i * inner, v);
  }

  COR_FN int place(Index i) const { return static_cast<int>(i - begin) * block_columns; }
  template <class T>
  COR_FN const T* stage(const T* p) {
    T* room = reinterpret_cast<T*>(shared_arena() + used) + thread_id() % Lanes * Width;
    used += static_cast<int>(part) * block_columns * static_cast<int>(sizeof(T));
#pragma unroll 1
    for (auto at = first(); at.i < stop; at.i += step) {
      if constexpr (sizeof(T) * Width == 16)
        async_copy16(room + place(at.i), p + at.i * inner);
      else
        store_vec<T, Width>(room + place(at.i), fetch(p, at));
    }
    async_commit();
    if constexpr (Cluster > 1) cluster_barrier(); // whoever writes to another block must know that it has begun
    async_wait<0>();
    return room;
  }

  static constexpr int warp = Target::warp_size, in_warp = Lanes < warp ? Lanes : warp;
  // What the lanes of a warp hold of their columns, combined.
  template <class M>
  COR_FN void across_lanes(typename M::State (&s)[Width]) const {
#pragma unroll 1
    for (int m = in_warp; m < warp; m *= 2) {
#pragma unroll
      for (int k = 0; k < Width; ++k) s[k] = M::combine(s[k], shuffle_xor(s[k], m));
    }
  }
  // What all lanes of a column hold; those of a warp hold the same.
  template <class M>
  COR_FN Folded<typename M::State, Width> across_warps(const typename M::State (&own)[Width]) {
    using State = typename M::State;
    constexpr int partials = lanes_along / (warp / in_warp); // a column's, after shuffles
    Folded<State, Width> r;
#pragma unroll
    for (int k = 0; k < Width; ++k) r.v[k] = own[k];
    if constexpr (partials > 1 || Cluster > 1) {
      using Partial = State[partials][block_columns];
      using Sums = State[2][Cluster][block_columns];
      COR_SHARED(partial, Partial);
      COR_SHARED(sums, Sums);
      const int first = thread_id() % Lanes * Width;
      if (thread_id() % warp < in_warp) {
#pragma unroll
        for (int k = 0; k < Width; ++k) partial[thread_id() / (warp > Lanes ? warp : Lanes)][first + k] = r.v[k];
      }
      barrier();
#pragma unroll 1
      for (int c = thread_id(); c < block_columns; c += Threads) {
        State s = partial[0][c];
#pragma unroll 1
        for (int w = 1; w < partials; ++w) s = M::combine(s, partial[w][c]);
        if constexpr (Cluster == 1) {
          sums[parity][0][c] = s;
        } else {
#pragma unroll 1
          for (int b = 0; b < Cluster; ++b) in_block(&sums[parity][cluster_rank()][c], b)[0] = s;
        }
      }
      if constexpr (Cluster > 1) { // a lane combines what the blocks hold of a column, for all
        cluster_barrier();
#pragma unroll 1
        for (int c = thread_id(); c < block_columns; c += Threads) {
          State s = sums[parity][0][c];
#pragma unroll 1
          for (int b = 1; b < Cluster; ++b) s = M::combine(s, sums[parity][b][c]);
          sums[parity][0][c] = s;
        }
      }
      barrier();
#pragma unroll
      for (int k = 0; k < Width; ++k) r.v[k] = sums[parity][0][first + k];
      parity ^= 1;
    }
    return r;
  }
  COR_FN bool leader() const { return active() && along == 0 && (Cluster == 1 || cluster_rank() == 0); }
  COR_FN i64 fold_unit() const { return o; }
  COR_FN i64 first_column() const { return column; }
  COR_FN i64 fold_index() const { return o * inner + column; }
};

} // namespace cor
