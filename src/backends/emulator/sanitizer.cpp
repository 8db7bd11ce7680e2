#include "backends/emulator/sanitizer.h"

#include <dlfcn.h>

namespace corundum::emulator {
namespace {

using Mark = void (*)(const volatile void* p, size_t bytes);
Mark find(const char* name) { return reinterpret_cast<Mark>(dlsym(RTLD_DEFAULT, name)); }

const Mark poison = find("__asan_poison_memory_region"), unpoison = find("__asan_unpoison_memory_region");

} // namespace

bool has_address_sanitizer() { return poison && unpoison; }
void forbid(const void* p, size_t bytes) {
  if (poison) poison(p, bytes);
}
void allow(const void* p, size_t bytes) {
  if (unpoison) unpoison(p, bytes);
}

} // namespace corundum::emulator
