#pragma once
// From an expression to the text of a pointwise kernel.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/chip.h"

namespace corundum::codegen {

enum class Kind : uint8_t { contiguous, broadcast, scalar, strided, transposed }; // as cor::Kind
enum class Layout : uint8_t { flat, indexed, tiled };

struct PointwiseInput {
  std::string stored, value; // kernel types
  Kind kind;
};
struct PointwiseOutput {
  std::string stored, value; // kernel types; the value is what the expression gives
};

// The names of inputs in expressions: x, y, z, w, then x4, x5, ...
std::string input_name(int index);

struct PointwiseText {
  std::string entry;
  std::string statements; // lines before the expression, which may name what they define; empty or ends with a newline
  std::string expression; // over the inputs, s0, s1, ... and the type Common; of several outputs: "a, b"
  std::string scalar;     // kernel type of s0, s1, ...
  std::string common;     // kernel type, as stored, of the dtype in which the inputs meet
  int scalars = 0;
  bool verdict = false; // whether the expression holds everywhere: one output, a cor::Verdict
  bool complex = false; // complex numbers take part: functions of them are included
  int slots = 1;        // 8-byte words that a number takes in the arguments
  std::vector<PointwiseOutput> outputs;
  std::vector<PointwiseInput> inputs;
  Layout layout;
  int rank;                    // class, where not flat
  bool wide;                   // 64-bit numbering
  bool unit_out;               // simd: the outputs have unit stride along dimension 0
  int threads, vector, unroll; // simt; vector is a tile's edge where tiled
};

std::string pointwise_text(const PointwiseText& t, const Chip& chip);

// Lines that include the parts of lang/maths/ whose functions the expression calls; one that no part defines is not our business.
std::string maths_includes(std::string_view expression);

// Elements of dimension 0 (or of the whole, where flat) that a block of a simd kernel covers, and the edge of a tile.
inline constexpr int64_t simd_block = 16384;
inline constexpr int simd_edge = 32;

} // namespace corundum::codegen
