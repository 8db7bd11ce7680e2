#pragma once
// A debug switch of the checker's: while it is on, all memory that we allocate lies between canaries and is filled with a pattern,
// so that a write beside a result is seen and an element that nobody wrote is never right by chance.
#include <c10/core/Allocator.h>

#include <string>
#include <vector>

#include "torch/devices.h"

namespace corundum::guards {

void switch_to(bool on);

// The allocator of the target's tensors: torch's own, or one around it that puts guards.
c10::Allocator* allocator_of(const Target& target);

// What was written beside blocks allocated since the last call, in words. The device must have finished; forgets those blocks.
std::vector<std::string> damage();

} // namespace corundum::guards
