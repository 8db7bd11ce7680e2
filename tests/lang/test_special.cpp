// The special functions of lang/maths/ against long double: the bounds are the ones that stand beside the functions. References are
// integrals, series and continued fractions of their own, not the forms that the functions use.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "lang/support.h"

namespace corundum::test {
namespace {

using Real = long double;
const Real pi = 3.14159265358979323846264338327950288L;
const Real inf = std::numeric_limits<Real>::infinity(), nan = std::numeric_limits<Real>::quiet_NaN();

// I_n(x) by its power series, or the asymptotic one; NaN at infinity, as ATen has it.
Real modified_i(int n, Real x, bool scaled) {
  const Real a = std::abs(x), sign = x < 0 && n == 1 ? -1 : 1;
  if (std::isinf(x)) return scaled ? (n == 1 && x < 0 ? -0.L : 0.L) : nan;
  Real sum = 1, term = 1;
  if (a < 45) {
    for (int k = 1; term > sum * 1e-21L; ++k) sum += term *= a * a / 4 / (k * (k + n));
    return sign * sum * (n == 1 ? a / 2 : 1) * (scaled ? std::exp(-a) : 1);
  }
  for (int k = 1; std::abs(term) > 1e-21L; ++k) sum += term *= -(4 * n * n - (2 * k - 1) * (2 * k - 1)) / (8 * a * k);
  return sign * sum / std::sqrt(2 * pi * a) * (scaled ? 1 : std::exp(a));
}
// e^x K_order(x) = integral of e^(x - x cosh t) cosh(order t): the trapezoidal rule converges as fast as the integrand vanishes.
Real scaled_k(Real order, Real x) {
  const Real h = 0.5L / std::sqrt(x + 36); // narrower than the integrand's peak
  Real sum = 0.5L;
  for (int i = 1;; ++i) {
    const Real s = std::sinh(i * h / 2), term = std::exp(-2 * x * s * s) * std::cosh(order * i * h);
    sum += term;
    if (term < sum * 1e-21L) return sum * h;
  }
}
Real modified_k(int n, Real x, bool scaled) {
  if (!(x > 0)) return x == 0 ? inf : nan;
  if (std::isinf(x)) return 0;
  return scaled_k(n, x) * (scaled ? 1 : std::exp(-x));
}
Real airy_ai(Real x) {
  if (std::isinf(x) || std::isnan(x)) return nan;
  if (std::abs(x) < 1e-3L)
    return 0.35502805388781723926L * (1 + x * x * x / 6) - 0.25881940379280679841L * (x + x * x * x * x / 12);
  const Real a = std::abs(x), zeta = 2 * a * std::sqrt(a) / 3;
  if (x > 0) return std::sqrt(a / 3) / pi * scaled_k(1 / 3.L, zeta) * std::exp(-zeta);
  const Real j = std::cyl_bessel_j(1 / 3.L, zeta), y = std::cyl_neumann(1 / 3.L, zeta);
  return std::sqrt(a) / 3 * (1.5L * j - std::sqrt(3.L) / 2 * y);
}
// e^(x^2) erfc(x): Laplace's continued fraction from 4 on.
Real erfcx(Real x) {
  if (x < 4) return x < -110 ? inf : std::exp(x * x) * std::erfc(x);
  Real rest = x;
  for (int k = 120; k > 0; --k) rest = x + k / 2.L / rest;
  return 1 / (std::sqrt(pi) * rest);
}
Real log_ndtr(Real x) {
  const Real t = x / std::sqrt(2.L);
  return x < 0 ? std::log(erfcx(-t) / 2) - t * t : std::log1p(-std::erfc(t) / 2);
}
// Newton's steps on log Phi.
Real ndtri(Real p) {
  if (!(p >= 0 && p <= 1)) return nan;
  if (p == 0 || p == 1) return p == 0 ? -inf : inf;
  const Real tail = std::min(p, 1 - p), want = std::log(tail);
  if (tail == 0.5L) return 0;
  Real x = tail > 0.1L ? (0.5L - tail) * std::sqrt(2 * pi) : std::sqrt(-2 * want);
  for (int step = 0; step < 8; ++step) {
    const Real t = x / std::sqrt(2.L), c = erfcx(t); // Phi(-x) = c e^(-t^2) / 2, and the density over it is 2 / (c sqrt(2 pi))
    x += (std::log(c / 2) - t * t - want) * c * std::sqrt(2 * pi) / 2;
  }
  return p < 0.5L ? -x : x;
}

template <class T>
const std::vector<T>& samples() {
  static const std::vector<T> all = [] {
    using Limits = std::numeric_limits<T>;
    std::vector<T> s = {0, Limits::infinity(), Limits::quiet_NaN(), Limits::denorm_min(), Limits::min(), Limits::max()};
    for (double edge :
         {0.135, 0.5, 0.865, 1., 2., 3.5, 4., 6., 8., 10., 15., 16., 20., 26.6, 27., 88.7, 90., 103.9, 709.7, 713., 745.}) {
      T up = static_cast<T>(edge), down = up;
      for (int step = 0; step < 8; ++step) {
        s.insert(s.end(), {up, down});
        up = std::nextafter(up, Limits::infinity()), down = std::nextafter(down, T(0));
      }
    }
    for (int i = 0; i < 1500; ++i) s.push_back(std::ldexp(T(1) + static_cast<T>(i % 977) / 977, i % 245 - 122));
    for (double range : {1., 3., 10., 30., 120., 800.})
      for (int i = 1; i <= 600; ++i) s.push_back(static_cast<T>(range * (i - 0.37) / 600));
    for (size_t i = 0, n = s.size(); i < n; ++i) s.push_back(-s[i]);
    return s;
  }();
  return all;
}

// The text of a switch over functions; a kernel of its own for each one would take its time to compile.
std::string text_of(size_t bytes, const std::string& args, const std::vector<std::string>& functions, const std::string& loop) {
  std::string text = "#include \"lang/maths.h\"\nusing T = " + std::string(bytes == 4 ? "float" : "double") + ";\nstruct Args { " +
                     args + " T* out; long long which; };\n" +
                     "extern \"C\" void entry(const void* args, long long m, long long n, void*) {\n"
                     "  const Args a = *static_cast<const Args*>(args);\n  switch (a.which) {\n";
  for (size_t i = 0; i < functions.size(); ++i)
    text += "    case " + std::to_string(i) + ":\n" + loop + functions[i] + "(V);\n      break;\n";
  return text + "  }\n}\n";
}

struct Special {
  const char* name;
  Real (*exact)(Real);
  double f32, f64; // bounds in ulp of the result, or of what the function swings by
  double (*swing)(double) = nullptr;
  double least = -std::numeric_limits<double>::infinity(),
         most = std::numeric_limits<double>::infinity(); // where the reference begins and ends
};
#define EXACT(expression) [](Real x) -> Real { return expression; }
// psi'(x) for 0 < x.
Real trigamma(Real x) {
  Real sum = 0;
  if (x == 0 || std::isinf(x)) return 1 / x / x;
  for (; x < 40; x += 1) sum += 1 / (x * x);
  const Real w = 1 / (x * x);
  return sum + 1 / x + w / 2 + w / x * (1 / 6.L - w * (1 / 30.L - w * (1 / 42.L - w * (1 / 30.L - w * 5 / 66.L))));
}
Real second_kind(Real (*y)(Real), Real x) {
  if (x == 0) return -inf;
  return x > 0 && !std::isinf(x) ? y(x) : nan;
}
Real spherical_j0(Real x) {
  if (x == 0) return 1;
  return std::isinf(x) ? 0 : std::sin(x) / x;
}
Real entr(Real x) {
  if (x == 0 || std::isnan(x)) return x;
  return x > 0 ? -x * std::log(x) : -inf;
}
double bessel_swing(double x) { return std::min(1., std::sqrt(0.6366 / std::abs(x))); }
double airy_swing(double x) { // and zeta times as much beyond zeta = 1
  const double a = std::max(1., std::abs(x)), zeta = 2 * a * std::sqrt(a) / 3;
  return std::max(1., zeta) * (x > 0 ? 0.28 * std::exp(-zeta) : 0.5) / std::pow(a, 0.25);
}
const Special special[] = {
    {"bessel_j0", EXACT(std::isinf(x) ? nan : j0l(x)), 1.2, 10, bessel_swing},
    {"bessel_j1", EXACT(std::isinf(x) ? nan : j1l(x)), 1.2, 10, bessel_swing},
    {"bessel_y0", EXACT(second_kind(y0l, x)), 3, 20, bessel_swing},
    {"bessel_y1", EXACT(second_kind(y1l, x)), 3, 20, bessel_swing},
    {"spherical_bessel_j0", spherical_j0, 1.5, 2.5},
    {"sinc", EXACT(x == 0 ? 1 : std::sin(pi * x) / (pi * x)), 1.5, 2.5, [](double) { return 1.; }, -1e4, 1e4},
    {"trigamma", trigamma, 6, 6, nullptr, 0},
    {"entr", entr, 2, 2},
    {"modified_bessel_i0", EXACT(modified_i(0, x, false)), 3.5, 4},
    {"modified_bessel_i1", EXACT(modified_i(1, x, false)), 3.5, 4},
    {"i0e", EXACT(modified_i(0, x, true)), 3.5, 4},
    {"i1e", EXACT(modified_i(1, x, true)), 3.5, 4},
    {"modified_bessel_k0", EXACT(modified_k(0, x, false)), 9, 10},
    {"modified_bessel_k1", EXACT(modified_k(1, x, false)), 4.5, 6},
    {"scaled_modified_bessel_k0", EXACT(modified_k(0, x, true)), 9, 10},
    {"scaled_modified_bessel_k1", EXACT(modified_k(1, x, true)), 4.5, 6},
    {"airy_ai", airy_ai, 1.5, 20, airy_swing, -100},
    {"erfcx", erfcx, 3.5, 5},
    {"log_ndtr", log_ndtr, 5, 5},
    {"ndtri", ndtri, 4.5, 4},
};

// sum over k >= 0 of (q + k)^-s, 0 < q.
Real zeta(Real s, Real q) {
  if (!(s > 1)) return s == 1 ? inf : nan;
  Real sum = 0;
  for (; q < 300; q += 1) sum += std::pow(q, -s);
  const Real last = std::pow(q, -s), w = 1 / (q * q);
  const Real tail = s / 12 - s * (s + 1) * (s + 2) * w / 720 * (1 - (s + 3) * (s + 4) * w / 42);
  return sum + last * (q / (s - 1) + 0.5L + tail / q);
}
// P(a, x) by its power series, all of whose terms are positive.
Real igamma(Real a, Real x) {
  Real sum = 1, term = 1;
  for (int k = 1; term > sum * 1e-21L; ++k) sum += term *= x / (a + k);
  return sum * std::exp(a * std::log(x) - x - std::lgamma(a + 1));
}

class SpecialFunctions : public EachTarget {
 protected:
  template <class T>
  Entry compile() const {
    std::vector<std::string> names;
    for (const Special& f : special) names.push_back(f.name);
    return compile_text(
        target(), "#define V a.in[i]\n" + text_of(sizeof(T), "const T* in;", names,
                                                  "#pragma GCC ivdep\n      for (long long i = m; i < n; ++i) a.out[i] = cor::"));
  }
  template <class T>
  void check(Entry entry, const Special& f) const {
    const std::vector<T>& in = samples<T>();
    std::vector<T> out(in.size(), T(-12345));
    const struct {
      const T* in;
      T* out;
      int64_t which;
    } args{in.data(), out.data(), &f - special};
    entry(&args, 0, static_cast<int64_t>(in.size()), nullptr);
    double worst = 0;
    size_t at = 0;
    for (size_t i = 0; i < in.size(); ++i) {
      if (in[i] < f.least || in[i] > f.most) continue;
      const Real exact = f.exact(in[i]);
      if (exact == 0 && out[i] == 0) continue; // of either sign
      const double error = ulps(out[i], exact, f.swing != nullptr ? f.swing(in[i]) : 0);
      if (error > worst) worst = error, at = i;
    }
    std::printf("%s of %zu-byte floats on %s: worst error %.3f ulp, at %a\n", f.name, sizeof(T), GetParam(), worst,
                static_cast<double>(in[at]));
    EXPECT_LE(worst, sizeof(T) == 4 ? f.f32 : f.f64)
        << f.name << "(" << in[at] << ") = " << out[at] << ", exactly " << f.exact(in[at]);
    EXPECT_GT(worst, 0.3) << "a rounded result is up to half an ulp off: the comparison sees nothing";
  }
};
TEST_P(SpecialFunctions, OneArgument) {
  const Entry of_float = compile<float>(), of_double = compile<double>();
  for (const Special& f : special) check<float>(of_float, f), check<double>(of_double, f);
}

// Of two arguments: all pairs of two lists.
const std::vector<std::string> of_two = {"zeta",
                                         "igamma",
                                         "igammac",
                                         "hermite_polynomial_h",
                                         "laguerre_polynomial_l",
                                         "legendre_polynomial_p",
                                         "chebyshev_polynomial_t",
                                         "chebyshev_polynomial_u",
                                         "chebyshev_polynomial_v",
                                         "chebyshev_polynomial_w",
                                         "shifted_chebyshev_polynomial_t",
                                         "shifted_chebyshev_polynomial_u",
                                         "shifted_chebyshev_polynomial_v",
                                         "shifted_chebyshev_polynomial_w",
                                         "xlogy",
                                         "xlog1py",
                                         "logaddexp",
                                         "logaddexp2",
                                         "next_after<T>",
                                         "heaviside",
                                         "copysign"};
Entry compile_pairs(const std::string& target, size_t bytes) {
  return compile_text(
      target,
      "#define V a.x[i], a.y[k]\n" +
          text_of(bytes, "const T *x, *y;", of_two,
                  "      for (long long i = 0; i < m; ++i)\n        for (long long k = 0; k < n; ++k) a.out[i * n + k] = cor::"));
}
template <class T>
std::vector<T> apply_pairs(Entry entry, const std::string& function, const std::vector<T>& x, const std::vector<T>& y) {
  std::vector<T> out(x.size() * y.size(), T(-12345));
  const struct {
    const T *x, *y;
    T* out;
    int64_t which;
  } args{x.data(), y.data(), out.data(), std::find(of_two.begin(), of_two.end(), function) - of_two.begin()};
  entry(&args, static_cast<int64_t>(x.size()), static_cast<int64_t>(y.size()), nullptr);
  return out;
}
// Worst |result - exact| over the larger one of |exact| and `least`; NaN and infinities must be the same.
template <class T>
void check_pairs(Entry entry, const char* function, Real (*exact)(Real, Real), const std::vector<T>& x, const std::vector<T>& y,
                 double least, double bound) {
  const std::vector<T> out = apply_pairs(entry, function, x, y);
  double worst = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    const Real a = x[i / y.size()], b = y[i % y.size()], want = exact(a, b);
    if (std::isnan(want) || std::isinf(want) || std::abs(want) > std::numeric_limits<T>::max()) {
      EXPECT_TRUE(std::isnan(want) ? std::isnan(out[i]) : std::isinf(out[i]))
          << function << "(" << a << ", " << b << ") = " << out[i];
      continue;
    }
    const double error = static_cast<double>(std::abs(out[i] - want) / std::max(std::abs(want), static_cast<Real>(least)));
    EXPECT_LE(error, bound) << function << "(" << a << ", " << b << ") = " << out[i] << ", exactly " << want;
    worst = std::max(worst, error);
  }
  std::printf("%s of %zu-byte floats: worst error %.3g\n", function, sizeof(T), worst);
  EXPECT_GT(worst, 0);
}
Real igammac(Real a, Real x) { return 1 - igamma(a, x); }
template <class T>
void check_two_arguments(Entry entry, double epsilon) {
  const double tiny = 16 * static_cast<double>(std::numeric_limits<T>::min()); // denormal terms lose digits
  const std::vector<T> orders = {T(1), T(0.5), T(1.1), T(2), T(3), T(4.5), T(11), T(30)};
  const std::vector<T> places = {T(1e-3), T(0.1), T(0.5), T(1), T(1.7), T(3.25), T(8.9), T(10), T(25), T(1000), T(1e6)};
  check_pairs<T>(entry, "zeta", zeta, orders, places, tiny, 100 * epsilon);
  const std::vector<T> a = {T(0.01), T(0.3), T(0.9), T(1),   T(2.5), T(7),    T(9.99),
                            T(10),   T(21),  T(60),  T(199), T(201), T(1000), T(10000)};
  const std::vector<T> x = {T(1e-4), T(0.2), T(0.5), T(1),   T(1.05), T(1.3), T(4),   T(9),    T(16),
                            T(20),   T(24),  T(61),  T(150), T(198),  T(230), T(950), T(1010), T(9900)};
  check_pairs<T>(entry, "igamma", igamma, a, x, 0.02, 600 * epsilon);
  check_pairs<T>(entry, "igammac", igammac, a, x, 0.02, 600 * epsilon);
  std::vector<T> places_2;
  for (int i = -20; i <= 20; ++i) places_2.push_back(T(i * 0.097));
  const std::vector<T> degrees = {T(-1), 0, 1, 2, 3, 5, 9};
#define EXACT_2(expression) [](Real x, Real n) -> Real { return n < 0 ? 0 : expression; }
  check_pairs<T>(entry, "hermite_polynomial_h", EXACT_2(std::hermite(static_cast<unsigned>(n), x)), places_2, degrees, 1,
                 4000 * epsilon);
  check_pairs<T>(entry, "laguerre_polynomial_l", EXACT_2(n == 0 || x >= 0 ? std::laguerre(static_cast<unsigned>(n), x) : 0),
                 {T(0), T(0.3), T(1.9), T(7)}, degrees, 1, 100 * epsilon);
  check_pairs<T>(entry, "legendre_polynomial_p", EXACT_2(std::legendre(static_cast<unsigned>(n), x)),
                 {T(-1), T(-0.3), T(0), T(0.9), T(1)}, degrees, 1, 10 * epsilon);
  const std::vector<T> inside = {T(-0.99), T(-0.5), T(0.1), T(0.77), T(0.96)};
#define BY_ANGLE(expression)       \
  [](Real x, Real n) -> Real {     \
    const Real t = std::acos(x);   \
    return n < 0 ? 0 : expression; \
  }
#define BY_SHIFTED(expression)           \
  [](Real x, Real n) -> Real {           \
    const Real t = std::acos(2 * x - 1); \
    return n < 0 ? 0 : expression;       \
  }
  const std::vector<T> high = {T(-1), 0, 1, 2, 5, 6, 7, 9, 30};
  check_pairs<T>(entry, "chebyshev_polynomial_t", BY_ANGLE(std::cos(n * t)), inside, high, 1, 300 * epsilon);
  check_pairs<T>(entry, "chebyshev_polynomial_u", BY_ANGLE(std::sin((n + 1) * t) / std::sin(t)), inside, high, 1, 300 * epsilon);
  check_pairs<T>(entry, "chebyshev_polynomial_v", BY_ANGLE(std::cos((n + 0.5L) * t) / std::cos(t / 2)), inside, high, 1,
                 300 * epsilon);
  check_pairs<T>(entry, "chebyshev_polynomial_w", BY_ANGLE(std::sin((n + 0.5L) * t) / std::sin(t / 2)), inside, high, 1,
                 300 * epsilon);
  const std::vector<T> half = {T(0.01), T(0.3), T(0.5), T(0.9), T(0.98)};
  check_pairs<T>(entry, "shifted_chebyshev_polynomial_t", BY_SHIFTED(std::cos(n * t)), half, high, 1, 500 * epsilon);
  check_pairs<T>(entry, "shifted_chebyshev_polynomial_u", BY_SHIFTED(std::sin((n + 1) * t) / std::sin(t)), half, high, 1,
                 500 * epsilon);
  check_pairs<T>(entry, "shifted_chebyshev_polynomial_v", BY_SHIFTED(std::cos((n + 0.5L) * t) / std::cos(t / 2)), half, high, 1,
                 500 * epsilon);
  check_pairs<T>(entry, "shifted_chebyshev_polynomial_w", BY_SHIFTED(std::sin((n + 0.5L) * t) / std::sin(t / 2)), half, high, 1,
                 500 * epsilon);
  const std::vector<T> numbers = {0,
                                  T(-0.),
                                  T(1),
                                  T(-3.5),
                                  T(1e-30),
                                  T(250),
                                  std::numeric_limits<T>::infinity(),
                                  -std::numeric_limits<T>::infinity(),
                                  std::numeric_limits<T>::quiet_NaN()};
  check_pairs<T>(
      entry, "xlogy", [](Real x, Real y) -> Real { return std::isnan(y) ? y
                                                          : x == 0      ? 0
                                                                        : x * std::log(y); }, numbers, numbers,
      tiny, 4 * epsilon);
  check_pairs<T>(
      entry, "xlog1py", [](Real x, Real y) -> Real { return std::isnan(y) ? y
                                                            : x == 0      ? 0
                                                                          : x * std::log1p(y); }, numbers, numbers,
      tiny, 4 * epsilon);
  check_pairs<T>(
      entry, "logaddexp",
      [](Real x, Real y) -> Real {
        return std::isinf(x) && x == y          ? x
               : std::isnan(x) || std::isnan(y) ? nan
                                                : std::max(x, y) + std::log1p(std::exp(-std::abs(x - y)));
      },
      numbers, numbers, tiny, 4 * epsilon);
  check_pairs<T>(
      entry, "logaddexp2",
      [](Real x, Real y) -> Real {
        return std::isinf(x) && x == y          ? x
               : std::isnan(x) || std::isnan(y) ? nan
                                                : std::max(x, y) + std::log2(1 + std::exp2(-std::abs(x - y)));
      },
      numbers, numbers, tiny, 4 * epsilon);
}
TEST_P(SpecialFunctions, TwoArguments) {
  check_two_arguments<float>(compile_pairs(target(), 4), 6e-8);
  check_two_arguments<double>(compile_pairs(target(), 8), 1.2e-16);
}

// What is exact, compared with the standard library's.
template <class T>
void check_exact(Entry entry) {
  using Limits = std::numeric_limits<T>;
  const std::vector<T> s = {0,
                            T(-0.),
                            T(0.5),
                            T(-1.5),
                            T(2.5),
                            T(3),
                            T(1e10),
                            Limits::denorm_min(),
                            -Limits::min(),
                            Limits::max(),
                            Limits::infinity(),
                            -Limits::infinity(),
                            Limits::quiet_NaN()};
  const auto same = [&](const char* function, T (*exact)(T, T)) {
    const std::vector<T> out = apply_pairs(entry, function, s, s);
    for (size_t i = 0; i < out.size(); ++i) {
      const T a = s[i / s.size()], b = s[i % s.size()], want = exact(a, b);
      EXPECT_TRUE(std::isnan(want) ? std::isnan(out[i]) : out[i] == want)
          << function << "(" << a << ", " << b << ") = " << out[i] << ", not " << want;
    }
  };
  same("next_after<T>", [](T x, T y) { return std::nextafter(x, y); });
  same("heaviside", [](T x, T y) { return x == 0 ? y : T(x > 0); });
  same("copysign", [](T x, T y) { return std::copysign(x, y); });
}
TEST_P(SpecialFunctions, Exact) { check_exact<float>(compile_pairs(target(), 4)), check_exact<double>(compile_pairs(target(), 8)); }

FOR_EACH_TARGET(SpecialFunctions);

} // namespace
} // namespace corundum::test
