#pragma once
// sin, cos, tan. The argument is reduced without branches, for numbers of any size, in turns: fractions of 2 pi.
#include "lang/maths/basic.h"

namespace cor {

#if !COR_NATIVE_MATHS
// |r| <= pi/4: sin r and cos r [3.5e-18, 4.7e-20].
COR_FN double sin_near_0(double r) {
  const double s = r * r;
  const double p = horner(s, 1.5896888023994301e-10, -2.5050759915651748e-08, 2.7557313705225891e-06, -0.00019841269829853783,
                          0.008333333333322486, -0.16666666666666632);
  return fma(r * s, p, r);
}
COR_FN double cos_near_0(double r) {
  const double s = r * r;
  const double p = horner(s, -1.1359920329737608e-11, 2.0875729044651174e-09, -2.7557314399570591e-07, 2.4801587289667685e-05,
                          -0.001388888888887447, 0.041666666666666602);
  return fma(s * s, p, fma(s, -0.5, 1.));
}

// sin and cos of what is left of an angle, |left| <= 1/8 turn, and how many quarters were taken away: the low two bits.
struct SinCos {
  double sin, cos;
  u64 quarters;
  COR_FN double pick(u64 q) const {
    const double size = (q & 1) != 0 ? cos : sin;
    return from_bits(to_bits(size) ^ ((q & 2) << 62));
  }
};

// x / (2 pi) less whole turns, for x >= 0: the product with each 29-bit piece of 1 / (2 pi) is exact, so what it has in whole turns
// can be dropped. The reduction is good to 2^-55 turns; the sums are ordered so that near multiples of a quarter nothing is lost.
COR_FN double fraction_of(double turns) { return turns - native::rint(turns); }
COR_FN SinCos sin_cos(float size) {
  const double x = size;
  const double a = fraction_of(x * 0x1.45f306cp-3), b = fraction_of(x * 0x1.c9c882ap-31), c = fraction_of(x * 0x1.4fe13a8p-61),
               d = fraction_of(x * 0x1.f47d4d3p-88), e = fraction_of(x * 0x1.dc0db62p-118), f = fraction_of(x * 0x1.2b32788p-147),
               g = x * 0x1.c820ffp-177;
  const double shifted = fma(a + b + c + d + e + f + g, 4., Layout<double>::rounder);
  const double left = fma(shifted - Layout<double>::rounder, -0.25, a) + b + c + d + e + f + g, s = left * left;
  // [4.5e-12, 5.4e-11]
  const double sine =
      left * horner(s, 41.472833623007581, -76.697866811874874, 81.60520471494792, -41.341702153436465, 6.2831853071524266);
  const double cosine = horner(s, 59.245764752418204, -85.443736510804811, 64.939326431485568, -19.739208693571438, 1.);
  return {sine, cosine, to_bits(shifted)};
}

// 48 bits each of 1 / (2 pi), from bit 16 i on.
inline constexpr double turn_bits[] = {
    0x28be60db9391p-48, 0x60db9391054ap-48, 0x9391054a7f09p-48, 0x054a7f09d5f4p-48, 0x7f09d5f47d4dp-48, 0xd5f47d4d3770p-48,
    0x7d4d377036d8p-48, 0x377036d8a566p-48, 0x36d8a5664f10p-48, 0xa5664f10e410p-48, 0x4f10e4107f94p-48, 0xe4107f9458eap-48,
    0x7f9458eaf7aep-48, 0x58eaf7aef158p-48, 0xf7aef1586dc9p-48, 0xf1586dc91b8ep-48, 0x6dc91b8e9093p-48, 0x1b8e909374b8p-48,
    0x909374b80192p-48, 0x74b801924bbap-48, 0x01924bba8274p-48, 0x4bba82746487p-48, 0x827464873f87p-48, 0x64873f877ac7p-48,
    0x3f877ac72c4ap-48, 0x7ac72c4a69cfp-48, 0x2c4a69cfba20p-48, 0x69cfba208d7dp-48, 0xba208d7d4baep-48, 0x8d7d4baed121p-48,
    0x4baed1213a67p-48, 0xd1213a671c09p-48, 0x3a671c09ad17p-48, 0x1c09ad17df90p-48, 0xad17df904e64p-48, 0xdf904e64758ep-48,
    0x4e64758e60d4p-48, 0x758e60d4ce7dp-48, 0x60d4ce7d2721p-48, 0xce7d272117e2p-48, 0x272117e2ef7ep-48, 0x17e2ef7e4a0ep-48,
    0xef7e4a0ec7fep-48, 0x4a0ec7fe25ffp-48, 0xc7fe25fff781p-48, 0x25fff7816603p-48, 0xf7816603fbcbp-48, 0x6603fbcbc462p-48,
    0xfbcbc462d682p-48, 0xc462d6829b47p-48, 0xd6829b47db4dp-48, 0x9b47db4d9fb3p-48, 0xdb4d9fb3c9f2p-48, 0x9fb3c9f2c26dp-48,
    0xc9f2c26dd3d1p-48, 0xc26dd3d18fd9p-48, 0xd3d18fd9a797p-48, 0x8fd9a797fa8bp-48, 0xa797fa8b5d49p-48, 0xfa8b5d49eeb1p-48,
    0x5d49eeb1faf9p-48, 0xeeb1faf97c5ep-48, 0xfaf97c5ecf41p-48, 0x7c5ecf41ce7dp-48, 0xcf41ce7de294p-48, 0xce7de294a4bap-48,
    0xe294a4ba9afep-48, 0xa4ba9afed7ecp-48, 0x9afed7ec47e3p-48, 0xd7ec47e35742p-48,
};
// The same for f64 (Payne and Hanek, 1983): x has 53 bits, so of 1 / (2 pi) the bits that make whole turns are skipped, by 16, and
// the next 192 are multiplied with x in four pieces, the larger ones with their rounding errors.
COR_FN SinCos sin_cos(double x) {
  const u64 biased = to_bits(x) >> 52, skip = biased > 1075 ? biased - 1075 : 0, i = skip >> 4;
  const double scaled = x * from_bits((Layout<double>::bias - (skip & ~u64(15))) << 52); // below 2^68
  const double w0 = turn_bits[i], w1 = turn_bits[i + 3] * 0x1p-48, w2 = turn_bits[i + 6] * 0x1p-96,
               w3 = turn_bits[i + 9] * 0x1p-144;
  const double p0 = scaled * w0, p1 = scaled * w1, p2 = scaled * w2, p3 = scaled * w3;
  const double a = fraction_of(p0), b = fraction_of(exact_fma(scaled, w0, -p0)), c = fraction_of(p1);
  const double d = exact_fma(scaled, w1, -p1), e = exact_fma(scaled, w2, -p2); // p0's and p1's errors, p2: below 2^-28
  const double ab = a + b, ab_b = ab - a, ab_low = (a - (ab - ab_b)) + (b - ab_b);
  const double abc = ab + c, abc_c = abc - ab, abc_low = (ab - (abc - abc_c)) + (c - abc_c);
  const double pd = p2 + d, pd_d = pd - p2, pd_low = (p2 - (pd - pd_d)) + (d - pd_d);
  const double low = (ab_low + abc_low) + pd;
  const double shifted = fma(abc + low, 4., Layout<double>::rounder);
  const double high = fma(shifted - Layout<double>::rounder, -0.25, abc);
  const double g = high + low, g_low = ((high - g) + low) + (pd_low + (e + p3));
  const double r = g * 6.283185307179586;
  const double r_low = fma(g_low, 6.283185307179586, fma(g, 2.4492935982947064e-16, exact_fma(g, 6.283185307179586, -r)));
  const double sine = sin_near_0(r), cosine = cos_near_0(r);
  return {fma(r_low, cosine, sine), fma(-r_low, sine, cosine), to_bits(shifted)};
}

// Where sine and tangent are x itself, its denormals would lose digits in turns.
template <class T>
COR_FN T unless_tiny(T x, T r) {
  return abs(x) < T(1e-9) ? x : flip_sign(r, x);
}
// 0.6 ulp in f32, 1.7 in f64.
template <class T>
COR_FN T sin_of(T x) {
  const SinCos s = sin_cos(abs(x));
  return unless_tiny(x, static_cast<T>(s.pick(s.quarters)));
}
template <class T>
COR_FN T cos_of(T x) {
  const SinCos s = sin_cos(abs(x));
  return static_cast<T>(s.pick(s.quarters + 1));
}
// 0.6 ulp in f32, 4 in f64.
template <class T>
COR_FN T tan_of(T x) {
  const SinCos s = sin_cos(abs(x));
  const bool odd = (s.quarters & 1) != 0;
  const double top = odd ? -s.cos : s.sin, bottom = odd ? s.sin : s.cos;
  return unless_tiny(x, static_cast<T>(top / bottom));
}
#endif

COR_FUNCTION(sin)
COR_FUNCTION(cos)
COR_FUNCTION(tan)

} // namespace cor
