#pragma once
// Orthogonal polynomials of degree n, a whole number: Chebyshev's of four kinds and their shifted forms, Hermite's of two kinds,
// Laguerre's, Legendre's. By ATen's own steps, so that they lose what ATen's lose: recurrences, and for high degrees within (-1, 1)
// Chebyshev's by angles. A negative degree gives 0. The number of steps is the element's own.
#include "lang/maths/inverse_trig.h"
#include "lang/maths/trig.h"

namespace cor {

// The degree as ATen converts it; what is no number is below 0.
template <class T>
COR_FN i64 degree_of(T n) {
  return abs(n) < T(9.2e18) ? static_cast<i64>(n) : -1;
}
// p(k + 1) = 2x p(k) - p(k - 1) from 1 and `first` on, until NaN.
template <class T>
COR_FN T chebyshev_steps(T x, T first, i64 n) {
  T before = 1, p = first;
  for (i64 k = 2; k <= n && p == p; ++k) {
    const T next = (x + x) * p - before;
    before = p;
    p = next;
  }
  return n == 0 ? T(1) : p;
}
COR_FN bool is_odd(i64 n) { return (n & 1) != 0; }

// Of the four kinds; angles serve above degree `Most`.
template <int Most, class T>
COR_FN T chebyshev_t(T x, i64 n) {
  if (n < 0) return T(0);
  if (abs(x) == 1) return x < 0 && is_odd(n) ? T(-1) : T(1);
  if (n > Most && abs(x) < 1) return cos(static_cast<T>(n) * acos(x));
  return chebyshev_steps(x, x, n);
}
template <int Most, class T>
COR_FN T chebyshev_u(T x, i64 n) {
  const T m = static_cast<T>(n + 1);
  if (n < 0) return T(0);
  if (abs(x) == 1) return x < 0 && is_odd(n) ? -m : m;
  if (n > Most && abs(x) < 1) {
    const T angle = acos(x), s = sin(angle);
    return s != 0 ? sin(m * angle) / s : m * cos(m * angle) / x;
  }
  return chebyshev_steps(x, x + x, n);
}
template <int Most, class T>
COR_FN T chebyshev_v(T x, i64 n) {
  const T m = static_cast<T>(n + n + 1), at_minus_1 = is_odd(n) ? -m : m;
  if (n < 0) return T(0);
  if (abs(x) == 1) return x > 0 ? T(1) : at_minus_1;
  if (n > Most && abs(x) < 1) {
    const T angle = acos(x), half = angle / 2;
    return sin(half) != 1 ? cos((static_cast<T>(n) + T(0.5)) * angle) / cos(half) : at_minus_1;
  }
  return chebyshev_steps(x, x + x - 1, n);
}
template <int Most, class T>
COR_FN T chebyshev_w(T x, i64 n) {
  const T m = static_cast<T>(n + n + 1), at_minus_1 = is_odd(n) ? T(-1) : T(1);
  if (n < 0) return T(0);
  if (abs(x) == 1) return x > 0 ? m : at_minus_1;
  if (n > Most && abs(x) < 1) {
    const T angle = acos(x), half = angle / 2, edge = x > 0 ? m : at_minus_1;
    return cos(half) != 1 ? sin((static_cast<T>(n) + T(0.5)) * angle) / sin(half) : edge;
  }
  return chebyshev_steps(x, x + x + 1, n);
}

#define COR_POLYNOMIAL(name, expression) \
  template <class T>                     \
  COR_FN T name(T x, T degree) {         \
    const i64 n = degree_of(degree);     \
    return expression;                   \
  }
COR_POLYNOMIAL(chebyshev_polynomial_t, (chebyshev_t<6>(x, n)))
COR_POLYNOMIAL(chebyshev_polynomial_u, (chebyshev_u<8>(x, n)))
COR_POLYNOMIAL(chebyshev_polynomial_v, (chebyshev_v<8>(x, n)))
COR_POLYNOMIAL(chebyshev_polynomial_w, (chebyshev_w<8>(x, n)))
COR_POLYNOMIAL(shifted_chebyshev_polynomial_t, (chebyshev_t<6>(x + x - 1, n)))
COR_POLYNOMIAL(shifted_chebyshev_polynomial_u, (chebyshev_u<6>(x + x - 1, n)))
COR_POLYNOMIAL(shifted_chebyshev_polynomial_v, (chebyshev_v<6>(x + x - 1, n)))
COR_POLYNOMIAL(shifted_chebyshev_polynomial_w, (chebyshev_w<4>(x + x - 1, n)))

// From this degree on ATen gives NaN.
template <class T>
inline constexpr i64 hermite_most = sizeof(T) == 4 ? 128 : 512;
template <class T>
COR_FN T hermite_steps(T x, T first, T step, i64 n) {
  if (n < 0) return T(0);
  if (n > hermite_most<T>) return Limits<T>::nan();
  T before = 1, p = first;
  for (i64 k = 1; k < n; ++k) {
    const T next = first * p - step * static_cast<T>(k) * before;
    before = p;
    p = next;
  }
  return n == 0 ? T(1) : p;
}
COR_POLYNOMIAL(hermite_polynomial_h, hermite_steps(x, x + x, T(2), n))
COR_POLYNOMIAL(hermite_polynomial_he, hermite_steps(x, x, T(1), n))

template <class T>
COR_FN T laguerre_steps(T x, i64 n) {
  if (n < 0) return T(0);
  T before = 1, p = 1 - x;
  for (i64 k = 1; k < n && p == p; ++k) {
    const T m = static_cast<T>(k), next = ((m + m + (1 - x)) * p - m * before) / (m + 1);
    before = p;
    p = next;
  }
  return n == 0 || x == 0 ? T(1) : p;
}
COR_POLYNOMIAL(laguerre_polynomial_l, laguerre_steps(x, n))

template <class T>
COR_FN T legendre_steps(T x, i64 n) {
  if (n < 0) return T(0);
  if (abs(x) == 1) return x < 0 && is_odd(n) ? T(-1) : T(1);
  T before = 1, p = x;
  for (i64 k = 1; k < n && p == p; ++k) {
    const T m = static_cast<T>(k), next = ((m + m + 1) * x * p - m * before) / (m + 1);
    before = p;
    p = next;
  }
  return n == 0 ? T(1) : p;
}
COR_POLYNOMIAL(legendre_polynomial_p, legendre_steps(x, n))
#undef COR_POLYNOMIAL

} // namespace cor
