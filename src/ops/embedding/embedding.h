#pragma once
// Rows of a table, picked by index: out[i, :] = weight[indices[i], :].
#include "core/chip.h"
#include "core/launch.h"
#include "core/status.h"
#include "core/view.h"

namespace corundum::embedding {

struct Call {
  const void* weight; // [rows, n], element stride 1 in a row
  int64_t rows, n, row_stride;
  size_t element_size; // 1, 2, 4, 8 or 16 bytes; moved as opaque bits
  const void* indices; // [count], contiguous
  Dtype index_dtype;   // int32 or int64
  int64_t count;
  void* out; // [count, n], contiguous
};

// An index outside [0, rows) stops a GPU kernel by a device-side assert, as ATen's does; CPU callers check before they call.
Status plan(const Chip& chip, const Call& call, LaunchList& list);

} // namespace corundum::embedding
