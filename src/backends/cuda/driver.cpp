#include "backends/cuda/driver.h"

#include "core/sync.h"
#include "core/vendor_driver.h"

namespace corundum::cuda {
namespace {

struct Opened {
  Driver driver{};
  std::string why; // empty: usable
};

Opened open_driver() {
  Opened o;
  Driver& d = o.driver;
  o.why = open_vendor_library("NVIDIA driver", "libcuda.so.1", "CUDA 12.0",
                              {{"cuInit", &d.init},
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
                               {"cuLaunchKernelEx", &d.launch}});
  if (!o.why.empty()) return o;
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
