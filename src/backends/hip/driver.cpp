#include "backends/hip/driver.h"

#include "core/sync.h"
#include "core/vendor_driver.h"

namespace corundum::hip {
namespace {

struct Opened {
  Driver driver{};
  std::string why; // empty: usable
};

Opened open_driver() {
  Opened o;
  Driver& d = o.driver;
  o.why = open_vendor_library("HIP runtime", "libamdhip64.so.5", "ROCm 5.0",
                              {{"hipInit", &d.init},
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
                               {"hipModuleLaunchKernel", &d.launch}});
  if (!o.why.empty()) return o;
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
