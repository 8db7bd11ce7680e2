#pragma once
// The lowering of the transpose to loops. A tile passes through the thread's scratch: the input is read by whole cache lines, the
// output is written by whole cache lines, whatever power of two lies between its rows.
namespace cor {

template <int... I>
struct Numbers {};
template <int N, int... I>
struct NumbersTo : NumbersTo<N - 1, N - 1, I...> {};
template <int... I>
struct NumbersTo<0, I...> {
  using type = Numbers<I...>;
};

template <int Bytes>
struct Lane; // an integer of that size
template <>
struct Lane<1> {
  using type = u8;
};
template <>
struct Lane<2> {
  using type = u16;
};
template <>
struct Lane<4> {
  using type = u32;
};
template <>
struct Lane<8> {
  using type = u64;
};
template <>
struct Lane<16> { // nothing is shuffled
  using type = u64;
};

// A register as elements of Bytes, shuffled within each 16 bytes.
template <int Bytes, int Width>
struct Register {
  typedef typename Lane<Bytes>::type V __attribute__((vector_size(Width), may_alias));
  typedef typename Lane<Bytes>::type Loose __attribute__((vector_size(Width), may_alias, aligned(1)));
  static constexpr int count = Width / Bytes, unit = 16 / Bytes;
  // a0 b0 a1 b1 ... of the lower or the upper half of each 16 bytes.
  static constexpr int from(int i, bool upper) {
    const int in_unit = i % unit;
    return i - in_unit + (upper ? unit / 2 : 0) + in_unit / 2 + (in_unit % 2 ? count : 0);
  }
  template <int... I>
  static COR_FN V zip_low(V a, V b, Numbers<I...>) {
    return __builtin_shufflevector(a, b, from(I, false)...);
  }
  template <int... I>
  static COR_FN V zip_high(V a, V b, Numbers<I...>) {
    return __builtin_shufflevector(a, b, from(I, true)...);
  }
  static COR_FN V zip_low(V a, V b) { return zip_low(a, b, typename NumbersTo<count>::type()); }
  static COR_FN V zip_high(V a, V b) { return zip_high(a, b, typename NumbersTo<count>::type()); }
};

// Units `step` bytes apart side by side in one register.
template <int Width>
struct Gathered {
  typedef u64 V __attribute__((vector_size(Width), may_alias));
  template <int... I>
  static COR_FN V join(typename Gathered<Width / 2>::V low, typename Gathered<Width / 2>::V high, Numbers<I...>) {
    return __builtin_shufflevector(low, high, I...);
  }
  static COR_FN V load(const char* p, i64 step) {
    return join(Gathered<Width / 2>::load(p, step), Gathered<Width / 2>::load(p + Width / 32 * step, step),
                typename NumbersTo<Width / 8>::type());
  }
};
template <>
struct Gathered<16> {
  typedef u64 V __attribute__((vector_size(16), may_alias));
  typedef u64 Loose __attribute__((vector_size(16), may_alias, aligned(1)));
  static COR_FN V load(const char* p, i64) { return *reinterpret_cast<const Loose*>(p); }
};

// `Width` bytes of rows, V = 16 / Bytes columns: from `in`, rows `in_step` bytes apart, to `out`, columns `out_step` bytes apart.
template <int Bytes, int Width>
COR_FN void transpose_block(const char* in, i64 in_step, char* out, i64 out_step) {
  constexpr int V = 16 / Bytes;
  using R = Register<Bytes, Width>;
  typename R::V x[V], y[V];
#pragma GCC unroll 16
  for (int k = 0; k < V; ++k) x[k] = (typename R::V)Gathered<Width>::load(in + k * in_step, V * in_step);
  if constexpr (V > 1) {
#pragma GCC unroll 4
    for (int stage = 1; stage < V; stage *= 2) {
#pragma GCC unroll 16
      for (int k = 0; k < V; ++k) y[k] = k % 2 ? R::zip_high(x[k / 2], x[k / 2 + V / 2]) : R::zip_low(x[k / 2], x[k / 2 + V / 2]);
#pragma GCC unroll 16
      for (int k = 0; k < V; ++k) x[k] = y[k];
    }
  }
#pragma GCC unroll 16
  for (int k = 0; k < V; ++k) *reinterpret_cast<typename R::Loose*>(out + k * out_step) = x[k];
}
template <int Bytes>
struct TransposeTile {
  // Measured: rows of 256 bytes, 32 KB in all (docs/facts.md).
  static constexpr int vector = 16 / Bytes, edge0 = 256 / Bytes, edge1 = 128, pitch = 256;
  // Elements of dimension 0 that a block of `vector` columns takes.
  static constexpr int block0 = Target::vector_bytes / Bytes;
};

// Columns [0, n1) of the rows [row, row + block0) into scratch; the last block lies back over the one before.
template <int Bytes>
COR_FN void fill_rows(char* scratch, const char* in, i64 step, int row, int n1) {
  using Tile = TransposeTile<Bytes>;
  constexpr int line = 64 / Bytes;
  for (int j = 0; j < n1; j += Tile::vector) {
    const int column = j + Tile::vector <= n1 ? j : n1 - Tile::vector;
    if (j % line == 0)
      for (int k = 0; k < Tile::block0; ++k) __builtin_prefetch(in + (row + Tile::block0 + k) * step + j * Bytes);
    transpose_block<Bytes, Target::vector_bytes>(in + row * step + column * Bytes, step,
                                                 scratch + column * Tile::pitch + row * Bytes, Tile::pitch);
  }
}
template <int Bytes>
COR_FN void fill(char* scratch, const char* in, i64 step, int n0, int n1) {
  using Tile = TransposeTile<Bytes>;
  using Element = Opaque<Bytes>;
  if (n0 < Tile::block0 || n1 < Tile::vector) {
    for (int i = 0; i < n0; ++i)
      for (int j = 0; j < n1; ++j)
        *reinterpret_cast<Element*>(scratch + j * Tile::pitch + i * Bytes) =
            *reinterpret_cast<const Element*>(in + i * step + j * Bytes);
    return;
  }
  for (int i = 0; i < n0; i += Tile::block0)
    fill_rows<Bytes>(scratch, in, step, i + Tile::block0 <= n0 ? i : n0 - Tile::block0, n1);
}

COR_FN void drain(const char* scratch, char* out, i64 step, int bytes, int n1, bool streamed) {
  constexpr int width = Target::vector_bytes;
  typedef u64 V __attribute__((vector_size(width), may_alias));
  for (int j = 0; j < n1; ++j, scratch += 256, out += step) {
    int k = 0;
    if (streamed)
      for (; k + width <= bytes; k += width) stream_store(reinterpret_cast<V*>(out + k), *reinterpret_cast<const V*>(scratch + k));
    __builtin_memcpy(out + k, scratch + k, static_cast<unsigned long>(bytes - k));
  }
}

COR_FN int at_most(i64 n, int most) { return n < most ? static_cast<int>(n) : most; }

template <int Bytes>
static void transpose(const TransposeArgs& a, i64 first, i64 last, char* scratch) {
  using Tile = TransposeTile<Bytes>;
  const i64 tiles0 = (a.n0 + Tile::edge0 - 1) / Tile::edge0, tiles1 = (a.n1 + Tile::edge1 - 1) / Tile::edge1;
  for (i64 b = first; b < last; ++b) {
    const i64 first1 = b % tiles1 * Tile::edge1, first0 = b / tiles1 % tiles0 * Tile::edge0;
    i64 in_at, out_at;
    a.locate(static_cast<u32>(b / tiles1 / tiles0), &in_at, &out_at);
    const int n0 = at_most(a.n0 - first0, Tile::edge0), n1 = at_most(a.n1 - first1, Tile::edge1);
    auto* out = static_cast<char*>(a.out) + (out_at + first1 * a.out1 + first0) * Bytes;
    fill<Bytes>(scratch, static_cast<const char*>(a.in) + (in_at + first0 * a.in0 + first1) * Bytes, a.in0 * Bytes, n0, n1);
    drain(scratch, out, a.out1 * Bytes, n0 * Bytes, n1, a.streamed);
  }
  if (a.streamed) stream_fence();
}

} // namespace cor

#define COR_TRANSPOSE(entry, Bytes)                                                                                 \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void* scratch) {                           \
    cor::transpose<Bytes>(*static_cast<const cor::TransposeArgs*>(args), first, last, static_cast<char*>(scratch)); \
  }
