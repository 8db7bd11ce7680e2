#pragma once
// The inner loops of dot() on host processors, and how wide a panel each of them wants. Vectors are the compiler's own (GCC,
// clang), as wide as a register; instructions that the options do not promise stand as text, and the caller answers for the
// processor.
#include "lang/types.h"

namespace cor {

#if defined(__AVX512F__)
inline constexpr int register_bytes = 64, registers = 32;
#elif defined(__AVX__)
inline constexpr int register_bytes = 32, registers = 16;
#else
inline constexpr int register_bytes = 16, registers = 32; // NEON; SVE does as NEON does
#endif
template <class T>
using Vector __attribute__((vector_size(register_bytes))) = T;
template <class T>
using UnalignedVector __attribute__((vector_size(register_bytes), aligned(sizeof(T)), may_alias)) = T;

// Panels for `Wide` rows of a by `Vectors` registers of b; both are packed as Packed (Panels of lang/dot_simd.h). multiply():
// c[i * stride + j] += the sum over k < depth of a[k][i] * b[k][j], with the sums in registers.
template <class T, class Sum, int Wide, int Vectors>
struct VectorPanels {
  static constexpr int lanes = register_bytes / static_cast<int>(sizeof(Sum)), wide = Wide, length = Vectors * lanes;

  template <class Body>
  static COR_FN void with_sums(Sum* c, int stride, Body body) {
    Vector<Sum> sums[Wide][Vectors];
#pragma GCC unroll 16
    for (int i = 0; i < Wide; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < Vectors; ++j) sums[i][j] = *reinterpret_cast<const UnalignedVector<Sum>*>(c + i * stride + j * lanes);
    body(sums);
#pragma GCC unroll 16
    for (int i = 0; i < Wide; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < Vectors; ++j) *reinterpret_cast<UnalignedVector<Sum>*>(c + i * stride + j * lanes) = sums[i][j];
  }
};

// The sums fill the registers, but for a row of b and a number of a: AVX2 6 rows x 2 vectors, AVX-512 14 x 2, NEON 8 x 3.
inline constexpr int rows_of_sums = registers == 16        ? 6
                                    : register_bytes == 64 ? 14
                                                           : 8,
                     vectors_of_sums = register_bytes == 16 ? 3 : 2;

template <Unit U, class T, class Sum>
struct PanelShape : VectorPanels<T, Sum, rows_of_sums, vectors_of_sums> {
  static_assert(U == Unit::fma, "this processor has no such unit: ask for Unit::best");
  using Base = VectorPanels<T, Sum, rows_of_sums, vectors_of_sums>;
  using Packed = Sum;
  static constexpr int group_a = 1, group_b = 1, deep = 1;

  static COR_FN void multiply(const Sum* a, const Sum* b, int depth, Sum* c, int stride) {
    Base::with_sums(c, stride, [&](auto& sums) {
      for (int k = 0; k < depth; ++k) {
        Vector<Sum> right[vectors_of_sums];
#pragma GCC unroll 4
        for (int j = 0; j < vectors_of_sums; ++j)
          right[j] = *reinterpret_cast<const UnalignedVector<Sum>*>(b + k * Base::length + j * Base::lanes);
#pragma GCC unroll 16
        for (int i = 0; i < Base::wide; ++i)
#pragma GCC unroll 4
          for (int j = 0; j < vectors_of_sums; ++j) sums[i][j] += a[k * Base::wide + i] * right[j];
      }
    });
  }
};

#if defined(__AVX512F__)

// AVX-512 BF16: a lane's sum grows by the products of two pairs.
template <>
struct PanelShape<Unit::pairs, bf16, float> : VectorPanels<bf16, float, 14, 2> {
  using Packed = bf16;
  static constexpr int group_a = 2, group_b = 2, deep = 2;

  static COR_FN void multiply(const bf16* a, const bf16* b, int depth, float* c, int stride) {
    with_sums(c, stride, [&](auto& sums) {
      for (int k = 0; k < depth; k += 2) {
        Vector<float> right[2];
#pragma GCC unroll 2
        for (int j = 0; j < 2; ++j) right[j] = *reinterpret_cast<const UnalignedVector<float>*>(b + k * length + j * 2 * lanes);
#pragma GCC unroll 16
        for (int i = 0; i < wide; ++i) {
          const auto* const pair = reinterpret_cast<const UnalignedVector<float>*>(a + k * wide + i * 2);
#pragma GCC unroll 2
          for (int j = 0; j < 2; ++j)
            asm("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(sums[i][j]) : "v"(right[j]), "m"(*reinterpret_cast<const float*>(pair)));
        }
      }
    });
  }
};

// AMX: tiles of 16 rows of 64 bytes. Four of sums, two of a (16 rows of 32 k), two of b (16 pairs of k by 16 columns).
template <>
struct PanelShape<Unit::amx, bf16, float> {
  using Packed = bf16;
  static constexpr int wide = 32, length = 32, group_a = 32, group_b = 2, deep = 32;

  static COR_FN void multiply(const bf16* a, const bf16* b, int depth, float* c, int stride) {
    struct alignas(64) {
      u8 palette = 1, rest[15] = {};
      u16 row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      u8 rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } const shape;
    const i64 c_row = i64{4} * stride, a_row = 64, b_row = 128;
    float* const below = c + 16 * stride;
    asm volatile("ldtilecfg %0" ::"m"(shape));
    asm volatile(
        "tileloadd (%0,%2,1), %%tmm0\n\ttileloadd 64(%0,%2,1), %%tmm1\n\t"
        "tileloadd (%1,%2,1), %%tmm2\n\ttileloadd 64(%1,%2,1), %%tmm3" ::"r"(c),
        "r"(below), "r"(c_row)
        : "memory");
    for (int k = 0; k < depth; k += 32)
      asm volatile(
          "tileloadd (%0,%2,1), %%tmm4\n\ttileloadd 1024(%0,%2,1), %%tmm5\n\t"
          "tileloadd (%1,%3,1), %%tmm6\n\ttileloadd 64(%1,%3,1), %%tmm7\n\t"
          "tdpbf16ps %%tmm6, %%tmm4, %%tmm0\n\ttdpbf16ps %%tmm7, %%tmm4, %%tmm1\n\t"
          "tdpbf16ps %%tmm6, %%tmm5, %%tmm2\n\ttdpbf16ps %%tmm7, %%tmm5, %%tmm3" ::"r"(a + k * wide),
          "r"(b + k * length), "r"(a_row), "r"(b_row)
          : "memory");
    asm volatile(
        "tilestored %%tmm0, (%0,%2,1)\n\ttilestored %%tmm1, 64(%0,%2,1)\n\t"
        "tilestored %%tmm2, (%1,%2,1)\n\ttilestored %%tmm3, 64(%1,%2,1)\n\ttilerelease" ::"r"(c),
        "r"(below), "r"(c_row)
        : "memory");
  }
};

#endif

} // namespace cor
