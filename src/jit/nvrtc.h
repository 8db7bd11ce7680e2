#pragma once
// NVIDIA's run-time compiler: kernel text to a cubin. Needs no GPU and no driver.
#include <cstdint>
#include <string>
#include <vector>

#include "core/backend.h"
#include "core/chip.h"
#include "core/status.h"

namespace corundum {

// "nvrtc 13.0 (108302648 bytes)"; empty when there is none, and then `why` says so. Looked for once: what CORUNDUM_NVRTC names, a
// library that the process has already, the loader's places, pip's packages beside torch, /usr/local/cuda*.
std::string nvrtc_identity(std::string* why);
std::string nvrtc_options(const Chip& chip);
Status nvrtc_compile(const CompileJob& job, std::vector<uint8_t>* binary, std::string* log, bool* interrupted);

} // namespace corundum
