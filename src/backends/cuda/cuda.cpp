#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "backends/cuda/driver.h"
#include "core/sync.h"
#include "core/vendor_driver.h"
#include "jit/nvrtc.h"

namespace corundum::cuda {
namespace {

Status failed(const Driver& d, const char* call, Result error) {
  return Status::refuse(std::string("CUDA: ") + call + " failed with " + d.name_of(error));
}

struct DeviceState {
  int handle = 0;
  Chip chip{};
  Once<Context> primary; // retained at the first use: it takes memory on the device
};

Chip read_chip(const Driver& d, int device) {
  const auto attribute = [&](DeviceAttribute a) {
    int value = 0;
    return d.device_attribute(&value, a, device) == 0 && value > 0 ? static_cast<uint32_t>(value) : 0u;
  };
  const uint32_t major = attribute(device_capability_major);
  Chip chip{};
  std::strcpy(chip.backend, "cuda");
  std::snprintf(chip.target, sizeof chip.target, "sm_%u%u", major % 1000, attribute(device_capability_minor) % 1000);
  d.device_name(chip.name, sizeof chip.name, device);
  chip.simt = true;
  chip.warp_size = attribute(device_warp_size);
  chip.vector_bytes = major >= 10 ? 32 : 16;
  chip.multiprocessors = attribute(device_multiprocessors);
  chip.max_threads = attribute(device_max_threads);
  chip.shared_bytes = attribute(device_shared_bytes_optin);
  chip.l2_bytes = attribute(device_l2_bytes);
  chip.max_cluster = major >= 9 ? 8 : 1; // what every such chip has (CUDA C++ Programming Guide, thread block clusters)
  return chip;
}

// All that the driver shows; empty without one.
std::vector<DeviceState*>& devices() {
  static Once<std::vector<DeviceState*>>& once = *new Once<std::vector<DeviceState*>>;
  return once.get([] {
    std::vector<DeviceState*> found;
    int count = 0;
    const Driver* d = driver();
    if (!d || d->device_count(&count) != 0) return found;
    for (int i = 0; i < count; ++i) {
      auto* state = new DeviceState;
      if (d->device_get(&state->handle, i) != 0) break;
      state->chip = read_chip(*d, state->handle);
      found.push_back(state);
    }
    return found;
  });
}

int device_count() { return static_cast<int>(devices().size()); }
const Chip& chip(int device) { return devices()[static_cast<size_t>(device)]->chip; }

// Makes a context of the device current for as long as it lives. A fresh thread has none, and then a launch fails although torch's
// allocator still serves from its cache.
class CurrentDevice {
 public:
  CurrentDevice(const Driver& d, int device) : driver_(d) {
    DeviceState& state = *devices()[static_cast<size_t>(device)];
    if (Result error = d.context_get(&before_)) {
      status_ = failed(d, "cuCtxGetCurrent", error);
      return;
    }
    Result error = 0;
    const Context primary = retain(state, &error);
    if (error) {
      status_ = failed(d, "cuDevicePrimaryCtxRetain", error);
      return;
    }
    if (before_ == primary) return;
    int current = -1; // a context that the program made itself serves as well, if it is this device's
    if (before_ && d.context_device(&current) == 0 && current == state.handle) return;
    if (Result set = d.context_set(primary)) status_ = failed(d, "cuCtxSetCurrent", set);
    restore_ = before_ != nullptr;
  }
  ~CurrentDevice() {
    if (restore_) driver_.context_set(before_);
  }
  CurrentDevice(const CurrentDevice&) = delete;
  Status status() const { return status_; }

 private:
  Context retain(DeviceState& state, Result* error) const {
    struct Failed {
      Result error;
    };
    try {
      return state.primary.get([&] {
        Context context = nullptr;
        if (Result e = driver_.primary_retain(&context, state.handle)) throw Failed{e};
        return context;
      });
    } catch (const Failed& f) { // tried again at the next call
      *error = f.error;
      return nullptr;
    }
  }

  const Driver& driver_;
  Context before_ = nullptr;
  bool restore_ = false;
  Status status_;
};

Status load(int device, const std::vector<uint8_t>& binary, const std::string&, const std::string& entry, Function* function) {
  std::string why;
  const Driver* d = driver(&why);
  if (!d) return Status::refuse(why);
  const CurrentDevice current(*d, device);
  if (!current.status()) return current.status();
  const RelaxedCapture<Driver> relaxed(*d);
  const int handle = devices()[static_cast<size_t>(device)]->handle;
  Library library;
  Kernel kernel;
  // Never unloaded: captured graphs hold the function.
  if (Result e = d->library_load(&library, binary.data(), nullptr, nullptr, 0, nullptr, nullptr, 0))
    return failed(*d, "cuLibraryLoadData", e);
  if (Result e = d->library_kernel(&kernel, library, entry.c_str())) return failed(*d, "cuLibraryGetKernel", e);
  int threads = 0, fixed = 0;
  if (Result e = d->kernel_attribute(&threads, function_max_threads, kernel, handle)) return failed(*d, "cuKernelGetAttribute", e);
  if (Result e = d->kernel_attribute(&fixed, function_static_shared_bytes, kernel, handle))
    return failed(*d, "cuKernelGetAttribute", e);
  if (Status made = make_function(entry, kernel, threads, fixed, chip(device).shared_bytes, function); !made) return made;
  // Once and for all: above 48 KB a kernel must ask. The split with L1 follows each launch's own need.
  if (Result e =
          d->kernel_set_attribute(function_max_dynamic_shared_bytes, static_cast<int>(function->shared_limit), kernel, handle))
    return failed(*d, "cuKernelSetAttribute", e);
  // Clusters of 16 where the chip has them; elsewhere the driver refuses the attribute, and nobody asks for such a launch.
  d->kernel_set_attribute(function_large_clusters, 1, kernel, handle);
  return {};
}

Status launch(int device, const Function& function, const Launch& launch, const void* args, void* stream) {
  const Driver& d = *driver(); // a loaded function proves that there is one
  if (launch.threads > function.max_threads || launch.shared_bytes > function.shared_limit) return check_limits(function, launch);
  const CurrentDevice current(d, device);
  if (!current.status()) return current.status();
  LaunchConfig config{
      {launch.grid[0], launch.grid[1], launch.grid[2]}, {launch.threads, 1, 1}, launch.shared_bytes, stream, nullptr, 0};
  LaunchAttribute attributes[2];
  config.attributes = attributes;
  if (launch.cluster > 1) attributes[config.attribute_count++] = {launch_attribute_cluster, 0, {launch.cluster, 1, 1}, {}};
  if (launch.early) attributes[config.attribute_count++] = {launch_attribute_early, 0, {1, 0, 0}, {}};
  void* parameters[] = {const_cast<void*>(args)};
  if (Result error = d.launch(&config, function.handle, parameters, nullptr)) return failed(d, "cuLaunchKernelEx", error);
  return {};
}

Status synchronize(int device) {
  std::string why;
  const Driver* d = driver(&why);
  if (!d) return Status::refuse(why);
  const CurrentDevice current(*d, device);
  if (!current.status()) return current.status();
  if (Result error = d->context_synchronize()) return failed(*d, "cuCtxSynchronize", error);
  return {};
}

std::string describe() {
  std::string why;
  const Driver* d = driver(&why);
  if (!d) return why;
  int version = 0;
  d->version(&version);
  std::string text = "driver for CUDA " + std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
  if (devices().empty()) text += ", no device";
  for (const DeviceState* s : devices()) text += std::string(", ") + s->chip.name + " (" + s->chip.target + ")";
  return text;
}

constexpr Backend table = {
    .name = "cuda",
    .device_count = device_count,
    .chip = chip,
    .compiler_identity = [](const Chip&, std::string* why) { return nvrtc_identity(why); },
    .compiler_options = nvrtc_options,
    .compile = nvrtc_compile,
    .load = load,
    .launch = launch,
    .synchronize = synchronize,
    .describe = describe,
};
[[maybe_unused]] const bool registered = register_backend(&table);

} // namespace
} // namespace corundum::cuda
