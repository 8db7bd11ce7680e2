// The f32 functions of lang/maths.h against f64, on 17 million floats of every binade: the numbers are the ones in that file's
// header.
#include <cmath>
#include <limits>

#include "lang/support.h"

namespace corundum::test {
namespace {

struct Args {
  const float* in;
  float* out;
};

std::vector<float> apply(const std::string& target, const std::string& function, const std::vector<float>& in) {
  const Entry entry = compile_text(target, R"(
struct Args { const float* in; float* out; };
extern "C" void entry(const void* args, long long first, long long last, void*) {
  const Args a = *static_cast<const Args*>(args);
#pragma GCC ivdep
  for (long long i = first; i < last; ++i) a.out[i] = )" +
                                               function + "(a.in[i]);\n}\n");
  std::vector<float> out(in.size(), -12345.f);
  const Args args{in.data(), out.data()};
  entry(&args, 0, static_cast<int64_t>(in.size()), nullptr);
  return out;
}

// More than 2^24 floats, and the places where the functions change their form.
const std::vector<float>& samples() {
  static const std::vector<float> all = [] {
    std::vector<float> s = floats_by_pattern(251);
    for (float edge : {0.f, 1.f, 0.9f, 0.65f, 0.70710678f, 1.41421356f, 4.f, 10.f, 87.f, 88.7228394f, 89.5f, 87.3365448f,
                       103.972084f, 104.f, 1.17549435e-38f, 1e-45f, 3.40282347e38f, std::numeric_limits<float>::infinity()})
      for (int step = -64; step <= 64; ++step)
        for (uint32_t sign : {0u, 0x80000000u}) s.push_back(float_of((bits_of(edge) + static_cast<uint32_t>(step)) ^ sign));
    // Where the functions are neither 0, 1 nor infinite there are few patterns of these; as many again, evenly by value.
    for (int i = -2000000; i <= 2000000; ++i) s.push_back(static_cast<float>(i) * 53e-6f);
    return s;
  }();
  return all;
}

struct Function {
  const char* name;
  double (*exact)(double);
  double bound; // ulp
};

class Maths : public EachTarget {
 protected:
  void check(const Function& f) const {
    const std::vector<float>& in = samples();
    ASSERT_GE(in.size(), size_t{1} << 24);
    const std::vector<float> out = apply(target(), std::string("cor::") + f.name, in);
    double worst = 0;
    size_t at = 0;
    for (size_t i = 0; i < in.size(); ++i) {
      const double error = ulps(out[i], f.exact(in[i]));
      if (error > worst) worst = error, at = i;
    }
    RecordProperty("worst_ulp", std::to_string(worst));
    std::printf("%s on %s: worst error %.3f ulp, at %a\n", f.name, GetParam(), worst, static_cast<double>(in[at]));
    EXPECT_LE(worst, f.bound) << f.name << "(" << in[at] << ") = " << out[at] << ", exactly " << f.exact(in[at]);
    EXPECT_GT(worst, 0.3) << "a rounded result is up to half an ulp off: the comparison sees nothing";
  }
};

TEST_P(Maths, Exp) { check({"exp", std::exp, 1.05}); }
TEST_P(Maths, Log) { check({"log", std::log, 0.85}); }
TEST_P(Maths, Erf) { check({"erf", std::erf, 1.15}); }
TEST_P(Maths, Tanh) { check({"tanh", std::tanh, 1.3}); }

// The bits of exp, or 0 where that is no normal number.
TEST_P(Maths, ExpOfNonpositiveNumbers) {
  std::vector<float> in;
  for (float x : samples())
    if (!(x > 0)) in.push_back(x);
  ASSERT_GE(in.size(), size_t{1} << 22);
  const std::vector<float> out = apply(target(), "cor::exp_nonpositive", in), exp = apply(target(), "cor::exp", in);
  size_t zeros = 0;
  for (size_t i = 0; i < in.size(); ++i) {
    const bool flushed = out[i] == 0 && exp[i] < std::numeric_limits<float>::min();
    zeros += flushed;
    ASSERT_TRUE(flushed || out[i] == exp[i] || (std::isnan(in[i]) && std::isnan(out[i]))) << in[i] << ": " << out[i];
  }
  EXPECT_GT(zeros, 0u);
}

TEST_P(Maths, SpecialValues) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> in = {0.f, -0.f, inf, -inf, nan, -nan};
  const auto same = [](float got, float want) {
    return std::isnan(want) ? std::isnan(got) : got == want && std::signbit(got) == std::signbit(want);
  };
  const auto check = [&](const char* name, const std::vector<float>& want) {
    const std::vector<float> got = apply(target(), std::string("cor::") + name, in);
    for (size_t i = 0; i < in.size(); ++i) EXPECT_TRUE(same(got[i], want[i])) << name << "(" << in[i] << ") = " << got[i];
  };
  check("exp", {1, 1, inf, 0, nan, nan});
  check("log", {-inf, -inf, inf, nan, nan, nan});
  check("erf", {0, -0.f, 1, -1, nan, nan});
  check("tanh", {0, -0.f, 1, -1, nan, nan});
  check("abs", {0, 0, inf, inf, nan, nan});
}

TEST_P(Maths, MaximumAndMinimumSpreadNan) {
  const Entry entry = compile_text(target(), R"(
struct Args { const float* in; float* out; };
extern "C" void entry(const void* args, long long, long long n, void*) {
  const Args a = *static_cast<const Args*>(args);
  for (long long i = 0; i < n; ++i)
    for (long long j = 0; j < n; ++j) {
      float* out = a.out + 4 * (i * n + j);
      out[0] = cor::maximum(a.in[i], a.in[j]);
      out[1] = cor::minimum(a.in[i], a.in[j]);
      out[2] = cor::clamp_min(a.in[i], a.in[j]);
      out[3] = cor::clamp_max(a.in[i], a.in[j]);
    }
})");
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> in = {nan, -inf, -2.5f, 0.f, 1e-40f, 3.f, inf};
  std::vector<float> out(4 * in.size() * in.size());
  const Args args{in.data(), out.data()};
  entry(&args, 0, static_cast<int64_t>(in.size()), nullptr);
  for (size_t i = 0; i < in.size(); ++i)
    for (size_t j = 0; j < in.size(); ++j) {
      const float *got = &out[4 * (i * in.size() + j)], a = in[i], b = in[j];
      const bool is_nan = std::isnan(a) || std::isnan(b);
      for (int k = 0; k < 4; ++k) {
        if (is_nan)
          EXPECT_TRUE(std::isnan(got[k])) << k << " of " << a << ", " << b;
        else
          EXPECT_EQ(got[k], k % 2 == 0 ? std::max(a, b) : std::min(a, b)) << k << " of " << a << ", " << b;
      }
    }
}

FOR_EACH_TARGET(Maths);

} // namespace
} // namespace corundum::test
