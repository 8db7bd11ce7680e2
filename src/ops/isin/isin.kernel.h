#pragma once
// Whether an element is among others: by a binary search, or of a few one by one. NaN is among nothing.
#include "lang/lists.h"

namespace cor {

template <class T, class C, bool Sorted>
struct IsinBody {
  static constexpr int lists = 2;
  static constexpr unsigned reads = 2, writes = 1;
  using Out = bool;
  using In = T;
  using Value = C;
  const T* among;
  i64 count;
  bool invert;

  template <class Args>
  COR_FN IsinBody(const Args& a, int)
      : among(reinterpret_cast<const T*>(a.head[0])), count(static_cast<i64>(a.head[1])), invert(a.head[2] != 0) {}
  COR_FN bool idle() const { return false; }
  COR_FN bool has(C x) const {
    if constexpr (Sorted) {
      i64 low = 0, left = count;
      while (left > 0) {
        const i64 half = left / 2;
        const bool above = convert<C>(among[low + half]) < x;
        low = above ? low + half + 1 : low;
        left = above ? left - half - 1 : half;
      }
      return low < count && convert<C>(among[low]) == x;
    }
    bool found = false;
    for (i64 i = 0; i < count; ++i) found |= convert<C>(among[i]) == x;
    return found;
  }
  COR_FN void operator()(C (&v)[lists]) const { v[0] = C(has(v[1]) != invert); }
  COR_FN void finish() const {}
};

} // namespace cor
