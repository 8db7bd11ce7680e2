#pragma once
// igamma, igammac: the regularised incomplete gamma functions P(a, x) and Q(a, x) = 1 - P.
#include "lang/maths/erf.h"
#include "lang/maths/gamma.h"
#include "lang/maths/log.h"

namespace cor {

// m - log(1 + m), -1 <= m, without cancellation near 0: 2 atanh(r) = log(1 + m), r = m / (2 + m).
template <class T>
COR_FN T minus_log1p(T m) {
  const T r = m / (2 + m), z = r * r;
  const T p = horner(z, T(0.034482758620689655), 0.037037037037037037, 0.04, 0.043478260869565216, 0.047619047619047616,
                     0.052631578947368418, 0.058823529411764705, 0.066666666666666667, 0.076923076923076923, 0.090909090909090912,
                     0.11111111111111111, 0.14285714285714285, 0.2, 0.33333333333333333);
  return abs(m) < T(0.4) ? r * fma(T(-2) * z, p, m) : m - log1p(m);
}
// x^a e^-x / Gamma(a), given x^a / Gamma(1 + a) as a logarithm; from 10 on by Stirling's series, in which nothing large cancels.
template <class T>
COR_FN T gamma_density(T a, T x, T log_power) {
  if (a < 10) return a * exp(log_power - x);
  const T inverse = 1 / a, w = inverse * inverse;
  const T series = inverse * horner(w, T(-0.0019175269175269176), 0.00084175084175084171, -0.00059523809523809529,
                                    0.00079365079365079365, -0.0027777777777777779, 0.083333333333333329);
  return sqrt(a * T(0.15915494309189535)) * exp(-fma(a, minus_log1p((x - a) / a), series));
}
// P over the density by the power series: sum of x^k / ((a + 1) ... (a + k)).
template <class T>
COR_FN T lower_by_series(T a, T x) {
  const T least = T(sizeof(T) == 4 ? 6e-8 : 1.1e-16);
  T sum = 1, term = 1, next = a;
  for (int k = 0; k < 2000 && term > least * sum; ++k) {
    next += 1;
    term *= x / next;
    sum += term;
  }
  return sum / a;
}
// Q over the density by Legendre's continued fraction (Lentz' way), x > a.
template <class T>
COR_FN T upper_by_fraction(T a, T x) {
  const T least = T(sizeof(T) == 4 ? 6e-8 : 1.1e-16);
  T b = x + 1 - a, c = Limits<T>::highest() * T(0.25), d = 1 / b, value = d, change = 0;
  for (int k = 1; k < 2000 && abs(change - 1) > least; ++k) {
    const T m = T(k), top = m * (a - m);
    b += 2;
    d = 1 / fma(top, d, b);
    c = b + top / c;
    change = c * d;
    value *= change;
  }
  return value;
}
// Q for small x: 1 - x^a / Gamma(1 + a) (1 + a sum of (-x)^k / (k! (a + k))).
template <class T>
COR_FN T upper_by_series(T a, T x, T log_power) {
  const T least = T(sizeof(T) == 4 ? 6e-8 : 1.1e-16);
  T sum = 0, term = 1, part = 1;
  for (int k = 1; k < 200 && abs(part) > least * abs(sum); ++k) {
    term *= -x / T(k);
    part = term / (a + T(k));
    sum += part;
  }
  return -expm1(log_power) - a * exp(log_power) * sum;
}
// Either one where x is near a large a: N. Temme's uniform expansion (DLMF 8.12), |eta| <= 0.42, 20 <= a.
template <class T>
COR_FN T uniform_expansion(T a, T x, bool lower) {
  const T m = (x - a) / a, half_square = minus_log1p(m), eta = copysign(sqrt(2 * half_square), m), inverse = 1 / a;
  T sum = 0;
  // 10
  sum = fma(sum, inverse, horner(eta, T(0.0011089369134596636), -0.0019144384985654776, 0.0013324454494800656));
  // 9
  sum = fma(sum, inverse,
            horner(eta, T(0.00027750107634328704), -0.0006401475260262758, 0.0006782308837667328, -7.204895416020011e-05,
                   -0.0005967612901927463));
  // 8
  sum = fma(sum, inverse,
            horner(eta, T(4.629953263691304e-05), -0.00012783517679769218, 0.00016644846642067547, -6.969091458420552e-07,
                   -0.000438297098541721, 0.0008394987206720873, -0.0006526239185953094));
  // 7
  sum = fma(sum, inverse,
            horner(eta, T(5.7876949497350525e-06), -1.8263488805711332e-05, 2.7744451511563645e-05, -1.2741009095484485e-07,
                   -0.00010976582244684731, 0.0002812695154763237, -0.00033493161081142234, 5.171790908260592e-05,
                   0.00034436760689237765));
  // 6
  sum = fma(sum, inverse,
            horner(eta, T(-2.0291327396058603e-06), 3.465155368803609e-06, -3.0796134506033047e-09, -1.8329116582843375e-05,
                   5.61168275310625e-05, -8.153969367561969e-05, 7.902353232660328e-07, 0.0002708782096718045,
                   -0.0005921664373536939, 0.0005313079364639922));
  // 5
  sum = fma(sum, inverse,
            horner(eta, T(-1.8447187191171344e-07), 3.4652846491085265e-07, -3.252473551298454e-10, -2.291481176508095e-06,
                   8.018470256334202e-06, -1.3594048189768693e-05, 1.419062920643967e-07, 6.797780477937208e-05,
                   -0.00019932570516188847, 0.0002772753244959392, -6.972813758365857e-05, -0.00033679855336635813));
  // 4
  sum = fma(
      sum, inverse,
      horner(eta, T(2.8865829742708783e-08), 2.956794137544049e-11, -2.292934834000805e-07, 8.907507532205309e-07,
             -1.6954149536558305e-06, 2.507497226237533e-10, 1.1375726970678419e-05, -3.968365047179435e-05, 6.641498215465122e-05,
             -1.4638452578843418e-06, -0.0002990724803031902, 0.0007840392217200666, -0.0008618882909167117));
  // 3
  sum = fma(sum, inverse,
            horner(eta, T(-1.9111168485973655e-08), 8.099464905388083e-08, -1.6958404091930278e-07, -2.7861080291528143e-11,
                   1.4230900732435883e-06, -5.6749528269915965e-06, 1.1082654115347302e-05, -2.396505113867297e-07,
                   -7.561801671883977e-05, 0.00026772063206283885, -0.0004691894943952557, 0.00022947209362139917,
                   0.0006494341563786008));
  // 2
  sum = fma(sum, inverse,
            horner(eta, T(-1.3670488396617114e-09), 6.228974084922022e-09, -1.409252991086752e-08, -2.0477098421990866e-10,
                   1.4280614206064242e-07, -6.298992138380055e-07, 1.3721957309062934e-06, 3.423578734096138e-08,
                   -1.2760635188618728e-05, 5.2923448829120125e-05, -0.0001073665322636516, 2.0093878600823047e-06,
                   0.0007716049382716049, -0.0026813271604938273, 0.004133597883597883));
  // 1
  sum = fma(
      sum, inverse,
      horner(eta, T(-8.56390702649298e-11), 4.162792991842583e-10, -1.0091543710600413e-09, -1.7543241719747647e-11,
             1.1951628599778148e-08, -5.752545603517705e-08, 1.378633446915721e-07, 4.647127802807434e-09, -1.6120900894563446e-06,
             7.64916091608111e-06, -1.8098550334489977e-05, -4.018775720164609e-07, 0.00020576131687242798, -0.0009902263374485596,
             0.0026455026455026454, -0.003472222222222222, -0.001851851851851852));
  // 0
  sum = fma(
      sum, inverse,
      horner(eta, T(2.4361948020667415e-11), -5.830772132550426e-11, -2.5514193994946248e-11, 9.14769958223679e-10,
             -4.382036018453353e-09, 1.0261809784240309e-08, 6.707853543401498e-09, -1.7665952736826078e-07, 8.296711340953087e-07,
             -1.85406221071516e-06, -2.185448510679992e-06, 3.919263178522438e-05, -0.0001787551440329218, 0.0003527336860670194,
             0.0011574074074074073, -0.014814814814814815, 0.08333333333333333, -0.3333333333333333));
  const T side = lower ? T(-1) : T(1);
  return fma(side * exp(-a * half_square), sum * sqrt(inverse * T(0.15915494309189535)),
             T(0.5) * erfc(side * eta * sqrt(T(0.5) * a)));
}

// ATen's choice of methods (those of SciPy's gammainc).
template <class T>
COR_FN bool near_large(T a, T x) {
  const T m = abs(x - a) / a;
  return (a > 20 && a <= 200 && m < T(0.3)) || (a > 200 && m < T(4.5) / sqrt(a));
}
// What they are at the edges of a, x >= 0; NaN outside and for two infinities or zeros, in ATen's order of questions. `at_most` is
// the value at x = infinity.
template <class T>
COR_FN bool is_edge(T a, T x) {
  return !(a > 0 && x > 0 && a < Limits<T>::infinity() && x < Limits<T>::infinity());
}
template <class T>
COR_FN T incomplete_edge(T a, T x, T at_most) {
  const T inf = Limits<T>::infinity(), at_least = 1 - at_most;
  if (a < 0 || x < 0) return Limits<T>::nan();
  if (a == 0) return x > 0 ? at_most : Limits<T>::nan();
  if (x == 0) return at_least;
  if (a == inf) return x == inf ? Limits<T>::nan() : at_least;
  return x == inf ? at_most : Limits<T>::nan();
}
// Both: 7e-14 of the larger one of the result and 0.02, in f64; rounded from that in f32 on CPUs.
template <bool Lower, class T>
COR_FN T incomplete_gamma(T a, T x) {
  if (is_edge(a, x)) return incomplete_edge(a, x, T(Lower ? 1 : 0));
  if (near_large(a, x)) return uniform_expansion(a, x, Lower);
  const T l = log(x);
  bool by_lower = !(x > 1 && x > a);
  if constexpr (!Lower) by_lower = x > T(1.1) ? x < a : x <= T(0.5) ? T(-0.4) / l < a : x * T(1.1) < a;
  const T log_power = fma(a, l, -lgamma(1 + a));
  T r;
  if (!by_lower && x <= T(1.1)) {
    r = upper_by_series(a, x, log_power);
  } else {
    const T density = gamma_density(a, x, log_power);
    r = density == 0 ? T(0) : density * (by_lower ? lower_by_series(a, x) : upper_by_fraction(a, x));
  }
  return by_lower == Lower ? r : 1 - r;
}
template <class T>
COR_FN T igamma(T a, T x) {
  return static_cast<T>(incomplete_gamma<true>(Wide<T>(a), Wide<T>(x)));
}
template <class T>
COR_FN T igammac(T a, T x) {
  return static_cast<T>(incomplete_gamma<false>(Wide<T>(a), Wide<T>(x)));
}

} // namespace cor
