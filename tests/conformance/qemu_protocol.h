#pragma once
// What the test process and the runner under qemu agree on.
#include <cstddef>
#include <cstdint>

namespace corundum::test {

inline void* const arena_address = reinterpret_cast<void*>(uint64_t{0x1000'0000'0000});
inline constexpr size_t arena_bytes = size_t{1} << 30;

// One call of a kernel's entry point; the answer is one byte.
struct Order {
  char path[256], entry[512];
  uint64_t args, scratch_bytes; // args lies in the arena
  int64_t first, last;
};

} // namespace corundum::test
