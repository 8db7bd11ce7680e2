#include "torch/lists.h"

#include <algorithm>

#include "torch/devices.h"

namespace corundum {
namespace {

// Strides of dimensions of one element do not matter.
bool same_layout(const at::Tensor& a, const at::Tensor& b) {
  const auto sizes = a.sizes(), left = a.strides(), right = b.strides();
  if (!sizes.equals(b.sizes())) return false;
  for (size_t d = 0; d < sizes.size(); ++d)
    if (left[d] != right[d] && sizes[d] != 1) return false;
  return true;
}

struct Range {
  uintptr_t begin, end;
  size_t number; // of the tensor in its list
  bool operator<(const Range& other) const { return begin < other.begin; }
};

Range range_of(const at::Tensor& t, size_t number) {
  const auto begin = reinterpret_cast<uintptr_t>(t.const_data_ptr());
  return {begin, begin + t.nbytes(), number};
}

} // namespace

Status check_lists(at::ArrayRef<at::TensorList> lists, bool same_dtypes) {
  const at::TensorList first = lists[0];
  if (first.empty()) return Status::refuse("a list without tensors");
  const c10::Device device = first[0].device();
  for (const at::TensorList list : lists) {
    if (list.size() != first.size()) return Status::refuse("the lists have different lengths");
    const at::ScalarType dtype = same_dtypes ? first[0].scalar_type() : list[0].scalar_type();
    for (size_t i = 0; i < list.size(); ++i) {
      const at::Tensor& t = list[i];
      if (!is_plain(t)) return Status::refuse(not_plain);
      if (t.device() != device) return Status::refuse(on_two_devices);
      if (t.scalar_type() != dtype) return Status::refuse("the lists hold tensors of different dtypes");
      if (!t.is_non_overlapping_and_dense()) return Status::refuse("a tensor of a list is not dense");
      if (list.data() != first.data() && !same_layout(first[i], t))
        return Status::refuse("the lists have tensors of different layouts");
    }
  }
  return {};
}

bool order_counts(at::ArrayRef<at::TensorList> lists, unsigned writes) {
  c10::SmallVector<Range, 64> written;
  for (size_t l = 0; l < lists.size(); ++l)
    if (writes >> l & 1)
      for (size_t i = 0; i < lists[l].size(); ++i)
        if (lists[l][i].nbytes() != 0) written.push_back(range_of(lists[l][i], i));
  std::sort(written.begin(), written.end());
  for (size_t i = 1; i < written.size(); ++i)
    if (written[i].begin < written[i - 1].end) return true;
  for (size_t l = 0; l < lists.size(); ++l) {
    if (writes >> l & 1) continue;
    for (size_t i = 0; i < lists[l].size(); ++i) {
      const Range read = range_of(lists[l][i], i);
      auto after = std::lower_bound(written.begin(), written.end(), Range{read.end, 0, 0});
      if (read.begin == read.end || after == written.begin()) continue;
      const Range& near = *--after;
      const bool itself = near.number == i && near.begin == read.begin;
      if (near.end > read.begin && !itself) return true;
    }
  }
  return false;
}

Status launch_all(const Target& target, ListLaunches& launches) {
  for (;;) {
    LaunchList list;
    if (!launches.next(list)) return {};
    CORUNDUM_TRY(launch(target, list));
  }
}

} // namespace corundum
