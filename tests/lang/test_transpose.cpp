// The tiled transpose at the sizes where tiles, blocks and vectors end, for every element size, with canaries round the output.
#include <algorithm>
#include <array>
#include <cstring>
#include <random>

#include "lang/support.h"
#include "ops/copy/copy.h"

namespace corundum::test {
namespace {

constexpr int64_t edges[] = {15, 16, 17, 127, 128, 129, 1000};
class Transpose : public EachTarget {};

// A batch of matrices: out[b][j][i] = in[b][i][j], rows `in_gap` and `out_gap` elements longer than they need be, both sides
// `shift` elements off a multiple of 64 bytes.
struct Case {
  size_t element;
  int64_t n0, n1, batch = 1, in_gap = 0, out_gap = 0, shift = 0;
};

struct Buffer {
  std::vector<unsigned char> bytes;
  unsigned char* data;
  explicit Buffer(size_t size, size_t shift) : bytes(size + 256, 0x5a) {
    data = bytes.data() + (64 - reinterpret_cast<uintptr_t>(bytes.data()) % 64) + 64 + shift;
  }
};

std::vector<unsigned char> noise(size_t size) {
  std::vector<unsigned char> bytes(size);
  std::mt19937 random(1);
  for (auto& b : bytes) b = static_cast<unsigned char>(random());
  return bytes;
}

void check(const std::string& target, const Case& c) {
  SCOPED_TRACE(std::to_string(c.element) + " bytes, " + std::to_string(c.batch) + " x " + std::to_string(c.n0) + " x " +
               std::to_string(c.n1) + ", gaps " + std::to_string(c.in_gap) + " " + std::to_string(c.out_gap) + ", shift " +
               std::to_string(c.shift));
  const auto e = static_cast<int64_t>(c.element);
  const int64_t in_row = c.n1 + c.in_gap, out_row = c.n0 + c.out_gap, in_size = c.batch * c.n0 * in_row * e,
                out_size = c.batch * c.n1 * out_row * e;
  Buffer in(static_cast<size_t>(in_size), static_cast<size_t>(c.shift * e)),
      out(static_cast<size_t>(out_size), static_cast<size_t>(c.shift * e));
  const std::vector<unsigned char> random = noise(static_cast<size_t>(in_size));
  std::memcpy(in.data, random.data(), random.size());
  Buffer wanted = out;
  wanted.data = wanted.bytes.data() + (out.data - out.bytes.data());
  for (int64_t b = 0; b < c.batch; ++b)
    for (int64_t i = 0; i < c.n0; ++i)
      for (int64_t j = 0; j < c.n1; ++j)
        std::memcpy(wanted.data + ((b * c.n1 + j) * out_row + i) * e, in.data + ((b * c.n0 + i) * in_row + j) * e, c.element);
  const int64_t shape[] = {c.n0, c.n1, c.batch}, in_strides[] = {in_row * e, e, c.n0 * in_row * e},
                out_strides[] = {e, out_row * e, c.n1 * out_row * e};
  LaunchList list;
  ASSERT_TRUE(copy::plan_transpose(*known_chip(target), {c.element, 3, shape, in.data, in_strides, out.data, out_strides}, list));
  ASSERT_EQ(list.size(), 1u);
  run_plan(target, list);
  EXPECT_EQ(std::memcmp(out.bytes.data(), wanted.bytes.data(), out.bytes.size()), 0);
}

TEST_P(Transpose, EveryElementSizeAtTheEdges) {
  for (size_t element : {1, 2, 4, 8, 16})
    for (int64_t n0 : edges)
      for (int64_t n1 : edges) {
        check(target(), {element, n0, n1});
        check(target(), {element, n0, n1, 3, n1 % 3, n0 % 2, n0 % 5});
      }
}

TEST_P(Transpose, LongSides) {
  for (size_t element : {1, 2, 4, 8, 16})
    for (const auto& [n0, n1] : {std::pair<int64_t, int64_t>{4095, 17}, {16, 4097}, {4096, 128}, {8, 1 << 16}})
      check(target(), {element, n0, n1, 1, 0, 0, 0});
}

// Outputs from 4 MB on are written past the caches, when every row begins at a multiple of 64 bytes.
TEST_P(Transpose, Streamed) {
  for (size_t element : {1, 2, 4, 8, 16}) {
    const int64_t n0 = static_cast<int64_t>(4096 / element);
    check(target(), {element, n0, 1200, 1, 3, 64, 0});
    check(target(), {element, n0 + 1, 1200, 1, 0, 63, 0});
  }
}

TEST_P(Transpose, ManyDimensionsInAnyOrder) {
  constexpr int rank = 6;
  const int64_t shape[rank] = {9, 2, 3, 10, 2, 4};
  std::array<int, rank> order = {0, 1, 2, 3, 4, 5};
  std::mt19937 random(1);
  int served = 0;
  for (int turn = 0; turn < 60; ++turn) {
    std::shuffle(order.begin(), order.end(), random);
    int64_t in_strides[rank], out_strides[rank], size = 4;
    for (int r : order) in_strides[r] = size, size *= shape[r];
    std::shuffle(order.begin(), order.end(), random);
    size = 4;
    for (int r : order) out_strides[r] = size, size *= shape[r];
    std::vector<uint32_t> in(static_cast<size_t>(size / 4)), wanted(in.size());
    for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<uint32_t>(i);
    Guarded<uint32_t> out(in.size());
    for (int64_t i = 0; i < size / 4; ++i) {
      int64_t rest = i, from = 0, to = 0;
      for (int r = 0; r < rank; ++r)
        from += rest % shape[r] * in_strides[r], to += rest % shape[r] * out_strides[r], rest /= shape[r];
      wanted[static_cast<size_t>(to / 4)] = in[static_cast<size_t>(from / 4)];
    }
    LaunchList list;
    if (!copy::plan_transpose(chip(), {4, rank, shape, in.data(), in_strides, out.data(), out_strides}, list)) {
      EXPECT_EQ(list.size(), 0u);
      continue;
    }
    ++served;
    run_plan(target(), list);
    EXPECT_TRUE(out.intact());
    EXPECT_EQ(std::memcmp(out.data(), wanted.data(), wanted.size() * 4), 0);
  }
  EXPECT_GE(served, 5);
}

// What is no transpose: the pointwise family has it.
TEST(TransposePlan, LeavesOtherLayouts) {
  const Chip& chip = *known_chip("avx2");
  char* const at = reinterpret_cast<char*>(uintptr_t{1} << 20);
  const auto is_planned = [&](std::array<int64_t, 2> shape, std::array<int64_t, 2> in, std::array<int64_t, 2> out, int shift = 0) {
    LaunchList list;
    const bool planned = copy::plan_transpose(chip, {4, 2, shape.data(), at + shift, in.data(), at, out.data()}, list);
    EXPECT_EQ(list.size(), planned ? 1u : 0u);
    return planned;
  };
  EXPECT_TRUE(is_planned({100, 50}, {4, 400}, {200, 4}));
  EXPECT_FALSE(is_planned({100, 50}, {4, 400}, {4, 400}));    // dense
  EXPECT_FALSE(is_planned({100, 50}, {8, 800}, {200, 4}));    // no unit stride
  EXPECT_FALSE(is_planned({100, 50}, {4, 400}, {400, 8}));    // nor here
  EXPECT_FALSE(is_planned({100, 7}, {4, 400}, {28, 4}));      // too narrow
  EXPECT_FALSE(is_planned({0, 50}, {4, 400}, {200, 4}));      // nothing
  EXPECT_FALSE(is_planned({100, 50}, {4, 400}, {200, 4}, 2)); // not even aligned to elements
}

FOR_EACH_TARGET(Transpose);

} // namespace
} // namespace corundum::test
