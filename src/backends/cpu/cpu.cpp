#include "backends/cpu/cpu.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>

#include "backends/cpu/module.h"
#include "backends/cpu/processor.h"
#include "core/backend.h"
#include "jit/host_compiler.h"

namespace corundum::cpu {
namespace {

// A kernel: a loop over the blocks [first, last). `scratch` is the calling thread's own, Launch::shared_bytes long.
using Entry = void (*)(const void* args, long long first, long long last, void* scratch);

std::atomic<ParallelFor> pool{nullptr};
std::atomic<uint32_t> pool_size{1};

// Only the pool's size ever changes.
Chip& this_chip() {
  static Chip& chip = *new Chip(describe_processor());
  return chip;
}

// The scratch of one thread: as large as the largest request so far.
class Scratch {
 public:
  ~Scratch() { std::free(data_); }
  void* at_least(size_t bytes) {
    if (bytes <= size_) return data_;
    std::free(data_);
    size_ = (bytes + alignment - 1) / alignment * alignment;
    data_ = std::aligned_alloc(alignment, size_);
    if (!data_) size_ = 0;
    return data_;
  }

 private:
  static constexpr size_t alignment = 4096;
  void* data_ = nullptr;
  size_t size_ = 0;
};
thread_local Scratch thread_scratch;

struct Task {
  Entry entry;
  const void* args;
  uint32_t scratch_bytes;
  std::atomic<bool> out_of_memory{false};
};

void run_blocks(void* context, int64_t first, int64_t last) {
  Task& task = *static_cast<Task*>(context);
  void* scratch = nullptr;
  if (task.scratch_bytes && !(scratch = thread_scratch.at_least(task.scratch_bytes))) {
    task.out_of_memory = true;
    return;
  }
  task.entry(task.args, first, last, scratch);
}

int device_count() { return this_chip().target[0] ? 1 : 0; }

const Chip& chip(int) { return this_chip(); }

Status load(int, const std::vector<uint8_t>& binary, const std::string& path, const std::string& entry, Function* function) {
  function->max_threads = 1;
  function->shared_limit = this_chip().shared_bytes;
  return load_entry(binary, path, entry, &function->handle);
}

Status launch(int, const Function& function, const Launch& launch, const void* args, void*) {
  if (launch.shared_bytes > function.shared_limit)
    return Status::refuse("a kernel asks for " + std::to_string(launch.shared_bytes) + " bytes of scratch; this processor gives " +
                          std::to_string(function.shared_limit));
  const int64_t blocks = int64_t{launch.grid[0]} * launch.grid[1] * launch.grid[2];
  const int64_t grain = launch.grain ? launch.grain : 1;
  Task task{reinterpret_cast<Entry>(function.handle), args, launch.shared_bytes};
  const ParallelFor parallel_for = pool.load(std::memory_order_relaxed);
  // Entering a pool costs more than a small call: one task stays on this thread.
  if (blocks <= grain || !parallel_for)
    run_blocks(&task, 0, blocks);
  else
    parallel_for(0, blocks, grain, run_blocks, &task);
  return task.out_of_memory ? Status::refuse("no memory for a kernel's scratch") : Status();
}

std::string describe() {
  const Chip& c = this_chip();
  if (!c.target[0]) return std::string(c.name) + ": no instruction set that Corundum knows (AVX2 at least)";
  return std::string(c.name) + ", " + c.target + ", " + std::to_string(pool_size) + (pool_size == 1 ? " thread" : " threads");
}

constexpr Backend table = {
    .name = "cpu",
    .device_count = device_count,
    .chip = chip,
    .compiler_identity = host_compiler_identity,
    .compiler_options = host_compiler_options,
    .compile = host_compile,
    .load = load,
    .launch = launch,
    .describe = describe,
};
[[maybe_unused]] const bool registered = register_backend(&table);

} // namespace

void set_parallel_for(ParallelFor parallel_for) { pool = parallel_for; }

void set_pool_size(uint32_t threads) {
  pool_size = threads ? threads : 1;
  std::atomic_ref(this_chip().multiprocessors).store(pool_size, std::memory_order_relaxed);
}

} // namespace corundum::cpu
