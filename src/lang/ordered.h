#pragma once
// Bits whose unsigned order is ATen's order of numbers: NaN above everything, -0 beside +0.
#include "lang/types.h"

namespace cor {

template <int Bytes>
struct UnsignedOf;
template <>
struct UnsignedOf<1> {
  using type = u8;
};
template <>
struct UnsignedOf<2> {
  using type = u16;
};
template <>
struct UnsignedOf<4> {
  using type = u32;
};
template <>
struct UnsignedOf<8> {
  using type = u64;
};
// Lanes of a GPU compute with 32 bits at least; vector registers hold more of narrow numbers.
#if COR_SIMT
template <class T>
using Ordered = typename UnsignedOf<sizeof(T) == 8 ? 8 : 4>::type;
#else
template <class T>
using Ordered = typename UnsignedOf<sizeof(T)>::type;
#endif

template <class T>
inline constexpr bool is_number_of_bits = same<T, f16> || same<T, bf16> || is_float<T>;

// The bits of infinity: every larger magnitude is a NaN.
template <class T>
inline constexpr int bits_of_infinity = 0;
template <>
inline constexpr u16 bits_of_infinity<f16> = 0x7c00;
template <>
inline constexpr u16 bits_of_infinity<bf16> = 0x7f80;
template <>
inline constexpr u32 bits_of_infinity<float> = 0x7f800000u;
template <>
inline constexpr u64 bits_of_infinity<double> = 0x7ff0000000000000ull;

template <class T>
COR_FN auto bits_of(T value) {
  union {
    T number;
    typename UnsignedOf<sizeof(T)>::type bits;
  } u{value};
  return u.bits;
}

// a < b in ATen's order exactly when ordered_bits(a) < ordered_bits(b); equal numbers, and NaNs, have equal bits.
template <class T>
COR_FN Ordered<T> ordered_bits(T value) {
  using U = Ordered<T>;
  constexpr int shift = 8 * (sizeof(U) - sizeof(T)); // narrow numbers stand at the top
  constexpr U sign = U(U(1) << (8 * sizeof(U) - 1)), infinity = U(U(bits_of_infinity<T>) << shift);
  const U bits = U(U(bits_of(value)) << shift);
  if constexpr (is_number_of_bits<T>) {
    // Below zero the order turns round: sign - magnitude, as a complement where `below` is all ones; -0 lands on the place of +0.
    const U magnitude = bits & U(sign - 1), below = U(0) - U(bits >> (8 * sizeof(U) - 1));
    const U ordered = U((magnitude ^ below) - below + sign);
    return magnitude > infinity ? U(~U(0)) : ordered;
  } else {
    return T(-1) > T(0) ? bits : U(bits ^ sign); // unsigned types, bool among them, are in order as they are
  }
}

} // namespace cor
