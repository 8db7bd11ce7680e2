#pragma once
// Included before the copies of sources that tests/torch/faults.py plants faults in; no release has them.
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

namespace corundum {

// Whether the environment names this fault now: asked at each call, so that one process can meet several.
inline bool planted(const char* name) {
  const char* wanted = std::getenv("CORUNDUM_PLANT");
  return wanted != nullptr && std::strcmp(wanted, name) == 0;
}

// A kernel text that takes the place of an embedded one; nullptr: none does. Leaked.
inline const char* planted_text(const std::string& name) {
  const char* folder = std::getenv("CORUNDUM_PLANT_TEXTS");
  std::ifstream file(folder != nullptr ? std::string(folder) + "/" + name : std::string());
  if (!file) return nullptr;
  return (new std::string(std::istreambuf_iterator<char>(file), {}))->c_str();
}

} // namespace corundum
