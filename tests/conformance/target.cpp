#include "conformance/target.h"

#include <cstdlib>
#include <map>
#include <stdexcept>

#include "backends/cuda/driver.h"
#include "backends/cuda_memory.h"
#include "backends/emulator/emulator.h"
#include "backends/emulator/sanitizer.h"
#include "conformance/qemu.h"
#include "core/family.h"
#include "jit/language.h"

namespace corundum::test {
namespace {

// Everything is compiled anew: what a target does shall not depend on what a cache holds. Before Config is read.
[[maybe_unused]] const int settings =
    setenv("CORUNDUM_CACHE_DIR", "/dev/null/no", 1) + (*PIP_NVRTC ? setenv("CORUNDUM_NVRTC", PIP_NVRTC, 0) : 0);

constexpr size_t guard = 1024; // bytes before and after a buffer
constexpr unsigned char canary = 0x5a;

int device_of(const Chip& chip) {
  const Backend& table = *backend(chip.backend);
  for (int i = 0; i < table.device_count(); ++i)
    if (std::string_view(table.chip(i).target) == chip.target) return i;
  return 0; // an instruction set below the processor's best
}

std::vector<uint8_t> binary_of(const Chip& chip, const std::string& entry, const std::string& complete_text) {
  std::vector<uint8_t> binary;
  std::string log;
  bool interrupted = false;
  if (Status s = backend(chip.backend)->compile({&chip, entry, complete_text}, &binary, &log, &interrupted); !s)
    throw std::runtime_error(std::string(s.reason()) + "\n" + log);
  return binary;
}

Status launch_and_wait(const Chip& chip, const Function& function, const Launch& launch, const void* args) {
  const Backend& table = *backend(chip.backend);
  const Status s = table.launch(device_of(chip), function, launch, args, nullptr);
  return s && table.synchronize ? table.synchronize(device_of(chip)) : s;
}

// Whoever allocates on a GPU has a context current.
void enter_device() {
  const cuda::Driver& driver = *cuda::driver();
  cuda::Context context = nullptr;
  int handle = 0;
  if (driver.device_get(&handle, 0) || driver.primary_retain(&context, handle) || driver.context_set(context))
    throw std::runtime_error("CUDA: no context");
}

} // namespace

struct Memory::Device : CudaMemory {
  using CudaMemory::CudaMemory;
};

Memory::Memory(const Chip& chip, const Buffer& buffer)
    : host_(buffer.bytes.size() + 2 * guard + 512, canary, memory_of(chip)), bytes_(buffer.bytes.size()) {
  if (chip.backend == std::string_view("cuda")) device_ = std::make_unique<Device>(host_.size());
  const uint64_t base = device_ ? device_->address : reinterpret_cast<uint64_t>(host_.data());
  start_ = (base + guard + 255) / 256 * 256 - base + buffer.misaligned_bytes;
  if (bytes_) std::memcpy(host_.data() + start_, buffer.bytes.data(), bytes_);
  if (device_) {
    device_->upload(host_.data(), host_.size());
  } else {
    emulator::forbid(host_.data(), start_);
    emulator::forbid(host_.data() + start_ + bytes_, host_.size() - start_ - bytes_);
  }
}

Memory::~Memory() { emulator::allow(host_.data(), host_.size()); }

void* Memory::data() const {
  return reinterpret_cast<void*>((device_ ? device_->address : reinterpret_cast<uint64_t>(host_.data())) + start_);
}

void Memory::fetch(Buffer* buffer) {
  if (device_) device_->download(host_.data(), host_.size());
  emulator::allow(host_.data(), host_.size());
  if (bytes_) std::memcpy(buffer->bytes.data(), host_.data() + start_, bytes_);
  for (size_t i = 0; i < host_.size(); ++i)
    if ((i < start_ || i >= start_ + bytes_) && host_[i] != canary) {
      ADD_FAILURE() << "byte " << static_cast<int64_t>(i - start_) << " of a buffer of " << bytes_ << " bytes was written";
      return;
    }
}

const Chip& find_chip(const std::string& target, std::string* why) {
  const Chip* chip = qemu_chip(target);
  if (!chip) chip = known_chip(target == "cuda" ? "sm_90" : target);
  if (!chip) throw std::runtime_error("no chip record is called " + target);
  const Backend& table = *backend(chip->backend);
  if (table.device_count() == 0) {
    *why = table.describe();
  } else if (target == "cuda") {
    enter_device();
    return table.chip(0);
  } else if (target == "avx512" && table.chip(0).target != target) {
    *why = "this processor has no AVX-512";
  }
  return *chip;
}

Function load_kernel(const Chip& chip, const std::string& entry, const std::string& text) {
  static auto& known = *new std::map<std::string, Function>;
  const std::string complete = resolve_includes(text), name = chip.target + entry + complete;
  if (const auto found = known.find(name); found != known.end()) return found->second;
  Function f;
  const std::vector<uint8_t> binary = binary_of(chip, entry, complete);
  if (Status s = backend(chip.backend)->load(device_of(chip), binary, "", entry, &f); !s) throw std::runtime_error(s.reason());
  if (chip.backend == std::string_view("cpu")) f.shared_limit = chip.shared_bytes; // of the record, not of this processor
  return known[name] = f;
}

void compile_kernel(const Chip& chip, const Kernel& kernel) { binary_of(chip, "entry", resolve_includes(kernel.text)); }

Status run_kernel(const Chip& chip, const Kernel& kernel, const std::vector<Argument>& arguments) {
  const Function function = load_kernel(chip, "entry", kernel.text);
  std::vector<std::pair<Buffer*, std::unique_ptr<Memory>>> memory;
  std::vector<uint64_t> args;
  for (const Argument& a : arguments) {
    if (const auto* number = std::get_if<int64_t>(&a)) {
      args.push_back(static_cast<uint64_t>(*number));
      continue;
    }
    memory.emplace_back(std::get<Buffer*>(a), std::make_unique<Memory>(chip, *std::get<Buffer*>(a)));
    args.push_back(reinterpret_cast<uint64_t>(memory.back().second->data()));
  }
  Launch launch{};
  launch.grid[0] = kernel.blocks;
  launch.grid[1] = launch.grid[2] = 1;
  launch.threads = chip.simt ? kernel.threads : 1;
  launch.shared_bytes = kernel.shared_bytes;
  launch.cluster = kernel.cluster;
  launch.grain = 1;
  launch.args_size = static_cast<uint32_t>(args.size() * sizeof args[0]);
  const Status s = launch_and_wait(chip, function, launch, args.data());
  for (auto& [buffer, place] : memory) place->fetch(buffer);
  return s;
}

Status run_list(const Chip& chip, LaunchList& list, const std::function<void(std::string*)>& edit) {
  const Memory workspace(chip, Buffer::filled<unsigned char>(list.workspace_bytes, 0xa5));
  list.bind_workspace(workspace.data());
  for (uint32_t i = 0; i < list.size(); ++i) {
    KernelSource source = family(list[i].key.family)->source(list[i].key, chip);
    edit(&source.text);
    if (Status s = launch_and_wait(chip, load_kernel(chip, source.entry, source.text), list[i], list.args(list[i])); !s) return s;
  }
  return {};
}

uint64_t OnTarget::orders() const { return chip().backend == std::string_view("emulator") ? 3 : 1; }
void OnTarget::set_order(uint64_t order) { emulator::set_seed(order); }

} // namespace corundum::test
