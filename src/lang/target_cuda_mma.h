#pragma once
// Tensor cores of NVIDIA GPUs, and the copy engine that feeds them. Only dot() includes it.
#include "lang/types.h"

namespace cor {

COR_FN unsigned shared_address(const void* p) { return static_cast<unsigned>(__cvta_generic_to_shared(p)); }

// Four 8x8 matrices of 16-bit elements (8 rows of 16 bytes): lane l gives the address of row l % 8 of matrix l / 8, and gets the
// word at (l / 4, l % 4) of each; transposed: the elements (2 * (l % 4), l / 4) and the one below.
template <bool Transposed>
COR_FN void load_matrices(unsigned (&r)[4], const void* row) {
  if constexpr (Transposed)
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
  else
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
}

// One warp: d[16, 8] += a[16, 32 bytes of k] * b[32 bytes of k, 8]. Lane l has of d the elements (l / 4, 2 * (l % 4)), the one
// right of it, and both 8 rows below; of a the words (l / 4, l % 4), 8 rows below, and both 16 bytes further; of b as of a's rows.
#define COR_MMA(T, Sum, letter, shape)                                                               \
  COR_FN void mma(Sum* d, const unsigned(&a)[4], unsigned b0, unsigned b1, T) {                      \
    asm("mma.sync.aligned." shape " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" \
        : "+" letter(d[0]), "+" letter(d[1]), "+" letter(d[2]), "+" letter(d[3])                     \
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));                             \
  }
COR_MMA(f16, float, "f", "m16n8k16.row.col.f32.f16.f16.f32")
COR_MMA(bf16, float, "f", "m16n8k16.row.col.f32.bf16.bf16.f32")
COR_MMA(float, float, "f", "m16n8k8.row.col.f32.tf32.tf32.f32")
COR_MMA(i8, i32, "r", "m16n8k32.row.col.s32.s8.s8.s32")
#undef COR_MMA
// f32 to the nearest that tensor cores take: 11 bits of it.
COR_FN unsigned round_to_tf32(unsigned bits) {
  unsigned r;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(r) : "f"(bits_to_float(bits)));
  return r;
}

#if __CUDA_ARCH_FEAT_SM90_ALL

// Four warps: what they multiply comes from shared memory and is described by address and strides (PTX ISA, matrix descriptor):
// rows of 128 swizzled bytes, 8 of them each 1024 bytes; `panels`: bytes from one panel of 128 bytes to the next.
COR_FN u64 matrix_descriptor(unsigned address, int panels) {
  return u64{1} << 62 | u64{1024 / 16} << 32 | static_cast<u64>(panels / 16) << 16 | (address & 0x3ffff) / 16;
}
// Registers and shared memory written so far are seen by the multiplications that follow.
COR_FN void wgmma_begin() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
COR_FN void wgmma_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
template <int Left>
COR_FN void wgmma_wait() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(Left) : "memory");
}
// Keeps the compiler from moving what defines a sum past the multiplications that use its register.
COR_FN void pin(float& sum) { asm volatile("" : "+f"(sum)::"memory"); }
// What this lane wrote to shared memory, asynchronous copies included, is seen by multiplications after a barrier.
COR_FN void publish_shared() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

#define COR_LIST8(a, b, c, d, e, f, g, h) "%" #a ", %" #b ", %" #c ", %" #d ", %" #e ", %" #f ", %" #g ", %" #h
#define COR_LIST32                                                                                                               \
  COR_LIST8(0, 1, 2, 3, 4, 5, 6, 7)                                                                                              \
  ", " COR_LIST8(8, 9, 10, 11, 12, 13, 14, 15) ", " COR_LIST8(16, 17, 18, 19, 20, 21, 22, 23) ", " COR_LIST8(24, 25, 26, 27, 28, \
                                                                                                             29, 30, 31)
#define COR_LIST64                                                                                                         \
  COR_LIST32 ", " COR_LIST8(32, 33, 34, 35, 36, 37, 38, 39) ", " COR_LIST8(40, 41, 42, 43, 44, 45, 46, 47) ", " COR_LIST8( \
      48, 49, 50, 51, 52, 53, 54, 55) ", " COR_LIST8(56, 57, 58, 59, 60, 61, 62, 63)
#define COR_LIST128                                                                                                              \
  COR_LIST64 ", " COR_LIST8(64, 65, 66, 67, 68, 69, 70, 71) ", " COR_LIST8(72, 73, 74, 75, 76, 77, 78, 79) ", " COR_LIST8(       \
      80, 81, 82, 83, 84, 85, 86,                                                                                                \
      87) ", " COR_LIST8(88, 89, 90, 91, 92, 93, 94,                                                                             \
                         95) ", " COR_LIST8(96, 97, 98, 99, 100, 101, 102,                                                       \
                                            103) ", " COR_LIST8(104, 105, 106, 107, 108, 109, 110,                               \
                                                                111) ", " COR_LIST8(112, 113, 114, 115, 116, 117, 118,           \
                                                                                    119) ", " COR_LIST8(120, 121, 122, 123, 124, \
                                                                                                        125, 126, 127)
#define COR_SUMS4(i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define COR_SUMS16(i) COR_SUMS4(i), COR_SUMS4(i + 4), COR_SUMS4(i + 8), COR_SUMS4(i + 12)
#define COR_SUMS32 COR_SUMS16(0), COR_SUMS16(16)
#define COR_SUMS64 COR_SUMS32, COR_SUMS16(32), COR_SUMS16(48)
#define COR_SUMS128 COR_SUMS64, COR_SUMS16(64), COR_SUMS16(80), COR_SUMS16(96), COR_SUMS16(112)

// d[64, N] += a[64, 16] * b[16, N], begun; d as of four mma, one a warp. AcrossA: a's rows lie along the contiguous dimension.
template <int N, class T, bool AcrossA, bool AcrossB>
struct Wgmma;
#define COR_WGMMA(N, T, name, registers, a, b, ta, tb)                                                      \
  template <bool AcrossA, bool AcrossB>                                                                     \
  struct Wgmma<N, T, AcrossA, AcrossB> {                                                                    \
    static COR_FN void run(float* d, u64 left, u64 right) {                                                 \
      asm volatile("wgmma.mma_async.sync.aligned.m64n" #N "k16.f32." name "." name " {" COR_LIST##registers \
                   "}, %" #a ", %" #b ", 1, 1, 1, %" #ta ", %" #tb ";"                                      \
                   : COR_SUMS##registers                                                                    \
                   : "l"(left), "l"(right), "n"(AcrossA), "n"(AcrossB));                                    \
    }                                                                                                       \
  };
COR_WGMMA(64, bf16, "bf16", 32, 32, 33, 34, 35)
COR_WGMMA(64, f16, "f16", 32, 32, 33, 34, 35)
COR_WGMMA(128, bf16, "bf16", 64, 64, 65, 66, 67)
COR_WGMMA(128, f16, "f16", 64, 64, 65, 66, 67)
COR_WGMMA(256, bf16, "bf16", 128, 128, 129, 130, 131)
COR_WGMMA(256, f16, "f16", 128, 128, 129, 130, 131)
#undef COR_WGMMA
#undef COR_LIST8
#undef COR_LIST32
#undef COR_LIST64
#undef COR_LIST128
#undef COR_SUMS4
#undef COR_SUMS16
#undef COR_SUMS32
#undef COR_SUMS64
#undef COR_SUMS128

// A matrix in memory as the copy engine sees it: made by the driver (cuTensorMapEncodeTiled), an argument of the kernel.
struct alignas(64) TensorMap {
  u64 opaque[16];
};
// A barrier that counts bytes: one lane says how many will come, then begins copies; whoever waits for the parity of that round
// (0, 1, 0, ...) sees them. Made by one lane, before a barrier of the block.
COR_FN void bulk_init(u64* full) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;\n\tfence.mbarrier_init.release.cluster;" ::"r"(shared_address(full))
               : "memory");
}
COR_FN void bulk_expect(u64* full, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(full)), "r"(bytes) : "memory");
}
COR_FN void bulk_wait(u64* full, unsigned parity) {
  asm volatile(
      "{\n\t.reg .pred done;\nagain:\n\tmbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n\t@!done bra again;\n\t}" ::"r"(
          shared_address(full)),
      "r"(parity)
      : "memory");
}
// The map's box at element `x` of row `y`, swizzled; zeros where the matrix ends.
COR_FN void bulk_copy(void* shared, const TensorMap* map, int x, int y, u64* full) {
  asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(
                   shared_address(shared)),
               "l"(map), "r"(x), "r"(y), "r"(shared_address(full))
               : "memory");
}

// The arena, at a multiple of 1024 bytes, where swizzled rows of 128 begin anew.
COR_FN char* swizzle_arena() {
  extern __shared__ __align__(1024) char corundum_swizzle_arena[];
  return corundum_swizzle_arena;
}

#endif

} // namespace cor
