#pragma once
// erfcx, log_ndtr, ndtri: the tails of the normal distribution.
#include "lang/maths/erf.h"
#include "lang/maths/erfinv.h"
#include "lang/maths/log.h"

namespace cor {

// (1 + 2a) e^(a^2) erfc(a) for 0 <= a, of t = (a - c) / (a + c), c = 2 in f32, 4 in f64 (after N. Juffa) [1.1e-8, 7.2e-18].
COR_FN float erfcx_parts(float a) {
  const float t = (a - 2) / (a + 2);
  return horner(t, 6.31926701e-05f, 0.000160420706f, -0.000357356618f, -0.00139475351f, 0.00121674867f, 0.00868832982f,
                -0.00801861756f, -0.0542116644f, 0.164049379f, -0.166031132f, -0.092763758f, 1.27697839f);
}
COR_FN double erfcx_parts(double a) {
  const double t = (a - 4) / (a + 4);
  return horner(t, -2.656369934655808e-10, 9.285360163433012e-10, 3.1685899836320996e-09, -1.233190442946843e-08,
                -2.0560698495013622e-08, 1.0630172627358504e-07, 7.747437051029861e-08, -8.210423214250482e-07,
                2.91964541011768e-07, 5.706559151176362e-06, -1.1221278319978699e-05, -2.439772059441057e-05,
                0.00015062148490279964, -0.00019925715624070578, -0.0007577732595149716, 0.005031970069954285,
                -0.016197734060211397, 0.037167515526222605, -0.06633036581213443, 0.09373283499912108, -0.10103906603630396,
                0.06809705425466811, 0.01537965210261969, -0.13962111684056228, 1.2329951186255526);
}
template <class T>
COR_FN T erfcx_of_size(T a) {
  return erfcx_parts(a < T(1e18) ? a : T(1e18)) * T(0.5) / (a + T(0.5));
}
// e^(a^2), the square in two parts, of which the first is exact.
template <class T>
COR_FN T exp_of_square(T a) {
  constexpr auto mask = ~((typename Layout<T>::Bits(1) << (Layout<T>::fraction / 2 + 1)) - 1);
  const T high = from_bits(to_bits(a) & mask), e = exp(high * high);
  return fma(e, expm1((a - high) * (a + high)), e);
}
// e^(x^2) erfc(x). 3.5 ulp in f32, 5 in f64.
template <class T>
COR_FN T erfcx_of(T x) {
  const T a = abs(x), right = erfcx_of_size(a), most = T(sizeof(T) == 4 ? 9.4 : 26.64);
  const T left = fma(T(2), exp_of_square(a > most ? most : a), -right);
  return x < 0 ? left : (x == x ? right : x);
}

// e^(-a^2 / 2), the same way.
template <class T>
COR_FN T exp_of_minus_half_square(T a) {
  constexpr auto mask = ~((typename Layout<T>::Bits(1) << (Layout<T>::fraction / 2 + 1)) - 1);
  const T high = from_bits(to_bits(a) & mask);
  return exp(T(-0.5) * high * high) * exp(T(-0.5) * (a - high) * (a + high));
}
// log(Phi(x)). 5 ulp.
template <class T>
COR_FN T log_ndtr_of(T x) {
  const T a = abs(x), c = erfcx_of_size(a * T(0.70710678118654752)) * T(0.5);
  const T left = fma(T(-0.5) * a, a, log(c)), right = log1p(-c * exp_of_minus_half_square(a < 40 ? a : T(40)));
  return x < 0 ? left : (x == x ? right : x);
}

// For r = sqrt(-2 log p), 2 <= r: r - |ndtri(p)| over r's own size, of t = (r - c) / (r + c); f32 down to the least denormal
// [7.0e-9, 8.4e-18 below 6, 2.2e-17 above].
COR_FN float ndtri_tail(float r) {
  const float t = (r - 4) / (r + 4);
  return horner(t, -0.0544482844f, 0.0955138202f, -0.104067652f, 0.105463993f, -0.140223402f, 0.169893972f, -0.2607196f,
                0.342686298f, -0.747169182f, 0.598807352f);
}
COR_FN double ndtri_tail(double r) {
  const double c = r < 6 ? 3.5 : 12., t = (r - c) / (r + c);
  const double p = horner(t, -0.055484785429796235, 0.04644612657776797, -0.03457972165331161, 0.03941567046188106,
                          -0.04659784134638402, 0.04867644590273442, -0.05583998397909732, 0.05948067924264797,
                          -0.07039728365149642, 0.07626536439990862, -0.09425046173305676, 0.10461801086651766, -0.1389687351804138,
                          0.1644660648891668, -0.25948494351007134, 0.34339166243246555, -0.7930129420526632, 0.6502224982175859);
  const double q = horner(t, 0.012313926530445616, -0.038699063145387194, 0.05053340754108188, -0.04405282380633943,
                          0.039489797390325515, -0.04408793869045655, 0.04920561155224726, -0.05411817124213392,
                          0.058531497140770994, -0.06529469037660084, 0.07192262526922592, -0.08172489769009064,
                          0.09132630486517265, -0.1059777134047564, 0.12030107813374155, -0.14370999762204067, 0.16652551078104727,
                          -0.21088652369897537, 0.25453616504885884, -0.4098374318370695, 0.28564238115107654);
  return r < 6 ? p : q;
}
// The inverse of Phi: by erfinv in the middle, where 2p - 1 is exact. NaN outside [0, 1]. 4.5 ulp in f32, 4 in f64.
template <class T>
COR_FN T ndtri_of(T p) {
  const T up = 1 - p, tail = p < T(0.5) ? p : up, r = sqrt(T(-2) * log(tail));
  const T outer = copysign(r - ndtri_tail(r), p - T(0.5)), inner = T(1.4142135623730950) * erfinv(fma(T(2), p, T(-1)));
  const T x = tail < T(0.135) ? outer : inner;
  return tail == 0 ? copysign(Limits<T>::infinity(), p - T(0.5)) : x;
}

COR_SPECIAL(erfcx)
COR_SPECIAL(log_ndtr)
COR_SPECIAL(ndtri)

} // namespace cor
