#pragma once
// The lowering of the transpose to lanes. A tile passes through shared memory in units of 16 bytes.
namespace cor {

struct alignas(16) Unit {
  u32 word[4];
};

// A unit in accesses of `Access` bytes, to which the address is aligned.
template <int Access>
COR_FN Unit load_unit(const char* p) {
  if constexpr (Access == 16) {
    return *reinterpret_cast<const Unit*>(p);
  } else {
    union {
      Opaque<Access> part[16 / Access];
      Unit unit;
    } u;
#pragma unroll
    for (int k = 0; k < 16 / Access; ++k) u.part[k] = reinterpret_cast<const Opaque<Access>*>(p)[k];
    return u.unit;
  }
}

// A lane's block: `rows` units of the input become 16 / Bytes pieces of `rows` elements.
template <int Bytes>
struct Block {
  static constexpr int rows = Bytes < 8 ? 4 : 16 / Bytes, words = rows * Bytes / 4;
  struct alignas(4 * words) Piece {
    u32 word[words];
  };
};
template <int Bytes>
COR_FN void transpose_block(const Unit (&x)[Block<Bytes>::rows], typename Block<Bytes>::Piece (&y)[16 / Bytes]) {
#pragma unroll
  for (int b = 0; b < 4; ++b) {
    if constexpr (Bytes == 1) {
      const u32 low01 = byte_permute(x[0].word[b], x[1].word[b], 0x5140), low23 = byte_permute(x[2].word[b], x[3].word[b], 0x5140);
      const u32 high01 = byte_permute(x[0].word[b], x[1].word[b], 0x7362),
                high23 = byte_permute(x[2].word[b], x[3].word[b], 0x7362);
      y[4 * b].word[0] = byte_permute(low01, low23, 0x5410);
      y[4 * b + 1].word[0] = byte_permute(low01, low23, 0x7632);
      y[4 * b + 2].word[0] = byte_permute(high01, high23, 0x5410);
      y[4 * b + 3].word[0] = byte_permute(high01, high23, 0x7632);
    } else if constexpr (Bytes == 2) {
#pragma unroll
      for (int a = 0; a < 2; ++a) {
        y[2 * b].word[a] = byte_permute(x[2 * a].word[b], x[2 * a + 1].word[b], 0x5410);
        y[2 * b + 1].word[a] = byte_permute(x[2 * a].word[b], x[2 * a + 1].word[b], 0x7632);
      }
    } else {
      constexpr int w = Bytes / 4; // words of an element
#pragma unroll
      for (int a = 0; a < 4 / w; ++a) y[b / w].word[a * w + b % w] = x[a].word[b];
    }
  }
}

// Units0 x Units1 units, dimension 0 by dimension 1; powers of two.
template <int Bytes, int Units0, int Units1>
struct TransposeTile {
  static constexpr int vector = 16 / Bytes, edge0 = Units0 * vector, edge1 = Units1 * vector;
  Unit unit[edge1 * Units0];
  // Row j holds the output's row j. The exclusive or spreads what eight lanes write at once over all banks.
  COR_FN Unit& at(int j, int i) {
    constexpr int group = Units0 * vector < 8 ? 8 : Units0 * vector;
    const int n = j * Units0 + i;
    return unit[n ^ (n / group % 8)];
  }
  COR_FN Opaque<Bytes>& element(int i, int j) { return reinterpret_cast<Opaque<Bytes>*>(&at(j, i / vector))[i % vector]; }
};

// From `in`, whose stride along dimension 0 is `step`; the tile has n0 x n1 elements.
template <int Bytes, int Access, int Threads, int Units0, int Units1>
COR_FN void fill(TransposeTile<Bytes, Units0, Units1>& tile, const Opaque<Bytes>* in, i64 step, int n0, int n1) {
  using B = Block<Bytes>;
  constexpr int V = 16 / Bytes, pieces = V / B::rows; // pieces that make up a unit
  constexpr int side = Units1 < 8 ? Units1 : 8;
#pragma unroll
  for (int turn = 0; turn < Units0 * Units1 * pieces / Threads; ++turn) {
    // Eight lanes side by side read 128 bytes of a row, and the lanes that write at once write to different banks.
    const int t = turn * Threads + thread_id(), piece = t / side % pieces, high = t / (side * pieces);
    const int j = high % (Units1 / side) * side + t % side, i = high / (Units1 / side), row = i * V + piece * B::rows;
    if ((j + 1) * V > n1) continue;
    const auto* p = reinterpret_cast<const char*>(in + row * step + j * V);
    Unit x[B::rows];
    typename B::Piece y[V];
#pragma unroll
    for (int k = 0; k < B::rows; ++k) {
      x[k] = {};
      if (row + k < n0) x[k] = load_unit<Access>(p + k * step * Bytes);
    }
    transpose_block<Bytes>(x, y);
#pragma unroll
    for (int k = 0; k < V; ++k) reinterpret_cast<typename B::Piece*>(&tile.at(j * V + k, i))[piece] = y[k];
  }
  // The columns that fill no block.
  const int whole = n1 / V * V;
#pragma unroll 1
  for (int e = thread_id(); V > 1 && e < n0 * V; e += Threads) {
    const int i = e / V, j = whole + e % V;
    if (j < n1) tile.element(i, j) = in[i * step + j];
  }
}

template <int Bytes, int Access, int Threads, int Units0, int Units1>
COR_FN void drain(TransposeTile<Bytes, Units0, Units1>& tile, Opaque<Bytes>* out, i64 step, int n0, int n1) {
  constexpr int V = 16 / Bytes, a_unit = 16 / Access, a_row = Units0 * a_unit, turns = Units1 * V * a_row / Threads;
  using Part = Opaque<Access>;
  const int first = thread_id() / a_row, part = thread_id() % a_row;
  const bool wanted = (part + 1) * (Access / Bytes) <= n0;
#pragma unroll(turns < 4 ? turns : 4)
  for (int turn = 0; turn < turns; ++turn) {
    const int j = turn * (Threads / a_row) + first;
    if (wanted && j < n1)
      reinterpret_cast<Part*>(out + j * step)[part] = reinterpret_cast<const Part*>(&tile.at(j, part / a_unit))[part % a_unit];
  }
  // What of a row fills no access.
  const int whole = n0 / (Access / Bytes) * (Access / Bytes);
#pragma unroll 1
  for (int e = thread_id(); Access > Bytes && e < n1 * V; e += Threads) {
    const int i = whole + e % V, j = e / V;
    if (i < n0) out[j * step + i] = tile.element(i, j);
  }
}

COR_FN int at_most(i64 n, int most) { return n < most ? static_cast<int>(n) : most; }

// InAccess, OutAccess: what all addresses of the rows of a side are multiples of, at most 16 bytes.
template <int Bytes, int InAccess, int OutAccess, int Threads, int Units0, int Units1>
COR_FN void transpose(const TransposeArgs& a) {
  using Tile = TransposeTile<Bytes, Units0, Units1>;
  using Element = Opaque<Bytes>;
  COR_SHARED(tile, Tile);
  const u32 tiles0 = static_cast<u32>((a.n0 + Tile::edge0 - 1) / Tile::edge0),
            tiles1 = static_cast<u32>((a.n1 + Tile::edge1 - 1) / Tile::edge1);
  // Blocks that run at once write neighbouring stretches of the same rows.
  const u32 t0 = block_id() % tiles0, rest = block_id() / tiles0, t1 = rest % tiles1, matrix = rest / tiles1;
  const i64 first0 = static_cast<i64>(t0) * Tile::edge0, first1 = static_cast<i64>(t1) * Tile::edge1;
  const int n0 = at_most(a.n0 - first0, Tile::edge0), n1 = at_most(a.n1 - first1, Tile::edge1);
  i64 in_at, out_at;
  a.locate(matrix, &in_at, &out_at);
  fill<Bytes, InAccess, Threads>(tile, static_cast<const Element*>(a.in) + in_at + first0 * a.in0 + first1, a.in0, n0, n1);
  barrier();
  drain<Bytes, OutAccess, Threads>(tile, static_cast<Element*>(a.out) + out_at + first1 * a.out1 + first0, a.out1, n0, n1);
}

} // namespace cor

#define COR_TRANSPOSE(entry, Bytes, InAccess, OutAccess, Threads, Units0, Units1) \
  COR_KERNEL(entry, Threads, cor::TransposeArgs) { cor::transpose<Bytes, InAccess, OutAccess, Threads, Units0, Units1>(a); }
