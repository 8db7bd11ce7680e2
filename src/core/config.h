#pragma once
// Everything that the environment can set. This is the whole list; docs/configuration.md is its table.
#include <string>
#include <vector>

namespace corundum {

struct Config {
  std::string cache_dir;          // CORUNDUM_CACHE_DIR; default $XDG_CACHE_HOME/corundum or ~/.cache/corundum
  bool jit = true;                // CORUNDUM_JIT=0: compile nothing; a miss names the missing kernel and falls back
  std::vector<std::string> packs; // CORUNDUM_PACKS: pack files, separated by ':'
  std::string cxx;                // CORUNDUM_CXX: the host compiler; default: c++, g++, clang++ in this order
  std::string nvrtc;              // CORUNDUM_NVRTC: path of libnvrtc; default: searched
  std::string cpu_target;         // CORUNDUM_CPU_TARGET: avx2 or avx512, at most what the processor has
  bool log = false;               // CORUNDUM_LOG=1: a line on stderr for each compile, refusal and cache fault
};                                // CORUNDUM_ENABLE is read by the Python package alone

// Read once, at the first call.
const Config& config();

// A line on stderr, prefixed "corundum: "; errors always, the rest when Config::log is set.
void log_line(const std::string& text, bool is_error = false);

} // namespace corundum
