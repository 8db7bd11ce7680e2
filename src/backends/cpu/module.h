#pragma once
// Shared objects of kernels.
#include <cstdint>
#include <string>
#include <vector>

#include "core/status.h"

namespace corundum::cpu {

// The address of `entry` in a shared object: loaded from `path` when there is one and its directory allows that, else from memory.
// It stays loaded for ever. `*library` is for dlsym().
Status load_entry(const std::vector<uint8_t>& binary, const std::string& path, const std::string& entry, void** address,
                  void** library = nullptr);

} // namespace corundum::cpu
