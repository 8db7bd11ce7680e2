#pragma once
// Which elements of one dense tensor are among the elements of another.
#include <optional>

#include "core/dtype.h"
#include "core/status.h"
#include "ops/lists.h"

namespace corundum::isin {

// So many are asked one by one; more have to be sorted, NaN last.
inline constexpr int64_t few = 16;

struct Call {
  const void *in, *among;
  bool* out;
  int64_t n, count; // of `in` and `out`, and of `among`
  Dtype dtype;
  bool invert;
};

// The launches refer to `item`, which lives as long as they do.
Status plan(const Chip& chip, const Call& call, ListItem* item, std::optional<ListLaunches>* launches);

} // namespace corundum::isin
