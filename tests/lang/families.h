#pragma once
// Calls that together touch each kernel text of the tree in each of its forms. Their plans are compiled for chips that are not
// here, so that machine code can be read. A new family adds its rows to families.cpp.
#include <string>
#include <vector>

#include "core/chip.h"
#include "core/launch.h"
#include "core/status.h"

namespace corundum::test {

struct FamilyCase {
  std::string name;
  Status (*plan)(const Chip& chip, LaunchList& list);
  bool wide_loads, wide_stores; // on GPUs some access must have 16 bytes or more
  bool local_memory = false;    // where one of the device's own functions needs it, as tan of f64 for large angles
};
const std::vector<FamilyCase>& family_cases();

} // namespace corundum::test
