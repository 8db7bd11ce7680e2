#pragma once
// Scalar types and their conversions. A type's arithmetic happens in Compute<T>: f32 for 16-bit floats, itself otherwise.
#include "lang/target.h"

namespace cor {

using i8 = signed char;
using u8 = unsigned char;
using i16 = short;
using u16 = unsigned short;
using i32 = int;
using u32 = unsigned;
using i64 = long long;
using u64 = unsigned long long;

struct f16 {
  u16 bits;
};
struct bf16 {
  u16 bits;
};
// Bits that are moved, never read.
template <int Bytes>
struct Opaque;
template <>
struct Opaque<1> {
  u8 bits;
};
template <>
struct Opaque<2> {
  u16 bits;
};
template <>
struct Opaque<4> {
  u32 bits;
};
template <>
struct Opaque<8> {
  u64 bits;
};
template <>
struct alignas(16) Opaque<16> {
  u64 low, high;
};

// A complex number, laid out as ATen lays it out. Arithmetic as ATen's c10::complex: products by the plain formula.
template <class T>
struct alignas(2 * sizeof(T)) Complex {
  T re, im;
};
using c64 = Complex<float>;
using c128 = Complex<double>;

template <class A, class B>
inline constexpr bool same = false;
template <class A>
inline constexpr bool same<A, A> = true;

template <bool First, class A, class B>
struct Choose {
  using type = A;
};
template <class A, class B>
struct Choose<false, A, B> {
  using type = B;
};

template <class T>
struct ComputeOf {
  using type = T;
};
template <>
struct ComputeOf<f16> {
  using type = float;
};
template <>
struct ComputeOf<bf16> {
  using type = float;
};
template <class T>
using Compute = typename ComputeOf<T>::type;

template <class T>
inline constexpr bool is_float = same<T, float> || same<T, double>;
template <class T>
inline constexpr bool is_complex = same<T, c64> || same<T, c128>;
// The type of the parts of a complex number; T itself otherwise.
template <class T>
struct RealOf {
  using type = T;
};
template <class T>
struct RealOf<Complex<T>> {
  using type = T;
};
template <class T>
using Real = typename RealOf<T>::type;

template <class T>
COR_FN Complex<T> operator+(Complex<T> a, Complex<T> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class T>
COR_FN Complex<T> operator-(Complex<T> a, Complex<T> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class T>
COR_FN Complex<T> operator-(Complex<T> a) {
  return {-a.re, -a.im};
}
template <class T>
COR_FN Complex<T> operator*(Complex<T> a, Complex<T> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}
// Smith's way (1962): by the larger part of the divisor, so that its square cannot overflow. By zero: each part over +0.
template <class T>
COR_FN Complex<T> operator/(Complex<T> a, Complex<T> b) {
  const T abs_re = b.re < 0 ? -b.re : b.re, abs_im = b.im < 0 ? -b.im : b.im;
  const bool real_is_larger = abs_re >= abs_im;
  const T large = real_is_larger ? b.re : b.im, small = real_is_larger ? b.im : b.re;
  const T ratio = small / large, scale = T(1) / (large + small * ratio);
  const T re = real_is_larger ? a.re + a.im * ratio : a.re * ratio + a.im;
  const T im = real_is_larger ? a.im - a.re * ratio : a.im * ratio - a.re;
  const T sum = abs_re + abs_im;
  return {sum == 0 ? a.re / sum : re * scale, sum == 0 ? a.im / sum : im * scale};
}
template <class T>
COR_FN bool operator==(Complex<T> a, Complex<T> b) {
  return a.re == b.re && a.im == b.im;
}
template <class T>
COR_FN bool operator!=(Complex<T> a, Complex<T> b) {
  return a.re != b.re || a.im != b.im;
}

// Any stored type to the type that is computed with.
template <class T>
COR_FN T widen(T v) {
  return v;
}
COR_FN float widen(f16 v) { return half_to_float(v.bits); }
COR_FN float widen(bf16 v) { return bits_to_float(static_cast<u32>(v.bits) << 16); }

// Conversion as ATen's copy_ does it: float to integer truncates, to bool asks whether it is zero, 16-bit floats round once from
// f32. A complex number becomes its real part, but true if either part is not zero.
template <class To>
struct Convert {
  template <class From>
  static COR_FN To from(From v) {
    if constexpr (same<To, From>) {
      return v;
    } else if constexpr (same<From, f16> || same<From, bf16>) {
      return from(widen(v));
    } else if constexpr (is_complex<From>) {
      return from(v.re, v.im);
    } else if constexpr (same<To, bool>) {
      return v != From(0);
    } else if constexpr (is_float<From> && sizeof(To) < 4 && !is_float<To>) {
      return static_cast<To>(static_cast<i32>(v)); // small integers wrap, as ATen's do
    } else {
      return static_cast<To>(v);
    }
  }

 private:
  template <class T>
  static COR_FN To from(T re, T im) {
    if constexpr (same<To, bool>)
      return re != T(0) || im != T(0);
    else
      return from(re);
  }
};
template <class T>
struct Convert<Complex<T>> {
  template <class From>
  static COR_FN Complex<T> from(From v) {
    if constexpr (is_complex<From>)
      return {static_cast<T>(v.re), static_cast<T>(v.im)};
    else
      return {Convert<T>::from(v), T(0)};
  }
};
template <>
struct Convert<f16> {
  template <class From>
  static COR_FN f16 from(From v) {
    if constexpr (same<From, f16>)
      return v;
    else
      return {float_to_half(Convert<float>::from(v))};
  }
};
template <>
struct Convert<bf16> {
  template <class From>
  static COR_FN bf16 from(From v) {
    if constexpr (same<From, bf16>)
      return v;
    else
      return {float_to_bfloat(Convert<float>::from(v))};
  }
};
template <class To, class From>
COR_FN To convert(From v) {
  return Convert<To>::from(v);
}
// A number as it reads back once it has been stored as T.
template <class T>
COR_FN Compute<T> round_to(Compute<T> v) {
  return convert<Compute<T>>(convert<T>(v));
}
#if !COR_SIMT
// In 32 bits all the way: loops that narrow and widen do not vectorise.
template <>
COR_FN float round_to<bf16>(float v) {
  const u32 bits = float_to_bits(v), rounded = (bits + 0x7fffu + (bits >> 16 & 1)) & 0xffff0000u;
  return v != v ? v : bits_to_float(rounded);
}
#endif

// Numbers travel in 8-byte slots of the argument struct, written by the host in the compute type.
template <class T>
COR_FN T slot_value(u64 slot) {
  static_assert(sizeof(T) <= 8, "a complex<double> takes two slots: pass its parts");
  if constexpr (same<T, double>)
    return bits_to_double(slot);
  else if constexpr (same<T, float>)
    return bits_to_float(static_cast<u32>(slot));
  else if constexpr (same<T, c64>)
    return {bits_to_float(static_cast<u32>(slot)), bits_to_float(static_cast<u32>(slot >> 32))};
  else
    return static_cast<T>(slot);
}

// lowest() and highest(): what no other number is below or above, infinities included; max_finite() is the largest finite one.
// Integers here, floats below.
template <class T>
struct Limits {
  static constexpr bool is_signed = T(-1) < T(0);
  static COR_FN T lowest() { return is_signed ? static_cast<T>(u64(1) << (8 * sizeof(T) - 1)) : T(0); }
  static COR_FN T highest() {
    return same<T, bool> ? T(1) : static_cast<T>(is_signed ? (u64(1) << (8 * sizeof(T) - 1)) - 1 : ~u64(0));
  }
  static COR_FN T max_finite() { return highest(); }
};
template <>
struct Limits<float> {
  static COR_FN float infinity() { return bits_to_float(0x7f800000u); }
  static COR_FN float nan() { return bits_to_float(0x7fc00000u); }
  static COR_FN float lowest() { return bits_to_float(0xff800000u); }
  static COR_FN float highest() { return infinity(); }
  static COR_FN float max_finite() { return bits_to_float(0x7f7fffffu); }
};
template <>
struct Limits<double> {
  static COR_FN double infinity() { return bits_to_double(0x7ff0000000000000ull); }
  static COR_FN double nan() { return bits_to_double(0x7ff8000000000000ull); }
  static COR_FN double lowest() { return bits_to_double(0xfff0000000000000ull); }
  static COR_FN double highest() { return infinity(); }
  static COR_FN double max_finite() { return bits_to_double(0x7fefffffffffffffull); }
};

} // namespace cor
