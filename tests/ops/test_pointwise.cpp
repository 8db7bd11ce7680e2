// What rows of the pointwise table say of themselves: how exact they are; and how many kernels they have, whatever the shapes and
// strides: as few as docs/kernel-language.md states.
#include "ops/pointwise/pointwise.h"

#include <algorithm>
#include <random>
#include <set>

#include "lang/support.h"
#include "ops/isin/isin.h"

namespace corundum::test {
namespace {

using namespace pointwise;

// A random layout: sizes, and for each operand whether it broadcasts, is permuted, has gaps, or is misaligned.
struct Layout {
  std::vector<int64_t> shape, strides[3];
  uintptr_t address[3];

  Layout(std::mt19937& random, int operands, size_t bytes) {
    const auto one_in = [&](unsigned n) { return random() % n == 0; };
    const int rank = static_cast<int>(random() % 6);
    for (int d = 0; d < rank; ++d) shape.push_back(one_in(8) ? 1 : one_in(2) ? 8 * (1 + random() % 9) : 1 + random() % 200);
    if (one_in(40)) shape.assign({1 << 12, 1 << 12, 1 << 9});
    if (one_in(40)) shape.assign({int64_t{1} << (random() % 33)});
    const bool gaps = one_in(3), permutes = one_in(2);
    for (int o = 0; o < operands; ++o) {
      std::vector<size_t> order(shape.size());
      for (size_t d = 0; d < order.size(); ++d) order[d] = d;
      if (permutes && one_in(2)) std::shuffle(order.begin(), order.end(), random);
      strides[o].resize(shape.size());
      int64_t step = static_cast<int64_t>(bytes) * (gaps && one_in(3) ? 3 : 1);
      for (const size_t d : order) {
        strides[o][d] = step;
        step *= shape[d] + (gaps && one_in(3) ? 1 + random() % 8 : 0);
        if (o > 0 && one_in(6)) strides[o][d] = 0;
      }
      address[o] = 4096 + (one_in(6) ? bytes : 0);
    }
  }
};

std::set<std::string> kernels_of(const Op& op, const Chip& chip, Dtype dtype) {
  std::mt19937 random(20);
  std::set<std::string> keys;
  for (int round = 0; round < 60000; ++round) {
    const Layout layout(random, 1 + op.inputs, size_of(dtype));
    const Scalar number = Scalar::of(2.0);
    Call call{.op = &op, .compute = dtype, .rank = static_cast<int>(layout.shape.size()), .shape = layout.shape.data()};
    const auto fill = [&](Operand& operand, int o) {
      operand = {reinterpret_cast<void*>(layout.address[o]), dtype, layout.strides[o].data(), nullptr};
    };
    fill(call.out[0], 0);
    for (int i = 0; i < op.inputs; ++i) fill(call.in[i], 1 + i);
    if (op.inputs > 1 && random() % 4 == 0) call.in[random() % 2].scalar = &number;
    LaunchList list;
    if (!plan(chip, call, list).ok()) continue;
    for (uint32_t l = 0; l < list.size(); ++l)
      keys.insert(std::string(reinterpret_cast<const char*>(&list[l].key), sizeof(KernelKey)));
  }
  return keys;
}

// More than the half, so that the numbers mean something.
void expect_at_most(size_t most, const Op& op, const char* target, Dtype dtype) {
  const size_t found = kernels_of(op, *known_chip(target), dtype).size();
  EXPECT_LE(found, most) << op.name << " on " << target;
  EXPECT_GE(found, most / 2) << op.name << " on " << target;
}

TEST(PointwiseVariants, AreAsManyAsTheDocumentSays) {
  constexpr const Op &unary = row("tanh", Signature::unary), &binary = row("mul", Signature::binary);
  expect_at_most(24, unary, "avx512", Dtype::float32);
  expect_at_most(52, unary, "sm_90", Dtype::float32);
  expect_at_most(120, binary, "avx512", Dtype::float32);
  expect_at_most(212, binary, "sm_90", Dtype::float32);
}

// Results of a row over numbers between a tenth and three, of either sign.
template <class T>
std::vector<T> results_of(const Op& op, const std::string& target, Dtype dtype, const std::vector<float>& numbers) {
  std::vector<T> x(numbers.begin(), numbers.end()), y(x.rbegin(), x.rend());
  Guarded<T> out(x.size());
  Call call{.op = &op, .compute = dtype};
  call.out[0] = {out.data(), dtype};
  call.in[0] = {x.data(), dtype};
  call.in[1] = {y.data(), dtype};
  LaunchList list;
  EXPECT_TRUE(plan_dense(*known_chip(target), call, static_cast<int64_t>(x.size()), list).ok()) << op.name;
  run_plan(target, list);
  EXPECT_TRUE(out.intact()) << op.name;
  return std::vector<T>(out.data(), out.data() + x.size());
}

class PointwiseRows : public EachTarget {};

// The float64 kernel is the judge of the float32 one. Around zeros of a function an error counts in units of the last place at 1/4.
TEST_P(PointwiseRows, AreAsExactAsTheySay) {
  std::vector<float> numbers;
  for (int i = -300; i <= 300; ++i)
    if (std::abs(i) >= 10) numbers.push_back(static_cast<float>(i) / 100 + 0.003f);
  int rows = 0;
  for (const Op& op : ops) {
    const bool plain = op.signature == Signature::unary || op.signature == Signature::binary;
    const bool same = op.promotion == Promotion::standard || op.promotion == Promotion::int_to_float;
    if (op.name == std::string_view("nextafter")) continue; // the neighbour in each dtype
    if (!plain || !same || !(op.dtypes & set_float) || op.ulp == 255) continue;
    const auto f = results_of<float>(op, target(), Dtype::float32, numbers);
    const auto d = results_of<double>(op, target(), Dtype::float64, numbers);
    double worst = 0;
    for (size_t i = 0; i < numbers.size(); ++i)
      if (std::isfinite(f[i]) || !std::isfinite(static_cast<float>(d[i]))) worst = std::max(worst, ulps(f[i], d[i], 0.25));
    EXPECT_LE(worst, std::max(0.5, static_cast<double>(op.ulp))) << op.name;
    ++rows;
  }
  EXPECT_GE(rows, 70);
}

INSTANTIATE_TEST_SUITE_P(Targets, PointwiseRows, ::testing::Values("avx2"), [](const auto& info) { return info.param; });

class PointwiseVerdict : public EachTarget {
 protected:
  // The word after `equal` of two tensors [rows, n], of which y's rows are `row` apart.
  uint32_t word_of(const std::vector<float>& x, const std::vector<float>& y, int64_t n, int64_t rows, int64_t row) {
    constexpr const Op& op = pointwise::row("equal", Signature::verdict);
    Guarded<uint32_t> word(1);
    word.data()[0] = 0;
    const int64_t shape[] = {n, rows}, strides[2][2] = {{4, 4 * n}, {4, 4 * row}};
    Call call{.op = &op, .compute = Dtype::float32, .rank = 2, .shape = shape};
    call.out[0] = {word.data(), Dtype::boolean};
    call.in[0] = {const_cast<float*>(x.data()), Dtype::float32, strides[0]};
    call.in[1] = {const_cast<float*>(y.data()), Dtype::float32, strides[1]};
    LaunchList list;
    EXPECT_TRUE(plan(chip(), call, list).ok());
    run_plan(target(), list);
    EXPECT_TRUE(word.intact());
    return word[0];
  }
};

TEST_P(PointwiseVerdict, IsSetByOneElement) {
  for (const int64_t n : {1, 31, 1025, 20000}) {
    const std::vector<float> x(static_cast<size_t>(2 * n), 1.5f);
    EXPECT_EQ(word_of(x, x, n, 2, n), 0u) << n;
    EXPECT_EQ(word_of(x, x, n, 2, 0), 0u) << n; // one row for both
    for (const int64_t place : {int64_t{0}, n - 1, 2 * n - 1}) {
      std::vector<float> y = x;
      y[static_cast<size_t>(place)] = 2;
      EXPECT_EQ(word_of(x, y, n, 2, n), 1u) << n << ", " << place;
      EXPECT_EQ(word_of(x, y, n, 2, 0), place < n ? 1u : 0u) << n << ", " << place;
    }
  }
}
FOR_EACH_TARGET_AND_EMULATOR(PointwiseVerdict);

class Isin : public EachTarget {};

TEST_P(Isin, FindsFewAndMany) {
  std::mt19937 random(3);
  for (const size_t count : {0, 1, 16, 17, 300}) {
    std::vector<int32_t> among(count), x(5000);
    for (int32_t& v : among) v = static_cast<int32_t>(random() % 600);
    std::sort(among.begin(), among.end());
    for (int32_t& v : x) v = static_cast<int32_t>(random() % 600);
    for (const bool invert : {false, true}) {
      Guarded<bool> out(x.size());
      const isin::Call call{x.data(),     among.data(), out.data(), static_cast<int64_t>(x.size()), static_cast<int64_t>(count),
                            Dtype::int32, invert};
      ListItem item;
      std::optional<ListLaunches> launches;
      ASSERT_TRUE(isin::plan(chip(), call, &item, &launches).ok());
      for (LaunchList list; launches->next(list); list = LaunchList()) run_plan(target(), list);
      EXPECT_TRUE(out.intact());
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_EQ(out[i], std::binary_search(among.begin(), among.end(), x[i]) != invert) << count << ", " << i;
    }
  }
}
FOR_EACH_TARGET_AND_EMULATOR(Isin);

} // namespace
} // namespace corundum::test
