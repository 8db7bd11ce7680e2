#pragma once
// From a running number to an offset in memory. core/index.h fills these structs on the host.
#include "lang/types.h"

namespace cor {

// n / size for 0 <= n < 2^31 by a multiplication (Granlund and Montgomery, 1994).
struct Divider {
  u32 magic, shift;
  i64 size;
  COR_FN u32 divide(u32 n) const {
    const u32 high = static_cast<u32>((static_cast<u64>(n) * magic) >> 32);
    return (high + n) >> shift;
  }
};

// `Rank` dimensions, fastest first.
template <int Rank>
struct Shape {
  Divider dims[Rank];
};

// Adds the offset of element `number` for each of several operands: stride[d][operand]. The last dimension takes what is left.
// Wide: numbers of 2^31 and more.
template <bool Wide, int Rank, int Operands>
COR_FN void add_offsets(const Shape<Rank>& shape, const i64 (&stride)[Rank][Operands], i64 number, i64* offset) {
  i64 rest = number;
#pragma unroll
  for (int d = 0; d < Rank - 1; ++d) {
    const i64 q = Wide ? static_cast<i64>(static_cast<u64>(rest) / static_cast<u64>(shape.dims[d].size))
                       : static_cast<i64>(shape.dims[d].divide(static_cast<u32>(rest)));
    const i64 r = rest - q * shape.dims[d].size;
#pragma unroll
    for (int o = 0; o < Operands; ++o) offset[o] += r * stride[d][o];
    rest = q;
  }
#pragma unroll
  for (int o = 0; o < Operands; ++o) offset[o] += rest * stride[Rank - 1][o];
}

} // namespace cor
