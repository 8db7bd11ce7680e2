#pragma once
// What the pointers of lang/target_emulator.h point to.
#include <utility>
#include <vector>

namespace corundum::emulator {

// "corundum_emulator_" + name, function.
const std::vector<std::pair<const char*, void*>>& primitives();

} // namespace corundum::emulator
