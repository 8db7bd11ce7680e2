#include "backends/cpu/module.h"

#include <dlfcn.h>
#include <sys/mman.h>

#include <atomic>
#include <cerrno>

#include "jit/file.h"

namespace corundum::cpu {
namespace {

// dlopen takes a path that it has seen before for the same library, and descriptors are used again. So each load spells the path
// of its descriptor in its own way: the bits of a counter as "/." and "//", which mean nothing to the kernel.
std::string unique_path(int fd) {
  static std::atomic<uint32_t> counter{0};
  std::string path = "/proc/self/fd";
  for (uint32_t bits = ++counter; bits; bits >>= 1) path += bits & 1 ? "/." : "//";
  return path + "/" + std::to_string(fd);
}

void* open_in_memory(const std::vector<uint8_t>& binary, const std::string& entry, std::string* error) {
  const Fd fd(memfd_create(entry.substr(0, 200).c_str(), MFD_CLOEXEC)); // the name is what profilers show
  if (!fd || !write_all(fd.get(), binary.data(), binary.size())) {
    *error = "no file in memory: " + error_text(errno);
    return nullptr;
  }
  void* library = dlopen(unique_path(fd.get()).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) *error = dlerror();
  return library;
}

} // namespace

Status load_entry(const std::vector<uint8_t>& binary, const std::string& path, const std::string& entry, void** address,
                  void** library_of_entry) {
  // Kernels call a few functions of libm without naming the library, which would cost the linker's time at each compile.
  static void* const maths = dlopen("libm.so.6", RTLD_NOW | RTLD_GLOBAL);
  (void)maths;
  // A path that fails (a disk mounted noexec) is no fault of the code.
  void* library = path.empty() ? nullptr : dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  std::string error;
  if (!library) library = open_in_memory(binary, entry, &error);
  if (!library) return Status::refuse("the kernel " + entry + " cannot be loaded: " + error);
  *address = dlsym(library, entry.c_str());
  if (!*address) return Status::refuse("the kernel " + entry + " is not in its shared object");
  if (library_of_entry) *library_of_entry = library;
  return {};
}

} // namespace corundum::cpu
