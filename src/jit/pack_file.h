#pragma once
// The inside of packs, for the build.
#include <cstdint>
#include <vector>

#include "jit/digest.h"

namespace corundum {

// The code of a kernel, from the first open pack that has it undamaged.
bool find_in_packs(const Digest& content, std::vector<uint8_t>* binary);

} // namespace corundum
