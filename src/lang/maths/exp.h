#pragma once
// exp, exp2, expm1.
#include "lang/maths/basic.h"

namespace cor {

#if !COR_NATIVE_MATHS
// 2^n of the integer n that was rounded by adding Layout<T>::rounder; n + bias is the exponent of a normal number.
template <class T>
COR_FN T power_of_two(T rounded) {
  return from_bits((to_bits(rounded) + Layout<T>::bias) << Layout<T>::fraction);
}

// A number e^x (or 2^x) as 2^n (1 + tail).
template <class T>
struct Exponential {
  T tail, n;
  // In two steps, so that results overflow to infinity and become denormal or 0 where they should. 2^more times as much.
  COR_FN T value(T more = T(0)) const {
    const T all = n + more, half = fma(all, T(0.5), Layout<T>::rounder), rest = all - (half - Layout<T>::rounder);
    const T p = power_of_two(half);
    return fma(tail, p, p) * power_of_two(rest + Layout<T>::rounder);
  }
  // In one step: no overflow, no denormal result.
  COR_FN T bounded_value() const {
    const T p = power_of_two(n + Layout<T>::rounder);
    return fma(tail, p, p);
  }
};

// |r| <= ln2/2: e^r - 1 [3.4e-9 of e^r].
COR_FN float expm1_near_0(float r) {
  return fma(r * r, horner(r, 0.0013951717f, 0.008369599f, 0.041666187f, 0.16666512f, 0.5f), r);
}
// [3.6e-18 of e^r].
COR_FN double expm1_near_0(double r) {
  const double q = horner(r, 2.4910909117341616e-08, 2.7631373578590566e-07, 2.7557856522923365e-06, 2.4801490276369726e-05,
                          0.00019841269218981582, 0.0013888888945953871, 0.0083333333336192399, 0.041666666666523314,
                          0.16666666666666233, 0.50000000000000111);
  return fma(r * r, q, r);
}
// |r| <= 1/2: 2^r - 1 [1.9e-9, 3.4e-18 of 2^r].
COR_FN float exp2m1_near_0(float r) {
  return r * horner(r, 0.000154762965f, 0.00134002347f, 0.00961800385f, 0.055503279f, 0.240226507f, 0.693147182f);
}
COR_FN double exp2m1_near_0(double r) {
  return r * horner(r, 4.4573706122970214e-10, 7.0738549497724768e-09, 1.0178046589927201e-07, 1.3215434850406371e-06,
                    1.5252733867171687e-05, 0.00015403530458004512, 0.0013333558146379518, 0.0096181291075934008,
                    0.055504108664821736, 0.24022650695910133, 0.69314718055994529);
}

// x = n ln2 + r; x within the clamps of exp below, NaN stays NaN. `low` is added to r: x + low is what is meant.
COR_FN Exponential<float> exponential(float x, float low = 0) {
  const float n = fma(x, 1.44269504f, Layout<float>::rounder) - Layout<float>::rounder;
  return {expm1_near_0(fma(n, -1.42860677e-6f, fma(n, -0.693145752f, x)) + low), n};
}
COR_FN Exponential<double> exponential(double x, double low = 0) {
  const double n = fma(x, 1.4426950408889634, Layout<double>::rounder) - Layout<double>::rounder;
  return {expm1_near_0(fma(n, -1.9082149292705877e-10, fma(n, -0.69314718036912382, x)) + low), n};
}

template <class T>
COR_FN T clamp_exponent(T x, T low, T high) {
  x = x > high ? high : x;
  return x < low ? low : x;
}
COR_FN float clamp_exp(float x) { return clamp_exponent(x, -104.f, 89.5f); }
COR_FN double clamp_exp(double x) { return clamp_exponent(x, -746., 710.5); }

// 1.05 ulp in f32, 1 in f64.
template <class T>
COR_FN T exp_of(T x) {
  return exponential(clamp_exp(x)).value();
}
// For |x| < 87 (f64: 708).
template <class T>
COR_FN T exp_bounded(T x) {
  return exponential(x).bounded_value();
}
// e^x / 2, which overflows later.
template <class T>
COR_FN T half_exp(T x) {
  return exponential(clamp_exponent(x, T(-104), T(sizeof(T) == 4 ? 90 : 711))).value(T(-1));
}

// For x <= 0 (NaN stays NaN): as exp, but results that are no normal numbers may be 0, since 2^n is applied in one step.
COR_FN float exp_nonpositive(float x) {
  const Exponential<float> e = exponential(x < -104.f ? -104.f : x);
  const float p = e.n < -126.f ? 0.f : power_of_two(e.n + Layout<float>::rounder);
  return (1 + e.tail) * p;
}
COR_FN double exp_nonpositive(double x) { return exp_of(x); }

// 1.25 ulp in f32, 1.2 in f64.
template <class T>
COR_FN T exp2_of(T x) {
  x = clamp_exponent(x, T(sizeof(T) == 4 ? -151 : -1076), T(sizeof(T) == 4 ? 129 : 1025));
  const T n = (x + Layout<T>::rounder) - Layout<T>::rounder;
  return Exponential<T>{exp2m1_near_0(x - n), n}.value();
}

// 2^n tail + (2^n - 1), halved meanwhile, since 2^n itself may overflow. 1.7 ulp in f32, 1.9 in f64.
template <class T>
COR_FN T expm1_of(T x) {
  const Exponential<T> e = exponential(clamp_exponent(x, T(-40), T(sizeof(T) == 4 ? 88.8 : 709.9)));
  const T p = power_of_two(e.n + (Layout<T>::rounder - 1));
  return x == 0 ? x : fma(p, e.tail, p - T(0.5)) * 2;
}
// The same for x <= 40; -0 may lose its sign.
template <class T>
COR_FN T expm1_bounded(T x) {
  const Exponential<T> e = exponential(x);
  const T p = power_of_two(e.n + Layout<T>::rounder);
  return fma(p, e.tail, p - 1);
}
#endif

COR_FUNCTION(exp)
COR_FUNCTION(exp2)
COR_FUNCTION(expm1)
#if COR_NATIVE_MATHS
COR_FN float exp_nonpositive(float x) { return exp(x); }
COR_FN double exp_nonpositive(double x) { return exp(x); }
#endif
COR_UNARY(exp_nonpositive, cor::exp_nonpositive(x))

// For x <= 0, as exact as a result that is stored as `Stored` can show: next to half an ulp of 16 bits, |x| / 2^24 is nothing.
template <class Stored, class T>
COR_FN auto exp_nonpositive_as(T x) {
#if COR_NATIVE_MATHS
  if constexpr (sizeof(Stored) == 2) return exp2_fast(x * 1.44269504f);
#endif
  return exp_nonpositive(x);
}

} // namespace cor
