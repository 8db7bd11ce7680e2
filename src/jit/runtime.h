#pragma once
// From a list of launches to work on a device. The hot path is find(): tens of nanoseconds, no lock.
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/backend.h"
#include "core/launch.h"
#include "core/status.h"
#include "jit/build.h"

namespace corundum {

// Where the ready functions of one device live. Made once per device, never destroyed.
class Device {
 public:
  Device(const Backend* backend, int index);
  ~Device();
  const Backend& backend() const { return *backend_; }
  int index() const { return index_; }
  const Chip& chip() const { return *chip_; }

  // The loaded function of a key, or nullptr. Lock-free.
  const Function* find(const KernelKey& key) const;
  // Where the code of a ready function came from; nothing for one that is not ready.
  std::optional<Made> made(const KernelKey& key) const;
  // Like find(), building what is missing: memory, pack, disk, compiler. One thread builds, others wait for it. A key that failed
  // is not tried again in this process: the same refusal comes back. (Three times, when the compiler was killed or found no space.)
  Status obtain(const KernelKey& key, const Function** function);

 private:
  const Backend* backend_;
  int index_;
  const Chip* chip_;
  struct Table;
  std::unique_ptr<Table> table_;
};

// The device `index` of a backend; nullptr when there is no such device.
Device* device(const Backend& backend, int index);

// Makes all kernels of the list ready, then launches them in order on `stream`. Refuses before the first launch or not at all
// (a driver error in a launch is a refusal too, whose reason says so). Inside a PlanScope it notes the keys and launches nothing.
Status run(Device& device, const LaunchList& list, void* stream);

// While one is alive on this thread, run() collects keys instead of launching: planning without a device.
class PlanScope {
 public:
  explicit PlanScope(const Chip& chip);
  ~PlanScope();
  PlanScope(const PlanScope&) = delete;
  const Chip& chip() const { return chip_; }
  const std::vector<KernelKey>& keys() const { return keys_; } // each once, in order of first use
  void note(const KernelKey& key);
  // The innermost scope of this thread, or nullptr.
  static PlanScope* current();

 private:
  Chip chip_;
  std::vector<KernelKey> keys_;
  PlanScope* outer_;
};

// Keys that a program used are remembered in the cache directory, so that its next run can have them ready early. `name` tells
// programs apart; without it nothing is remembered.
void set_program(const std::string& name);
// Starts to make ready, on worker threads, what the program used on this kind of device before. Returns at once.
void prefetch(Device& device);
// Waits until the workers have nothing left to do.
void wait_for_prefetch();

// How many times each source served a miss since the process started.
struct RuntimeCounters {
  std::atomic<uint64_t> from_pack{0}, from_disk{0}, compiled{0}, failed{0}, prefetched{0}, cache_faults{0};
  std::atomic<uint64_t> compile_us{0}, load_us{0};
};
RuntimeCounters& runtime_counters();

} // namespace corundum
