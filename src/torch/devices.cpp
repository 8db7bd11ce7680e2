#include "torch/devices.h"

#include <ATen/EmptyTensor.h>
#include <ATen/Parallel.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <stdexcept>

#include "backends/cpu/cpu.h"
#include "torch/guards.h"
#include "torch/prefetch.h"
#include "torch/trace.h"

namespace corundum {

namespace {

constexpr int max_index = 64;

// What serves one device; made at its first call, never changed, never destroyed.
struct Served {
  c10::Allocator* allocator;
  Device* device;
};

std::atomic<const Served*> served_devices[slot_count][max_index];
std::atomic<const char*> backend_names[slot_count] = {"cpu", "cuda", nullptr, nullptr};

thread_local std::unique_ptr<PlanScope> plan;
std::atomic<int> plans{0}; // on all threads

Slot slot_of(c10::DeviceType type) {
  switch (type) {
    case c10::kCPU:
      return slot_cpu;
    case c10::kCUDA:
      return slot_cuda;
    case c10::kPrivateUse1:
      return slot_private;
    case c10::kMeta:
      return slot_meta;
    default:
      return slot_count;
  }
}

const Served* make_served(Slot slot, c10::DeviceType type, int index) {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  auto& place = served_devices[slot][index];
  if (const Served* made = place.load(std::memory_order_acquire)) return made;
  const char* name = backend_names[slot].load();
  const Backend* table = name != nullptr ? backend(name) : nullptr;
  const int count = table != nullptr ? table->device_count() : 0;
  // A bound device type may have more devices than its backend: host memory is the cpu's, whatever number it goes by.
  Device* found = count > 0 ? device(*table, slot == slot_private ? index % count : index) : nullptr;
  if (found == nullptr) return nullptr;
  auto* made = new Served{c10::GetAllocator(type), found};
  place.store(made, std::memory_order_release);
  prefetch(*found);
  return made;
}

void follow_thread_count() {
  static std::atomic<int> last{0};
  const int threads = at::get_num_threads();
  if (last.load(std::memory_order_relaxed) == threads) [[likely]]
    return;
  last.store(threads, std::memory_order_relaxed);
  cpu::set_pool_size(static_cast<uint32_t>(threads));
}

Status plan_target(Target* target) {
  PlanScope* scope = PlanScope::current();
  if (scope == nullptr) return Status::refuse("meta tensors are served only while a plan is made");
  target->allocator = c10::GetAllocator(c10::kMeta);
  target->chip = &scope->chip();
  return {};
}

at::Tensor workspace(const Target& target, const LaunchList& list) {
  return allocate(target, {static_cast<int64_t>(list.workspace_bytes)}, at::kByte);
}

void parallel_for(int64_t begin, int64_t end, int64_t grain, void (*body)(void*, int64_t, int64_t), void* context) {
  at::parallel_for(begin, end, grain, [&](int64_t first, int64_t last) { body(context, first, last); });
}

} // namespace

Status find_target(c10::Device where, Target* target) {
  const Slot slot = slot_of(where.type());
  if (slot == slot_count) return Status::refuse("no backend serves this device type");
  target->where = where;
  target->key = slot_keys[slot];
  if (slot == slot_meta) return plan_target(target);
  // run() launches nothing while this thread plans: a tensor with memory would come back unwritten.
  if (plans.load(std::memory_order_relaxed) != 0 && plan != nullptr) [[unlikely]]
    return Status::refuse("a plan is being made: only meta tensors are planned");
  const int index = where.index() < 0 ? 0 : where.index();
  if (index >= max_index) return Status::refuse("device index above 63");
  if (slot == slot_cpu) follow_thread_count();
  const Served* served = served_devices[slot][index].load(std::memory_order_acquire);
  if (served == nullptr) [[unlikely]] {
    served = make_served(slot, where.type(), index);
    if (served == nullptr) return Status::refuse("no backend serves this device");
  }
  target->allocator = served->allocator;
  target->device = served->device;
  target->chip = &served->device->chip();
  return {};
}

void follow_program(const std::string& name) {
  set_program(name);
  if (const Served* cpu = served_devices[slot_cpu][0].load(std::memory_order_acquire))
    prefetch(*cpu->device);
  else
    make_served(slot_cpu, c10::kCPU, 0); // prefetches; a processor that no backend serves has nothing to make ready
}

void prefetch_again() {
  for (const auto& slot : served_devices)
    for (const auto& entry : slot)
      if (const Served* served = entry.load(std::memory_order_acquire)) prefetch(*served->device);
}

at::Tensor allocate(const Target& target, at::IntArrayRef sizes, at::ScalarType dtype, std::optional<at::MemoryFormat> format) {
  return at::Tensor(at::detail::empty_generic(sizes, guards::allocator_of(target), c10::DispatchKeySet(target.key), dtype, format));
}

at::Tensor allocate_strided(const Target& target, at::IntArrayRef sizes, at::IntArrayRef strides, at::ScalarType dtype) {
  return at::Tensor(
      at::detail::empty_strided_generic(sizes, strides, guards::allocator_of(target), c10::DispatchKeySet(target.key), dtype));
}

Status launch(const Target& target, LaunchList& list) {
  if (list.size() == 0) return {};
  if (target.device == nullptr) {
    for (uint32_t i = 0; i < list.size(); ++i) PlanScope::current()->note(list[i].key);
    return {};
  }
  at::Tensor scratch;
  if (list.workspace_bytes != 0) {
    scratch = workspace(target, list);
    list.bind_workspace(scratch.mutable_data_ptr());
  }
  void* stream = nullptr;
  if (target.where.type() != c10::kCPU)
    stream = c10::impl::VirtualGuardImpl(target.where.type()).getStream(target.where).native_handle();
  return trace::wanted() ? trace::run_traced(*target.device, list, stream) : run(*target.device, list, stream);
}

bool slot_has_backend(Slot slot) {
  const char* name = slot_backend(slot);
  return name != nullptr && backend(name) != nullptr;
}

bool is_planning() { return plan != nullptr; }

const char* slot_backend(Slot slot) { return backend_names[slot].load(); }

void bind_device(const std::string& device_type, const std::string& name) {
  if (device_type != "privateuseone")
    throw std::invalid_argument("bind_device: only \"privateuseone\" can be bound, got \"" + device_type + "\"");
  if (backend(name) == nullptr) throw std::invalid_argument("bind_device: there is no backend called \"" + name + "\"");
  const char* bound = backend_names[slot_private].load();
  if (bound != nullptr && name != bound)
    throw std::invalid_argument("bind_device: privateuseone is already served by \"" + std::string(bound) + "\"");
  backend_names[slot_private].store(intern(name));
}

void lend_thread_pool() {
  static const bool lent = [] {
    cpu::set_parallel_for(&parallel_for);
    follow_thread_count();
    return true;
  }();
  (void)lent;
}

void begin_plan(const std::string& target) {
  if (plan != nullptr) throw std::runtime_error("plan_begin: this thread is already making a plan");
  const Chip* chip = known_chip(target);
  if (chip == nullptr) throw std::invalid_argument("plan_begin: unknown target \"" + target + "\"");
  plan = std::make_unique<PlanScope>(*chip);
  plans.fetch_add(1);
}

PlanResult end_plan() {
  if (plan == nullptr) throw std::runtime_error("plan_end: this thread is making no plan");
  PlanResult result{plan->chip(), plan->keys()};
  plan.reset();
  plans.fetch_sub(1);
  return result;
}

} // namespace corundum
