#pragma once
// A row of the table over lists of tensors: each call is a few launches, however many tensors there are.
#include <optional>

#include "core/dtype.h"
#include "core/status.h"
#include "ops/lists.h"
#include "ops/pointwise/table.h"

namespace corundum::pointwise {

// Where an argument of the expression comes from.
enum class From : uint8_t {
  none,    // the expression does not ask for it
  list,    // an element of the next list
  shared,  // a number: ForeachCall::head
  own,     // a number that each tensor has its own of: its last column
  pointer, // one element in memory: its address is in ForeachCall::head
};

struct ForeachCall {
  const Op* op;
  uint8_t flag = 0;      // which expression
  Dtype compute;         // what the inputs have and compute as
  Dtype out;             // compute, but for copies
  From from[5] = {};     // of x, y, z, s0 and s1
  uint64_t head[5] = {}; // of the arguments that all tensors share: a slot (core/args.h) or an address
  const ListItem* items; // dense tensors: the address of the output, then those of the inputs in their order, then the number
  size_t count;
};

// Gives the launches through `*launches`. Refuses what the row does not take.
Status plan(const Chip& chip, const ForeachCall& call, std::optional<ListLaunches>* launches);

} // namespace corundum::pointwise
