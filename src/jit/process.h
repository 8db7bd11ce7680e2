#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace corundum {

struct ProcessResult {
  bool started = false;
  int exit_code = -1; // -1: unknown (somebody else collected the child) or killed
  int signal = 0;     // that killed it
  std::string output; // stdout and stderr together; why it did not start
};

// Runs a program (found by PATH) with `input` as its standard input and waits for it. posix_spawn: no copy of our address space.
ProcessResult run_process(const std::vector<std::string>& command, std::string_view input = {});

} // namespace corundum
