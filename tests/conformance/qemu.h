#pragma once
// A backend for tests: AArch64 processors by qemu's user-mode emulation, "neon", and "sve128" and "sve512", whose vectors have that
// many bits. All that kernels touch lies in an arena that the emulated process sees at the same address.
#include <memory_resource>
#include <string>

#include "core/chip.h"

namespace corundum::test {

// The record; nullptr for another target.
const Chip* qemu_chip(const std::string& target);
// Memory for kernels of the chip: the arena, or the heap where the chip is no emulated one.
std::pmr::memory_resource* memory_of(const Chip& chip);

} // namespace corundum::test
