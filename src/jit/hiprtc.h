#pragma once
// AMD's run-time compiler: kernel text to a code object. Needs no GPU and no driver.
#include <cstdint>
#include <string>
#include <vector>

#include "core/backend.h"
#include "core/chip.h"
#include "core/status.h"

namespace corundum {

// "hiprtc 5.2 (20012345 bytes)"; empty when there is none, and then `why` says so. Looked for once, by the loader: a library of
// its own since ROCm 6, part of libamdhip64 before.
std::string hiprtc_identity(std::string* why);
std::string hiprtc_options(const Chip& chip);
Status hiprtc_compile(const CompileJob& job, std::vector<uint8_t>* binary, std::string* log, bool* interrupted);

} // namespace corundum
