#pragma once
// Work that the torch room lends to the CPU backend.
#include <cstdint>

namespace corundum::cpu {

// Calls body(context, first, last) on parts of [begin, end), each of at least `grain` where possible, and returns when all are
// done. The same words as at::parallel_for, so that torch's own pool serves our kernels.
using ParallelFor = void (*)(int64_t begin, int64_t end, int64_t grain, void (*body)(void* context, int64_t first, int64_t last),
                             void* context);

// Replaces the pool; nullptr, the default, is the calling thread alone.
void set_parallel_for(ParallelFor parallel_for);
// Threads of that pool, which planning sees as Chip::multiprocessors. May change at any time; 1 at the start.
void set_pool_size(uint32_t threads);

} // namespace corundum::cpu
