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
};

} // namespace corundum::pointwise
