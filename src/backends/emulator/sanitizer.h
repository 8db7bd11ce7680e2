#pragma once
// AddressSanitizer, if this process runs under it (LD_PRELOAD=libasan.so): kernels are then compiled for it, and the zones round
// shared memory are made known to it. It takes the place of the emulator's own look at each access.
#include <cstddef>

namespace corundum::emulator {

bool has_address_sanitizer();
inline bool sees_accesses() { return !has_address_sanitizer(); }
// Stacks of instrumented code are larger.
inline size_t stack_bytes() { return has_address_sanitizer() ? 256 * 1024 : 64 * 1024; }
// Called when the sanitizer has written its report, before it ends the process.
void on_report(void (*tell)());
// Whether kernels may touch this memory. Nothing happens without the sanitizer.
void forbid(const void* p, size_t bytes);
void allow(const void* p, size_t bytes);

} // namespace corundum::emulator
