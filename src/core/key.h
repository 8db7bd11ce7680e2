#pragma once
// A kernel's identity inside a process: plain bytes, compared as bytes. On disk a kernel is known by its text instead.
#include <cstdint>
#include <cstring>

namespace corundum {

struct KernelKey {
  uint16_t family = 0; // Family::id
  uint16_t op = 0;     // the family's own numbering
  uint8_t bytes[28] = {};

  friend bool operator==(const KernelKey& a, const KernelKey& b) { return std::memcmp(&a, &b, sizeof a) == 0; }
};
static_assert(sizeof(KernelKey) == 32);

inline uint64_t hash(const KernelKey& key) {
  uint64_t w[4];
  std::memcpy(w, &key, sizeof w);
  uint64_t h = (w[0] ^ 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
  h = ((h ^ (h >> 32)) + w[1]) * 0xc4ceb9fe1a85ec53u;
  h = ((h ^ (h >> 29)) + w[2]) * 0xff51afd7ed558ccdu;
  h = ((h ^ (h >> 32)) + w[3]) * 0xc4ceb9fe1a85ec53u;
  return h ^ (h >> 31);
}

} // namespace corundum
