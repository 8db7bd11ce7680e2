#pragma once
// From a key to compiled code: what to compile, and the places where it may be found.
#include <cstdint>
#include <functional>
#include <string>

#include "core/backend.h"
#include "core/key.h"
#include "core/status.h"
#include "jit/digest.h"
#include "jit/disk_cache.h"

namespace corundum {

// All that decides what a kernel's code is, but the compiler.
struct Recipe {
  const Backend* backend;
  const Chip* chip;
  std::string name; // Family::describe
  std::string entry, text, options;
  Digest content; // of backend, target, options, entry and text: the kernel's name in packs and manifests
};

Status make_recipe(const Backend& backend, const Chip& chip, const KernelKey& key, Recipe* recipe);

// Takes the code or says why it is of no use; then the next source is asked.
using Accept = std::function<Status(const Binary&)>;

// Where a kernel's code came from, and how long finding or compiling it took.
enum class Source : uint8_t { pack, disk, compiler };
struct Made {
  Source source = Source::pack;
  uint64_t us = 0;
};

struct BuildOptions {
  bool packs = true; // look into the open packs
  bool jit = true;   // false: the compiler is not asked
};

// Pack, disk, compiler, in this order. `*interrupted`: trying again may help.
// `made`, when asked for, is written on success.
Status build(const Recipe& recipe, const BuildOptions& options, const Accept& accept, bool* interrupted, Made* made = nullptr);

} // namespace corundum
