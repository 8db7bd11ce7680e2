#pragma once
// Division that rounds, and its rests.
#include "lang/maths/basic.h"

namespace cor {

#if !COR_NATIVE_MATHS
// Exact. Each step takes 51 bits of the quotient, which has 277 at most; steps and rest are exact in f64, as x and y are f32.
COR_FN float fmod_of(float x, float y) {
  const double a = abs(x), b = abs(y), inverse = 1 / b;
  const auto step = [&](double rest) { return exact_fma(-native::rint(rest * inverse), b, rest); };
  double r = step(step(step(step(step(step(a))))));
  r = r < 0 ? r + b : r;
  r = b == Limits<double>::infinity() ? a - 0 * a : r; // NaN where x is infinite, too
  return copysign(static_cast<float>(r), x);
}
// Exact; libm's, one element after the other.
COR_FN double fmod_of(double x, double y) { return native::fmod(x, y); }
#endif
COR_FUNCTION_2(fmod)
// Of integers; by zero is the caller's to refuse.
template <class T>
COR_FN T fmod(T a, T b) {
  return b == T(0) || (T(-1) < T(0) && b == T(-1)) ? T(0) : static_cast<T>(a % b);
}

// As torch.remainder and Python's %: the rest has the divisor's sign. Of an integer by zero: the caller's to refuse.
template <class T>
COR_FN T remainder(T a, T b) {
  if constexpr (is_float<T>) {
    const T mod = fmod(a, b), moved = mod + b;
    const T other_sign = flip_sign(mod, b);
    return other_sign < T(0) ? moved : mod;
  } else {
    const T rest = fmod(a, b);
    return rest != T(0) && (rest < T(0)) != (b < T(0)) ? static_cast<T>(rest + b) : rest;
  }
}

// Integers: by zero is the caller's to refuse; the most negative number over -1 wraps.
template <class T>
COR_FN T div_trunc(T a, T b) {
  if constexpr (is_float<T>)
    return native::trunc(a / b);
  else
    return T(-1) < T(0) && b == T(-1) ? static_cast<T>(0 - static_cast<u64>(a)) : static_cast<T>(a / (b == T(0) ? T(1) : b));
}
// As Python's //, by way of fmod as in ATen's div_floor_floating.
template <class T>
COR_FN T div_floor(T a, T b) {
  if constexpr (is_float<T>) {
    const T mod = fmod(a, b);
    T div = (a - mod) / b;
    div = (mod != T(0) && (b < T(0)) != (mod < T(0))) ? div - T(1) : div;
    T r = native::floor(div);
    r = div - r > T(0.5) ? r + T(1) : r;
    const T quotient = a / b;
    const T zero = quotient < T(0) || (quotient == T(0) && 1 / quotient < T(0)) ? T(-0.) : T(0);
    r = div == T(0) ? zero : r;
    return b == T(0) ? quotient : r;
  } else {
    const T q = div_trunc(a, b);
    const T rest = static_cast<T>(static_cast<u64>(a) - static_cast<u64>(q) * static_cast<u64>(b));
    return static_cast<T>((rest != T(0) && (rest < T(0)) != (b < T(0))) ? q - T(1) : q);
  }
}

} // namespace cor
