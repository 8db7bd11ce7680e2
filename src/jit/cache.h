#pragma once
// The disk cache: one file an entry. Any fault when reading is a miss: the file goes, the kernel is compiled again, the fault is
// counted. A broken cache never breaks a call.
#include <cstdint>
#include <string>
#include <vector>

#include "core/status.h"

namespace corundum {

struct CacheStats {
  std::string path;
  std::string refusal; // why the directory is not used; empty when it is
  uint64_t entries = 0, bytes = 0, faulty = 0;
  struct PerTarget {
    std::string target;
    uint64_t entries, bytes;
  };
  std::vector<PerTarget> targets;
};

std::string cache_path();
CacheStats cache_stats();
// Reads every entry and its checksum; removes the faulty ones.
CacheStats cache_verify();
// Removes the entries used longest ago until at most `max_bytes` remain (0: all), and leftovers of killed processes.
uint64_t cache_prune(uint64_t max_bytes);

} // namespace corundum
