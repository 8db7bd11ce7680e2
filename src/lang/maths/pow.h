#pragma once
// pow.
#include "lang/maths/exp.h"
#include "lang/maths/log.h"

namespace cor {

#if !COR_NATIVE_MATHS
// x^y of r = |x|^y, as C99 has it where x is negative, 1, or y is 0.
COR_FN double pow_edges(double x, double y, double r) {
  const double half = y * 0.5;
  const bool whole = native::rint(y) == y, odd = native::rint(half) != half;
  const double sign = odd ? x : 1.; // of a whole y
  const double of_negative = abs(x) == Limits<double>::infinity() ? r : Limits<double>::nan();
  const double of_fraction = x < 0 ? of_negative : r;
  r = whole ? flip_sign(r, sign) : of_fraction;
  r = y != y ? y : r;
  r = y == 0 ? 1 : r;
  return x == 1 ? 1 : r;
}
// log |x| or any multiple of it, where |x| is 0, infinite, or no number.
COR_FN double log_size_edges(double a, double l) {
  l = a == 0 ? -Limits<double>::infinity() : l;
  l = a == Limits<double>::infinity() ? a : l;
  return a != a ? a : l;
}

// 2^(y log2 |x|) in f64 [log2: 2.7e-14, 2^r: 4.7e-11]: 0.51 ulp.
COR_FN float pow_of(float x, float y) {
  const double a = abs(x);
  const Binary<double> b = binary(a);
  const double s = b.f / (2 + b.f), z = s * s;
  const double p = horner(z, 0.28291372761788341, 0.31990473286720833, 0.41220927633059351, 0.57707794212209551,
                          0.96179669411420388, 2.8853900817778495);
  double e = log_size_edges(a, fma(s, p, b.k)) * static_cast<double>(y);
  e = a == 1 ? 0 : clamp_exponent(e, -200., 200.);
  const double n = (e + Layout<double>::rounder) - Layout<double>::rounder, r = e - n;
  const double q = horner(r, 1.5314966194212033e-05, 0.00015467091672769591, 0.0013333430747033681, 0.0096180369806129276,
                          0.055504109625388209, 0.24022651075249443, 0.69314718054168478);
  return static_cast<float>(pow_edges(x, y, Exponential<double>{r * q, n}.bounded_value()));
}

struct TwoParts {
  double high, low;
};
// log of a positive number to 2^-65: k ln2 + 2s + 2/3 s^3 + s^5 R(s^2) [1.1e-20], s = f / (2 + f), all but the last with its
// rounding error.
COR_FN TwoParts log_in_two_parts(Binary<double> b) {
  const double d = 2 + b.f, d_low = b.f - (d - 2), inverse = 1 / d;
  const double s = b.f * inverse, s_low = (exact_fma(-s, d, b.f) - s * d_low) * inverse;
  const double z = s * s, z_low = exact_fma(s, s, -z) + 2 * s * s_low;
  const double t = z * s, t_low = exact_fma(z, s, -t) + (z * s_low + z_low * s);
  constexpr double c = 0.66666666666666663, c_low = 3.700743415417188e-17;
  const double u = t * c, u_low = exact_fma(t, c, -u) + (t * c_low + t_low * c);
  const double rest = t * z *
                      horner(z, 0.13196242344303388, 0.13256826348616968, 0.15386756994680661, 0.18181784373649787,
                             0.2222222251985804, 0.28571428570099877, 0.40000000000002256);
  const double whole = b.k * 0.69314718036912382, double_s = s + s; // the product is exact
  const double first = whole + double_s, first_low = (whole - first) + double_s;
  const double second = first + u, second_low = (first - second) + u;
  const double low = fma(b.k, 1.9082149292705877e-10, (first_low + second_low) + (s_low + s_low + u_low + rest));
  const double high = second + low;
  return {high, (second - high) + low};
}
// 1.2 ulp.
COR_FN double pow_of(double x, double y) {
  const double a = abs(x);
  const TwoParts l = log_in_two_parts(binary(a));
  const double l_high = log_size_edges(a, l.high);
  double e = l_high * y, e_low = exact_fma(l_high, y, -e) + l.low * y;
  e_low = abs(e) < 750 ? e_low : 0;
  e = a == 1 ? 0 : e;
  e_low = a == 1 ? 0 : e_low;
  return pow_edges(x, y, exponential(clamp_exp(e), e_low).value());
}
#endif
COR_FUNCTION_2(pow)

} // namespace cor
