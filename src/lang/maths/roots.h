#pragma once
// cbrt, hypot.
#include "lang/maths/basic.h"

namespace cor {

#if !COR_NATIVE_MATHS
// x = m 2^(3q), 1 <= m < 8: the root of m by Newton's steps for 1 / cbrt(m), from a polynomial [3.8e-5].
struct CubeRoot {
  double m, y, q; // y = 1 / cbrt(m)
};
COR_FN CubeRoot cube_root(double a) {
  const u64 bits = to_bits(a), biased = bits >> 52;
  const double e = from_bits(biased | 0x4330000000000000ull) - 4503599627371519.; // 2^52 + 1023
  const double q = native::rint((e - 1) * 0.33333333333333333), rest = e - 3 * q;
  const double m = from_bits((bits & 0x000fffffffffffffull) | Layout<double>::one);
  const double y =
      horner(m, 0.028591630801413064, -0.22124143959958203, 0.69549040580587485, -1.1728875306652073, 1.6700092765394596);
  const double scale = rest == 1 ? 2. : 4., root = rest == 1 ? 0.7937005259840998 : 0.6299605249474366;
  return {m * (rest == 0 ? 1. : scale), y * (rest == 0 ? 1. : root), q};
}
COR_FN double newton_step(double m, double y) { return fma(y * 0.33333333333333333, fma(-m * y * y, y, 1.), y); }
// 0, infinities and NaN are their own roots.
template <class T>
COR_FN T cbrt_edges(T x, T r) {
  return x + x == x || x != x ? x : copysign(r, x);
}
// 0.6 ulp.
COR_FN float cbrt_of(float x) {
  const CubeRoot c = cube_root(abs(x));
  const double y = newton_step(c.m, c.y);
  return cbrt_edges(x, static_cast<float>(c.m * y * y * from_bits(to_bits(c.q + (Layout<double>::rounder + 1023)) << 52)));
}
// 0.7 ulp; the last step takes the root's own error, in full.
COR_FN double cbrt_of(double x) {
  const double a = abs(x);
  const bool tiny = a < 2.2250738585072014e-308;
  const CubeRoot c = cube_root(tiny ? a * 18014398509481984. : a); // 2^54
  const double y = newton_step(c.m, newton_step(c.m, c.y)), z = c.m * y * y, s = z * z, s_low = exact_fma(z, z, -s);
  const double r = fma(exact_fma(-s, z, c.m) - s_low * z, y * y * 0.33333333333333333, z);
  return cbrt_edges(x, r * from_bits(to_bits(c.q + (Layout<double>::rounder + 1023)) << 52) * (tiny ? 0x1p-18 : 1.));
}

// 0.51 ulp: squares of f32 are exact in f64, and in range.
COR_FN float hypot_of(float x, float y) {
  const double a = x, b = y;
  const float r = static_cast<float>(sqrt(fma(a, a, b * b)));
  const float size = abs(x) == Limits<float>::infinity() ? abs(x) : r;
  return abs(y) == Limits<float>::infinity() ? abs(y) : size;
}
// 1.2 ulp; scaled where a square would not be in range.
COR_FN double hypot_of(double x, double y) {
  const double a = abs(x), b = abs(y), most = a > b ? a : b;
  const double up = most < 0x1p-400 ? 0x1p600 : 1., scale = most > 0x1p400 ? 0x1p-600 : up, c = a * scale, d = b * scale;
  const double down = most < 0x1p-400 ? 0x1p-600 : 1., back = most > 0x1p400 ? 0x1p600 : down;
  double r = sqrt(fma(c, c, d * d)) * back;
  r = a == Limits<double>::infinity() ? a : r;
  return b == Limits<double>::infinity() ? b : r;
}
#endif

COR_FUNCTION(cbrt)
COR_FUNCTION_2(hypot)

} // namespace cor
