// Folds whose state is more than a number (lang/statistics.h), along rows and columns, on every target: at the lengths where
// vectors, warps and chunks end, in every layout that plan_rows chooses, off alignment.
#include <cmath>
#include <random>

#include "conformance/target.h"
#include "ops/rows.h"

namespace corundum::test {
namespace {

constexpr int64_t lengths[] = {1, 15, 16, 17, 127, 128, 129, 1000, 4097, 70000};

class Statistics : public OnTarget {
 protected:
  // Folds [outer, n, inner] floats with `body`, which knows `pass`, `x` and the outputs `first` (i64) and `second`, `third`
  // (float).
  template <class Check>
  void fold(const std::string& body, const std::vector<float>& x, int64_t outer, int64_t n, int64_t inner, Check check) {
    const auto shift = static_cast<size_t>(n % 3), folds = static_cast<size_t>(outer * inner);
    RowsShape shape{outer, n, inner, sizeof(float)};
    shape.column = inner > 1;
    shape.aligned = shift == 0 && n * inner % 4 == 0;
    RowsPlan p;
    ASSERT_TRUE(plan_rows(chip(), shape, &p));
    const std::string text = "#include \"lang/kernel.h\"\n#include \"lang/rows.h\"\n#include \"lang/statistics.h\"\n" +
                             pass_type(chip(), p.layout) +
                             "struct Args { cor::RowsHead head; const float* in; cor::i64* first; float *second, *third; };\n"
                             "COR_FN void body(Pass& pass, const Args& a) {\n  using namespace cor;\n  pass.align_to(a.in);\n"
                             "  const auto x = load<float>(pass, a.in);\n" +
                             body + "}\nCOR_ROWS(entry, Pass, Args, body" + entry_tail(chip(), p.layout);
    Buffer in, first, second, third;
    const auto arguments = [&] {
      in = Buffer::of(x, shift);
      first = Buffer::filled<int64_t>(folds, -7);
      second = Buffer::filled<float>(folds, -7, 1);
      third = Buffer::filled<float>(folds, -7, 1);
      return std::vector<Argument>{outer, n, inner, &in, &first, &second, &third};
    };
    Kernel kernel{text, p.blocks, 1u << p.layout.threads_log2, p.shared_bytes, 1u << p.layout.cluster_log2};
    run(kernel, arguments, [&] { check(first.as<int64_t>(), second.as<float>(), third.as<float>()); });
  }
};

struct Shape {
  int64_t outer, n, inner;
};
std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const int64_t n : lengths) {
    all.push_back({n > 4097 ? 1 : 3, n, 1});
    if (n < 4096) all.push_back({2, n, n % 2 ? 5 : 8});
  }
  return all;
}
std::string text_of(const Shape& s) {
  return std::to_string(s.outer) + " x " + std::to_string(s.n) + " x " + std::to_string(s.inner);
}
// Calls f(place of a fold's result, places of its elements in memory).
template <class F>
void each_fold(const Shape& s, F f) {
  for (int64_t o = 0; o < s.outer; ++o)
    for (int64_t i = 0; i < s.inner; ++i)
      f(static_cast<size_t>(o * s.inner + i), [=](int64_t e) { return static_cast<size_t>((o * s.n + e) * s.inner + i); });
}

TEST_P(Statistics, TheFirstOfTheLargestAndTheSmallest) {
  const std::string body = R"(
  const auto most = fold<ArgMax<float>>(pass, numbered(pass, x)), least = fold<ArgMin<float>>(pass, numbered(pass, x));
  Folded<i64, Pass::columns> place;
  Folded<float, Pass::columns> high, low;
  for (int k = 0; k < Pass::columns; ++k) {
    place.v[k] = most.v[k].place * 1000000 + least.v[k].place;
    high.v[k] = most.v[k].value;
    low.v[k] = least.v[k].value;
  }
  store_folded(pass, a.first, place);
  store_folded(pass, a.second, high);
  store_folded(pass, a.third, low);
)";
  for (const Shape& s : shapes()) {
    SCOPED_TRACE(text_of(s));
    std::mt19937 random(static_cast<uint32_t>(s.n + s.inner));
    std::vector<float> x(static_cast<size_t>(s.outer * s.n * s.inner));
    for (float& v : x) v = static_cast<float>(static_cast<int>(random() % 9) - 4); // many equals
    x[random() % x.size()] = std::nanf("");
    x[random() % x.size()] = -INFINITY;
    fold(body, x, s.outer, s.n, s.inner, [&](const auto& places, const auto& high, const auto& low) {
      each_fold(s, [&](size_t at, auto element) {
        int64_t most = 0, least = 0;
        for (int64_t e = 1; e < s.n; ++e) {
          const float v = x[element(e)], m = x[element(most)], l = x[element(least)];
          if (!std::isnan(m) && (std::isnan(v) || v > m)) most = e;
          if (!std::isnan(l) && (std::isnan(v) || v < l)) least = e;
        }
        EXPECT_EQ(places[at], most * 1000000 + least);
        EXPECT_TRUE(std::isnan(x[element(most)]) ? std::isnan(high[at]) : high[at] == x[element(most)]);
        EXPECT_TRUE(std::isnan(x[element(least)]) ? std::isnan(low[at]) : low[at] == x[element(least)]);
      });
    });
    if (HasFailure() || IsSkipped()) return;
  }
}

TEST_P(Statistics, CountMeanAndSquares) {
  const std::string body = R"(
  const auto all = fold<Moments<float>>(pass, x);
  Folded<i64, Pass::columns> count;
  Folded<float, Pass::columns> mean, m2;
  for (int k = 0; k < Pass::columns; ++k) {
    count.v[k] = i64(all.v[k].count);
    mean.v[k] = all.v[k].mean;
    m2.v[k] = all.v[k].m2;
  }
  store_folded(pass, a.first, count);
  store_folded(pass, a.second, mean);
  store_folded(pass, a.third, m2);
)";
  for (const Shape& s : shapes()) {
    SCOPED_TRACE(text_of(s));
    std::mt19937 random(static_cast<uint32_t>(s.n + s.inner));
    std::normal_distribution<float> normal(1000, 1); // a sum of squares minus a square of sums has no correct digit here
    std::vector<float> x(static_cast<size_t>(s.outer * s.n * s.inner));
    for (float& v : x) v = normal(random);
    fold(body, x, s.outer, s.n, s.inner, [&](const auto& count, const auto& mean, const auto& m2) {
      each_fold(s, [&](size_t at, auto element) {
        double sum = 0, squares = 0;
        for (int64_t e = 0; e < s.n; ++e) sum += x[element(e)];
        const double middle = sum / static_cast<double>(s.n);
        for (int64_t e = 0; e < s.n; ++e) squares += (x[element(e)] - middle) * (x[element(e)] - middle);
        EXPECT_EQ(count[at], s.n);
        EXPECT_NEAR(mean[at], middle, 1000 * 0x1p-23 * (2 + std::sqrt(s.n))); // a rounding a step, of either sign
        EXPECT_NEAR(m2[at], squares, squares * 1e-3 + 1e-12);
      });
    });
    if (HasFailure() || IsSkipped()) return;
  }
}

ON_ALL_TARGETS(Statistics);

} // namespace
} // namespace corundum::test
