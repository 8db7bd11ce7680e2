#include "jit/build.h"

#include <algorithm>
#include <chrono>
#include <exception>

#include "core/config.h"
#include "core/family.h"
#include "jit/language.h"
#include "jit/pack_file.h"
#include "jit/runtime.h"

namespace corundum {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::string_view recipe_format = "corundum kernel 1"; // counts up when binaries of old libraries must not be used
constexpr auto lock_patience = std::chrono::seconds(30);

uint64_t microseconds_since(Clock::time_point start) {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count());
}

EntryKey entry_key(const Recipe& r, const std::string& identity) {
  const Digest all = digest({r.content.hex(), identity});
  std::string text = "kernel " + r.entry + "\nbackend " + r.backend->name + "\ntarget " + r.chip->target + "\ncompiler " +
                     identity + "\noptions " + r.options + "\ncontent " + r.content.hex() + "\n";
  return {all, r.chip->target, std::move(text)};
}

// The first lines that say "error"; else the first lines.
std::string first_messages(const std::string& log) {
  std::string errors, lines;
  int error_count = 0, line_count = 0;
  for (size_t at = 0; at < log.size() && error_count < 2;) {
    const size_t end = std::min(log.find('\n', at), log.size());
    const std::string line = log.substr(at, end - at);
    if (line.find("error") != std::string::npos && ++error_count) errors += (errors.empty() ? "" : " | ") + line;
    if (!line.empty() && ++line_count <= 2) lines += (lines.empty() ? "" : " | ") + line;
    at = end + 1;
  }
  return errors.empty() ? lines : errors;
}

// The kernel's text and all that the compiler said, for whoever mends it. Empty when it can be written nowhere.
std::string write_report(const Recipe& r, const std::string& log) {
  const std::string report = r.name + "\noptions: " + r.options + "\n\n" + log + "\n----- text -----\n" + r.text;
  const std::string name = r.content.hex() + ".txt";
  if (!disk_cache().refusal()) {
    const std::string directory = disk_cache().directory() + "/failed", path = directory + "/" + name;
    if (make_directory(directory) && write_file(path, {report})) return path;
  }
  const std::string path = temporary_directory() + "/corundum-failed-" + name;
  return write_file(path, {report}) ? path : "";
}

// `what`: "did not compile".
Status report_failure(const Recipe& r, const char* what, const char* reason, const std::string& log) {
  ++runtime_counters().failed;
  const std::string path = write_report(r, log);
  const std::string see = path.empty() ? "" : " (text and messages: " + path + ")";
  const std::string first = first_messages(log);
  log_line(r.name + ": the kernel " + r.content.hex() + " " + what + ": " + reason + (first.empty() ? "" : ": " + first) + see,
           true);
  return Status::refuse("the kernel " + r.name + " " + what + ": " + reason + see);
}

bool from_pack(const Recipe& r, const Accept& accept) {
  Binary binary;
  if (!find_in_packs(r.content, &binary.bytes)) return false;
  if (Status s = accept(binary); !s) {
    log_line("pack: " + r.name + ": " + s.reason());
    return false;
  }
  ++runtime_counters().from_pack;
  return true;
}

bool from_disk(const EntryKey& key, const Accept& accept) {
  Binary binary;
  if (!disk_cache().read(key, &binary)) return false;
  if (Status s = accept(binary); !s) {
    disk_cache().reject(binary.path, s.reason());
    return false;
  }
  ++runtime_counters().from_disk;
  return true;
}

Status from_compiler(const Recipe& r, const EntryKey& key, const Accept& accept, bool* interrupted) {
  Binary binary;
  std::string log;
  const auto start = Clock::now();
  const Status compiled = r.backend->compile({r.chip, r.entry, r.text}, &binary.bytes, &log, interrupted);
  const uint64_t us = microseconds_since(start);
  if (!compiled) return report_failure(r, "did not compile", compiled.reason(), log);
  ++runtime_counters().compiled;
  runtime_counters().compile_us += us;
  log_line("compiled " + r.name + " for " + r.chip->target + " in " + std::to_string(us / 1000) + " ms");
  if (Status s = disk_cache().store(key, binary.bytes, &binary.path); !s) log_line(std::string("cache: not stored: ") + s.reason());
  if (Status s = accept(binary); !s) return report_failure(r, "cannot be used", s.reason(), log);
  return {};
}

} // namespace

Status make_recipe(const Backend& backend, const Chip& chip, const KernelKey& key, Recipe* recipe) {
  const Family* owner = family(key.family);
  if (!owner) return Status::refuse("no operator family has the number " + std::to_string(key.family));
  try {
    KernelSource source = owner->source(key, chip);
    recipe->backend = &backend;
    recipe->chip = &chip;
    recipe->name = owner->describe(key);
    recipe->entry = std::move(source.entry);
    recipe->text = resolve_includes(source.text);
    recipe->options = backend.compiler_options(chip);
  } catch (const std::exception& e) {
    return Status::refuse(std::string(owner->name()) + ": " + e.what());
  }
  recipe->content = digest({recipe_format, backend.name, chip.target, recipe->options, recipe->entry, recipe->text});
  return {};
}

namespace {

// The same, without the clock.
Status build_from(const Recipe& recipe, const BuildOptions& options, const Accept& accept, bool* interrupted, Source* source) {
  *source = Source::pack;
  if (options.packs && from_pack(recipe, accept)) return {};
  *source = Source::disk;
  std::string why;
  const std::string identity = recipe.backend->compiler_identity(*recipe.chip, &why);
  const EntryKey key = entry_key(recipe, identity);
  if (!identity.empty() && from_disk(key, accept)) return {};
  if (!options.jit)
    return Status::refuse("the kernel " + recipe.name +
                          " is neither in a pack nor in the cache, and CORUNDUM_JIT=0 forbids to compile it");
  if (identity.empty()) return Status::refuse("the kernel " + recipe.name + " cannot be compiled: " + why);
  const KeyLock lock = disk_cache().lock(key, lock_patience);
  if (lock.held() && from_disk(key, accept)) return {}; // another process made it meanwhile
  *source = Source::compiler;
  return from_compiler(recipe, key, accept, interrupted);
}

} // namespace

Status build(const Recipe& recipe, const BuildOptions& options, const Accept& accept, bool* interrupted, Made* made) {
  const auto start = Clock::now();
  Made found;
  Status s = build_from(recipe, options, accept, interrupted, &found.source);
  found.us = microseconds_since(start);
  if (s && made != nullptr) *made = found;
  return s;
}

} // namespace corundum
