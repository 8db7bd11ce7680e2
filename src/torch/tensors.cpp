#include "torch/tensors.h"

namespace corundum {

bool is_disjoint(const at::Tensor& t, const at::Tensor& other) {
  return !t.has_storage() || !other.has_storage() || !t.storage().is_alias_of(other.storage());
}

} // namespace corundum
