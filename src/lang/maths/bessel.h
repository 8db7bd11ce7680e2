#pragma once
// bessel_j0, bessel_j1, bessel_y0, bessel_y1, spherical_bessel_j0. Errors are in ulp of the result or, near zeros, of what the
// function swings by: sqrt(2 / (pi |x|)) (1 for |x| < 2/pi). On CPUs f32 goes through f64: the zeros cost
// digits. J: 1.2 ulp in f32, 10 in f64; Y: 3 and 20.
#include "lang/maths/log.h"
#include "lang/maths/trig.h"

namespace cor {

// P stands for the precision of the result, T is what is computed in. J(x) of |x| <= 8, over its first zeros, of t = x^2 / 32 - 1
// [1.2e-8, 7.4e-19 of it].
template <class P, class T>
COR_FN T bessel_j0_parts(T t) {
  if constexpr (same<P, float>)
    return horner(t, T(3.76532746e-08), -4.72823865e-07, 4.37174547e-06, -3.15707341e-05, 0.000169769172, -0.000641539398,
                  0.00156364366, -0.00211979431, 0.00114349376);
  else
    return horner(t, T(3.8942020955095827e-16), -1.2477987369817082e-14, 3.392711220747161e-13, -8.023488552803088e-12,
                  1.627648445836967e-10, -2.7948629482409228e-09, 3.9988393487357026e-08, -4.6771280214157827e-07,
                  4.366932324629968e-06, -3.1573425402232176e-05, 0.00016977200713998007, -0.0006415390646406127,
                  0.0015636431645931661, -0.002119794289479692, 0.0011434937743762545);
}
// The same of J1(x) / x [2.5e-9, 7.9e-18].
template <class P, class T>
COR_FN T bessel_j1_parts(T t) {
  if constexpr (same<P, float>)
    return horner(t, T(1.76114686e-09), -2.37597587e-08, 2.44396083e-07, -1.98894049e-06, 1.22420846e-05, -5.40800654e-05,
                  0.000158600185, -0.000269752273, 0.000194989369);
  else
    return horner(t, T(-3.827874650048304e-16), 1.138178805546083e-14, -2.8757937796224087e-13, 6.2846849424947704e-12,
                  -1.1696929315167578e-10, 1.8268547994393957e-09, -2.3521922564440398e-08, 2.442522260661618e-07,
                  -1.989093515909021e-06, 1.224217365301683e-05, -5.408003239085568e-05, 0.00015860016799369866,
                  -0.0002697522746716368, 0.00019498936985895625);
}
// Y0(x) - 2/pi log(x) J0(x) [4.7e-9, 3.4e-19].
template <class P, class T>
COR_FN T bessel_y0_parts(T t) {
  if constexpr (same<P, float>)
    return horner(t, T(-7.37650344e-05), 0.00082087233, -0.00702464871, 0.0463523072, -0.218958038, 0.672183533, -1.0775476,
                  0.14412517, 1.64709647, -0.828435833, -0.382250654);
  else
    return horner(t, T(-8.84011209607288e-13), 2.6926938054524047e-11, -7.130461465367891e-10, 1.6390875014077404e-08,
                  -3.2185078445935923e-07, 5.3213188103997145e-06, -7.279541882454115e-05, 0.000806158605961636,
                  -0.00702574105727097, 0.046367047681375125, -0.21895747096171628, 0.6721770783431679, -1.0775477338215995,
                  0.14412632369302475, 1.6470964788745468, -0.8284358903604587, -0.382250654459425);
}
// (Y1(x) - 2/pi (log(x) J1(x) - 1/x)) / x [6.4e-9, 7.2e-19].
template <class P, class T>
COR_FN T bessel_y1_parts(T t) {
  if constexpr (same<P, float>)
    return horner(t, T(4.53319797e-05), -0.000452874242, 0.00342183208, -0.0196208162, 0.0785481576, -0.196401237, 0.235072041,
                  0.0233679268, -0.243377428, 0.0707598517);
  else
    return horner(t, T(8.760001143977634e-13), -2.499531546171248e-11, 6.169688029066966e-10, -1.3153147367094951e-08,
                  2.3804930420514178e-07, -3.601000022590458e-06, 4.467433012646365e-05, -0.0004438173434420147,
                  0.0034224907399188495, -0.01962875683311711, 0.07854786922242532, -0.19639839859930203, 0.23507209206669755,
                  0.02336757172099348, -0.24337743079193114, 0.07075985882118005);
}

// From 8 on: J + iY = sqrt(2 / (pi x)) (P + i 8/x Q) e^(i (x - pi/4 - order pi/2)), P and Q of w = (8 / x)^2
// [1.5e-9 and 4.3e-8, 1.8e-17 and 4.5e-17].
template <class T>
struct Swing {
  T p, q;
};
template <class P, class T>
COR_FN Swing<T> bessel_0_swing(T w) {
  if constexpr (same<P, float>)
    return {horner(w, T(-1.65456223e-06), 2.70833216e-05, -0.00109857626, 0.999999998),
            horner(w, T(5.75016291e-07), -6.79412286e-06, 0.000143025444, -0.0156249992)};
  else
    return {horner(w, T(-2.0993828514043677e-10), 1.5084538696048233e-09, -5.175693793154824e-09, 1.1847111246931388e-08,
                   -2.2292696169654633e-08, 4.25960717472055e-08, -1.02073847203694e-07, 3.6197967408800444e-07,
                   -2.1839137078379267e-06, 2.7380883396128166e-05, -0.0010986328124940475, 1.0),
            horner(w, T(1.0420389353032916e-10), -8.17297894142838e-10, 2.9897753067698572e-09, -6.8984707047974055e-09,
                   1.1646914727648746e-08, -1.629612426708613e-08, 2.1789128476377578e-08, -3.276207416210222e-08,
                   6.410781876320413e-08, -1.8164046570677143e-07, 8.238440729765084e-07, -6.930786162917716e-06,
                   0.00014305114746061454, -0.015624999999999998)};
}
template <class P, class T>
COR_FN Swing<T> bessel_1_swing(T w) {
  if constexpr (same<P, float>)
    return {horner(w, T(1.97689668e-06), -3.48636195e-05, 0.00183098995, 1.),
            horner(w, T(-6.70658781e-07), 8.31688024e-06, -0.000200242609, 0.0468749991)};
  else
    return {
        horner(w, T(2.237502938052692e-10), -1.6092244962322878e-09, 5.5304206183914765e-09, -1.269626978421469e-08,
               2.402083443813202e-08, -4.6345630830550386e-08, 1.1283628428440908e-07, -4.1024816017271463e-07,
               2.580989647067514e-06, -3.5203993005084195e-05, 0.0018310546874936912, 1.0),
        horner(w, T(1.482232369039896e-10), -1.1046989116402822e-09, 3.86021464209562e-09, -8.637395014665553e-09,
               1.463621567758631e-08, -2.1970487566800167e-08, 3.49321153809257e-08, -7.011034432898503e-08, 2.0299486581033888e-07,
               -9.505880077722343e-07, 8.470960807333538e-06, -0.0002002716064438616, 0.04687499999999999)};
}
template <class T>
COR_FN T bessel_place(T a) {
  return fma(a * a, T(0.03125), T(-1));
}
// a^2 - z^2 for the zero z + rest, to the last place.
template <class T>
COR_FN T from_zero(T a, double z, double rest) {
  const T high = T(z), low = T((z - double(high)) + rest);
  return ((a - high) - low) * (a + high);
}
template <class P, class T>
COR_FN T bessel_j0_small(T a) {
  return from_zero(a, 2.4048255576957729, -1.1766916515308941e-16) * from_zero(a, 5.5200781102863106, 8.0885971461467223e-17) *
         bessel_j0_parts<P>(bessel_place(a));
}
template <class P, class T>
COR_FN T bessel_j1_small(T a) {
  return a * (from_zero(a, 3.8317059702075125, -1.5269184090088067e-16) *
              from_zero(a, 7.0155866698156188, -9.4141656534103891e-17) * bessel_j1_parts<P>(bessel_place(a)));
}

// Sine and cosine of a size in one go where they are our own.
template <class P, class T>
COR_FN Swing<T> sine_and_cosine(P a) {
#if COR_NATIVE_MATHS
  return {sin(a), cos(a)};
#else
  const SinCos s = sin_cos(a);
  return {s.pick(s.quarters), s.pick(s.quarters + 1)};
#endif
}
// sqrt(2 / (pi a)) (P cos chi - Q sin chi) and (P sin chi + Q cos chi), chi = a - pi/4 - Order pi/2.
template <int Order, bool Second, class P, class T>
COR_FN T bessel_large(P a) {
  const T inverse = 1 / T(a), z = 8 * inverse, w = z * z;
  Swing<T> s;
  if constexpr (Order == 0)
    s = bessel_0_swing<P>(w);
  else
    s = bessel_1_swing<P>(w);
  const Swing<T> angle = sine_and_cosine<P, T>(a);
  const T plus = angle.q + angle.p, minus = angle.p - angle.q; // cos(a - pi/4), sin(a - pi/4), times sqrt 2
  const T cosine = Order == 0 ? plus : minus, sine = Order == 0 ? minus : -plus;
  const T size = sqrt(inverse) * T(0.56418958354775629); // 1 / sqrt(pi)
  return Second ? size * fma(s.p, sine, z * s.q * cosine) : size * fma(s.p, cosine, -(z * s.q * sine));
}

template <class P>
COR_FN P bessel_j0_of(P x) {
  using T = Wide<P>;
  const P a = abs(x);
  const T small = bessel_j0_small<P>(T(a)), large = bessel_large<0, false, P, T>(a);
  return static_cast<P>(a < 8 ? small : large);
}
template <class P>
COR_FN P bessel_j1_of(P x) {
  using T = Wide<P>;
  const P a = abs(x);
  const T small = bessel_j1_small<P>(T(a)), large = bessel_large<1, false, P, T>(a);
  return flip_sign(static_cast<P>(a < 8 ? small : large), x);
}
// As ATen has them: -infinity at +-0, NaN left of it.
template <class P>
COR_FN P bessel_y0_of(P x) {
  using T = Wide<P>;
  const T small = fma(log(T(x)) * T(0.63661977236758134), bessel_j0_small<P>(T(x)), bessel_y0_parts<P>(bessel_place(T(x))));
  const P r = static_cast<P>(x < 8 ? small : bessel_large<0, true, P, T>(x));
  return x == 0 ? -Limits<P>::infinity() : r;
}
template <class P>
COR_FN P bessel_y1_of(P x) {
  using T = Wide<P>;
  const T t = T(x), by_log = fma(log(t), bessel_j1_small<P>(t), -1 / t);
  const T small = fma(T(0.63661977236758134), by_log, t * bessel_y1_parts<P>(bessel_place(t)));
  const P r = static_cast<P>(x < 8 ? small : bessel_large<1, true, P, T>(x));
  return x == 0 ? -Limits<P>::infinity() : r;
}
// sin(x) / x: 1.5 ulp in f32, 2.5 in f64; 1 at 0, 0 at infinity.
template <class T>
COR_FN T spherical_bessel_j0_of(T x) {
  const T r = abs(x) == Limits<T>::infinity() ? T(0) : sin(x) / x;
  return x == 0 ? T(1) : r;
}

COR_SPECIAL(bessel_j0)
COR_SPECIAL(bessel_j1)
COR_SPECIAL(bessel_y0)
COR_SPECIAL(bessel_y1)
COR_SPECIAL(spherical_bessel_j0)

} // namespace cor
