#pragma once
// Bits of numbers, by what GCC and clang have built in on every machine. A target's header that has nothing better includes this,
// below its COR_FN.
namespace cor {

COR_FN float bits_to_float(unsigned v) { return __builtin_bit_cast(float, v); }
COR_FN unsigned float_to_bits(float v) { return __builtin_bit_cast(unsigned, v); }
COR_FN double bits_to_double(unsigned long long v) { return __builtin_bit_cast(double, v); }
COR_FN unsigned long long double_to_bits(double v) { return __builtin_bit_cast(unsigned long long, v); }
// f32 to bf16: one rounding, to nearest even.
COR_FN unsigned short float_to_bfloat(float f) {
  const unsigned x = float_to_bits(f);
  const unsigned rounded = (x + 0x7fffu + ((x >> 16) & 1u)) >> 16;
  return static_cast<unsigned short>((x & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded);
}

COR_FN int count_bits(unsigned v) { return __builtin_popcount(v); }
COR_FN int count_bits(unsigned long long v) { return __builtin_popcountll(v); }
COR_FN int leading_zeros(unsigned v) { return v ? __builtin_clz(v) : 32; }
COR_FN int leading_zeros(unsigned long long v) { return v ? __builtin_clzll(v) : 64; }
COR_FN int lowest_bit(unsigned v) { return __builtin_ffs(static_cast<int>(v)) - 1; } // -1 when there is none
COR_FN int lowest_bit(unsigned long long v) { return __builtin_ffsll(static_cast<long long>(v)) - 1; }

} // namespace cor
