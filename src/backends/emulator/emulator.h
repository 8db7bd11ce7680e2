#pragma once
// The emulator: runs kernels of the lowering to lanes on the host, and reports what a GPU would only sometimes show. Three devices,
// of warps of 32, 64 and 128 lanes. Only tests link it.
#include <cstdint>

namespace corundum::emulator {

// Lanes, blocks and asynchronous copies take their turns in an order that follows from this number alone. 1 at the start.
void set_seed(uint64_t seed);

} // namespace corundum::emulator
