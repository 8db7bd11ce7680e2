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
    {"eq", Signature::comparison, 2, 0, set_every | set_unsigned, Promotion::always_bool, {"x == y"}, exact},
    {"ne", Signature::comparison, 2, 0, set_every | set_unsigned, Promotion::always_bool, {"x != y"}, exact},
    {"lt", Signature::comparison, 2, 0, set_all, Promotion::always_bool, {"x < y"}, exact},
    {"le", Signature::comparison, 2, 0, set_all, Promotion::always_bool, {"x <= y"}, exact},
    {"gt", Signature::comparison, 2, 0, set_all, Promotion::always_bool, {"x > y"}, exact},
    {"ge", Signature::comparison, 2, 0, set_all, Promotion::always_bool, {"x >= y"}, exact},
    {"bitwise_and", Signature::binary, 2, 0, set_bool | set_int | set_unsigned, Promotion::standard, {"x & y"}, exact},
    {"bitwise_or", Signature::binary, 2, 0, set_bool | set_int | set_unsigned, Promotion::standard, {"x | y"}, exact},
    {"bitwise_xor", Signature::binary, 2, 0, set_bool | set_int | set_unsigned, Promotion::standard, {"x ^ y"}, exact},
    {"bitwise_left_shift", Signature::binary, 2, 0, set_int, Promotion::standard, {"shift_left(x, y)"}, exact},
    {"bitwise_right_shift", Signature::binary, 2, 0, set_int, Promotion::standard, {"shift_right(x, y)"}, exact},
    {"lshift", Signature::shift, 2, 0, set_int, Promotion::standard, {"shift_left(x, y)"}, exact},
    {"rshift", Signature::shift, 2, 0, set_int, Promotion::standard, {"shift_right(x, y)"}, exact},
    {"logical_and", Signature::binary, 2, 0, set_every, Promotion::always_bool, {"convert<bool>(x) && convert<bool>(y)"}, exact},
    {"logical_or", Signature::binary, 2, 0, set_every, Promotion::always_bool, {"convert<bool>(x) || convert<bool>(y)"}, exact},
    {"logical_xor", Signature::binary, 2, 0, set_every, Promotion::always_bool, {"convert<bool>(x) != convert<bool>(y)"}, exact},
    {"maximum", Signature::binary, 2, 0, set_all, Promotion::standard, {"maximum(x, y)"}, exact},
    {"minimum", Signature::binary, 2, 0, set_all, Promotion::standard, {"minimum(x, y)"}, exact},
    {"fmax", Signature::binary, 2, 0, set_all, Promotion::standard, {"fmax(x, y)"}, exact},
    {"fmin", Signature::binary, 2, 0, set_all, Promotion::standard, {"fmin(x, y)"}, exact},
// As they are, and with NaN equal to itself; the latter two are for no tolerance at all.
#define COR_CLOSE \
  { "is_close<Common>(x, y, s0, s1)", "is_close_or_nan<Common>(x, y, s0, s1)", "x == y", "(x == y) | (is_nan(x) & is_nan(y))" }
    {"isclose", Signature::named, 2, 2, set_all, Promotion::always_bool, COR_CLOSE, exact},
    {"allclose", Signature::verdict, 2, 2, set_all, Promotion::always_bool, COR_CLOSE, exact},
#undef COR_CLOSE
    {"equal", Signature::verdict, 2, 0, set_every | set_unsigned, Promotion::always_bool, {"x == y"}, exact},
    {"where", Signature::where, 3, 0, set_every, Promotion::standard, {"x ? y : z"}, exact, 1, 1},
    {"fill_", Signature::fill, 1, 1, set_every | set_unsigned, Promotion::none, {"s0"}, exact},
    {"zero_", Signature::zero, 1, 1, set_every | set_unsigned, Promotion::none, {"s0"}, exact},
    {"masked_fill", Signature::masked_fill, 2, 1, set_every, Promotion::none, {"y ? s0 : x"}, exact, 1, 2},
    {"copy_", Signature::copy, 1, 0, set_every | set_unsigned, Promotion::none, {"x", "conj(x)", "-x", "-conj(x)"}, exact, 1, 1},
};

} // namespace corundum::pointwise
