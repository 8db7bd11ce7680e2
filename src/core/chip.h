#pragma once
// What planning and compiling must know of a chip. Plans need no device: a record is enough.
#include <cstdint>
#include <string_view>

namespace corundum {

struct Chip {
  char backend[16];         // "cuda", "cpu": the name of the backend table that serves it
  char target[16];          // instruction set, part of every kernel's identity: "sm_90", "avx2", "avx512"
  char name[64];            // product name, for tuning keys only: "NVIDIA H200"
  bool simt;                // lanes, warps and blocks; otherwise a block is a loop
  uint32_t warp_size;       // lanes that run together; 1 when not simt
  uint32_t vector_bytes;    // widest access (simt) or register (simd)
  uint32_t multiprocessors; // simt: streaming multiprocessors; cpu: threads of the pool
  uint32_t max_threads;     // a block
  uint32_t shared_bytes;    // scratch a block may have at most, opt-in included
  uint64_t l2_bytes;        // last cache that the chip shares; cpu: L2 of a core
  uint32_t features;        // ChipFeature: what this very chip has beyond its target; 0 in the records of targets
  uint32_t max_cluster = 1; // blocks that can read each other's shared memory
};

// A plan may ask for instructions of these by name; they are part of the kernel's text then.
enum ChipFeature : uint32_t {
  bf16_pairs = 1, // AVX-512 BF16: dot's Unit::pairs
  bf16_tiles = 2, // AMX, and the system lets this process use it: Unit::amx
};

// The record of a target that needs no device ("sm_90", "avx2", ...); nullptr when unknown.
const Chip* known_chip(std::string_view target);

} // namespace corundum
