// Written after the cuda backend and ROCm 5's documentation; its kernels are compiled and read by the tests, and no GPU of AMD's
// has run them yet.
#include <cstring>
#include <string>
#include <vector>

#include "backends/hip/driver.h"
#include "core/sync.h"
#include "core/vendor_driver.h"
#include "jit/hiprtc.h"

namespace corundum::hip {
namespace {

Status failed(const Driver& d, const char* call, Result error) {
  return Status::refuse(std::string("HIP: ") + call + " failed with " + d.error_name(error));
}

Chip read_chip(const DeviceProperties& p) {
  Chip chip{};
  std::strcpy(chip.backend, "hip");
  // Features behind the colon do not change which code runs: without them in the code object it fits either setting.
  std::memcpy(chip.target, p.arch, std::min(strcspn(p.arch, ":"), sizeof chip.target - 1));
  std::memcpy(chip.name, p.name, std::min(strnlen(p.name, sizeof p.name), sizeof chip.name - 1));
  chip.simt = true;
  chip.warp_size = static_cast<uint32_t>(p.warp_size);
  chip.vector_bytes = 16;
  chip.multiprocessors = static_cast<uint32_t>(p.multiprocessors);
  chip.max_threads = static_cast<uint32_t>(p.max_threads);
  chip.shared_bytes = static_cast<uint32_t>(p.shared_bytes);
  chip.l2_bytes = static_cast<uint64_t>(p.l2_bytes);
  return chip;
}

// The devices that kernels can be compiled for: a wavefront of 32 lanes wants a target header of its own.
struct Found {
  std::vector<Chip> chips;
  std::vector<int> ordinals;
};
const Found& devices() {
  static Once<Found>& once = *new Once<Found>;
  return once.get([] {
    Found found;
    int count = 0;
    const Driver* d = driver();
    if (!d || d->device_count(&count) != 0) return found;
    for (int i = 0; i < count; ++i) {
      DeviceProperties p{};
      if (d->device_properties(&p, i) != 0 || p.warp_size != 64) continue;
      found.chips.push_back(read_chip(p));
      found.ordinals.push_back(i);
    }
    return found;
  });
}

int device_count() { return static_cast<int>(devices().chips.size()); }
const Chip& chip(int device) { return devices().chips[static_cast<size_t>(device)]; }

// Makes a device the calling thread's for as long as it lives.
class CurrentDevice {
 public:
  CurrentDevice(const Driver& d, int device) : driver_(d) {
    const int ordinal = devices().ordinals[static_cast<size_t>(device)];
    if (Result error = d.device_get(&before_)) {
      status_ = failed(d, "hipGetDevice", error);
    } else if (before_ != ordinal) {
      if (Result set = d.device_set(ordinal)) status_ = failed(d, "hipSetDevice", set);
      restore_ = true;
    }
  }
  ~CurrentDevice() {
    if (restore_) driver_.device_set(before_);
  }
  CurrentDevice(const CurrentDevice&) = delete;
  Status status() const { return status_; }

 private:
  const Driver& driver_;
  int before_ = 0;
  bool restore_ = false;
  Status status_;
};

Status load(int device, const std::vector<uint8_t>& binary, const std::string&, const std::string& entry, Function* function) {
  std::string why;
  const Driver* d = driver(&why);
  if (!d) return Status::refuse(why);
  if (device >= device_count()) return Status::refuse("HIP: no device that Corundum knows");
  const CurrentDevice current(*d, device);
  if (!current.status()) return current.status();
  const RelaxedCapture<Driver> relaxed(*d);
  Module module;
  Kernel kernel;
  // Never unloaded: captured graphs hold the function.
  if (Result e = d->module_load(&module, binary.data())) return failed(*d, "hipModuleLoadData", e);
  if (Result e = d->module_kernel(&kernel, module, entry.c_str())) return failed(*d, "hipModuleGetFunction", e);
  int threads = 0, fixed = 0;
  if (Result e = d->kernel_attribute(&threads, function_max_threads, kernel)) return failed(*d, "hipFuncGetAttribute", e);
  if (Result e = d->kernel_attribute(&fixed, function_static_shared_bytes, kernel)) return failed(*d, "hipFuncGetAttribute", e);
  return make_function(entry, kernel, threads, fixed, chip(device).shared_bytes, function);
}

Status launch(int device, const Function& function, const Launch& launch, const void* args, void* stream) {
  const Driver& d = *driver(); // a loaded function proves that there is one
  if (Status s = check_limits(function, launch); !s) return s;
  if (launch.cluster > 1) return Status::refuse("a kernel was to run in clusters, which HIP does not have");
  for (const uint32_t blocks : launch.grid)
    if (uint64_t{blocks} * launch.threads > UINT32_MAX) return Status::refuse("a grid of more lanes than HIP counts (2^32)");
  const CurrentDevice current(d, device);
  if (!current.status()) return current.status();
  void* parameters[] = {const_cast<void*>(args)};
  if (Result error = d.launch(function.handle, launch.grid[0], launch.grid[1], launch.grid[2], launch.threads, 1, 1,
                              launch.shared_bytes, stream, parameters, nullptr))
    return failed(d, "hipModuleLaunchKernel", error);
  return {};
}

Status synchronize(int device) {
  std::string why;
  const Driver* d = driver(&why);
  if (!d) return Status::refuse(why);
  if (device >= device_count()) return Status::refuse("HIP: no device that Corundum knows");
  const CurrentDevice current(*d, device);
  if (!current.status()) return current.status();
  if (Result error = d->device_synchronize()) return failed(*d, "hipDeviceSynchronize", error);
  return {};
}

std::string describe() {
  std::string why;
  const Driver* d = driver(&why);
  if (!d) return why;
  int version = 0;
  d->version(&version);
  std::string text = "HIP runtime " + std::to_string(version);
  if (devices().chips.empty()) text += ", no device with wavefronts of 64 lanes";
  for (const Chip& c : devices().chips) text += std::string(", ") + c.name + " (" + c.target + ")";
  return text;
}

constexpr Backend table = {
    .name = "hip",
    .device_count = device_count,
    .chip = chip,
    .compiler_identity = [](const Chip&, std::string* why) { return hiprtc_identity(why); },
    .compiler_options = hiprtc_options,
    .compile = hiprtc_compile,
    .load = load,
    .launch = launch,
    .synchronize = synchronize,
    .describe = describe,
};
[[maybe_unused]] const bool registered = register_backend(&table);

} // namespace
} // namespace corundum::hip
