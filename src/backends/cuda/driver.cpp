#include "backends/cuda/driver.h"

#include <dlfcn.h>

#include "core/sync.h"

namespace corundum::cuda {
namespace {

struct Opened {
  Driver driver{};
  std::string why; // empty: usable
};

struct Symbol {
  const char* name;
  void* place;
};

Opened open_driver() {
  Opened o;
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    o.why = "no NVIDIA driver (libcuda.so.1 was not found)";
    return o;
  }
  Driver& d = o.driver;
  const Symbol symbols[] = {
      {"cuInit", &d.init},
      {"cuGetErrorName", &d.error_name},
      {"cuDriverGetVersion", &d.version},
      {"cuDeviceGetCount", &d.device_count},
      {"cuDeviceGet", &d.device_get},
      {"cuDeviceGetName", &d.device_name},
      {"cuDeviceGetAttribute", &d.device_attribute},
      {"cuDevicePrimaryCtxRetain", &d.primary_retain},
      {"cuCtxGetCurrent", &d.context_get},
      {"cuCtxSetCurrent", &d.context_set},
      {"cuCtxGetDevice", &d.context_device},
      {"cuCtxSynchronize", &d.context_synchronize},
      {"cuThreadExchangeStreamCaptureMode", &d.exchange_capture_mode},
      {"cuLibraryLoadData", &d.library_load},
      {"cuLibraryGetKernel", &d.library_kernel},
      {"cuKernelGetAttribute", &d.kernel_attribute},
      {"cuKernelSetAttribute", &d.kernel_set_attribute},
      {"cuLaunchKernelEx", &d.launch},
  };
  for (const Symbol& s : symbols) {
    void* found = dlsym(library, s.name);
    if (!found) {
      o.why = std::string("the NVIDIA driver is too old: it has no ") + s.name + " (CUDA 12.0 or later is needed)";
      return o;
    }
    *static_cast<void**>(s.place) = found;
  }
  if (Result error = d.init(0)) o.why = "the NVIDIA driver does not start: " + d.name_of(error);
  return o;
}

} // namespace

std::string Driver::name_of(Result error) const {
  const char* name = nullptr;
  return error_name(error, &name) == 0 && name ? name : "error " + std::to_string(error);
}

const Driver* driver(std::string* why) {
  static Once<Opened>& once = *new Once<Opened>;
  const Opened& o = once.get(open_driver);
  if (o.why.empty()) return &o.driver;
  if (why) *why = o.why;
  return nullptr;
}

} // namespace corundum::cuda
