#include "conformance/qemu.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "conformance/qemu_protocol.h"
#include "core/backend.h"
#include "jit/file.h"
#include "jit/host_compiler.h"
#include "jit/process.h"

namespace corundum::test {
namespace {

struct Processor {
  Chip chip;
  const char* qemu; // the option that makes it
  const char* compiled_as;
};
Processor processor(const char* name, const char* qemu, const char* compiled_as) {
  Processor p{*known_chip(compiled_as), qemu, compiled_as};
  std::strcpy(p.chip.backend, "qemu");
  std::strcpy(p.chip.target, name);
  return p;
}
const std::vector<Processor>& processors() {
  static const auto& all = *new std::vector<Processor>{processor("neon", "cortex-a72", "neon"),
                                                       processor("sve128", "max,sve-default-vector-length=16", "sve"),
                                                       processor("sve512", "max,sve-default-vector-length=64", "sve")};
  return all;
}

// A folder with the shared memory, the runner's executable and the kernels; gone at exit.
struct Workplace {
  std::string path = temporary_directory() + "/corundum-qemu-XXXXXX", why;
  Workplace() {
    if (!mkdtemp(path.data())) throw std::runtime_error("no temporary folder");
    const Fd file(open(arena().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file || ftruncate(file.get(), arena_bytes) ||
        mmap(arena_address, arena_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, file.get(), 0) != arena_address)
      throw std::runtime_error("no shared memory of " + std::to_string(arena_bytes) + " bytes in " + path);
    const ProcessResult built =
        run_process({"aarch64-linux-gnu-g++", "-std=c++17", "-O1", QEMU_RUNNER_SOURCE, "-o", runner(), "-ldl"});
    if (!built.started || built.exit_code) why = "no runner for AArch64 (Debian: g++-aarch64-linux-gnu): " + built.output;
    if (!run_process({"qemu-aarch64", "--version"}).started) why = "qemu-aarch64 was not found (Debian: qemu-user)";
  }
  ~Workplace() { run_process({"rm", "-rf", path}); }
  std::string arena() const { return path + "/arena"; }
  std::string runner() const { return path + "/runner"; }
};
const Workplace& workplace() {
  static const Workplace place;
  return place;
}

// The emulated process of a processor, alive as long as its input is.
class Emulated {
 public:
  explicit Emulated(const Processor& p) {
    int down[2], up[2];
    if (pipe2(down, O_CLOEXEC) || pipe2(up, O_CLOEXEC)) throw std::runtime_error("no pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, down[0], 0);
    posix_spawn_file_actions_adddup2(&actions, up[1], 1);
    const std::string runner = workplace().runner(), arena = workplace().arena();
    const char* command[] = {"qemu-aarch64", "-L",   "/usr/aarch64-linux-gnu", "-cpu", p.qemu, runner.c_str(),
                             arena.c_str(),  nullptr};
    pid_t child;
    if (posix_spawnp(&child, command[0], &actions, nullptr, const_cast<char**>(command), environ))
      throw std::runtime_error("qemu-aarch64 does not start");
    posix_spawn_file_actions_destroy(&actions);
    close(down[0]);
    close(up[1]);
    to_ = down[1];
    from_ = up[0];
  }
  bool run(const Order& order) {
    char answer;
    return write(to_, &order, sizeof order) == sizeof order && read(from_, &answer, 1) == 1;
  }

 private:
  int to_, from_;
};

int device_count() { return workplace().why.empty() ? static_cast<int>(processors().size()) : 0; }
const Chip& chip(int device) { return processors()[static_cast<size_t>(device)].chip; }

Chip as_compiled(const Chip& chip) {
  for (const Processor& p : processors())
    if (std::string_view(p.chip.target) == chip.target) return *known_chip(p.compiled_as);
  return chip;
}
std::string identity(const Chip& chip, std::string* why) { return host_compiler_identity(as_compiled(chip), why); }
std::string options(const Chip& chip) { return host_compiler_options(as_compiled(chip)); }
Status compile(const CompileJob& job, std::vector<uint8_t>* binary, std::string* log, bool* interrupted) {
  const Chip chip = as_compiled(*job.chip);
  return host_compile({&chip, job.entry, job.text}, binary, log, interrupted);
}

struct Loaded {
  std::string path, entry;
};
Status load(int device, const std::vector<uint8_t>& binary, const std::string&, const std::string& entry, Function* function) {
  static int number = 0;
  auto* loaded = new Loaded{workplace().path + "/" + std::to_string(++number) + ".so", entry};
  const Fd file(open(loaded->path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!file || !write_all(file.get(), binary.data(), binary.size())) return Status::refuse("no file for the kernel");
  *function = {loaded, 1, 0, chip(device).shared_bytes};
  return {};
}

Status launch(int device, const Function& function, const Launch& launch, const void* args, void*) {
  static auto& running = *new std::vector<Emulated*>(processors().size());
  Emulated*& emulated = running[static_cast<size_t>(device)];
  if (!emulated) emulated = new Emulated(processors()[static_cast<size_t>(device)]);
  void* shared = memory_of(chip(device))->allocate(launch.args_size, 64);
  std::memcpy(shared, args, launch.args_size);
  const auto& loaded = *static_cast<const Loaded*>(function.handle);
  Order order{};
  std::strncpy(order.path, loaded.path.c_str(), sizeof order.path - 1);
  std::strncpy(order.entry, loaded.entry.c_str(), sizeof order.entry - 1);
  order.args = reinterpret_cast<uint64_t>(shared);
  order.scratch_bytes = launch.shared_bytes;
  order.last = int64_t{launch.grid[0]} * launch.grid[1] * launch.grid[2];
  const bool ran = emulated->run(order);
  memory_of(chip(device))->deallocate(shared, launch.args_size, 64);
  return ran ? Status() : Status::refuse("the process under qemu has died");
}

std::string describe() { return workplace().why.empty() ? "qemu-aarch64" : workplace().why; }

constexpr Backend table = {
    .name = "qemu",
    .device_count = device_count,
    .chip = chip,
    .compiler_identity = identity,
    .compiler_options = options,
    .compile = compile,
    .load = load,
    .launch = launch,
    .describe = describe,
};
[[maybe_unused]] const bool registered = register_backend(&table);

} // namespace

const Chip* qemu_chip(const std::string& target) {
  for (const Processor& p : processors())
    if (target == p.chip.target) return &p.chip;
  return nullptr;
}

std::pmr::memory_resource* memory_of(const Chip& chip) {
  if (chip.backend != std::string_view("qemu")) return std::pmr::new_delete_resource();
  (void)workplace();
  static auto& arena = *new std::pmr::monotonic_buffer_resource(arena_address, arena_bytes, std::pmr::null_memory_resource());
  static auto& pool = *new std::pmr::unsynchronized_pool_resource({0, size_t{1} << 24}, &arena);
  return &pool;
}

} // namespace corundum::test
