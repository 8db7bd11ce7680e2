#pragma once
// What compares, chooses and masks.
#include "ops/pointwise/op.h"

namespace corundum::pointwise {

inline constexpr Op choice_rows[] = {
    {"clamp",
     Signature::clamp,
     1,
     2,
     set_no_bool,
     Promotion::standard,
     {"clamp_max(clamp_min(x, s0), s1)", "clamp_min(x, s0)", "clamp_max(x, s1)"},
     exact},
    {"clamp",
     Signature::clamp_tensor,
     3,
     0,
     set_no_bool,
     Promotion::standard,
     {"clamp_max(clamp_min(x, y), z)", "clamp_min(x, y)", "clamp_max(x, y)"},
     exact},
    {"clamp_min", Signature::clamp_one, 1, 1, set_no_bool, Promotion::standard, {"clamp_min(x, s0)"}, exact},
    {"clamp_max", Signature::clamp_one, 1, 1, set_no_bool, Promotion::standard, {"clamp_max(x, s0)"}, exact},
    {"clamp_min", Signature::binary, 2, 0, set_no_bool, Promotion::standard, {"clamp_min(x, y)"}, exact},
    {"clamp_max", Signature::binary, 2, 0, set_no_bool, Promotion::standard, {"clamp_max(x, y)"}, exact},
    {"eq", Signature::comparison, 2, 0, set_every, Promotion::always_bool, {"x == y"}, exact},
    {"ne", Signature::comparison, 2, 0, set_every, Promotion::always_bool, {"x != y"}, exact},
    {"lt", Signature::comparison, 2, 0, set_all, Promotion::always_bool, {"x < y"}, exact},
    {"le", Signature::comparison, 2, 0, set_all, Promotion::always_bool, {"x <= y"}, exact},
    {"gt", Signature::comparison, 2, 0, set_all, Promotion::always_bool, {"x > y"}, exact},
    {"ge", Signature::comparison, 2, 0, set_all, Promotion::always_bool, {"x >= y"}, exact},
    {"bitwise_and", Signature::binary, 2, 0, set_bool | set_int, Promotion::standard, {"x & y"}, exact},
    {"bitwise_or", Signature::binary, 2, 0, set_bool | set_int, Promotion::standard, {"x | y"}, exact},
    {"bitwise_xor", Signature::binary, 2, 0, set_bool | set_int, Promotion::standard, {"x ^ y"}, exact},
    {"where", Signature::where, 3, 0, set_every, Promotion::standard, {"x ? y : z"}, exact, 1, 1},
    {"fill_", Signature::fill, 1, 1, set_every | set_unsigned, Promotion::none, {"s0"}, exact},
    {"zero_", Signature::zero, 1, 1, set_every | set_unsigned, Promotion::none, {"s0"}, exact},
    {"masked_fill", Signature::masked_fill, 2, 1, set_every, Promotion::none, {"y ? s0 : x"}, exact, 1, 2},
    {"copy_", Signature::copy, 1, 0, set_every | set_unsigned, Promotion::none, {"x", "conj(x)", "-x", "-conj(x)"}, exact, 1, 1},
};

} // namespace corundum::pointwise
