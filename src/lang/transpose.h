#pragma once
// The tiled transpose of opaque elements: a batch of matrices whose unit stride lies along dimension 0 in the output and along
// dimension 1 in the input. Both lowerings cut a tile into blocks of V x V elements, V = 16 bytes of them, so that every access of
// a block is a unit of 16 bytes on both sides; the block itself is transposed in registers.
#include "lang/types.h"
#include "lang/vec.h"

namespace cor {

// Filled by src/ops/copy/plan.cpp, member by member. Sizes and strides are in elements.
struct TransposeArgs {
  static constexpr int max_batch = 14;
  const void* in;
  void* out;
  i64 n0, n1;   // the matrix
  i64 in0;      // the input's stride along dimension 0
  i64 out1;     // the output's stride along dimension 1
  i64 streamed; // simd: the output does not fit into the caches
  i64 batch;    // dimensions above the matrix, fastest first
  i64 size[max_batch], in_stride[max_batch], out_stride[max_batch];

  // Where matrix `number` of the batch lies.
  COR_FN void locate(u32 number, i64* in_at, i64* out_at) const {
    *in_at = *out_at = 0;
#pragma unroll 1
    for (int d = 0; d < batch; ++d) {
      const u32 q = number / static_cast<u32>(size[d]), i = number - q * static_cast<u32>(size[d]);
      *in_at += i * in_stride[d];
      *out_at += i * out_stride[d];
      number = q;
    }
  }
};

} // namespace cor

#if COR_SIMT
#include "lang/transpose_simt.h"
#else
#include "lang/transpose_simd.h"
#endif
