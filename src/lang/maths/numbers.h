#pragma once
// Heaviside's step, rounding at a decimal place, the next number, gcd, lcm; exact.
#include "lang/maths/basic.h"

namespace cor {

// 0 left of 0 and for NaN, y at 0, 1 right of it.
template <class T>
COR_FN T heaviside(T x, T y) {
  return x == T(0) ? y : static_cast<T>(x > T(0));
}
// To nearest, ties to even, at a decimal place: `ten` is 10^|decimals|. ATen's own order of roundings.
template <class T>
COR_FN T round_after(T x, T ten) {
  return native::rint(x * ten) / ten;
}
template <class T>
COR_FN T round_before(T x, T ten) {
  return native::rint(x / ten) * ten;
}

// The number next to x on the way to y, both of them values of `Stored`, a float of 16 bits or T itself.
template <class Stored, class T>
COR_FN T next_after(T x, T y) {
  constexpr auto step = typename Layout<T>::Bits(1) << (same<Stored, bf16> ? 16 : 0);
  const auto bits = to_bits(x);
  const bool away = (x < y) == (x > T(0));
  const T moved = from_bits(away ? bits + step : bits - step), least = copysign(from_bits(step), y);
  const T r = x == T(0) ? least : moved;
  const T met = x == y ? y : r;
  return x != x || y != y ? x + y : met;
}

// The largest number that divides both, 0 for two zeros; the smallest that both divide.
template <class T>
COR_FN T gcd(T x, T y) {
  T a = x < T(0) ? static_cast<T>(T(0) - x) : x, b = y < T(0) ? static_cast<T>(T(0) - y) : y;
  while (b != T(0)) {
    const T rest = static_cast<T>(a % b);
    a = b;
    b = rest;
  }
  return a;
}
template <class T>
COR_FN T lcm(T x, T y) {
  const T g = gcd(x, y);
  if (g == T(0)) return T(0);
  const auto r = x / g * y; // of narrow numbers an int, whose size is taken before it wraps, as ATen does
  return static_cast<T>(r < 0 ? -r : r);
}

} // namespace cor
