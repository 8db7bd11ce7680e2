#pragma once
// zeta (Hurwitz'), trigamma, sinc. polygamma of order n from 2 on is (-1)^(n + 1) n! zeta(n + 1, x).
#include "lang/maths/pow.h"
#include "lang/maths/trig.h"

namespace cor {

// Sum of (q + k)^-s over all k >= 0, by ten or more terms and Euler and Maclaurin's formula. As ATen has it: infinity for s = 1 and
// at whole q <= 0, NaN for s < 1 and for left of 0 where s is no whole number.
// 6 ulp in f64 (of pow, times s log q in f32).
template <class T>
COR_FN T zeta(T s, T q) {
  // B(2k) / (2k)!
  constexpr double bernoulli[] = {8.3333333333333333e-2,  -1.3888888888888889e-3,  3.3068783068783069e-5,  -8.2671957671957672e-7,
                                  2.0876756987868099e-8,  -5.2841901386874932e-10, 1.3382536530684679e-11, -3.3896802963225829e-13,
                                  8.5860620562778446e-15, -2.1748686985580619e-16, 5.5090028283602295e-18, -1.3954464685812523e-19};
  constexpr T small = T(sizeof(T) == 4 ? 6e-8 : 1.1e-16);
  if (s <= 1) return s == 1 ? Limits<T>::infinity() : Limits<T>::nan();
  if (q <= 0) {
    if (q == native::floor(q)) return Limits<T>::infinity();
    if (s != native::floor(s)) return Limits<T>::nan();
  }
  T sum = pow(q, -s), a = q, term = 0;
  for (int i = 0; i < 9 || a <= 9; ++i) {
    a += 1;
    term = pow(a, -s);
    sum += term;
    if (abs(term) < small * abs(sum)) return sum;
  }
  sum += term * a / (s - 1) - T(0.5) * term;
  T factor = s * term / a;
  for (int k = 0; k < 12; ++k) {
    const T part = factor * T(bernoulli[k]);
    sum += part;
    if (abs(part) < small * abs(sum)) break;
    factor *= (s + T(2 * k + 1)) * (s + T(2 * k + 2)) / (a * a);
  }
  return sum;
}

// From 8 on: 1 / x + 1 / 2x^2 + P(1 / x^2) / x^3 [1.8e-17]; from x + 8 by recurrence; left of 1/2 by reflection, with ATen's
// sin(pi x), which makes poles into large numbers. 6 ulp
// for x > 0.
template <class T>
COR_FN T trigamma_of(T x) {
  const bool left = x < T(0.5);
  const T a = left ? 1 - x : x, y = a < 8 ? a + 8 : a, inverse = 1 / y, w = inverse * inverse;
  const T p = horner(w, T(-4.578651999563323), 1.1095433110225827, -0.25239861926867535, 0.07575250533143019, -0.03333331358393811,
                     0.023809523771500328, -0.033333333333305314, 0.16666666666666666);
  T r = inverse + w * fma(inverse, p, T(0.5)), sum = 0;
  for (int i = 0; i < 8; ++i) {
    const T next = 1 / (a + T(i));
    sum = fma(next, next, sum);
  }
  r += a < 8 ? sum : T(0);
  const T sine = sin(T(3.1415926535897932) * x), turn = T(3.1415926535897932) / sine;
  return left ? fma(turn, turn, -r) : r;
}
COR_SPECIAL(trigamma)

// sin(pi x) / (pi x), with ATen's roundings of pi x.
template <class T>
COR_FN T sinc_of(T x) {
  const T turn = T(3.1415926535897932) * x;
  return x == 0 ? T(1) : sin(turn) / turn;
}
COR_SPECIAL(sinc)

} // namespace cor
