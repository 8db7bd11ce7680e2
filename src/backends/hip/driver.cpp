#include "backends/hip/driver.h"

#include <dlfcn.h>

#include "core/sync.h"

namespace corundum::hip {
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
  void* library = dlopen("libamdhip64.so.5", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    o.why = "no HIP runtime (libamdhip64.so.5 was not found)";
    return o;
  }
  Driver& d = o.driver;
  const Symbol symbols[] = {
      {"hipInit", &d.init},
      {"hipGetErrorName", &d.error_name},
      {"hipDriverGetVersion", &d.version},
      {"hipGetDeviceCount", &d.device_count},
      {"hipGetDeviceProperties", &d.device_properties},
      {"hipGetDevice", &d.device_get},
      {"hipSetDevice", &d.device_set},
      {"hipDeviceSynchronize", &d.device_synchronize},
      {"hipThreadExchangeStreamCaptureMode", &d.exchange_capture_mode},
      {"hipModuleLoadData", &d.module_load},
      {"hipModuleGetFunction", &d.module_kernel},
      {"hipFuncGetAttribute", &d.kernel_attribute},
      {"hipModuleLaunchKernel", &d.launch},
  };
  for (const Symbol& s : symbols) {
    void* found = dlsym(library, s.name);
    if (!found) {
      o.why = std::string("the HIP runtime is too old: it has no ") + s.name + " (ROCm 5.0 or later is needed)";
      return o;
    }
    *static_cast<void**>(s.place) = found;
  }
  if (Result error = d.init(0)) o.why = std::string("the HIP runtime does not start: ") + d.error_name(error);
  return o;
}

} // namespace

const Driver* driver(std::string* why) {
  static Once<Opened>& once = *new Once<Opened>;
  const Opened& o = once.get(open_driver);
  if (o.why.empty()) return &o.driver;
  if (why) *why = o.why;
  return nullptr;
}

} // namespace corundum::hip
