#pragma once
// Calls of user-defined operators on tensors: dtypes, shapes and memory as torch's own pointwise operators have them.
#include <ATen/core/Tensor.h>

#include <vector>

#include "ops/user/definition.h"

namespace corundum::user {

struct TensorCall {
  const Definition* definition;
  std::vector<at::Tensor> tensors;
  std::vector<at::Scalar> numbers;
};

// In which the inputs meet. Throws TypeError for a dtype that the definition does not take.
at::ScalarType common_type(const TensorCall& call);

// Undefined `outputs` are made, others are written: an input itself (in place), or out=, which is resized. Throws in ATen's words
// where shapes do not broadcast, memory overlaps or a result cannot be cast.
void run(const TensorCall& call, std::vector<at::Tensor>& outputs);

// The same on the meta device: shapes alone, symbolic ones included.
void run_meta(const TensorCall& call, std::vector<at::Tensor>& outputs);

} // namespace corundum::user
