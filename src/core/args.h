#pragma once
// Builds the struct argument of a kernel member by member. Kernel structs have 8-byte members (or pairs of 4) only, so that both
// sides agree without a shared definition.
#include <cstdint>
#include <cstring>

#include "core/dtype.h"
#include "core/index.h"
#include "core/view.h"

namespace corundum {

class ArgsWriter {
 public:
  void put(const void* p) { raw(&p, 8); }
  void put(uint64_t v) { raw(&v, 8); }
  void put(int64_t v) { raw(&v, 8); }
  void put(const Divider& d) { raw(&d, sizeof d); }
  // Rank dividers, then rank * operands strides, padded up to `padded` dimensions.
  template <int Operands, int MaxRank>
  void put(const DimList<Operands, MaxRank>& dims, int padded) {
    for (int d = 0; d < padded; ++d) put(d < dims.rank ? Divider(dims.size[d]) : Divider());
    for (int d = 0; d < padded; ++d)
      for (int o = 0; o < dims.operands; ++o) put(d < dims.rank ? dims.stride[d][o] : int64_t{0});
  }
  const void* data() const { return bytes_; }
  uint32_t size() const { return size_; }

 private:
  void raw(const void* p, uint32_t n) {
    std::memcpy(bytes_ + size_, p, n);
    size_ += n;
  }
  uint32_t size_ = 0;
  alignas(16) unsigned char bytes_[2048];
};

// A number in the 8-byte slot of an argument struct, in the type that `dtype` computes in (cor::slot_value reads it).
inline uint64_t slot_of(const Scalar& s, Dtype dtype) {
  uint64_t slot = 0;
  if (dtype == Dtype::float64 || dtype == Dtype::complex128) { // of the latter the real part: the imaginary one has its own slot
    std::memcpy(&slot, &s.f, 8);
  } else if (dtype == Dtype::complex64) {
    const float parts[] = {static_cast<float>(s.f), static_cast<float>(s.im)};
    std::memcpy(&slot, parts, 8);
  } else if (is_floating(dtype)) {
    const float f = s.integral ? static_cast<float>(s.i) : static_cast<float>(s.f);
    std::memcpy(&slot, &f, 4);
  } else if (dtype == Dtype::boolean) {
    slot = s.integral ? s.i != 0 : s.f != 0;
  } else {
    slot = static_cast<uint64_t>(s.integral ? s.i : static_cast<int64_t>(s.f));
  }
  return slot;
}

} // namespace corundum
