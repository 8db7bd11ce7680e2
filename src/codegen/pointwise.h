#pragma once
// From an expression to the text of a pointwise kernel.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/chip.h"

namespace corundum::codegen {

enum class Kind : uint8_t { contiguous, broadcast, scalar, strided, transposed }; // as cor::Kind
enum class Layout : uint8_t { flat, indexed, tiled };

struct PointwiseInput {
  std::string stored, value; // kernel types
  Kind kind;
};

struct PointwiseText {
  std::string entry;
  std::string expression; // over x, y, z, s0, s1 and the type Common
  std::string out;        // kernel type as stored
  std::string scalar;     // kernel type of s0 and s1
  std::string common;     // kernel type, as stored, of the dtype in which the inputs meet
  PointwiseInput inputs[3];
  int input_count;
  Layout layout;
  int rank;                    // class, where not flat
  bool wide;                   // 64-bit numbering
  bool unit_out;               // simd: the output has unit stride along dimension 0
  int threads, vector, unroll; // simt; vector is a tile's edge where tiled
};

std::string pointwise_text(const PointwiseText& t, const Chip& chip);

// Lines that include the parts of lang/maths/ whose functions the expression calls; one that no part defines is not our business.
std::string maths_includes(std::string_view expression);

// Elements of dimension 0 (or of the whole, where flat) that a block of a simd kernel covers, and the edge of a tile.
inline constexpr int64_t simd_block = 16384;
inline constexpr int simd_edge = 32;

} // namespace corundum::codegen
