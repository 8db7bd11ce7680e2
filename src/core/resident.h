#pragma once
// How many threads a multiprocessor holds at once: CUDA C++ Programming Guide, technical specifications per compute capability.
#include <cstdint>
#include <string_view>

#include "core/chip.h"

namespace corundum {

inline uint32_t resident_threads(const Chip& chip) {
  const std::string_view target = chip.target;
  if (target == "sm_75") return 1024;
  for (const char* smaller : {"sm_86", "sm_87", "sm_89", "sm_110", "sm_120", "sm_121"})
    if (target == smaller) return 1536;
  return 2048;
}

} // namespace corundum
