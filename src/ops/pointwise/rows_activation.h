#pragma once
// Activations and their backwards.
#include "ops/pointwise/op.h"

namespace corundum::pointwise {

inline constexpr Op activation_rows[] = {
    {"gelu", Signature::unary_approximate, 1, 0, set_floating, Promotion::standard, {"gelu_erf(x)", "gelu_tanh(x)"}},
    {"gelu_backward",
     Signature::backward_approximate,
     2,
     0,
     set_floating,
     Promotion::none,
     {"x * gelu_erf_derivative(y)", "x * gelu_tanh_derivative(y)"}},
    {"tanh_backward", Signature::backward, 2, 0, set_floating, Promotion::none, {"x * (1 - y * y)"}},
    {"relu", Signature::unary, 1, 0, set_no_bool, Promotion::standard, {"clamp_min(x, Scalar(0))"}, exact},
    {"silu", Signature::unary, 1, 0, set_floating, Promotion::standard, {"x * sigmoid(x)"}, 4},
    {"sigmoid_backward", Signature::backward, 2, 0, set_floating, Promotion::none, {"x * (1 - y) * y"}, 4},
};

} // namespace corundum::pointwise
