#pragma once
// A function of one tensor that ATen has (f, f_, f.out), as a row in a file of its own:
//
//   #include "torch/pointwise_row.h"
//   COR_UNARY_ROW("deg2rad", Signature::unary, 1, 0, set_floating, Promotion::int_to_float, {"x * Scalar(0.017453292519943295)"});
#include "ops/pointwise/op.h"

namespace corundum::pointwise {

// Declares the overloads of a row of Signature::unary, which lives for ever.
bool declare_unary(const Op& op);

} // namespace corundum::pointwise

#define COR_UNARY_ROW(...)                          \
  namespace corundum::pointwise {                   \
  namespace {                                       \
  constexpr Op own_row = {__VA_ARGS__};             \
  const bool own_declared = declare_unary(own_row); \
  }                                                 \
  }                                                 \
  static_assert(true)
