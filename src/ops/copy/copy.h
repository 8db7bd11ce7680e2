#pragma once
// Copies within one dtype that change the order of dimensions: opaque elements through the tiled transpose.
#include <cstddef>
#include <cstdint>

#include "core/chip.h"
#include "core/launch.h"

namespace corundum::copy {

struct Call {
  size_t element_size; // 1, 2, 4, 8 or 16 bytes, to which the addresses are aligned
  int rank;
  const int64_t* shape;
  const void* in;
  const int64_t* in_strides; // bytes
  void* out;
  const int64_t* out_strides; // bytes; no two elements at one place
};

// Adds a launch if the unit strides of input and output lie along two dimensions of some length. Otherwise gives false and leaves
// the list as it was: such copies are pointwise.
bool plan_transpose(const Chip& chip, const Call& call, LaunchList& list);

} // namespace corundum::copy
