#pragma once
// The machine's own C++ compiler: kernel text to a shared object.
#include <cstdint>
#include <string>
#include <vector>

#include "core/backend.h"
#include "core/chip.h"
#include "core/status.h"

namespace corundum {

// "g++ (Debian 12.2.0-14+deb12u1) 12.2.0"; empty when there is none, and then `why` says so. Looked for once.
std::string host_compiler_identity(std::string* why);
// Options for the instruction set of a chip record with backend "cpu".
std::string host_compiler_options(const Chip& chip);
// Text to a shared object, with those options.
Status host_compile_with(const std::string& options, const std::string& text, std::vector<uint8_t>* binary, std::string* log,
                         bool* interrupted);
Status host_compile(const CompileJob& job, std::vector<uint8_t>* binary, std::string* log, bool* interrupted);

} // namespace corundum
