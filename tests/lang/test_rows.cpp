// Row passes on the CPU and on the emulators at the lengths where chunks begin and end: softmax, layer_norm and reduce against f64,
// with canaries round every buffer that a kernel writes.
#include <cmath>
#include <random>

#include "lang/support.h"
#include "ops/layer_norm/layer_norm.h"
#include "ops/reduce/reduce.h"
#include "ops/softmax/softmax.h"

namespace corundum::test {
namespace {

constexpr int64_t lengths[] = {1, 15, 16, 17, 63, 64, 65, 127, 128, 129, 1000, 4095, 4096, 4097};

// A stored type, seen from the host.
struct F32 {
  using Stored = float;
  static constexpr Dtype dtype = Dtype::float32;
  static constexpr double epsilon = 0x1p-23, tiny = 1e-38;
  static double read(float v) { return v; }
  static float write(double v) { return static_cast<float>(v); }
};
struct F64 {
  using Stored = double;
  static constexpr Dtype dtype = Dtype::float64;
  static constexpr double epsilon = 0x1p-52, tiny = 1e-300;
  static double read(double v) { return v; }
  static double write(double v) { return v; }
};
struct F16 {
  using Stored = uint16_t;
  static constexpr Dtype dtype = Dtype::float16;
  static constexpr double epsilon = 0x1p-10, tiny = 0x1p-14;
  static double read(uint16_t v) { return from_half(v); }
  static uint16_t write(double v) { return half_of(static_cast<float>(v)); }
};
struct BF16 {
  using Stored = uint16_t;
  static constexpr Dtype dtype = Dtype::bfloat16;
  static constexpr double epsilon = 0x1p-7, tiny = 1e-38;
  static double read(uint16_t v) { return from_bfloat(v); }
  static uint16_t write(double v) { return bfloat_of(static_cast<float>(v)); }
};

template <class T>
struct Input {
  std::vector<typename T::Stored> stored;
  std::vector<double> exact;
  explicit Input(int64_t size, uint32_t seed = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(0.5, 2);
    for (int64_t i = 0; i < size; ++i) {
      stored.push_back(T::write(normal(random)));
      exact.push_back(T::read(stored.back()));
    }
  }
};

// A result's error may be one rounding of the stored type, and of f32 (f64) arithmetic what `terms` additions of numbers up to
// `scale` leave.
template <class T>
void expect_near(double got, double want, double scale, double terms, const std::string& where) {
  const double compute = T::dtype == Dtype::float64 ? 0x1p-52 : 0x1p-23;
  const double bound = 0.5 * T::epsilon * std::max(std::abs(want), T::tiny) + compute * scale * terms;
  ASSERT_LE(std::abs(got - want), bound) << where << ": " << got << " instead of " << want;
}

class Rows : public EachTarget {
 protected:
  void run(LaunchList& list) const {
    ASSERT_GT(list.size(), 0u);
    run_plan(target(), list);
  }
  void plan(const Status& status) const { ASSERT_TRUE(status.ok()) << status.reason(); }

  template <class T>
  void softmax(bool log, int64_t outer, int64_t n, int64_t inner) const {
    const Input<T> x(outer * n * inner);
    Guarded<typename T::Stored> out(x.stored.size());
    LaunchList list;
    plan(softmax::plan(chip(), {log, x.stored.data(), T::dtype, out.data(), T::dtype, outer, n, inner}, list));
    run(list);
    ASSERT_TRUE(out.intact()) << "n = " << n;
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i) {
        const auto at = [&](int64_t k) { return static_cast<size_t>((o * n + k) * inner + i); };
        double most = -INFINITY, sum = 0;
        for (int64_t k = 0; k < n; ++k) most = std::max(most, x.exact[at(k)]);
        for (int64_t k = 0; k < n; ++k) sum += std::exp(x.exact[at(k)] - most);
        for (int64_t k = 0; k < n; ++k) {
          const double shifted = x.exact[at(k)] - most, want = log ? shifted - std::log(sum) : std::exp(shifted) / sum;
          const std::string where = "n " + std::to_string(n) + " inner " + std::to_string(inner) + " element " + std::to_string(k);
          ASSERT_NO_FATAL_FAILURE(expect_near<T>(T::read(out[at(k)]), want, log ? 20 : want, 24, where));
        }
      }
  }

  template <class T>
  void layer_norm(int64_t rows, int64_t n, bool weight, bool bias) const {
    const Input<T> x(rows * n), w(n, 2), b(n, 3);
    Guarded<typename T::Stored> out(x.stored.size()), mean(static_cast<size_t>(rows)), rstd(static_cast<size_t>(rows));
    layer_norm::Call call{rows,
                          n,
                          1e-5,
                          x.stored.data(),
                          weight ? w.stored.data() : nullptr,
                          bias ? b.stored.data() : nullptr,
                          out.data(),
                          mean.data(),
                          rstd.data(),
                          T::dtype,
                          T::dtype,
                          T::dtype,
                          weight,
                          bias};
    LaunchList list;
    plan(layer_norm::plan(chip(), call, list));
    run(list);
    ASSERT_TRUE(out.intact() && mean.intact() && rstd.intact()) << "n = " << n;
    for (int64_t r = 0; r < rows; ++r) {
      const double* row = &x.exact[static_cast<size_t>(r * n)];
      double m = 0, v = 0;
      for (int64_t k = 0; k < n; ++k) m += row[k] / static_cast<double>(n);
      for (int64_t k = 0; k < n; ++k) v += (row[k] - m) * (row[k] - m) / static_cast<double>(n);
      const double s = 1 / std::sqrt(v + 1e-5);
      const std::string where = "n " + std::to_string(n) + " row " + std::to_string(r);
      const auto at = static_cast<size_t>(r);
      ASSERT_NO_FATAL_FAILURE(expect_near<T>(T::read(mean[at]), m, 10, 16, where + " mean"));
      // A row of one number has no spread: what rounding leaves of it is divided by sqrt(eps).
      ASSERT_NO_FATAL_FAILURE(expect_near<T>(T::read(rstd[at]), s, s, 64, where + " rstd"));
      for (int64_t k = 0; k < n; ++k) {
        const auto ku = static_cast<size_t>(k);
        const double factor = weight ? w.exact[ku] : 1, want = (row[k] - m) * s * factor + (bias ? b.exact[ku] : 0);
        ASSERT_NO_FATAL_FAILURE(expect_near<T>(T::read(out[static_cast<size_t>(r * n + k)]), want,
                                               10 * std::max(1., s) * std::abs(factor) + 10, 16, where));
      }
    }
  }

  // Reduces dimension 1 of [outer, n, inner].
  template <class T>
  void reduce(reduce::Kind kind, int64_t outer, int64_t n, int64_t inner) const {
    const Input<T> x(outer * n * inner);
    Guarded<typename T::Stored> out(static_cast<size_t>(outer * inner));
    const int64_t sizes[] = {outer, n, inner}, strides[] = {n * inner, inner, 1};
    const int64_t out_sizes[] = {outer, 1, inner}, out_strides[] = {inner, inner, 1};
    void* data = const_cast<typename T::Stored*>(x.stored.data());
    reduce::Call call{kind, {data, T::dtype, 3, sizes, strides}, 2, {out.data(), T::dtype, 3, out_sizes, out_strides}};
    LaunchList list;
    plan(reduce::plan(chip(), call, list));
    run(list);
    ASSERT_TRUE(out.intact()) << "n = " << n;
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i) {
        double sum = 0, absolute = 0, squares = 0;
        for (int64_t k = 0; k < n; ++k) {
          const double v = x.exact[static_cast<size_t>((o * n + k) * inner + i)];
          sum += v, absolute += std::abs(v), squares += v * v;
        }
        const bool mean = kind == reduce::Kind::mean, norm = kind == reduce::Kind::norm2;
        const double want = norm ? std::sqrt(squares) : mean ? sum / static_cast<double>(n) : sum;
        const double scale = norm ? want : mean ? absolute / static_cast<double>(n) : absolute;
        const std::string where = "n " + std::to_string(n) + " inner " + std::to_string(inner) + " column " + std::to_string(i);
        ASSERT_NO_FATAL_FAILURE(expect_near<T>(T::read(out[static_cast<size_t>(o * inner + i)]),
                                               n      ? want
                                               : mean ? NAN
                                                      : 0,
                                               scale, 4 + std::sqrt(static_cast<double>(n)), where));
      }
  }
};

template <class F>
void each_length(F f) {
  for (int64_t n : lengths) {
    SCOPED_TRACE("n = " + std::to_string(n));
    f(n);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

TEST_P(Rows, SoftmaxOfRows) {
  each_length([&](int64_t n) {
    softmax<F32>(false, 3, n, 1);
    softmax<BF16>(true, 3, n, 1);
    if (chip().simt) return; // the emulators look at widths of 4 and 8
    softmax<F64>(false, 3, n, 1);
    softmax<F16>(false, 3, n, 1);
    softmax<BF16>(false, 3, n, 1);
    softmax<F32>(true, 3, n, 1);
  });
}

TEST_P(Rows, SoftmaxOfColumns) {
  each_length([&](int64_t n) {
    softmax<F32>(false, 2, n, 3);
    softmax<F32>(true, 2, n, 65);
    softmax<BF16>(false, 2, n, 65);
  });
}

TEST_P(Rows, SoftmaxOfLongRowsThatAreNotKept) { softmax<F32>(false, 2, 1000001, 1); }

// 40000 floats wait in the shared memory of two blocks, 70001 in that of four, where the target has clusters.
TEST_P(Rows, SoftmaxOfRowsThatABlockCannotKeep) {
  softmax<F32>(false, 2, 40000, 1);
  softmax<F32>(true, 1, 70001, 1);
  softmax<BF16>(false, 2, 70001, 1);
  layer_norm<F32>(1, 40000, true, true);
}
TEST_P(Rows, SoftmaxOfLongColumns) {
  softmax<F32>(false, 1, 2500, 32);
  softmax<BF16>(true, 2, 1025, 64);
}
// Rows that begin at any phase of an access; input and output are at different phases.
TEST_P(Rows, SoftmaxOfMisalignedRows) {
  for (int64_t n : {5, 64, 1000, 4097})
    for (size_t in_at : {1, 3})
      for (size_t out_at : {0, 1, 2}) {
        const Input<F32> x(3 * n + 8);
        Guarded<float> out(static_cast<size_t>(3 * n) + 8);
        LaunchList list;
        plan(softmax::plan(chip(), {false, x.stored.data() + in_at, Dtype::float32, out.data() + out_at, Dtype::float32, 3, n, 1},
                           list));
        run(list);
        ASSERT_TRUE(out.intact());
        for (int64_t r = 0; r < 3; ++r) {
          const double* row = &x.exact[in_at + static_cast<size_t>(r * n)];
          double sum = 0;
          for (int64_t k = 0; k < n; ++k) sum += std::exp(row[k]);
          for (int64_t k = 0; k < n; ++k) {
            const double want = std::exp(row[k]) / sum;
            const std::string where = "n " + std::to_string(n) + " element " + std::to_string(k);
            ASSERT_NO_FATAL_FAILURE(expect_near<F32>(out[out_at + static_cast<size_t>(r * n + k)], want, want, 24, where));
          }
        }
      }
}

TEST_P(Rows, LayerNorm) {
  each_length([&](int64_t n) {
    layer_norm<F32>(3, n, true, true);
    if (chip().simt) return;
    layer_norm<F32>(3, n, false, false);
    layer_norm<F64>(3, n, true, true);
    layer_norm<F16>(3, n, true, true);
    layer_norm<BF16>(3, n, true, false);
    layer_norm<BF16>(3, n, false, true);
  });
}

TEST_P(Rows, ReduceRows) {
  each_length([&](int64_t n) {
    reduce<F32>(reduce::Kind::sum, 3, n, 1);
    reduce<F64>(reduce::Kind::mean, 3, n, 1);
    reduce<F16>(reduce::Kind::mean, 3, n, 1);
    reduce<BF16>(reduce::Kind::norm2, 3, n, 1);
  });
}

TEST_P(Rows, ReduceColumns) {
  each_length([&](int64_t n) {
    reduce<F32>(reduce::Kind::sum, 2, n, 3);
    reduce<F32>(reduce::Kind::norm2, 2, n, 65);
    reduce<BF16>(reduce::Kind::mean, 2, n, 127);
  });
}

TEST_P(Rows, NothingToReduceGivesTheIdentity) {
  for (auto kind : {reduce::Kind::sum, reduce::Kind::mean, reduce::Kind::norm2}) {
    Guarded<float> out(3);
    const int64_t sizes[] = {3, 0}, strides[] = {1, 1}, out_sizes[] = {3, 1};
    float none = 0;
    reduce::Call call{kind, {&none, Dtype::float32, 2, sizes, strides}, 2, {out.data(), Dtype::float32, 2, out_sizes, strides}};
    LaunchList list;
    plan(reduce::plan(chip(), call, list));
    run(list);
    ASSERT_TRUE(out.intact());
    for (size_t i = 0; i < 3; ++i) {
      if (kind == reduce::Kind::mean)
        EXPECT_TRUE(std::isnan(out[i]));
      else
        EXPECT_EQ(out[i], 0);
    }
  }
}

TEST_P(Rows, RowsOfNothingAreNoLaunchOrARefusal) {
  Guarded<float> out(1);
  LaunchList list;
  plan(softmax::plan(chip(), {false, nullptr, Dtype::float32, out.data(), Dtype::float32, 3, 0, 1}, list));
  EXPECT_EQ(list.size(), 0u);
  const layer_norm::Call call{3,          0,          1e-5,           nullptr,        nullptr,        nullptr, out.data(),
                              out.data(), out.data(), Dtype::float32, Dtype::float32, Dtype::float32, false,   false};
  EXPECT_FALSE(layer_norm::plan(chip(), call, list).ok());
  EXPECT_EQ(list.size(), 0u);
}

// What the maximum of a fold and an exponential make of specials, as IEEE 754 and ATen have it.
TEST_P(Rows, SoftmaxOfSpecialValues) {
  const float inf = INFINITY, nan = NAN;
  const std::vector<float> in = {1, nan, 2, /**/ -inf, 0, -inf, /**/ inf, 0, 0, /**/ -inf, -inf, -inf, /**/ 3e38f, -3e38f, 3e38f};
  Guarded<float> out(in.size());
  LaunchList list;
  plan(softmax::plan(chip(), {false, in.data(), Dtype::float32, out.data(), Dtype::float32, 5, 3, 1}, list));
  run(list);
  ASSERT_TRUE(out.intact());
  const std::vector<float> want = {nan, nan, nan, 0, 1, 0, nan, nan, nan, nan, nan, nan, 0.5f, 0, 0.5f};
  for (size_t i = 0; i < in.size(); ++i) {
    if (std::isnan(want[i]))
      EXPECT_TRUE(std::isnan(out[i])) << i << ": " << out[i];
    else
      EXPECT_EQ(out[i], want[i]) << i;
  }
}

FOR_EACH_TARGET_AND_EMULATOR(Rows);

} // namespace
} // namespace corundum::test
