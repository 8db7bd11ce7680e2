// Top-k of rows on every lowering against a stable sort, where lists, groups and digits begin and end: with ties, NaNs, signed
// zeros, at any alignment, of every dtype.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "lang/support.h"
#include "ops/topk/topk.h"

namespace corundum::test {
namespace {

// What ATen's order makes of an element: NaN above everything, zeros alike.
template <class T>
bool is_above(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(b)) return false;
    if (std::isnan(a)) return true;
  }
  return a > b;
}

template <class T>
std::vector<int64_t> expected(const T* row, int64_t n, int64_t k, bool largest) {
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return largest ? is_above(row[a], row[b]) : is_above(row[b], row[a]); });
  order.resize(k);
  return order;
}

class Select : public EachTarget {
 protected:
  template <class T>
  void check(Dtype dtype, const std::vector<T>& x, int64_t rows, int64_t n, int64_t k, bool largest, Chip chip) {
    SCOPED_TRACE(std::string(info(dtype).name) + " " + std::to_string(rows) + "x" + std::to_string(n) + " k " + std::to_string(k) +
                 (largest ? "" : " smallest"));
    Guarded<T> in(rows * n + 1), out(rows * k);
    Guarded<int64_t> index(rows * k);
    T* p = in.data() + 1; // off by one element
    std::copy_n(x.begin(), rows * n, p);
    LaunchList list;
    const Status s = topk::plan(chip, {p, dtype, rows, n, k, largest, out.data(), index.data()}, list);
    ASSERT_TRUE(s.ok()) << s.reason();
    run_plan(target(), list);
    for (int64_t r = 0; r < rows; ++r) {
      const auto want = expected(p + r * n, n, k, largest);
      for (int64_t i = 0; i < k; ++i) {
        ASSERT_EQ(index[r * k + i], want[i]) << "row " << r << " place " << i;
        ASSERT_EQ(std::memcmp(out.data() + r * k + i, p + r * n + want[i], sizeof(T)), 0);
      }
    }
    EXPECT_TRUE(in.intact() && out.intact() && index.intact());
  }
  template <class T>
  void check(Dtype dtype, const std::vector<T>& x, int64_t rows, int64_t n, int64_t k, bool largest = true) {
    check(dtype, x, rows, n, k, largest, chip());
  }
};

template <class T>
std::vector<T> normal(int64_t size, double scale = 1) {
  std::mt19937 random(static_cast<uint32_t>(size));
  std::normal_distribution<double> distribution(0, scale);
  std::vector<T> x(size);
  for (T& v : x) v = static_cast<T>(distribution(random));
  return x;
}

TEST_P(Select, LengthsAndCounts) {
  const int64_t longest = chip().simt ? 33003 : (1 << 20) + 3; // emulated lanes take their time
  for (int64_t n : std::vector<int64_t>{1, 15, 16, 17, 127, 128, 129, 1000, 4095, 4096, 4097, longest}) {
    const auto x = normal<float>(3 * n);
    for (int64_t k : {int64_t{1}, int64_t{2}, int64_t{50}, int64_t{64}, int64_t{65}, n / 2, n})
      if (k > 0 && k <= std::min<int64_t>(n, 4096)) check(Dtype::float32, x, 3, n, k, k % 2 == 0);
  }
}

TEST_P(Select, Dtypes) {
  const int64_t n = 9001, k = 300;
  check(Dtype::float64, normal<double>(n), 1, n, k);
  check(Dtype::int64, normal<int64_t>(n, 1e15), 1, n, k);
  check(Dtype::int32, normal<int32_t>(n, 1e8), 1, n, k, false);
  check(Dtype::int16, normal<int16_t>(n, 3e3), 1, n, k);
  check(Dtype::int8, normal<int8_t>(n, 20), 1, n, k, false);
  check(Dtype::uint64, normal<uint64_t>(n, 1e15), 1, n, k);
  std::vector<uint8_t> bytes(n);
  for (int64_t i = 0; i < n; ++i) bytes[i] = static_cast<uint8_t>(i * 7);
  check(Dtype::uint8, bytes, 1, n, k);
  for (auto& b : bytes) b &= 1;
  check(Dtype::boolean, bytes, 1, n, k);
}

// Rows whose bound admits too much: the digits of keys, then those of numbers decide.
TEST_P(Select, Ties) {
  const int64_t n = 20011;
  std::vector<float> x(n, 1.5f);
  check(Dtype::float32, x, 1, n, 50);
  for (int64_t i = 0; i < n; i += 3) x[i] = -0.0f;
  for (int64_t i = 1; i < n; i += 3) x[i] = 0.0f;
  check(Dtype::float32, x, 1, n, 3000);
  check(Dtype::float32, x, 1, n, 1000, false);
  std::vector<float> rising(n);
  std::iota(rising.begin(), rising.end(), 1.0f);
  check(Dtype::float32, rising, 1, n, 100);
  check(Dtype::float32, rising, 1, n, 100, false);
}

TEST_P(Select, SpecialNumbers) {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> x = normal<float>(4000);
  for (int i = 0; i < 60; ++i) x[i * 61] = i % 4 == 0 ? nan : i % 4 == 1 ? -nan : i % 4 == 2 ? infinity : -infinity;
  x[3] = 1e-45f, x[4] = -1e-45f, x[5] = 0.0f, x[6] = -0.0f;
  for (int64_t k : {10, 40, 4000}) {
    check(Dtype::float32, x, 1, 4000, k);
    check(Dtype::float32, x, 1, 4000, k, false);
  }
}

TEST_P(Select, SixteenBits) {
  const int64_t n = 6000, k = 500;
  const auto x = normal<float>(n);
  for (Dtype dtype : {Dtype::float16, Dtype::bfloat16}) {
    std::vector<uint16_t> stored(n);
    std::vector<float> exact(n);
    for (int64_t i = 0; i < n; ++i) {
      stored[i] = dtype == Dtype::float16 ? half_of(x[i]) : bfloat_of(x[i]);
      exact[i] = dtype == Dtype::float16 ? from_half(stored[i]) : from_bfloat(stored[i]);
    }
    Guarded<uint16_t> out(k);
    Guarded<int64_t> index(k);
    LaunchList list;
    ASSERT_TRUE(topk::plan(chip(), {stored.data(), dtype, 1, n, k, true, out.data(), index.data()}, list).ok());
    run_plan(target(), list);
    const auto want = expected(exact.data(), n, k, true);
    for (int64_t i = 0; i < k; ++i) ASSERT_EQ(index[i], want[i]) << info(dtype).name << " place " << i;
  }
}

// A chip of several multiprocessors cuts rows into stretches, in up to three rounds.
TEST_P(Select, Stretches) {
  Chip many = chip();
  many.multiprocessors = 16;
  const int64_t n = (1 << 20) + 3, shorter = chip().simt ? 70003 : n; // emulated lanes take their time
  check(Dtype::float32, normal<float>(shorter), 1, shorter, 50, true, many);
  if (!chip().simt) check(Dtype::float32, std::vector<float>(n, 2.0f), 1, n, 3000, true, many); // the lowest numbers, in all rounds
  LaunchList list;
  ASSERT_TRUE(topk::plan(many, {nullptr, Dtype::float32, 1, n, 3000, true, nullptr, nullptr}, list).ok());
  EXPECT_GE(list.size(), 2u);
}

TEST_P(Select, Refusals) {
  LaunchList list;
  EXPECT_STREQ(topk::plan(chip(), {nullptr, Dtype::float32, 1, 5, 6, true, nullptr, nullptr}, list).reason(),
               "k is not between 0 and the row's length");
  EXPECT_STREQ(topk::plan(chip(), {nullptr, Dtype::complex64, 1, 5, 2, true, nullptr, nullptr}, list).reason(),
               "dtype not covered");
  EXPECT_STREQ(topk::plan(chip(), {nullptr, Dtype::float32, 1, 1 << 20, 1 << 20, true, nullptr, nullptr}, list).reason(),
               "k is larger than what a block can sort");
  EXPECT_TRUE(topk::plan(chip(), {nullptr, Dtype::float32, 0, 5, 2, true, nullptr, nullptr}, list).ok());
  EXPECT_EQ(list.size(), 0u);
}

FOR_EACH_TARGET_AND_EMULATOR(Select);

} // namespace
} // namespace corundum::test
