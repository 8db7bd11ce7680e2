#pragma once
// Kernels over lists of tensors: as many tensors as the arguments of a launch hold, each one dense stretch of elements, numbered in
// tiles from the first tensor's to the last one's. A body says what happens to one element:
//   struct Body {
//     static constexpr int lists = 3;                   // addresses a tensor has: one in each list
//     static constexpr unsigned reads = 6, writes = 1;  // bit l: list l is read, written
//     using Out = bf16; using In = bf16;                // elements of list 0, and of the others
//     using Value = float;                              // what they are computed as
//     Body(const Args& a, int tensor);                  // numbers of all tensors (a.head) and of this one (a.column[lists...])
//     bool idle() const;                                // nothing is to be done
//     void operator()(Value (&v)[lists]);               // from what was read to what is written, both by list
//     void finish();                                    // after a block's last element
//   };
#include "lang/maths/basic.h"
#include "lang/vec.h"

namespace cor {

// Filled by src/ops/lists.cpp. A column is a list's addresses, or numbers that each tensor has its own of.
template <int Columns, int Most>
struct ListsArgs {
  u64 head[14];
  u64 tensors;
  u64 column[Columns][Most];
  u32 n[Most];     // elements
  u32 first[Most]; // the number of the tensor's first block
};

// The tensor that a block belongs to.
template <class Args>
COR_FN int tensor_of(const Args& a, u32 block) {
  int low = 0, above = static_cast<int>(a.tensors);
#pragma unroll 1
  while (above - low > 1) {
    const int middle = (low + above) / 2;
    (a.first[middle] <= block ? low : above) = middle;
  }
  return low;
}

// Where a tensor's elements are.
template <class Body>
struct ListPointers {
  using In = typename Body::In;
  using Out = typename Body::Out;
  u64 address[Body::lists];
  template <class Args>
  COR_FN ListPointers(const Args& a, int tensor) {
#pragma unroll
    for (int l = 0; l < Body::lists; ++l) address[l] = a.column[l][tensor];
  }
  COR_FN const In* in(int l) const { return reinterpret_cast<const In*>(address[l]); }
  COR_FN Out* out(int l) const { return reinterpret_cast<Out*>(address[l]); }
};

template <class Body>
COR_FN constexpr bool is_read(int l) {
  return Body::reads >> l & 1;
}
template <class Body>
COR_FN constexpr bool is_written(int l) {
  return Body::writes >> l & 1;
}

} // namespace cor

#if COR_SIMT
#include "lang/lists_simt.h"
#else
#include "lang/lists_simd.h"
#endif
