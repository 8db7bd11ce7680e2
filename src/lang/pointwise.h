#pragma once
// Skeletons of pointwise kernels. The generated text supplies a body:
//   struct Body {
//     using Out0 = bf16; ...Out1                                   // as stored, or Verdict
//     using In0 = Operand<bf16, float, Kind::contiguous>; ...In1, In2
//     using Scalar = float;                                        // type of the numbers s0, s1, ...
//     using Common = bf16;                                         // in which the inputs meet, as stored
//     static constexpr int outputs = 1, inputs = 2, scalars = 1;
//     static constexpr unsigned broadcasts = 4;                    // bit i: operand i, the outputs first, is Kind::broadcast
//     static constexpr int slots = 1;                              // 8-byte words that a number takes: 2 for c128
//     static COR_FN auto apply(float x, float y, Scalar s0);       // a value; of several outputs Results{r0, r1}
//     template <class F> static void each_output(F);               // of several: f(&Results::r0, Type<Out0>(), 0), f(&Results::r1,
//     ... template <template <class> class P> struct Each {            // a P<In0> x, a P<In1> y, ...
//       void visit(F f);                                           // f(x, 0), f(y, 1), ...
//       void visit_beside(other, F f);                             // where tiled: f(x, other.x, 0), ...
//       auto at(i, s);                                             // apply(x.at(i), y.at(i), s.v[0])
//     };
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

// Filled by src/ops/pointwise/plan.cpp, member by member.
template <class B>
struct PointwiseHead {
  void* out[B::outputs];
  u64 in[B::inputs * B::slots]; // addresses, or values of Kind::scalar
  u64 scalar[(B::scalars ? B::scalars : 1) * B::slots];
  i64 n; // elements in all
};
template <class B, int Rank>
struct PointwiseArgs {
  static constexpr int operands = B::outputs + B::inputs; // the outputs come first
  PointwiseHead<B> head;
  Shape<Rank> shape;          // fastest dimension first, padded with 1
  i64 stride[Rank][operands]; // in elements
};

// A number of one slot or of two.
template <class T>
COR_FN T number(const u64* slot) {
  if constexpr (same<T, c128>)
    return {bits_to_double(slot[0]), bits_to_double(slot[1])};
  else
    return slot_value<T>(slot[0]);
}

template <class B>
struct Scalars {
  typename B::Scalar v[B::scalars ? B::scalars : 1];
  COR_FN explicit Scalars(const PointwiseHead<B>& h) {
#pragma unroll
    for (int i = 0; i < B::scalars; ++i) v[i] = number<typename B::Scalar>(h.scalar + i * B::slots);
  }
};

// The output of a kernel that answers one question of all elements, not one of each: a word that is 0 at first, and set where an
// expression is false. Blocks that begin later do nothing.
struct Verdict {
  u32 differs;
};
COR_FN bool is_settled(const void* verdict) { return load_relaxed(&static_cast<const Verdict*>(verdict)->differs) != 0; }
COR_FN void settle(void* verdict) {
  if (!is_settled(verdict)) static_cast<Verdict*>(verdict)->differs = 1;
}

// Stands for a type, as an argument.
template <class T>
struct Type {
  using type = T;
};

} // namespace cor

#if COR_SIMT
#include "lang/pointwise_simt.h"
#else
#include "lang/pointwise_simd.h"
#endif
