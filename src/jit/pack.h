#pragma once
// A pack is one read-only file of compiled kernels for one target. It is found by kernel text and target alone, so that it also
// serves machines that have another compiler, or none.
#include <functional>
#include <string>
#include <vector>

#include "core/chip.h"
#include "core/key.h"
#include "core/status.h"

namespace corundum {

struct PackResult {
  uint64_t kernels = 0, bytes = 0, failed = 0;
  std::vector<std::string> errors; // one line a kernel that did not compile
};

// Compiles the keys for `chip` on `threads` threads and writes the pack (temporary name, then rename).
// `progress(done, total)` is called from any of the threads, one at a time.
Status write_pack(const std::string& path, const Chip& chip, const std::vector<KernelKey>& keys, int threads,
                  const std::function<void(size_t, size_t)>& progress, PackResult* result);

// Adds a pack to the ones that are looked into. Config::packs are there from the start.
Status open_pack(const std::string& path);

struct PackInfo {
  std::string path, target;
  uint64_t kernels;
};
std::vector<PackInfo> open_packs();

} // namespace corundum
