// lang/maths/complex.h against the C library: sizes of errors against long double, zeros, infinities and NaN as in the same type.
#include <cmath>
#include <complex>
#include <limits>
#include <random>

#include "lang/support.h"

namespace corundum::test {
namespace {

using Exact = std::complex<long double>;

struct Function {
  const char* name;
  Exact (*exact)(const Exact&);
  std::complex<double> (*same)(const std::complex<double>&);
};
#define COMPLEX(name)                                                                                               \
  {                                                                                                                 \
#name, [](const Exact& z) { return std::name(z); }, [](const std::complex <double>& z) { return std::name(z); } \
  }
const Function functions[] = {COMPLEX(exp),  COMPLEX(log),  COMPLEX(sqrt),  COMPLEX(sin),   COMPLEX(cos),
                              COMPLEX(tan),  COMPLEX(sinh), COMPLEX(cosh),  COMPLEX(tanh),  COMPLEX(asin),
                              COMPLEX(acos), COMPLEX(atan), COMPLEX(asinh), COMPLEX(acosh), COMPLEX(atanh)};

template <class T>
std::vector<std::complex<T>> apply(const std::string& target, const std::string& function, const std::vector<std::complex<T>>& in) {
  const std::string type = sizeof(T) == 4 ? "cor::c64" : "cor::c128";
  const Entry entry = compile_text(target, "#include \"lang/maths/complex.h\"\nusing T = " + type + R"(;
struct Args { const T* in; T* out; };
extern "C" void entry(const void* args, long long first, long long last, void*) {
  const Args a = *static_cast<const Args*>(args);
  for (long long i = first; i < last; ++i) a.out[i] = cor::)" +
                                               function + "(a.in[i]);\n}\n");
  std::vector<std::complex<T>> out(in.size(), T(-12345));
  const struct {
    const std::complex<T>* in;
    std::complex<T>* out;
  } args{in.data(), out.data()};
  entry(&args, 0, static_cast<int64_t>(in.size()), nullptr);
  return out;
}

// Both parts of every size up to the root of the type's range, and of the sizes where functions have their features.
template <class T>
std::vector<std::complex<T>> samples() {
  std::mt19937_64 random(3);
  const auto between = [&](double low, double high) { return low + (high - low) * static_cast<double>(random() >> 11) * 0x1p-53; };
  std::vector<std::complex<T>> s;
  for (int i = 0; i < 60'000; ++i) {
    s.emplace_back(between(-3, 3), between(-3, 3));
    s.emplace_back(between(-60, 60), between(-60, 60));
    s.emplace_back(std::polar(1 + between(-1e-3, 1e-3), between(-3.2, 3.2)));
    const double range = sizeof(T) == 4 ? 40 : 300;
    const double x = std::exp(between(-range, range)), y = std::exp(between(-range, range));
    s.emplace_back(i % 2 ? x : -x, i % 4 < 2 ? y : -y);
  }
  return s;
}

class ComplexMaths : public EachTarget {
 protected:
  template <class T>
  void sizes_of_errors() const {
    const std::vector<std::complex<T>> in = samples<T>();
    for (const Function& f : functions) {
      const std::vector<std::complex<T>> out = apply(target(), f.name, in);
      double worst = 0;
      size_t at = 0, checked = 0;
      for (size_t i = 0; i < in.size(); ++i) {
        const Exact exact = f.exact(in[i]);
        const long double size = std::abs(exact), error = std::abs(Exact(out[i]) - exact);
        // Near the ends of the range a part alone may overflow, or have lost its digits.
        if (!(size < std::numeric_limits<T>::max() / 4 && size > std::numeric_limits<T>::min() * 4)) continue;
        ++checked;
        const double ulp = static_cast<double>(error / std::ldexp(1.L, std::ilogb(size) - std::numeric_limits<T>::digits + 1));
        if (!(ulp <= worst)) worst = ulp, at = i;
      }
      std::printf("complex %s of %zu-byte parts on %s: worst error %.2f ulp\n", f.name, sizeof(T), GetParam(), worst);
      EXPECT_GT(checked, in.size() / 3) << f.name;
      EXPECT_LE(worst, 8) << f.name << in[at] << " = " << out[at] << ", exactly " << f.exact(in[at]);
    }
  }
};
TEST_P(ComplexMaths, SizesOfErrorsF32) { sizes_of_errors<float>(); }
TEST_P(ComplexMaths, SizesOfErrorsF64) { sizes_of_errors<double>(); }

// "0", "-0", "inf", "nan", "+", ...: what a part is, sign included; the sign of NaN says nothing.
std::string kind(double x) {
  if (std::isnan(x)) return "nan";
  const std::string sign = std::signbit(x) ? "-" : "+";
  return sign + (x == 0 ? "0" : std::isinf(x) ? "inf" : "x");
}

TEST_P(ComplexMaths, SpecialValues) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> parts = {0., -0., 1., -1., 2.5, -2.5, inf, -inf, nan};
  std::vector<std::complex<double>> in;
  for (double re : parts)
    for (double im : parts) in.emplace_back(re, im);
  for (const Function& f : functions) {
    const std::vector<std::complex<double>> out = apply(target(), f.name, in);
    for (size_t i = 0; i < in.size(); ++i) {
      const std::complex<double> want = f.same(in[i]);
      // Annex G leaves the signs of zeros and infinities open where a part is NaN, or both are infinite.
      const bool open = std::isnan(in[i].real() - in[i].imag()) || (std::isinf(in[i].real()) && std::isinf(in[i].imag()));
      const auto same = [&](double a, double b) {
        const std::string x = kind(a), y = kind(b);
        return x == y || (open && x.substr(1) == y.substr(1));
      };
      EXPECT_TRUE(same(out[i].real(), want.real()) && same(out[i].imag(), want.imag()))
          << f.name << in[i] << " = " << out[i] << ", the C library has " << want;
    }
  }
}

TEST_P(ComplexMaths, Arithmetic) {
  const Entry entry = compile_text(target(), R"(
struct Args { const cor::c128* in; cor::c128* out; };
extern "C" void entry(const void* args, long long, long long n, void*) {
  const Args a = *static_cast<const Args*>(args);
  for (long long i = 0; i + 1 < n; ++i) {
    a.out[4 * i] = a.in[i] + a.in[i + 1];
    a.out[4 * i + 1] = a.in[i] - a.in[i + 1];
    a.out[4 * i + 2] = a.in[i] * a.in[i + 1];
    a.out[4 * i + 3] = a.in[i] / a.in[i + 1];
  }
})");
  const std::vector<std::complex<double>> in = samples<double>();
  std::vector<std::complex<double>> out(4 * in.size());
  const struct {
    const std::complex<double>* in;
    std::complex<double>* out;
  } args{in.data(), out.data()};
  entry(&args, 0, static_cast<int64_t>(in.size()), nullptr);
  for (size_t i = 0; i + 1 < in.size(); ++i) {
    const Exact x = in[i], y = in[i + 1], want[] = {x + y, x - y, x * y, x / y};
    for (int k = 0; k < 4; ++k) {
      const long double size = k < 2 ? std::abs(x) + std::abs(y) : std::abs(want[k]);
      if (!(size < 1e300L && size > 1e-300L)) continue;
      ASSERT_LE(std::abs(Exact(out[4 * i + k]) - want[k]), size * 1e-15L) << k << in[i] << in[i + 1];
    }
  }
}

FOR_EACH_TARGET(ComplexMaths);

} // namespace
} // namespace corundum::test
