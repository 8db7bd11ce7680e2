#include "backends/emulator/emulator.h"

#include <atomic>
#include <string>

#include "backends/emulator/machine.h"
#include "backends/emulator/sanitizer.h"
#include "core/backend.h"
#include "jit/host_compiler.h"

namespace corundum::emulator {
namespace {

std::atomic<uint64_t> seed{1};

constexpr const char* targets[] = {"emulator32", "emulator64", "emulator128"};

const Chip& chip(int device) { return *known_chip(targets[device]); }

// -Og: the kernels are compiled once and run for milliseconds. -g1: reports name functions and lines. Hidden symbols: kernels
// have templates in common, whose variables the loader would unite.
std::string options(const Chip& chip) {
  std::string text =
      "-std=c++17 -Og -g1 -shared -fPIC -fno-exceptions -fno-rtti -fno-math-errno -ffp-contract=fast -nostdlib "
      "-fvisibility=hidden -DCOR_EMULATED_WARP=" +
      std::to_string(chip.warp_size);
#if defined(__x86_64__)
  text += " -march=haswell";
#endif
  return text + (has_address_sanitizer() ? " -fsanitize=address" : " -fsanitize=thread");
}

Status compile(const CompileJob& job, std::vector<uint8_t>* binary, std::string* log, bool* interrupted) {
  Status s = host_compile_with(options(*job.chip), job.text, binary, log, interrupted);
  if (s) append_text(job.text, binary);
  return s;
}

Status load(int device, const std::vector<uint8_t>& binary, const std::string&, const std::string& entry, Function* function) {
  const Program* program = nullptr;
  if (Status s = load_program(binary, entry, chip(device).warp_size, &program); !s) return s;
  uint32_t fixed = 0;
  for (const auto& [offset, bytes] : program->variables) fixed += bytes;
  const uint32_t limit = chip(device).shared_bytes;
  if (fixed > limit)
    return Status::refuse("the kernel " + entry + " needs " + std::to_string(fixed) + " bytes of shared memory; the device has " +
                          std::to_string(limit));
  *function = {const_cast<Program*>(program), program->threads, fixed, limit - fixed};
  return {};
}

Status launch(int, const Function& function, const Launch& launch, const void* args, void*) {
  const auto number = [](uint32_t n) { return std::to_string(n); };
  if (launch.threads == 0 || launch.threads > function.max_threads)
    return Status::refuse("a kernel was to run with " + number(launch.threads) + " threads a block; it was compiled for " +
                          number(function.max_threads));
  if (launch.shared_bytes > function.shared_limit)
    return Status::refuse("a kernel was to run with " + number(launch.shared_bytes) +
                          " bytes of shared memory a block; the device allows " + number(function.shared_limit));
  if (launch.grid[1] != 1 || launch.grid[2] != 1) return Status::refuse("a grid has one dimension: no primitive tells the others");
  if (launch.cluster == 0 || launch.cluster > 16 || launch.grid[0] == 0 || launch.grid[0] % launch.cluster != 0)
    return Status::refuse(number(launch.grid[0]) + " blocks cannot be launched in clusters of " + number(launch.cluster));
  return Machine(*static_cast<const Program*>(function.handle), launch, args, seed).run();
}

constexpr Backend table = {
    .name = "emulator",
    .device_count = [] { return 3; },
    .chip = chip,
    .compiler_identity = [](const Chip&, std::string* why) { return host_compiler_identity(why); },
    .compiler_options = options,
    .compile = compile,
    .load = load,
    .launch = launch,
    .describe = [] { return std::string("warps of 32, 64 and 128 lanes on the host"); },
};
[[maybe_unused]] const bool registered = register_backend(&table);

} // namespace

void set_seed(uint64_t number) { seed = number; }

} // namespace corundum::emulator
