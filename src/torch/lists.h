#pragma once
// Lists of tensors on their way to a plan: which ones go together, and what their kernels are told of them.
#include <ATen/core/Tensor.h>

#include <c10/util/SmallVector.h>

#include "ops/lists.h"
#include "torch/call.h"
#include "torch/tensors.h"

namespace corundum {

// In-place overloads over lists return nothing:
//   Status attempt(arguments...)
template <Overload& overload, auto attempt>
struct WritingLists;

template <Overload& overload, class... Args, Status (*attempt)(Args...)>
struct WritingLists<overload, attempt> {
  static void call(c10::DispatchKeySet keys, Args... args) {
    if (!overload.on()) [[unlikely]]
      return fall_back<void, Args...>(overload, keys, switched_off, args...);
    const Status done = attempt(args...);
    if (!done.ok()) [[unlikely]]
      return fall_back<void, Args...>(overload, keys, done.reason(), args...);
    record::served(own_kernel);
  }
  static void bind(torch::Library& library, Overload& self) { library.impl(self.name(), TORCH_FN(call)); }
};

// A list is on the meta device if its first tensor is.
template <>
inline bool is_meta<at::TensorList>(const at::TensorList& list) {
  return !list.empty() && list[0].is_meta();
}

using ListItems = c10::SmallVector<ListItem, 32>;

// The conditions of ATen's own way over lists: as many tensors in each, on one device and dense, those of a number alike in sizes
// and strides. `same_dtypes`: all of one dtype; otherwise those of each list.
Status check_lists(at::ArrayRef<at::TensorList> lists, bool same_dtypes);

// Whether the tensors that are written share memory with each other, or with one of another number that is read. Then the order of
// the tensors counts. `lists[0]` and those whose bit is set in `writes` are written.
bool order_counts(at::ArrayRef<at::TensorList> lists, unsigned writes);

inline uint64_t address_of(const void* p) { return reinterpret_cast<uint64_t>(p); }

// Runs all launches on the target's current stream.
Status launch_all(const Target& target, ListLaunches& launches);

} // namespace corundum
