#pragma once
// How a row kernel lies on a chip: which pass type (lang/rows.h), how many lanes, where elements wait between passes.
#include <cstdint>
#include <string>

#include "core/chip.h"
#include "core/launch.h"
#include "core/status.h"

namespace corundum {

struct RowsShape {
  int64_t outer, n, inner;
  size_t widest;       // bytes of the largest element in memory
  size_t kept = 0;     // bytes an element that all keep()s together want on a CPU (0: the kernel folds once)
  size_t staged = 0;   // the same on a GPU, where only elements as they are in memory are kept
  bool along = false;  // vectors of length n are read beside the row
  bool aligned;        // every row of every tensor starts at a multiple of 16 bytes, as far as addresses tell
  bool column = false; // lanes lie across inner
};

// Part of a kernel key, byte by byte.
struct RowsLayout {
  uint8_t column = 0, threads_log2 = 0, lanes_log2 = 0, width = 0, cluster_log2 = 0, aligned = 0, resident = 0;
};

struct RowsPlan {
  RowsLayout layout;
  uint32_t blocks = 0, shared_bytes = 0, grain = 1;
};

Status plan_rows(const Chip& chip, const RowsShape& shape, RowsPlan* plan);

// `using Pass = cor::RowPass<...>;` and the arguments that COR_ROWS wants behind the body.
std::string pass_type(const Chip& chip, const RowsLayout& layout);
std::string entry_tail(const Chip& chip, const RowsLayout& layout);
// For kernel names: "row128x16" and the like.
std::string layout_name(const RowsLayout& layout);

// Adds the launch that `plan` describes; `args` is the kernel's one struct, beginning with cor::RowsHead.
void add_rows(const Chip& chip, const KernelKey& key, const RowsPlan& plan, const void* args, uint32_t size, LaunchList& list);

} // namespace corundum
