#pragma once
// The host's side of lang/index.h, and the merging of dimensions.
#include <cstdint>

namespace corundum {

// Same layout as cor::Divider.
struct Divider {
  uint32_t magic = 1, shift = 0;
  int64_t size = 1;

  Divider() = default;
  explicit Divider(int64_t n) : size(n) {
    if (n <= 1 || n >= (int64_t{1} << 31)) return; // such numbers divide by `size` itself
    while ((uint32_t{1} << shift) < static_cast<uint32_t>(n)) ++shift;
    magic = static_cast<uint32_t>((((uint64_t{1} << shift) - static_cast<uint64_t>(n)) << 32) / static_cast<uint64_t>(n) + 1);
  }
};

// Dimensions with the strides of `operands` operands, at most Operands, fastest first. add() merges a dimension into the one before
// it where all operands step through both as through one; dimensions of size 1 vanish.
template <int Operands, int MaxRank>
struct DimList {
  int rank = 0;
  int operands = Operands;
  int64_t size[MaxRank];
  int64_t stride[MaxRank][Operands];

  // False when there is no room for one more.
  bool add(int64_t n, const int64_t* strides) {
    if (n == 1) return true;
    if (rank > 0) {
      bool merges = true;
      for (int o = 0; o < operands; ++o) merges = merges && strides[o] == size[rank - 1] * stride[rank - 1][o];
      if (merges) {
        size[rank - 1] *= n;
        return true;
      }
    }
    if (rank == MaxRank) return false;
    size[rank] = n;
    for (int o = 0; o < operands; ++o) stride[rank][o] = strides[o];
    ++rank;
    return true;
  }
  int64_t count() const {
    int64_t n = 1;
    for (int d = 0; d < rank; ++d) n *= size[d];
    return n;
  }
};

// The class of a rank: kernels exist for 1, 2, 4 and 16 dimensions.
inline int rank_class(int rank) { return rank <= 1 ? 1 : rank <= 2 ? 2 : rank <= 4 ? 4 : 16; }

} // namespace corundum
