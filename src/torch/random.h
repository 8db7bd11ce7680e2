#pragma once
// Filling a tensor with random numbers, for the families that need some.
#include "torch/generator.h"

namespace corundum::random {

inline constexpr const char* not_on_cpus = "on a CPU these numbers are made by libm, by MKL or by ATen's own vector code";

// Refuses before anything is drawn or written. `d` fits the tensor's dtype.
Status fill(at::Tensor& self, const Distribution& d, const std::optional<at::Generator>& generator);

// Whether ATen makes bernoulli numbers on CPUs of its own generator's words, as this library does: on processors of Intel's, where
// torch has MKL, MKL's generator makes them.
bool draws_bernoulli_itself();

} // namespace corundum::random
