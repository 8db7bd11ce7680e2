#pragma once
// A loaded kernel of the emulator, and how its code addresses are told to people.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/status.h"

namespace corundum::emulator {

// A binary is the shared object with the kernel's text behind it, so that reports can cite lines.
void append_text(const std::string& text, std::vector<uint8_t>* binary);

// Made by load, alive for ever.
struct Program {
  std::string entry_name;
  void (*entry)(const void* args) = nullptr; // one lane
  uint32_t threads = 0;                      // a block, as COR_KERNEL says
  uint32_t warp_size = 0;
  std::vector<std::pair<uint32_t, uint32_t>> variables; // shared: offset and size
  std::vector<uint8_t> object;
  std::vector<std::string> lines; // of the text
  uint64_t base = 0;              // where the object was loaded

  uint32_t place_of(const void* address) const { return static_cast<uint32_t>(reinterpret_cast<uint64_t>(address) - base); }
  // "in across (line 310: `barrier();`), from fold, from softmax". The innermost function first.
  std::string describe(uint32_t place) const;
  // Whether two addresses are one place in the text: compilers copy code.
  bool same_place(uint32_t a, uint32_t b) const;
};

Status load_program(const std::vector<uint8_t>& binary, const std::string& entry, uint32_t warp_size, const Program** program);

} // namespace corundum::emulator
