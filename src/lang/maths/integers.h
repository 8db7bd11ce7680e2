#pragma once
// Bits and powers of integers; exact.
#include "lang/maths/pow.h"

namespace cor {

template <class T>
COR_FN T bitwise_not(T x) {
  if constexpr (same<T, bool>)
    return !x;
  else
    return static_cast<T>(~x);
}
// By as many bits as there are, or a negative number: 0, or the sign.
template <class T>
COR_FN T shift_left(T x, T by) {
  constexpr int bits = 8 * sizeof(T);
  const bool far = by < T(0) || by >= T(bits);
  return far ? T(0) : static_cast<T>(static_cast<u64>(x) << (static_cast<int>(by) & (bits - 1)));
}
template <class T>
COR_FN T shift_right(T x, T by) {
  constexpr int bits = 8 * sizeof(T);
  constexpr int most = Limits<T>::is_signed ? bits - 1 : bits;
  const bool far = by < T(0) || by >= T(most);
  const T rest = most == bits ? T(0) : static_cast<T>(x >> (bits - 1));
  return far ? rest : static_cast<T>(x >> (static_cast<int>(by) & (bits - 1)));
}

// x^n; of a negative n 1, -1 or 0, as ATen has it.
template <class T>
COR_FN T power(T x, T n) {
  if constexpr (is_float<T> || is_complex<T>) {
    return pow(x, n);
  } else {
    const bool negative = n < T(0), odd = (n & T(1)) != T(0);
    u64 r = 1, square = static_cast<u64>(x), left = negative ? 0 : static_cast<u64>(n);
    while (left != 0) {
      r *= left & 1 ? square : 1;
      square *= square;
      left >>= 1;
    }
    const T of_negative = x == T(1) ? T(1) : x == T(-1) ? (odd ? T(-1) : T(1)) : T(0);
    return negative ? of_negative : static_cast<T>(r);
  }
}

} // namespace cor
