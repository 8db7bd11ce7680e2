#pragma once
// Elementary functions of one number.
#include "ops/pointwise/op.h"

namespace corundum::pointwise {

inline constexpr Op elementary_rows[] = {
    {"tanh", Signature::unary, 1, 0, set_floating, Promotion::int_to_float, {"tanh(x)"}},
};

} // namespace corundum::pointwise
