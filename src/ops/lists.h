#pragma once
// What families over lists of tensors share: which tensors go into which launch. Their kernels stand in lang/lists.h.
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/chip.h"
#include "core/launch.h"

namespace corundum {

inline constexpr int max_list_columns = 6, list_heads = 14;

// A tensor: its elements and its address in each list, then its own numbers.
struct ListItem {
  int64_t n;
  uint64_t column[max_list_columns];
};

// Part of the kernel's key.
struct ListsLayout {
  uint8_t columns, threads_log2, vector;
};

struct ListsCall {
  int lists, numbers;          // columns: addresses, then numbers
  uint8_t out_bytes, in_bytes; // an element of list 0, and of the others
  uint64_t head[list_heads] = {};
  const ListItem* items;
  size_t count;
};

ListsLayout lists_layout(const Chip& chip, const ListsCall& call);
// Of the layout, for entry points.
std::string lists_name(const ListsLayout& layout);
// `using Args = ...;`, which the body's constructor takes.
std::string lists_args(const ListsLayout& layout);
// The entry point of `Body`.
std::string lists_entry(const Chip& chip, const ListsLayout& layout, const std::string& entry);

// The launches of a call, one list at a time: `while (launches.next(list)) run(list)`. The items live as long as this does. Empty
// tensors have no block.
class ListLaunches {
 public:
  ListLaunches(const Chip& chip, const KernelKey& key, const ListsLayout& layout, const ListsCall& call);
  // Adds one launch to an empty list; false, with nothing added, after the last one.
  bool next(LaunchList& list);

 private:
  const Chip& chip_;
  KernelKey key_;
  ListsLayout layout_;
  ListsCall call_;
  int most_; // tensors of a launch
  int64_t tile_;
  size_t item_ = 0;
  int64_t done_ = 0; // elements of the item
};

} // namespace corundum
