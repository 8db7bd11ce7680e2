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

template <class A, class B>
inline constexpr bool same = false;
template <class A>
inline constexpr bool same<A, A> = true;

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

// Any stored type to the type that is computed with.
template <class T>
COR_FN T widen(T v) {
  return v;
}
COR_FN float widen(f16 v) { return half_to_float(v.bits); }
COR_FN float widen(bf16 v) { return bits_to_float(static_cast<u32>(v.bits) << 16); }

// Conversion as ATen's copy_ does it: float to integer truncates, to bool asks whether it is zero, 16-bit floats round once from
// f32.
template <class To>
struct Convert {
  template <class From>
  static COR_FN To from(From v) {
    if constexpr (same<To, From>) {
      return v;
    } else if constexpr (same<From, f16> || same<From, bf16>) {
      return from(widen(v));
    } else if constexpr (same<To, bool>) {
      return v != From(0);
    } else if constexpr (is_float<From> && sizeof(To) < 4 && !is_float<To>) {
      return static_cast<To>(static_cast<i32>(v)); // small integers wrap, as ATen's do
    } else {
      return static_cast<To>(v);
    }
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

// Numbers travel in 8-byte slots of the argument struct, written by the host in the compute type.
template <class T>
COR_FN T slot_value(u64 slot) {
  if constexpr (same<T, double>) {
    union {
      u64 u;
      double d;
    } v{slot};
    return v.d;
  } else if constexpr (same<T, float>) {
    return bits_to_float(static_cast<u32>(slot));
  } else {
    return static_cast<T>(slot);
  }
}

template <class T>
struct Limits;
template <>
struct Limits<float> {
  static COR_FN float infinity() { return bits_to_float(0x7f800000u); }
  static COR_FN float lowest() { return bits_to_float(0xff7fffffu); }
  static COR_FN float nan() { return bits_to_float(0x7fc00000u); }
};
template <>
struct Limits<double> {
  static COR_FN double infinity() { return slot_value<double>(0x7ff0000000000000ull); }
  static COR_FN double lowest() { return slot_value<double>(0xffefffffffffffffull); }
  static COR_FN double nan() { return slot_value<double>(0x7ff8000000000000ull); }
};

} // namespace cor
