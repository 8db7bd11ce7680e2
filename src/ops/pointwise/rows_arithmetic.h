#pragma once
// Arithmetic.
#include "ops/pointwise/op.h"

namespace corundum::pointwise {

inline constexpr Op arithmetic_rows[] = {
    {"add", Signature::binary_alpha, 2, 1, set_every, Promotion::standard, {"x + s0 * y"}},
    {"sub", Signature::binary_alpha, 2, 1, set_numbers, Promotion::standard, {"x - s0 * y"}},
    {"mul", Signature::binary, 2, 0, set_every, Promotion::standard, {"x * y"}},
    {"div", Signature::binary, 2, 0, set_with_complex, Promotion::int_to_float, {"x / y"}},
    {"div",
     Signature::binary_rounding,
     2,
     0,
     set_no_bool,
     Promotion::standard,
     {"div_trunc(x, y)", "div_floor(x, y)", "native::trunc(round_to<Common>(x / y))"}},
};

} // namespace corundum::pointwise
