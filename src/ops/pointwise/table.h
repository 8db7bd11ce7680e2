#pragma once
// The table of pointwise operators: the rows of all families, one after the other.
#include <array>
#include <iterator>
#include <string_view>

#include "ops/pointwise/rows_activation.h"
#include "ops/pointwise/rows_arithmetic.h"
#include "ops/pointwise/rows_choice.h"
#include "ops/pointwise/rows_elementary.h"
#include "ops/pointwise/rows_special.h"

namespace corundum::pointwise {

template <size_t... n>
constexpr auto joined(const Op (&... parts)[n]) {
  std::array<Op, (n + ...)> rows{};
  size_t at = 0;
  const auto append = [&](const auto& part) {
    for (const Op& op : part) rows[at++] = op;
  };
  (append(parts), ...);
  return rows;
}

inline constexpr auto ops = joined(arithmetic_rows, choice_rows, elementary_rows, activation_rows, special_rows);

// The row of this name and signature. A row that is not there does not compile.
consteval const Op& row(std::string_view name, Signature signature) {
  for (const Op& op : ops)
    if (op.name == name && op.signature == signature) return op;
  throw "no such row";
}

} // namespace corundum::pointwise
