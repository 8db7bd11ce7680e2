#pragma once
// modified_bessel_i0, i0e, modified_bessel_i1, i1e (e^-|x| times as much), modified_bessel_k0, modified_bessel_k1 and
// scaled_modified_bessel_k0, scaled_modified_bessel_k1 (e^x times as much).
#include "lang/maths/exp.h"
#include "lang/maths/log.h"

namespace cor {

// I0(a) and I1(a) / a of s = a^2, a <= 8 [9.0e-9 and 2.1e-9, 9.1e-19 and 9.6e-18 of them];
// beyond: sqrt(a) e^-a times as much, of z = 8 / a [1e-8, 5.3e-18].
COR_FN float modified_bessel_i0_small(float s) {
  return horner(s, 5.70921707e-17f, 5.83224565e-15f, 2.6325572e-12f, 4.6243542e-10f, 6.80025884e-08f, 6.77935154e-06f,
                0.000434043508f, 0.0156249505f, 0.250000054f, 0.999999991f);
}
COR_FN double modified_bessel_i0_small(double s) {
  return horner(s, 8.56520870437626e-34, 4.19997962648666e-31, 3.9334018340241513e-28, 2.5901898905904235e-25,
                1.4967775796592091e-22, 7.242074666718978e-20, 2.896908888769417e-17, 9.385965805631366e-15, 2.4028075677258457e-12,
                4.70950279511846e-10, 6.781684027918152e-08, 6.781684027771353e-06, 0.0004340277777777949, 0.015624999999999977,
                0.25, 1.0);
}
COR_FN float modified_bessel_i1_small(float s) {
  return horner(s, 2.74766617e-18f, 3.51155706e-16f, 1.61710176e-13f, 3.31867362e-11f, 5.66198638e-09f, 6.78023673e-07f,
                5.42545574e-05f, 0.00260416276f, 0.0625000051f, 0.499999999f);
}
COR_FN double modified_bessel_i1_small(double s) {
  return horner(s, 2.588676883370685e-32, 1.1687512790137497e-29, 1.0238869175067203e-26, 6.215307964633352e-24,
                3.292980107400432e-21, 1.4484121725503017e-18, 5.214436720385761e-16, 1.501754517120869e-13, 3.363930595832898e-11,
                5.651403354138241e-09, 6.781684027909894e-07, 5.4253472222178567e-05, 0.00260416666666674, 0.06249999999999995,
                0.5);
}
COR_FN float modified_bessel_i0_large(float z) {
  return horner(z, 1.15907518e-05f, -2.750804e-06f, 6.54264744e-05f, 0.000436122204f, 0.00623367235f, 0.398942277f);
}
COR_FN double modified_bessel_i0_large(double z) {
  const double t = fma(2., z, -1.);
  return horner(t, -6.074719660595193e-11, -2.0261421051255186e-11, 4.5813403094836936e-10, 1.527967227074651e-10,
                -1.6200969609487852e-09, -5.715961240723327e-10, 3.639637827349885e-09, 1.5200984188074996e-09,
                -5.9551789015095105e-09, -3.5059814912169867e-09, 7.431481091326867e-09, 7.55259178721881e-09,
                -5.40519976120016e-09, -1.3408920875396893e-08, -6.7475392224403055e-09, 7.55469269997528e-09,
                2.1548357105449815e-08, 3.9325843222756527e-08, 8.872219954305432e-08, 2.973598588669669e-07,
                1.4838475657120086e-06, 1.1143033790931645e-05, 0.00013621607439193295, 0.0033605519836678614, 0.4021765094450081);
}
COR_FN float modified_bessel_i1_large(float z) {
  return horner(z, -1.35225905e-05f, 1.64978939e-06f, -8.95093677e-05f, -0.000727979733f, -0.018700651f, 0.398942284f);
}
COR_FN double modified_bessel_i1_large(double z) {
  const double t = fma(2., z, -1.);
  return horner(
      t, 6.285586270997607e-11, 1.8514573573428816e-11, -4.746591625200761e-10, -1.4011311715735206e-10, 1.6816888452701453e-09,
      5.295547091029908e-10, -3.789831086806042e-09, -1.438713890906413e-09, 6.238113223508053e-09, 3.426224164075569e-09,
      -7.885428612934807e-09, -7.642388311430349e-09, 5.9732062267877994e-09, 1.403423655634247e-08, 6.734806283437301e-09,
      -8.42776554743195e-09, -2.3373988230379026e-08, -4.3129177373696234e-08, -1.0001287672429324e-07, -3.483855760976065e-07,
      -1.8349101330315317e-06, -1.5038547200567478e-05, -0.0002192357638338823, -0.009749577193235737, 0.38939845902587233);
}

// All four: 3.5 ulp in f32, 4 in f64. NaN at infinity, as ATen has it; e^a in two factors, since I0(a) is finite where e^a is not.
template <class T>
COR_FN T modified_bessel_i_beyond(T a, T inverse, T part) {
  return exp(a - 8) * (part * sqrt(inverse) * T(2980.9579870417283));
}
template <class T>
COR_FN T modified_bessel_i0_of(T x) {
  const T a = abs(x), inverse = 1 / a, large = modified_bessel_i_beyond(a, inverse, modified_bessel_i0_large(8 * inverse));
  return a < 8 ? modified_bessel_i0_small(a * a) : large;
}
template <class T>
COR_FN T modified_bessel_i1_of(T x) {
  const T a = abs(x), inverse = 1 / a, large = modified_bessel_i_beyond(a, inverse, modified_bessel_i1_large(8 * inverse));
  const T r = a < 8 ? a * modified_bessel_i1_small(a * a) : large;
  return x < 0 ? -r : r;
}
template <class T>
COR_FN T i0e_of(T x) {
  const T a = abs(x), inverse = 1 / a, large = modified_bessel_i0_large(8 * inverse) * sqrt(inverse);
  return a < 8 ? modified_bessel_i0_small(a * a) * exp(-a) : large;
}
template <class T>
COR_FN T i1e_of(T x) {
  const T a = abs(x), inverse = 1 / a, large = modified_bessel_i1_large(8 * inverse) * sqrt(inverse);
  const T r = a < 8 ? a * modified_bessel_i1_small(a * a) * exp(-a) : large;
  return x < 0 ? -r : r;
}

// Of s = x^2, x <= 2: I0(x), K0(x) + log(x / 2) I0(x), I1(x) / x, x (K1(x) - log(x / 2) I1(x)) [2e-8, 1e-17]; beyond, of
// t = 4 / x - 1: sqrt(x) e^x times K0 and K1 [7.7e-9, 5.8e-18].
template <class T>
struct SmallK {
  T i, k;
};
COR_FN SmallK<float> modified_bessel_k0_small(float s) {
  return {horner(s, 7.34849148e-08f, 6.75694466e-06f, 0.000434076682f, 0.0156249571f, 0.250000013f, 0.999999999f),
          horner(s, 1.28027616e-07f, 1.01500936e-05f, 0.000545345555f, 0.014418329f, 0.10569616f, -0.57721567f)};
}
COR_FN SmallK<double> modified_bessel_k0_small(double s) {
  return {
      horner(s, 3.042148995589876e-17, 9.373811299005501e-15, 2.4028634818396177e-12, 4.709501249962805e-10, 6.781684054122976e-08,
             6.781684027506314e-06, 0.00043402777777793724, 0.015624999999999953, 0.25, 1.0),
      horner(s, 6.896071535966643e-17, 2.005766611006753e-14, 4.843373953222031e-12, 8.819877613855899e-10, 1.1570351047212643e-07,
             1.0214014134697843e-05, 0.0005451899602577303, 0.014418505235913238, 0.10569608377461683, -0.5772156649015329)};
}
COR_FN SmallK<float> modified_bessel_k1_small(float s) {
  return {horner(s, 7.3555186e-07f, 5.40561331e-05f, 0.00260443908f, 0.0624998708f, 0.50000001f),
          horner(s, -1.1106006e-08f, -1.08343813e-06f, -7.49470674e-05f, -0.00283708735f, -0.0420490384f, 0.0386078371f, 1.f)};
}
COR_FN SmallK<double> modified_bessel_k1_small(double s) {
  return {
      horner(s, 5.477984969693352e-16, 1.4997915516010558e-13, 3.3640089470199464e-11, 5.651401540450126e-09, 6.781684052393791e-07,
             5.425347222035666e-05, 0.002604166666667371, 0.062499999999999896, 0.5),
      horner(s, -1.2156656430132448e-15, -3.1146345784207917e-13, -6.540500732612244e-11, -1.011290045296579e-08,
             -1.089218270207455e-06, -7.49304290416991e-05, -0.002837111983775017, -0.0420490209436504, 0.038607832450765954, 1.0)};
}
COR_FN float modified_bessel_k0_large(float t) {
  return horner(t, -2.96849008e-06f, 8.85340074e-06f, -2.41132137e-05f, 9.83184077e-05f, -0.000479944323f, 0.0030331493f,
                -0.0310714489f, 1.21859533f);
}
COR_FN double modified_bessel_k0_large(double t) {
  return horner(t, -6.852592934397427e-11, 1.0925338407461055e-10, 2.180495013198906e-10, -3.1190316877690204e-10,
                -5.457912841573724e-10, 8.131766150195022e-10, 1.6702671218839305e-10, 4.7863456515611876e-11,
                -1.9203499867269547e-09, 3.8081599895209904e-09, -7.292559091809018e-09, 1.7047664202888045e-08,
                -4.133686910727196e-08, 1.0295427351645311e-07, -2.689072043091029e-07, 7.427801326563518e-07,
                -2.191177701118066e-06, 7.002245644577108e-06, -2.4735204568704573e-05, 9.956054742036966e-05,
                -0.0004797690567659532, 0.003032891810275319, -0.03107146182488952, 1.2185953385133905);
}
COR_FN float modified_bessel_k1_large(float t) {
  return horner(t, 3.72586247e-06f, -1.12064943e-05f, 3.19835108e-05f, -0.000138086097f, 0.000735992491f, -0.00556704153f,
                0.103349715f, 1.3631519f);
}
COR_FN double modified_bessel_k1_large(double t) {
  return horner(t, 7.715018125389463e-11, -1.1932491328484866e-10, -2.5087505195911053e-10, 3.387232781776101e-10,
                6.315905862838024e-10, -8.909670424358926e-10, -2.1878247630104013e-10, -8.321826552317528e-11,
                2.210636372900265e-09, -4.332059900727671e-09, 8.38905477341568e-09, -1.981751300597177e-08, 4.846972601341318e-08,
                -1.2203188554495585e-07, 3.2297928315854127e-07, -9.067087586225081e-07, 2.730041719838539e-06,
                -8.961207388338617e-06, 3.2843865534401025e-05, -0.00013959021956268456, 0.0007357241549090674,
                -0.005566729880074589, 0.10334973775386522, 1.363151890371342);
}
// log(x / 2), of denormal x, too.
template <class T>
COR_FN T log_of_half(T x) {
  const bool tiny = x < T(1e-30);
  return log(tiny ? x : T(0.5) * x) - (tiny ? T(0.69314718055994531) : T(0));
}
template <class T>
COR_FN T modified_bessel_k0_until_2(T x) {
  const SmallK<T> s = modified_bessel_k0_small(x * x);
  return fma(-log_of_half(x), s.i, s.k);
}
template <class T>
COR_FN T modified_bessel_k1_until_2(T x) {
  const SmallK<T> s = modified_bessel_k1_small(x * x);
  return fma(log_of_half(x) * x, s.i, s.k / x);
}
// As ATen has them: infinity at +-0, NaN left of it. K0: 9 ulp in f32, 10 in f64; K1: 4.5 and 6.
template <class T>
COR_FN T modified_bessel_k_edges(T x, T r) {
  r = x == 0 ? Limits<T>::infinity() : r;
  r = x == Limits<T>::infinity() ? T(0) : r;
  return x < 0 ? Limits<T>::nan() : r;
}
template <class T>
COR_FN T modified_bessel_k0_of(T x) {
  const T inverse = 1 / x, large = exp(-x) * (modified_bessel_k0_large(fma(T(4), inverse, T(-1))) * sqrt(inverse));
  return modified_bessel_k_edges(x, x <= 2 ? modified_bessel_k0_until_2(x) : large);
}
template <class T>
COR_FN T modified_bessel_k1_of(T x) {
  const T inverse = 1 / x, large = exp(-x) * (modified_bessel_k1_large(fma(T(4), inverse, T(-1))) * sqrt(inverse));
  return modified_bessel_k_edges(x, x <= 2 ? modified_bessel_k1_until_2(x) : large);
}
template <class T>
COR_FN T scaled_modified_bessel_k0_of(T x) {
  const T inverse = 1 / x, large = modified_bessel_k0_large(fma(T(4), inverse, T(-1))) * sqrt(inverse);
  return modified_bessel_k_edges(x, x <= 2 ? modified_bessel_k0_until_2(x) * exp(x) : large);
}
template <class T>
COR_FN T scaled_modified_bessel_k1_of(T x) {
  const T inverse = 1 / x, large = modified_bessel_k1_large(fma(T(4), inverse, T(-1))) * sqrt(inverse);
  return modified_bessel_k_edges(x, x <= 2 ? modified_bessel_k1_until_2(x) * exp(x) : large);
}

COR_SPECIAL(modified_bessel_i0)
COR_SPECIAL(modified_bessel_i1)
COR_SPECIAL(i0e)
COR_SPECIAL(i1e)
COR_SPECIAL(modified_bessel_k0)
COR_SPECIAL(modified_bessel_k1)
COR_SPECIAL(scaled_modified_bessel_k0)
COR_SPECIAL(scaled_modified_bessel_k1)

} // namespace cor
