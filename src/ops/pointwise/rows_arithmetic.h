#pragma once
// Arithmetic.
#include "ops/pointwise/op.h"

namespace corundum::pointwise {

inline constexpr Op arithmetic_rows[] = {
    {"add", Signature::binary_alpha, 2, 1, set_every, Promotion::standard, {"x + s0 * y"}},
    {"sub", Signature::binary_alpha, 2, 1, set_numbers, Promotion::standard, {"x - s0 * y"}},
    {"rsub", Signature::binary_alpha, 2, 1, set_numbers, Promotion::standard, {"y - s0 * x"}},
    {"mul", Signature::binary, 2, 0, set_every | set_unsigned, Promotion::standard, {"x * y"}, 2, 1, 0, unsigned_on_cpus},
    {"div", Signature::binary, 2, 0, set_with_complex, Promotion::int_to_float, {"x / y"}},
    {"div",
     Signature::binary_rounding,
     2,
     0,
     set_no_bool,
     Promotion::standard,
     {"div_trunc(x, y)", "div_floor(x, y)", "native::trunc(round_to<Common>(x / y))"}},
    {"floor_divide", Signature::binary_dividing, 2, 0, set_no_bool, Promotion::standard, {"div_floor(x, y)"}},
    {"remainder", Signature::binary_dividing, 2, 0, set_no_bool, Promotion::standard, {"remainder(x, y)"}},
    {"fmod", Signature::binary_dividing, 2, 0, set_no_bool, Promotion::standard, {"fmod(x, y)"}},
    {"pow", Signature::binary, 2, 0, set_numbers, Promotion::standard, {"power(x, y)"}, 4},
    {"pow", Signature::named, 1, 1, set_numbers, Promotion::standard, {"power(x, s0)", "x * x", "x * x * x", "inverse(x * x)"}, 4},
    {"addcmul", Signature::ternary_value, 3, 1, set_numbers, Promotion::standard, {"x + s0 * y * z"}},
    {"addcdiv", Signature::ternary_value, 3, 1, set_with_complex, Promotion::standard, {"x + s0 * y / z"}},
    {"lerp", Signature::lerp, 3, 0, set_with_complex, Promotion::standard, {"lerp(x, y, z)"}},
    {"lerp", Signature::lerp, 2, 1, set_with_complex, Promotion::standard, {"lerp(x, y, s0)"}},
    {"_add_relu",
     Signature::named,
     2,
     1,
     set_int | set_float,
     Promotion::standard,
     {"clamp_max(clamp_min(Scalar(x + s0 * y), Scalar(0)), Limits<Scalar>::max_finite())"}},
    {"atan2", Signature::binary, 2, 0, set_floating, Promotion::int_to_float, {"atan2(x, y)"}, 4},
    {"copysign", Signature::binary, 2, 0, set_floating, Promotion::int_to_float, {"copysign(x, y)"}, exact},
    {"hypot", Signature::binary, 2, 0, set_floating, Promotion::standard, {"hypot(x, y)"}, 4},
    {"polar", Signature::binary_same, 2, 0, set_float, Promotion::float_to_complex, {"Complex<Scalar>{x * cos(y), x * sin(y)}"}, 4},
    {"complex", Signature::binary_same, 2, 0, set_float, Promotion::float_to_complex, {"Complex<Scalar>{x, y}"}, exact},
};

} // namespace corundum::pointwise
