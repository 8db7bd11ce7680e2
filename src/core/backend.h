#pragma once
// All that a chip's vendor supplies, beside one lang/target_*.h. A backend names no operator.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/chip.h"
#include "core/launch.h"
#include "core/status.h"

namespace corundum {

// A loaded entry point, as the backend's load() made it; alive until the process ends (captured graphs hold it).
struct Function {
  void* handle = nullptr; // CUkernel, or the entry's address
  uint32_t max_threads = 0;
  uint32_t static_shared_bytes = 0;
  uint32_t shared_limit = 0; // dynamic shared memory that is allowed as of now
};

struct CompileJob {
  const Chip* chip;
  std::string entry;
  std::string text; // complete: every include is resolved
};

struct Backend {
  static constexpr uint32_t current_abi = 1;

  uint32_t abi = current_abi;
  const char* name = nullptr; // "cuda"

  // Devices of this backend here; 0 when the driver or all devices are missing.
  int (*device_count)() = nullptr;
  // The record of one device; `device` is in [0, device_count()).
  const Chip& (*chip)(int device) = nullptr;

  // Compiler. `identity` names compiler and version; empty when there is none, and then `why` says so.
  std::string (*compiler_identity)(const Chip& chip, std::string* why) = nullptr;
  // The options, normalised: part of the kernel's identity. No paths.
  std::string (*compiler_options)(const Chip& chip) = nullptr;
  // Text to binary. On failure `log` is the compiler's output; `*interrupted` is set when the text is not to blame and trying again
  // may help (the compiler was killed, the disk was full). Any thread, several at once.
  Status (*compile)(const CompileJob& job, std::vector<uint8_t>* binary, std::string* log, bool* interrupted) = nullptr;

  // Binary to function, callable on any thread and during stream capture. `path` is a file that holds the binary, or empty.
  Status (*load)(int device, const std::vector<uint8_t>& binary, const std::string& path, const std::string& entry,
                 Function* function) = nullptr;
  // `args` is the kernel's one struct argument. `stream` is the native handle (null: the default stream).
  Status (*launch)(int device, const Function& function, const Launch& launch, const void* args, void* stream) = nullptr;

  // Optional: waits for all work of the device. nullptr means that launch() is synchronous.
  Status (*synchronize)(int device) = nullptr;
  // Optional: says what was found at start-up (driver version, why there is no device).
  std::string (*describe)() = nullptr;
};

// Registers a table that lives for ever. False, with nothing changed, when the abi is not the current one or the name is taken.
bool register_backend(const Backend* backend);
const Backend* backend(std::string_view name);
const std::vector<const Backend*>& backends();

} // namespace corundum
