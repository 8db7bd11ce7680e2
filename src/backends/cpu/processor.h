#pragma once
#include "core/chip.h"

namespace corundum::cpu {

// The record of this machine's processor. Its `target` is empty when there is no instruction set that we have a lowering for.
// Config::cpu_target may ask for less than the processor has; more is an error line and ignored.
Chip describe_processor();

} // namespace corundum::cpu
