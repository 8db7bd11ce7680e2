#pragma once
// Functions of complex numbers, for Complex<float> and Complex<double>, made of the real ones. Errors are in ulp of the result's
// size |f(z)|, not of each part: at most 8 in either type, where no part overflows in between (tests/lang/test_complex.cpp). Signed
// zeros choose the side of a branch cut; zeros, infinities and NaN come out as C99's annex G has them, as ATen's on CPUs do. Edge
// cases are branches here: unlike the real functions, loops over these are no vectors.
#include "lang/maths/exp.h"
#include "lang/maths/hyperbolic.h"
#include "lang/maths/inverse_hyperbolic.h"
#include "lang/maths/inverse_trig.h"
#include "lang/maths/log.h"
#include "lang/maths/roots.h"
#include "lang/maths/trig.h"

namespace cor {

template <class T>
COR_FN bool is_finite(T x) {
  return x - x == 0;
}
template <class T>
COR_FN bool is_infinite(T x) {
  return abs(x) == Limits<T>::infinity();
}
template <class T>
COR_FN bool is_infinite(Complex<T> z) {
  return is_infinite(z.re) || is_infinite(z.im);
}

template <class T>
COR_FN T abs(Complex<T> z) {
  return hypot(z.re, z.im);
}
template <class T>
COR_FN T angle(Complex<T> z) {
  return atan2(z.im, z.re);
}
template <class T>
COR_FN Complex<T> conj(Complex<T> z) {
  return {z.re, -z.im};
}
template <class T>
COR_FN Complex<T> reciprocal(Complex<T> z) {
  return Complex<T>{T(1), T(0)} / z;
}
template <class T>
COR_FN Complex<T> inverse(Complex<T> z) {
  return reciprocal(z);
}
template <class T>
COR_FN Complex<T> times_i(Complex<T> z) {
  return {-z.im, z.re};
}
template <class T>
COR_FN Complex<T> times_minus_i(Complex<T> z) {
  return {z.im, -z.re};
}

// e^re (cos im + i sin im), by the square of e^(re / 2): e^re alone may overflow.
template <class T>
COR_FN Complex<T> exp(Complex<T> z) {
  const T root = exp(z.re * T(0.5));
  const T re = root * cos(z.im) * root, im = root * sin(z.im) * root;
  if (!is_finite(z.im)) {
    if (z.re == Limits<T>::infinity()) return {z.re, Limits<T>::nan()};
    if (z.re == -Limits<T>::infinity()) return {T(0), T(0)};
  }
  return {re, z.im == 0 ? z.im : im};
}

// (log |z|, angle). Near |z| = 1 by log1p of |z|^2 - 1.
template <class T>
COR_FN Complex<T> log(Complex<T> z) {
  const T a = abs(z.re), b = abs(z.im), large = a > b ? a : b, small = a > b ? b : a;
  const bool near_1 = large > T(0.5) && large < T(1.5);
  const T size = near_1 ? T(0.5) * log1p(fma(large - 1, large + 1, small * small)) : log(hypot(a, b));
  const T most = large > Limits<T>::max_finite() / 2 ? log(hypot(a * T(0.25), b * T(0.25))) + T(1.3862943611198906) : size;
  return {is_infinite(z) ? Limits<T>::infinity() : most, angle(z)};
}

// The root in the right half plane. Scaled by a power of 4, so that |z| neither overflows nor loses digits.
template <class T>
COR_FN Complex<T> sqrt(Complex<T> z) {
  const T most = maximum(abs(z.re), abs(z.im));
  if (is_infinite(z.im)) return {Limits<T>::infinity(), z.im};
  if (most == 0) return {T(0), z.im};
  if (is_infinite(z.re)) {
    const T other = is_finite(z.im) ? copysign(T(0), z.im) : z.im; // 0, or NaN
    if (z.re > 0) return {z.re, other};
    return {is_finite(z.im) ? T(0) : z.im, copysign(-z.re, z.im)};
  }
  constexpr T large = T(sizeof(T) == 4 ? 0x1p100 : 0x1p1000), tiny = T(sizeof(T) == 4 ? 0x1p-80 : 0x1p-900);
  constexpr T up = T(sizeof(T) == 4 ? 0x1p60 : 0x1p200), up_root = T(sizeof(T) == 4 ? 0x1p-30 : 0x1p-100);
  const T scale = most > large ? T(0.0625) : most < tiny ? up : T(1), back = most > large ? T(4) : most < tiny ? up_root : T(1);
  const T a = abs(z.re) * scale, b = z.im * scale;
  const T root = sqrt((hypot(a, b) + a) * T(0.5)), other = b / (2 * root);
  if (z.re >= 0) return {root * back, other * back};
  return {abs(other) * back, copysign(root * back, z.im)};
}

// ATen's: also where z is 0. In f64 throughout: the angle and the size of the result lose as many digits as w log z has before the
// point.
COR_FN c128 pow(c128 z, c128 w) { return exp(w * log(z)); }
COR_FN c64 pow(c64 z, c64 w) { return convert<c64>(pow(convert<c128>(z), convert<c128>(w))); }

template <class T>
COR_FN Complex<T> exp2(Complex<T> z) {
  const T ln2 = T(0.69314718055994530942);
  return exp(Complex<T>{z.re * ln2, z.im * ln2});
}
// e^z - 1 as (expm1 re cos im - 2 sin^2(im / 2), e^re sin im).
template <class T>
COR_FN Complex<T> expm1(Complex<T> z) {
  const T half = sin(z.im * T(0.5));
  if (z.im == 0) return {expm1(z.re), z.im};
  return {expm1(z.re) * cos(z.im) - 2 * half * half, exp(z.re) * sin(z.im)};
}
// log(1 + z): near 0 by log1p of |1 + z|^2 - 1 = re (2 + re) + im^2.
template <class T>
COR_FN Complex<T> log1p(Complex<T> z) {
  const bool near_0 = abs(z.re) < T(0.5) && abs(z.im) < T(0.5);
  const Complex<T> next = {1 + z.re, z.im};
  if (!near_0) return log(next);
  return {T(0.5) * log1p(fma(z.re, 2 + z.re, z.im * z.im)), angle(next)};
}
template <class T>
COR_FN Complex<T> log2(Complex<T> z) {
  const T scale = T(1.4426950408889634074);
  const Complex<T> l = log(z);
  return {l.re * scale, l.im * scale};
}
template <class T>
COR_FN Complex<T> log10(Complex<T> z) {
  const T scale = T(0.43429448190325182765);
  const Complex<T> l = log(z);
  return {l.re * scale, l.im * scale};
}
template <class T>
COR_FN Complex<T> rsqrt(Complex<T> z) {
  return reciprocal(sqrt(z));
}

// (sinh re cos im, cosh re sin im), beyond 20 by the square of e^(|re| / 2).
template <class T>
COR_FN Complex<T> sinh(Complex<T> z) {
  const T root = exp(abs(z.re) * T(0.5)), half = T(0.5) * root;
  const bool far = abs(z.re) > 20;
  const T c = cos(z.im), s = sin(z.im);
  const T re = far ? copysign(half, z.re) * c * root : sinh(z.re) * c, im = far ? half * s * root : cosh(z.re) * s;
  if (z.im == 0) return {sinh(z.re), z.im};
  if (is_infinite(z.re) && !is_finite(z.im)) return {z.re, Limits<T>::nan()};
  return {z.re == 0 && !is_finite(z.im) ? z.re : re, im};
}
template <class T>
COR_FN Complex<T> cosh(Complex<T> z) {
  const T root = exp(abs(z.re) * T(0.5)), half = T(0.5) * root;
  const bool far = abs(z.re) > 20;
  const T c = cos(z.im), s = sin(z.im);
  const T re = far ? half * c * root : cosh(z.re) * c, im = far ? copysign(half, z.re) * s * root : sinh(z.re) * s;
  if (is_infinite(z.re) && !is_finite(z.im)) return {Limits<T>::infinity(), Limits<T>::nan()};
  if (z.re == 0 && !is_finite(z.im)) return {re, T(0)};
  return {re, z.im == 0 ? flip_sign(z.im, z.re) : im};
}
// Over sinh^2 re + cos^2 im; beyond 20: (+-1, 4 sin im cos im e^(-2 |re|)).
template <class T>
COR_FN Complex<T> tanh(Complex<T> z) {
  const T c = cos(z.im), s = sin(z.im), a = abs(z.re);
  if (a > 20) {
    const T small = exp(-a);
    return {copysign(T(1), z.re), is_finite(z.im) ? 4 * s * c * small * small : copysign(T(0), z.im)};
  }
  const T h = sinh(z.re), below = fma(h, h, c * c);
  const T re = h * cosh(z.re) / below, im = s * c / below;
  return {z.re == 0 ? z.re : re, z.im == 0 ? z.im : im};
}
template <class T>
COR_FN Complex<T> sin(Complex<T> z) {
  return times_minus_i(sinh(times_i(z)));
}
template <class T>
COR_FN Complex<T> cos(Complex<T> z) {
  return cosh(times_i(z));
}
template <class T>
COR_FN Complex<T> tan(Complex<T> z) {
  return times_minus_i(tanh(times_i(z)));
}

// An infinite part as a large finite one, and then a finite part as 0: the angles come out right, and the caller makes the size
// infinite.
template <class T>
COR_FN Complex<T> bounded(Complex<T> z) {
  const T most = Limits<T>::max_finite() * T(0.0625);
  if (!is_infinite(z)) return z;
  const T re = is_finite(z.re) ? copysign(T(0), z.re) : z.re, im = is_finite(z.im) ? copysign(T(0), z.im) : z.im;
  return {is_infinite(re) ? copysign(most, re) : re, is_infinite(im) ? copysign(most, im) : im};
}
// W. Kahan, Branch Cuts for Complex Elementary Functions (1987).
template <class T>
COR_FN Complex<T> asin(Complex<T> z) {
  const Complex<T> w = bounded(z);
  const Complex<T> p = sqrt(Complex<T>{1 - w.re, -w.im}), q = sqrt(Complex<T>{1 + w.re, w.im});
  const T im = asinh(p.re * q.im - p.im * q.re);
  const T re = z.re == 0 ? z.re : atan2(w.re, p.re * q.re - p.im * q.im);
  return {re, is_infinite(z) ? copysign(Limits<T>::infinity(), z.im) : im};
}
template <class T>
COR_FN Complex<T> acos(Complex<T> z) {
  const Complex<T> w = bounded(z);
  const Complex<T> p = sqrt(Complex<T>{1 - w.re, -w.im}), q = sqrt(Complex<T>{1 + w.re, w.im});
  const T im = asinh(q.re * p.im - q.im * p.re);
  const T re = z.re == 0 ? T(1.5707963267948966) : 2 * atan2(p.re, q.re);
  return {re, is_infinite(z) ? copysign(Limits<T>::infinity(), -z.im) : im};
}
template <class T>
COR_FN Complex<T> acosh(Complex<T> z) {
  const Complex<T> w = bounded(z);
  const Complex<T> p = sqrt(Complex<T>{w.re - 1, w.im}), q = sqrt(Complex<T>{w.re + 1, w.im});
  const T re = asinh(p.re * q.re + p.im * q.im);
  const T im = z.re == 0 && z.im != z.im ? T(1.5707963267948966) : 2 * atan2(p.im, q.re);
  return {is_infinite(z) ? Limits<T>::infinity() : re, im};
}
template <class T>
COR_FN Complex<T> asinh(Complex<T> z) {
  return times_minus_i(asin(times_i(z)));
}
// (log1p(4 re / ((1 - re)^2 + im^2)) / 4, angle of (1 - re)(1 + re) - im^2 + 2i im, halved); far out: (re / |z|^2, +-pi/2).
template <class T>
COR_FN Complex<T> atanh(Complex<T> z) {
  const T a = abs(z.re), b = abs(z.im), h = hypot(a, b);
  if (h > T(sizeof(T) == 4 ? 1e9 : 1e18)) {
    const T re = is_infinite(z) ? T(0) : a / h / h;
    return {copysign(re, z.re), z.im != z.im ? z.im : copysign(T(1.5707963267948966), z.im)};
  }
  const T left = 1 - a;
  const T re = T(0.25) * log1p(4 * a / fma(left, left, b * b)), im = T(0.5) * atan2(2 * b, fma(left, 1 + a, -b * b));
  return {z.re == 0 ? z.re : copysign(re, z.re), copysign(im, z.im)};
}
template <class T>
COR_FN Complex<T> atan(Complex<T> z) {
  return times_minus_i(atanh(times_i(z)));
}

template <class T>
COR_FN Complex<T> sigmoid(Complex<T> z) {
  const Complex<T> e = exp(-z);
  return reciprocal(Complex<T>{1 + e.re, e.im});
}

} // namespace cor
