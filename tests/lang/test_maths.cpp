// The functions of lang/maths/ against long double: the bounds are the ones that stand beside the functions. Samples: every f16 and
// bf16 (f32), patterns that step through all binades of either sign with denormals and NaNs, values by size, and the neighbours of
// the places where the functions are special or change their form.
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>

#include "lang/support.h"

namespace corundum::test {
namespace {

using Real = long double;
const Real pi = 3.14159265358979323846264338327950288L;

// digamma by recurrence and its asymptotic series (Abramowitz and Stegun 6.3.5, 6.3.7, 6.3.18), at the edges as ATen has it.
Real digamma(Real x) {
  if (x == 0) return std::copysign(std::numeric_limits<Real>::infinity(), -x);
  if (x < 0) {
    if (x == std::floor(x)) return std::numeric_limits<Real>::quiet_NaN();
    return digamma(1 - x) - pi / std::tan(pi * (x - std::rint(x)));
  }
  Real sum = 0;
  for (; x < 40; x += 1) sum += 1 / x;
  const Real w = 1 / (x * x);
  const Real series = 1.L / 12 - w * (1.L / 120 - w * (1.L / 252 - w * (1.L / 240 - w * (1.L / 132 - w * 691.L / 32760))));
  return std::log(x) - 0.5L / x - w * series - sum;
}

// Halley's steps for erf(y) = x, from Winitzki's formula (2008).
Real erfinv(Real x) {
  const Real a = std::abs(x);
  if (a == 1) return x * std::numeric_limits<Real>::infinity();
  if (!(a < 1)) return std::numeric_limits<Real>::quiet_NaN();
  if (x == 0) return x;
  const Real l = std::log1p(-a * a), t = 2 / (pi * 0.147L) + l / 2;
  Real y = a < 1e-3L ? a * std::sqrt(pi) / 2 : std::sqrt(std::sqrt(t * t - l / 0.147L) - t);
  for (int step = 0; step < 4; ++step) {
    const Real miss = a > 0.5L ? (1 - a) - std::erfc(y) : std::erf(y) - a;
    const Real u = miss / (2 / std::sqrt(pi) * std::exp(-y * y));
    y -= u / (1 + y * u);
  }
  return std::copysign(y, x);
}

Real remainder_as_python(Real a, Real b) {
  const Real rest = std::fmod(a, b);
  return rest != 0 && (b < 0) != (rest < 0) ? rest + b : rest;
}

template <class T>
T from_pattern(uint64_t bits) {
  T value;
  const std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t> low = static_cast<decltype(low)>(bits);
  std::memcpy(&value, &low, sizeof value);
  return value;
}

template <class T>
std::vector<T> edges() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> s = {Limits::quiet_NaN(), Limits::infinity(), 0};
  for (double edge : {0.,
                      1.,
                      0.5,
                      2.,
                      0.9,
                      0.70710678118654757,
                      1.4142135623730951,
                      3.,
                      4.,
                      5.4,
                      6.,
                      7.5,
                      8.,
                      9.,
                      10.,
                      16.,
                      20.,
                      87.3365448,
                      88.73,
                      89.5,
                      103.97,
                      104.,
                      126.5,
                      149.5,
                      708.4,
                      709.8,
                      710.5,
                      745.2,
                      1022.5,
                      1074.5,
                      1e9,
                      1e150,
                      1e22,
                      2.5,
                      0.15,
                      28.,
                      10.2,
                      1e-9,
                      1.5707963267948966,
                      3.1415926535897932,
                      1.46163214496836,
                      1e-38,
                      2.3e-308,
                      3.4028234e38,
                      1.7976931348623157e308}) {
    T up = static_cast<T>(edge), down = up;
    for (int step = 0; step <= 64; ++step) {
      s.insert(s.end(), {up, down});
      up = std::nextafter(up, Limits::infinity()), down = std::nextafter(down, -Limits::infinity());
    }
  }
  for (int i = 1; i < 200; ++i) s.push_back(Limits::denorm_min() * static_cast<T>(i * i * i));
  // The numbers nearest to multiples of pi/2 (J.-M. Muller, Elementary Functions, 10.2).
  s.push_back(sizeof(T) == 4 ? static_cast<T>(std::ldexp(16367173., 72)) : static_cast<T>(std::ldexp(6381956970095103., 797)));
  for (size_t i = 0, n = s.size(); i < n; ++i) s.push_back(-s[i]);
  return s;
}

template <class T>
const std::vector<T>& samples() {
  static const std::vector<T> all = [] {
    std::vector<T> s = edges<T>();
    constexpr uint64_t count = 400'000, step = (sizeof(T) == 4 ? uint64_t{1} << 32 : ~uint64_t{0}) / count | 1;
    for (uint64_t i = 0; i < count; ++i) s.push_back(from_pattern<T>(i * step));
    if (sizeof(T) == 4)
      for (uint32_t h = 0; h < 65536; ++h)
        s.insert(s.end(),
                 {static_cast<T>(from_half(static_cast<uint16_t>(h))), static_cast<T>(from_bfloat(static_cast<uint16_t>(h)))});
    for (double range : {1., 2.5, 10., 40., 750., 1e4})
      for (int i = -40'000; i < 40'000; ++i) s.push_back(static_cast<T>(range * (i + 0.37) / 40'000));
    return s;
  }();
  return all;
}

template <class T>
std::string type_name() {
  return sizeof(T) == 4 ? "float" : "double";
}

template <class T>
std::vector<T> apply(const std::string& target, const std::string& function, const std::vector<T>& in) {
  const Entry entry = compile_text(target, "#include \"lang/maths.h\"\nusing T = " + type_name<T>() + R"(;
struct Args { const T* in; T* out; };
extern "C" void entry(const void* args, long long first, long long last, void*) {
  const Args a = *static_cast<const Args*>(args);
#pragma GCC ivdep
  for (long long i = first; i < last; ++i) a.out[i] = cor::)" +
                                               function + "(a.in[i]);\n}\n");
  std::vector<T> out(in.size(), T(-12345));
  const struct {
    const T* in;
    T* out;
  } args{in.data(), out.data()};
  entry(&args, 0, static_cast<int64_t>(in.size()), nullptr);
  return out;
}

struct Unary {
  const char* name;
  Real (*exact)(Real);
  double f32, f64; // bounds in ulp
  // Ulps are of the result or of these, if they are larger; left of 0 and elsewhere. For functions whose zeros cost digits.
  double left32 = 0, left64 = 0, right32 = 0, right64 = 0;
};
#define EXACT(expression) [](Real x) -> Real { return expression; }
const Unary unary[] = {
    {"exp", EXACT(std::exp(x)), 1.05, 1},
    {"exp2", EXACT(std::exp2(x)), 1.25, 1.2},
    {"expm1", EXACT(std::expm1(x)), 1.7, 1.9},
    {"log", EXACT(std::log(x)), 0.9, 0.8},
    {"log1p", EXACT(std::log1p(x)), 1.45, 1.3},
    {"log2", EXACT(std::log2(x)), 1.6, 1.6},
    {"log10", EXACT(std::log10(x)), 1.6, 1.6},
    {"sin", EXACT(std::sin(x)), 0.6, 1.7},
    {"cos", EXACT(std::cos(x)), 0.6, 1.7},
    {"tan", EXACT(std::tan(x)), 0.6, 4},
    {"asin", EXACT(std::asin(x)), 2.5, 2.3},
    {"acos", EXACT(std::acos(x)), 1.3, 1.3},
    {"atan", EXACT(std::atan(x)), 1.6, 1.6},
    {"sinh", EXACT(std::sinh(x)), 1.8, 1.7},
    {"cosh", EXACT(std::cosh(x)), 1.6, 1.5},
    {"tanh", EXACT(std::tanh(x)), 2.5, 2.8},
    {"asinh", EXACT(std::asinh(x)), 1.9, 1.9},
    {"acosh", EXACT(std::acosh(x)), 2.2, 2.4},
    {"atanh", EXACT(std::atanh(x)), 2.3, 2.2},
    {"erf", EXACT(std::erf(x)), 1.15, 1.1},
    {"erfc", EXACT(std::erfc(x)), 5, 5},
    {"erfinv", erfinv, 3.2, 3},
    {"lgamma", EXACT(std::lgamma(x)), 0.6, 6, 0x1p-26, 32, 0x1p-26, 1},
    {"digamma", digamma, 0.6, 12, 0x1p-26, 32, 0x1p-26, 1},
    {"sqrt", EXACT(std::sqrt(x)), 0.5, 0.5},
    {"rsqrt", EXACT(1 / std::sqrt(x)), 1.5, 1.5},
    {"cbrt", EXACT(std::cbrt(x)), 0.6, 0.7},
};

class Maths : public EachTarget {
 protected:
  template <class T>
  void check(const Unary& f) const {
    const std::vector<T>& in = samples<T>();
    ASSERT_GE(in.size(), size_t{800'000});
    const std::vector<T> out = apply<T>(target(), f.name, in);
    const double bound = sizeof(T) == 4 ? f.f32 : f.f64;
    double worst = 0;
    size_t at = 0;
    for (size_t i = 0; i < in.size(); ++i) {
      const double least = in[i] < 0 ? (sizeof(T) == 4 ? f.left32 : f.left64) : (sizeof(T) == 4 ? f.right32 : f.right64);
      const double error = ulps(out[i], f.exact(in[i]), least);
      if (error > worst) worst = error, at = i;
    }
    std::printf("%s of %s on %s: worst error %.3f ulp, at %a\n", f.name, type_name<T>().c_str(), GetParam(), worst,
                static_cast<double>(in[at]));
    EXPECT_LE(worst, bound) << f.name << "(" << in[at] << ") = " << out[at] << ", exactly " << f.exact(in[at]);
    EXPECT_GT(worst, 0.3) << "a rounded result is up to half an ulp off: the comparison sees nothing";
  }
  void check_part(size_t part, size_t parts) const {
    for (size_t i = part; i < std::size(unary); i += parts) check<float>(unary[i]), check<double>(unary[i]);
  }
};

// In parts, so that they may run beside each other.
TEST_P(Maths, OneArgumentPart1) { check_part(0, 4); }
TEST_P(Maths, OneArgumentPart2) { check_part(1, 4); }
TEST_P(Maths, OneArgumentPart3) { check_part(2, 4); }
TEST_P(Maths, OneArgumentPart4) { check_part(3, 4); }

template <class T>
struct Pairs {
  std::vector<T> x, y;
  void add(T a, T b) { x.push_back(a), y.push_back(b); }
};
// All pairs of special numbers, random pairs of samples, and pairs of ordinary size.
template <class T>
const Pairs<T>& pairs() {
  static const Pairs<T> all = [] {
    using Limits = std::numeric_limits<T>;
    Pairs<T> p;
    std::vector<T> special = {0,
                              Limits::infinity(),
                              Limits::quiet_NaN(),
                              Limits::min(),
                              Limits::denorm_min(),
                              Limits::max(),
                              1,
                              2,
                              3,
                              T(0.5),
                              T(1.5),
                              T(1e9),
                              T(16777217.),
                              T(9007199254740991.),
                              T(9007199254740994.)};
    for (size_t i = 0, n = special.size(); i < n; ++i) special.push_back(-special[i]);
    for (T a : special)
      for (T b : special) p.add(a, b);
    std::mt19937_64 random(7);
    const std::vector<T>& s = samples<T>();
    for (int i = 0; i < 300'000; ++i) p.add(s[random() % s.size()], s[random() % s.size()]);
    const auto between = [&](double low, double high) { return static_cast<T>(low + (high - low) * (random() >> 11) * 0x1p-53); };
    for (int i = 0; i < 200'000; ++i) {
      p.add(between(-8, 8), between(-8, 8));
      p.add(between(0.5, 2), between(-800, 800));
      p.add(between(0, 1000), std::rint(between(-16, 16)));
    }
    return p;
  }();
  return all;
}

struct Binary {
  const char* name;
  Real (*exact)(Real, Real);
  double f32, f64;
};
#define EXACT_2(expression) [](Real x, Real y) -> Real { return expression; }
const Binary binary[] = {
    {"pow", EXACT_2(std::pow(x, y)), 0.51, 1.2},     {"atan2", EXACT_2(std::atan2(x, y)), 1.7, 1.7},
    {"hypot", EXACT_2(std::hypot(x, y)), 0.51, 1.2}, {"fmod", EXACT_2(std::fmod(x, y)), 0, 0},
    {"remainder", remainder_as_python, 0.5, 0.5},
};

template <class T>
void check_binary(const std::string& target, const Binary& f) {
  const Pairs<T>& in = pairs<T>();
  const Entry entry = compile_text(target, "#include \"lang/maths.h\"\nusing T = " + type_name<T>() + R"(;
struct Args { const T *x, *y; T* out; };
extern "C" void entry(const void* args, long long first, long long last, void*) {
  const Args a = *static_cast<const Args*>(args);
#pragma GCC ivdep
  for (long long i = first; i < last; ++i) a.out[i] = cor::)" +
                                               f.name + "(a.x[i], a.y[i]);\n}\n");
  std::vector<T> out(in.x.size(), T(-12345));
  const struct {
    const T *x, *y;
    T* out;
  } args{in.x.data(), in.y.data(), out.data()};
  entry(&args, 0, static_cast<int64_t>(out.size()), nullptr);
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    const double error = ulps(out[i], f.exact(in.x[i], in.y[i]));
    if (error > worst) worst = error, at = i;
  }
  std::printf("%s of %s on %s: worst error %.3f ulp, at %a, %a\n", f.name, type_name<T>().c_str(), target.c_str(), worst,
              static_cast<double>(in.x[at]), static_cast<double>(in.y[at]));
  EXPECT_LE(worst, sizeof(T) == 4 ? f.f32 : f.f64)
      << f.name << "(" << in.x[at] << ", " << in.y[at] << ") = " << out[at] << ", exactly " << f.exact(in.x[at], in.y[at]);
}
TEST_P(Maths, TwoArguments) {
  for (const Binary& f : binary) check_binary<float>(target(), f), check_binary<double>(target(), f);
}

// x Phi(x), as exact as ATen's x (1 + erf(x / sqrt 2)) / 2 on CPUs, whose erf has an absolute error of 1.5e-7.
TEST_P(Maths, Gelu) {
  const std::vector<float>& in = samples<float>();
  const std::vector<float> out = apply<float>(target(), "gelu_erf", in);
  const auto exact = [](Real x) { return x * std::erfc(-x / std::sqrt(2.L)) / 2; };
  double worst = 0;
  for (size_t i = 0; i < in.size(); ++i) {
    const Real x = in[i];
    if (std::isnan(x) || x == -std::numeric_limits<Real>::infinity()) {
      ASSERT_TRUE(std::isnan(out[i])) << in[i]; // -infinity times 0
    } else if (std::isinf(x)) {
      ASSERT_EQ(out[i], in[i]);
    } else {
      worst = std::max(worst, static_cast<double>(std::abs(out[i] - exact(x)) / std::max(std::abs(x), Real(1e-38))));
    }
  }
  std::printf("gelu on %s: worst error %.3g |x|\n", GetParam(), worst);
  EXPECT_LE(worst, 1.5e-7);
  EXPECT_GT(worst, 1e-9);
  EXPECT_EQ(apply<float>(target(), "gelu_erf", {-1e6f, -30.f, 1e6f, 0.f}), (std::vector<float>{-0.f, -0.f, 1e6f, 0.f}));
}

// The bits of exp, or 0 where that is no normal number.
TEST_P(Maths, ExpOfNonpositiveNumbers) {
  std::vector<float> in;
  for (float x : samples<float>())
    if (!(x > 0)) in.push_back(x);
  ASSERT_GE(in.size(), size_t{1} << 18);
  const std::vector<float> out = apply(target(), "exp_nonpositive", in), exp = apply(target(), "exp", in);
  size_t zeros = 0;
  for (size_t i = 0; i < in.size(); ++i) {
    const bool flushed = out[i] == 0 && exp[i] < std::numeric_limits<float>::min();
    zeros += flushed;
    ASSERT_TRUE(flushed || out[i] == exp[i] || (std::isnan(in[i]) && std::isnan(out[i]))) << in[i] << ": " << out[i];
  }
  EXPECT_GT(zeros, 0u);
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
  const struct {
    const float* in;
    float* out;
  } args{in.data(), out.data()};
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
