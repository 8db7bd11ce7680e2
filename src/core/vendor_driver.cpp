#include "core/vendor_driver.h"

#include <dlfcn.h>

namespace corundum {

std::string open_vendor_library(const char* what, const char* file, const char* needed, std::initializer_list<Symbol> symbols) {
  void* library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!library) return std::string("no ") + what + " (" + file + " was not found)";
  for (const Symbol& s : symbols) {
    void* found = dlsym(library, s.name);
    if (!found) return std::string("the ") + what + " is too old: it has no " + s.name + " (" + needed + " or later is needed)";
    *static_cast<void**>(s.place) = found;
  }
  return {};
}

Status make_function(const std::string& entry, void* kernel, int threads, int fixed_bytes, uint32_t device_bytes,
                     Function* function) {
  const int most = static_cast<int>(device_bytes) - fixed_bytes;
  if (most < 0)
    return Status::refuse("the kernel " + entry + " needs " + std::to_string(fixed_bytes) +
                          " bytes of shared memory; the device has " + std::to_string(device_bytes));
  *function = {kernel, static_cast<uint32_t>(threads), static_cast<uint32_t>(fixed_bytes), static_cast<uint32_t>(most)};
  return {};
}

Status check_limits(const Function& f, const Launch& launch) {
  if (launch.threads > f.max_threads)
    return Status::refuse("a kernel was to run with " + std::to_string(launch.threads) + " threads a block; its registers allow " +
                          std::to_string(f.max_threads));
  if (launch.shared_bytes > f.shared_limit)
    return Status::refuse("a kernel was to run with " + std::to_string(launch.shared_bytes) +
                          " bytes of shared memory a block; the device allows " + std::to_string(f.shared_limit));
  return {};
}

} // namespace corundum
