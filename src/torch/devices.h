#pragma once
// From torch's devices to Corundum's: which backend serves a tensor, where its memory comes from and on which stream it runs.
#include <ATen/core/Tensor.h>
#include <c10/core/DeviceGuard.h>

#include <optional>
#include <string>
#include <vector>

#include "core/chip.h"
#include "core/launch.h"
#include "core/status.h"
#include "jit/runtime.h"

namespace corundum {

// The dispatch keys that we sit at. Meta is none of them: while a plan is made, meta tensors are sent to the key that is planned
// for.
enum Slot : int { slot_cpu, slot_cuda, slot_private, slot_meta, slot_count };

inline constexpr c10::DispatchKey slot_keys[slot_count] = {c10::DispatchKey::CPU, c10::DispatchKey::CUDA,
                                                           c10::DispatchKey::PrivateUse1, c10::DispatchKey::Meta};

// Everything a call needs to know of the device that its tensors are on.
struct Target {
  c10::Device where{c10::kCPU};
  c10::DispatchKey key = c10::DispatchKey::CPU;
  c10::Allocator* allocator = nullptr;
  const Chip* chip = nullptr;
  Device* device = nullptr; // nullptr: planning, on the meta device

  // ATen's CPU and CUDA kernels differ in a few rules (accumulation types, checks before a kernel starts).
  bool follows_cuda() const { return chip->simt; }
};

// Refuses devices that no backend serves. `where` is a tensor's own device.
Status find_target(c10::Device where, Target* target);

// Makes `target.where` the current device until the end of the scope; free on CPUs.
class DeviceScope {
 public:
  explicit DeviceScope(const Target& target) {
    if (target.where.type() != c10::kCPU && target.where.type() != c10::kMeta) guard_.reset_device(target.where);
  }

 private:
  c10::OptionalDeviceGuard guard_;
};

// Memory of a call's own, from torch's allocator.
at::Tensor allocate(const Target& target, at::IntArrayRef sizes, at::ScalarType dtype,
                    std::optional<at::MemoryFormat> format = std::nullopt);
at::Tensor allocate_strided(const Target& target, at::IntArrayRef sizes, at::IntArrayRef strides, at::ScalarType dtype);

// Runs the list on the current stream of the target's device, its workspace from torch's allocator. Inside a plan: notes the keys.
Status launch(const Target& target, LaunchList& list);

// Backends by slot, for `ops` and for registration. A backend needs no device here: plans are made without one.
bool slot_has_backend(Slot slot);
const char* slot_backend(Slot slot); // nullptr when no backend is bound

// Serves tensors of device type "privateuseone" by the named backend from the next enable() on. Throws std::invalid_argument.
void bind_device(const std::string& device_type, const std::string& backend);

// Hands torch's thread pool to the cpu backend; once, before the first call.
void lend_thread_pool();

// Names the running program. Kernels that it used in earlier processes are made ready in the background: the CPU's from now on,
// another device's from its first call, since no driver is to be woken in a process that may still fork.
void follow_program(const std::string& name);

// Planning: tensors on the meta device stand for the ones of `target`, on this thread.
struct PlanResult {
  Chip chip;
  std::vector<KernelKey> keys;
};
void begin_plan(const std::string& target);
PlanResult end_plan();
bool is_planning(); // this thread

} // namespace corundum
