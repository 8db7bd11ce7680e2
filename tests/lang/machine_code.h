#pragma once
// Compiled kernels of plans, for tests that read the code.
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/chip.h"
#include "core/launch.h"
#include "lang/families.h"

namespace corundum::test {

struct Compiled {
  std::string entry;
  std::vector<uint8_t> binary;
};

// Every kernel of a plan for `chip`. What does not compile is a failure of the test.
std::vector<Compiled> compile_plan(const Chip& chip, const LaunchList& list);

// What `command` (a disassembler with its options) prints about a binary.
std::string print_code(std::vector<std::string> command, const std::vector<uint8_t>& binary);

// Plans, compiles and hands over each family's cases. A run compiles each case for one of the targets, in turn; with
// CORUNDUM_TEST_FULL=1 (which `make test-full` sets) for all of them.
void for_each_case(const std::vector<std::string>& targets,
                   const std::function<void(const Chip&, const FamilyCase&, const std::vector<Compiled>&)>& check);

} // namespace corundum::test
