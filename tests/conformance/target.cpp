#include "conformance/target.h"

#include <cstdlib>
#include <map>
#include <memory>
#include <stdexcept>

#include "backends/cuda/driver.h"
#include "backends/cuda_memory.h"
#include "backends/emulator/sanitizer.h"
#include "jit/language.h"

namespace corundum::test {
namespace {

// Everything is compiled anew: what a target does shall not depend on what a cache holds. Before Config is read.
const int settings = setenv("CORUNDUM_CACHE_DIR", "/dev/null/no", 1) + (*PIP_NVRTC ? setenv("CORUNDUM_NVRTC", PIP_NVRTC, 0) : 0);

constexpr size_t guard = 1024; // bytes before and after a buffer
constexpr unsigned char canary = 0x5a;

int device_of(const Chip& chip) {
  const Backend& table = *backend(chip.backend);
  for (int i = 0; i < table.device_count(); ++i)
    if (std::string_view(table.chip(i).target) == chip.target) return i;
  return 0; // an instruction set below the processor's best
}

Function function_of(const Chip& chip, const std::string& text) {
  static auto& known = *new std::map<std::string, Function>;
  const std::string complete = resolve_includes(text), name = chip.target + complete;
  if (const auto found = known.find(name); found != known.end()) return found->second;
  const Backend& table = *backend(chip.backend);
  std::vector<uint8_t> binary;
  std::string log;
  bool interrupted = false;
  if (Status s = table.compile({&chip, "entry", complete}, &binary, &log, &interrupted); !s)
    throw std::runtime_error(std::string(s.reason()) + "\n" + log);
  Function f;
  if (Status s = table.load(device_of(chip), binary, "", "entry", &f); !s) throw std::runtime_error(s.reason());
  return known[name] = f;
}

// Memory that kernels reach: the host's own, or the device's. `at` is where the buffer starts in it.
struct Place {
  std::vector<unsigned char> host;
  std::unique_ptr<CudaMemory> device;
  size_t start = 0, bytes = 0;

  Place(const Chip& chip, const Buffer& buffer) : host(buffer.bytes.size() + 2 * guard + 512, canary), bytes(buffer.bytes.size()) {
    const bool is_cuda = chip.backend == std::string_view("cuda");
    if (is_cuda) device = std::make_unique<CudaMemory>(host.size());
    const uint64_t base = is_cuda ? device->address : reinterpret_cast<uint64_t>(host.data());
    start = (base + guard + 255) / 256 * 256 - base + buffer.misaligned_bytes;
    if (bytes) std::memcpy(host.data() + start, buffer.bytes.data(), bytes);
    if (is_cuda) {
      device->upload(host.data(), host.size());
      return;
    }
    emulator::forbid(host.data(), start);
    emulator::forbid(host.data() + start + bytes, host.size() - start - bytes);
  }
  uint64_t address() const { return (device ? device->address : reinterpret_cast<uint64_t>(host.data())) + start; }
  void fetch(Buffer* buffer) {
    if (device)
      device->download(host.data(), host.size());
    else
      emulator::allow(host.data(), host.size());
    if (bytes) std::memcpy(buffer->bytes.data(), host.data() + start, bytes);
    for (size_t i = 0; i < host.size(); ++i)
      if ((i < start || i >= start + bytes) && host[i] != canary) {
        ADD_FAILURE() << "byte " << static_cast<int64_t>(i - start) << " of a buffer of " << bytes << " bytes was written";
        return;
      }
  }
};

// Whoever allocates on a GPU has a context current.
void enter_device() {
  const cuda::Driver& driver = *cuda::driver();
  cuda::Context context = nullptr;
  int handle = 0;
  if (driver.device_get(&handle, 0) || driver.primary_retain(&context, handle) || driver.context_set(context))
    throw std::runtime_error("CUDA: no context");
}

} // namespace

const Chip* runnable_chip(const std::string& target, std::string* why) {
  const Backend& table = *backend(target == "cuda" ? "cuda" : known_chip(target)->backend);
  if (table.device_count() == 0) {
    *why = table.describe();
    return nullptr;
  }
  if (target == "cuda") {
    enter_device();
    return &table.chip(0);
  }
  if (target == "avx512" && table.chip(0).target != target) {
    *why = "this processor has no AVX-512";
    return nullptr;
  }
  return known_chip(target);
}

Status run_kernel(const Chip& chip, const Kernel& kernel, const std::vector<Buffer*>& buffers,
                  const std::vector<int64_t>& numbers) {
  const Function function = function_of(chip, kernel.text);
  std::vector<Place> places;
  std::vector<uint64_t> args;
  for (const Buffer* b : buffers) {
    places.emplace_back(chip, *b);
    args.push_back(places.back().address());
  }
  for (const int64_t n : numbers) args.push_back(static_cast<uint64_t>(n));
  Launch launch{};
  launch.grid[0] = kernel.blocks;
  launch.grid[1] = launch.grid[2] = 1;
  launch.threads = chip.simt ? kernel.threads : 1;
  launch.shared_bytes = kernel.shared_bytes;
  launch.cluster = kernel.cluster;
  launch.grain = 1;
  const Backend& table = *backend(chip.backend);
  Status s = table.launch(device_of(chip), function, launch, args.data(), nullptr);
  if (s && table.synchronize) s = table.synchronize(device_of(chip));
  for (size_t i = 0; i < buffers.size(); ++i) places[i].fetch(buffers[i]);
  return s;
}

} // namespace corundum::test
