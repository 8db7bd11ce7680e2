#include "backends/emulator/sanitizer.h"

#include <dlfcn.h>

namespace corundum::emulator {
namespace {

template <class F>
F* find(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_DEFAULT, name));
}

using Mark = void(const volatile void* p, size_t bytes);
Mark* const poison = find<Mark>("__asan_poison_memory_region");
Mark* const unpoison = find<Mark>("__asan_unpoison_memory_region");
void (*told)() = nullptr;

} // namespace

bool has_address_sanitizer() { return poison && unpoison; }
void on_report(void (*tell)()) {
  using Report = void (*)(const char* text);
  told = tell;
  if (auto* set = find<void(Report)>("__asan_set_error_report_callback")) set([](const char*) { told(); });
}
void forbid(const void* p, size_t bytes) {
  if (poison) poison(p, bytes);
}
void allow(const void* p, size_t bytes) {
  if (unpoison) unpoison(p, bytes);
}

} // namespace corundum::emulator
