// Walks on the CPU and on the emulators: cumulative sums of every layout against exact ones, with canaries round every buffer that
// a kernel writes.
#include <array>
#include <random>

#include "lang/support.h"
#include "ops/scan/scan.h"

namespace corundum::test {
namespace {

constexpr int64_t lengths[] = {0, 1, 15, 16, 17, 127, 128, 129, 1000, 4095, 4096, 4097};

// Small whole numbers: every sum is exact in f32 and in f64, so results are compared bit by bit.
template <class T>
std::vector<T> numbers(size_t size) {
  std::mt19937 random(1);
  std::vector<T> v(size);
  for (T& x : v) x = static_cast<T>(static_cast<int>(random() % 7) - 3);
  return v;
}

class Scan : public EachTarget {
 protected:
  template <class In, class Out>
  void cumsum(Dtype in, Dtype out, int64_t outer, int64_t n, int64_t inner, uint32_t threads = 1) const {
    SCOPED_TRACE(std::to_string(outer) + " x " + std::to_string(n) + " x " + std::to_string(inner));
    const auto size = static_cast<size_t>(outer * n * inner);
    const std::vector<In> x = numbers<In>(size + 1); // begins at an odd address of elements
    Guarded<Out> sums(size);
    Chip parallel = chip();
    parallel.multiprocessors = threads;
    LaunchList list;
    const Status s = scan::plan(parallel, {scan::Kind::sum, x.data() + 1, in, sums.data(), out, outer, n, inner}, list);
    ASSERT_TRUE(s.ok()) << s.reason();
    const uint32_t simt_launches = list.workspace_bytes ? 2 : 1; // the first one clears the workspace
    ASSERT_EQ(list.size(), size == 0 ? 0u : chip().simt ? simt_launches : threads == 1 ? 1u : 3u);
    run_plan(target(), list);
    ASSERT_TRUE(sums.intact());
    std::vector<Out> want(static_cast<size_t>(inner));
    for (size_t i = 0; i < size; ++i) {
      const size_t row = i / static_cast<size_t>(inner), column = i % static_cast<size_t>(inner);
      Out& sum = want[column];
      sum = static_cast<Out>((row % static_cast<size_t>(n) == 0 ? Out{} : sum) + static_cast<Out>(x[i + 1]));
      ASSERT_EQ(sums[i], sum) << "element " << i;
    }
  }
};

TEST_P(Scan, RowsOfEveryLength) {
  for (const int64_t n : lengths) {
    cumsum<float, float>(Dtype::float32, Dtype::float32, 3, n, 1);
    cumsum<int8_t, int64_t>(Dtype::int8, Dtype::int64, 2, n, 1);
  }
  cumsum<float, float>(Dtype::float32, Dtype::float32, 1, (1 << 20) + 3, 1);
  cumsum<double, double>(Dtype::float64, Dtype::float64, 5, 1000, 1);
  cumsum<int32_t, int32_t>(Dtype::int32, Dtype::int32, 5, 1000, 1);
}

// The sums are whole numbers in f32, rounded once.
TEST_P(Scan, SixteenBits) {
  for (const auto& [outer, n, inner] :
       {std::array<int64_t, 3>{3, 129, 1}, {1100, 1000, 1}, {2, 4097, 1}, {1, 70001, 1}, {2, 300, 33}}) {
    SCOPED_TRACE(n);
    const auto size = static_cast<size_t>(outer * n * inner), columns = static_cast<size_t>(inner);
    const std::vector<float> exact = numbers<float>(size);
    std::vector<uint16_t> x(size + 1);
    for (size_t i = 0; i < size; ++i) x[i + 1] = bfloat_of(exact[i]);
    Guarded<uint16_t> sums(size);
    LaunchList list;
    const Status s =
        scan::plan(chip(), {scan::Kind::sum, x.data() + 1, Dtype::bfloat16, sums.data(), Dtype::bfloat16, outer, n, inner}, list);
    ASSERT_TRUE(s.ok()) << s.reason();
    run_plan(target(), list);
    ASSERT_TRUE(sums.intact());
    std::vector<float> want(columns);
    for (size_t i = 0; i < size; ++i) {
      float& sum = want[i % columns];
      sum = (i / columns % static_cast<size_t>(n) == 0 ? 0 : sum) + exact[i];
      ASSERT_EQ(from_bfloat(sums[i]), from_bfloat(bfloat_of(sum))) << "element " << i;
    }
  }
}

TEST_P(Scan, ColumnsOfEveryCount) {
  for (const int64_t inner : {2, 3, 7, 8, 9, 31, 63, 64, 65, 130}) {
    cumsum<float, float>(Dtype::float32, Dtype::float32, 2, 17, inner);
    cumsum<float, float>(Dtype::float32, Dtype::float32, 1, 257, inner);
    cumsum<int16_t, int64_t>(Dtype::int16, Dtype::int64, 3, 5, inner);
  }
}

TEST_P(Scan, LongSequencesInPieces) {
  cumsum<float, float>(Dtype::float32, Dtype::float32, 1, (1 << 20) + 3, 1, 4);
  cumsum<int64_t, int64_t>(Dtype::int64, Dtype::int64, 2, 300001, 1, 8);
  cumsum<float, float>(Dtype::float32, Dtype::float32, 1, 100003, 3, 4);
  cumsum<float, float>(Dtype::float32, Dtype::float32, 1, 10007, 70, 4);
}

TEST_P(Scan, RefusesWhatItCannotSum) {
  LaunchList list;
  EXPECT_FALSE(scan::plan(chip(), {scan::Kind::sum, nullptr, Dtype::complex64, nullptr, Dtype::complex64, 1, 1, 1}, list).ok());
  EXPECT_FALSE(scan::plan(chip(), {scan::Kind::sum, nullptr, Dtype::float32, nullptr, Dtype::int64, 1, 1, 1}, list).ok());
}

FOR_EACH_TARGET_AND_EMULATOR(Scan);

} // namespace
} // namespace corundum::test
