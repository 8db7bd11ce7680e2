#pragma once
// 128-bit content hashes (XXH3): names of cache entries, checksums. Not a defence against an attacker: who can write our cache
// directory can run code as us anyway.
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace corundum {

struct Digest {
  uint64_t low = 0, high = 0;

  std::string hex() const; // 32 digits
  friend bool operator==(const Digest&, const Digest&) = default;
  friend auto operator<=>(const Digest&, const Digest&) = default;
};

// Lengths count: {"ab", "c"} and {"a", "bc"} differ.
Digest digest(std::initializer_list<std::string_view> parts);
Digest digest(const void* data, size_t bytes);

} // namespace corundum
