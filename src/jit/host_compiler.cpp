#include "jit/host_compiler.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "core/config.h"
#include "core/sync.h"
#include "jit/file.h"
#include "jit/process.h"

namespace corundum {
namespace {

struct HostCompiler {
  std::string command;  // empty: none
  std::string identity; // vendor and version, or why there is none
};

// The first line of `--version`. GCC starts it with the name it was called by, which says nothing.
std::string identity_of(const std::string& command) {
  const ProcessResult r = run_process({command, "--version"});
  if (!r.started || r.exit_code > 0 || r.signal) return "";
  std::string line = r.output.substr(0, r.output.find('\n'));
  const std::string called = command.substr(command.find_last_of('/') + 1);
  if (line.rfind(called + " (", 0) == 0) line = "g++" + line.substr(called.size());
  return line;
}

HostCompiler find_host_compiler() {
  const std::string& wanted = config().cxx;
  if (!wanted.empty()) {
    std::string identity = identity_of(wanted);
    if (!identity.empty()) return {wanted, identity};
    return {"", "CORUNDUM_CXX names " + wanted + ", which does not run"};
  }
  for (const char* command : {"c++", "g++", "clang++"}) {
    std::string identity = identity_of(command);
    if (!identity.empty()) return {command, identity};
  }
  return {"", "no C++ compiler was found (looked for c++, g++ and clang++; CORUNDUM_CXX may name one)"};
}

#if defined(__aarch64__)
constexpr bool on_arm = true;
#else
constexpr bool on_arm = false;
#endif
bool is_arm(const Chip& chip) { return chip.target == std::string_view("neon") || chip.target == std::string_view("sve"); }

HostCompiler find_cross_compiler() {
  const char* command = on_arm ? "x86_64-linux-gnu-g++" : "aarch64-linux-gnu-g++";
  std::string identity = identity_of(command);
  if (!identity.empty()) return {command, identity};
  return {"", std::string("kernels for another processor need ") + command + ", which was not found"};
}

const HostCompiler& host_compiler() {
  static Once<HostCompiler>& once = *new Once<HostCompiler>;
  return once.get(find_host_compiler);
}
// The machine's own, or the one that Debian has for the other architecture.
const HostCompiler& compiler_for(const Chip& chip) {
  static Once<HostCompiler>& cross = *new Once<HostCompiler>;
  if (chip.backend != std::string_view("cpu") || is_arm(chip) == on_arm) return host_compiler();
  return cross.get(find_cross_compiler);
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) words.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// A directory of our own, gone with all that is in it.
struct ScratchDirectory {
  std::string path = temporary_directory() + "/corundum-XXXXXX";
  bool made = mkdtemp(path.data()) != nullptr;
  std::string object() const { return path + "/kernel.so"; }
  ~ScratchDirectory() {
    if (!made) return;
    unlink(object().c_str());
    rmdir(path.c_str());
  }
};

bool disk_is_full(const std::string& log) { return log.find("No space left on device") != std::string::npos; }

Status compile_by(const HostCompiler& compiler, const std::string& options, const std::string& text, std::vector<uint8_t>* binary,
                  std::string* log, bool* interrupted) {
  if (compiler.command.empty()) return Status::refuse(compiler.identity);
  ScratchDirectory scratch;
  if (!scratch.made) {
    *interrupted = true;
    return Status::refuse("no temporary file can be made in " + temporary_directory() + ": " + error_text(errno));
  }
  std::vector<std::string> command = split(options);
  command.insert(command.begin(), compiler.command);
  command.insert(command.end(), {"-pipe", "-w", "-x", "c++", "-", "-o", scratch.object()});
  const ProcessResult r = run_process(command, text);
  *log = r.output;
  if (!r.started) {
    *interrupted = true; // out of memory or of processes
    return Status::refuse(r.output);
  }
  // The driver reports a killed cc1plus as an internal error; either way the text is not to blame.
  if (r.signal || r.output.find("Killed") != std::string::npos || disk_is_full(r.output)) {
    *interrupted = true;
    return Status::refuse(disk_is_full(r.output) ? "the compiler found no space left on the disk" : "the compiler was killed");
  }
  if (r.exit_code > 0) return Status::refuse("the compiler reported errors");
  Fd object(open(scratch.object().c_str(), O_RDONLY | O_CLOEXEC));
  if (!object || !read_all(object.get(), binary) || binary->empty()) {
    *interrupted = true;
    return Status::refuse("the compiler left no result");
  }
  return {};
}

} // namespace

std::string host_compiler_identity(const Chip& chip, std::string* why) {
  const HostCompiler& compiler = compiler_for(chip);
  if (!compiler.command.empty()) return compiler.identity;
  if (why) *why = compiler.identity;
  return "";
}

std::string host_compiler_options(const Chip& chip) {
  // -nostdlib: kernels stand alone, and the linker has no library to open. Loops over tiles vectorise only when the compiler need
  // not keep errno and floating point exceptions.
  static constexpr std::string_view common =
      "-std=c++17 -O3 -shared -fPIC -fno-exceptions -fno-rtti -fno-trapping-math -fno-math-errno "
      "-ffp-contract=fast -fno-semantic-interposition -nostdlib";
  const std::string_view target = chip.target;
  std::string options(common);
  if (target == "avx2") options += " -march=haswell";
  if (target == "avx512") options += " -march=skylake-avx512 -mprefer-vector-width=512";
  if (target == "neon") options += " -march=armv8-a -mno-outline-atomics"; // which are calls into a library
  if (target == "sve") options += " -march=armv8.2-a+sve";
  return options;
}

Status host_compile(const CompileJob& job, std::vector<uint8_t>* binary, std::string* log, bool* interrupted) {
  return compile_by(compiler_for(*job.chip), host_compiler_options(*job.chip), job.text, binary, log, interrupted);
}

Status host_compile_with(const std::string& options, const std::string& text, std::vector<uint8_t>* binary, std::string* log,
                         bool* interrupted) {
  return compile_by(host_compiler(), options, text, binary, log, interrupted);
}

} // namespace corundum
