#pragma once
// Skeletons of pointwise kernels. The generated text supplies a body:
//   struct Body {
//     using Out = bf16;                                            // as stored
//     using In0 = Operand<bf16, float, Kind::contiguous>; ...In1, In2 (NoOperand where there is none)
//     static constexpr int operands = 3;                           // output and inputs
//     static COR_FN float apply(float x, float y, int z, float s0, float s1);
//     using Scalar = float;                                        // type of s0, s1
//     using Common = bf16;                                         // in which the inputs meet, as stored
//   };
#include "lang/index.h"
#include "lang/maths/basic.h"
#include "lang/vec.h"

namespace cor {

enum class Kind {
  contiguous, // unit stride along dimension 0
  broadcast,  // stride 0 along dimension 0
  scalar,     // no memory: the pointer slot holds the value
  strided,    // any stride along dimension 0
  transposed, // unit stride along dimension 1
};

template <class Stored, class Value, Kind K>
struct Operand {
  using S = Stored;
  using V = Value;
  static constexpr Kind kind = K;
};
struct NoOperand {
  using S = i32;
  using V = i32;
  static constexpr Kind kind = Kind::scalar;
};

// Filled by src/ops/pointwise/plan.cpp, member by member.
struct PointwiseHead {
  void* out;
  u64 in[3]; // addresses, or values of Kind::scalar
  u64 scalar[2];
  i64 n; // elements in all
};
template <int Rank, int Operands>
struct PointwiseArgs {
  PointwiseHead head;
  Shape<Rank> shape;          // fastest dimension first, padded with 1
  i64 stride[Rank][Operands]; // in elements; operand 0 is the output
};
struct PointwiseFlatArgs {
  PointwiseHead head;
};

template <class B>
struct Scalars {
  typename B::Scalar s0, s1;
  COR_FN explicit Scalars(const PointwiseHead& h)
      : s0(slot_value<typename B::Scalar>(h.scalar[0])), s1(slot_value<typename B::Scalar>(h.scalar[1])) {}
};

} // namespace cor

#if COR_SIMT
#include "lang/pointwise_simt.h"
#else
#include "lang/pointwise_simd.h"
#endif
