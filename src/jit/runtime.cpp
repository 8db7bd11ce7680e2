#include "jit/runtime.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <mutex>

#include "core/config.h"
#include "core/sync.h"
#include "jit/build.h"
#include "jit/manifest.h"

namespace corundum {
namespace {

constexpr int most_attempts = 3; // after which an interrupted build counts as failed

// One key of one device. Made once, never moved, never destroyed.
struct Slot {
  explicit Slot(const KernelKey& k) : key(k) {}
  const KernelKey key;
  std::atomic<const Function*> function{nullptr};
  Made made; // written before `function`
  std::atomic<const char*> failure{nullptr};
  Flight flight;
  int attempts = 0; // by whoever holds the flight
};

} // namespace

namespace {
LeafMutex& new_keys = *new LeafMutex; // see LeafMutex: made when the library loads
}

// Open addressing. Readers take no lock: a slot is published by one store, and an array that was outgrown stays.
struct Device::Table {
  struct Array {
    explicit Array(size_t size) : mask(size - 1), slots(new std::atomic<Slot*>[size]) {
      for (size_t i = 0; i < size; ++i) slots[i].store(nullptr, std::memory_order_relaxed);
    }
    const size_t mask;
    const std::unique_ptr<std::atomic<Slot*>[]> slots;

    Slot* find(const KernelKey& key) const {
      for (size_t i = hash(key);; ++i) {
        Slot* slot = slots[i & mask].load(std::memory_order_acquire);
        if (!slot || slot->key == key) return slot;
      }
    }
    void insert(Slot* slot) {
      size_t i = hash(slot->key);
      while (slots[i & mask].load(std::memory_order_relaxed)) ++i;
      slots[i & mask].store(slot, std::memory_order_release);
    }
  };

  Table() { arrays.push_back(std::make_unique<Array>(256)), current = arrays.back().get(); }

  Slot* find_or_add(const KernelKey& key) {
    if (Slot* slot = current.load(std::memory_order_acquire)->find(key)) return slot;
    std::lock_guard lock(mutex());
    Array* array = current.load(std::memory_order_relaxed);
    if (Slot* slot = array->find(key)) return slot;
    if (2 * slots.size() > array->mask) array = grow(*array);
    slots.push_back(std::make_unique<Slot>(key));
    array->insert(slots.back().get());
    return slots.back().get();
  }

  Array* grow(const Array& old) {
    arrays.push_back(std::make_unique<Array>(2 * (old.mask + 1)));
    Array* array = arrays.back().get();
    for (const auto& slot : slots) array->insert(slot.get());
    current.store(array, std::memory_order_release);
    return array;
  }

  // One for all devices: a new key is rare.
  static LeafMutex& mutex() { return new_keys; }

  std::atomic<Array*> current;
  std::vector<std::unique_ptr<Array>> arrays;
  std::vector<std::unique_ptr<Slot>> slots;
};

namespace {

// Code to function, on this device.
Status load_on(const Device& device, const Recipe& recipe, const Binary& binary, Function* function) {
  const auto start = std::chrono::steady_clock::now();
  Status s = device.backend().load(device.index(), binary.bytes, binary.path, recipe.entry, function);
  const auto taken = std::chrono::steady_clock::now() - start;
  runtime_counters().load_us += static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(taken).count());
  return s;
}

Status build_slot(const Device& device, Slot& slot, bool* interrupted) {
  Recipe recipe;
  if (Status s = make_recipe(device.backend(), device.chip(), slot.key, &recipe); !s) return s;
  Function function;
  const Accept load = [&](const Binary& binary) { return load_on(device, recipe, binary, &function); };
  if (Status s = build(recipe, {.packs = true, .jit = config().jit}, load, interrupted, &slot.made); !s) {
    log_line(s.reason());
    return s;
  }
  slot.function.store(new Function(function), std::memory_order_release);
  remember(device.backend(), device.chip(), slot.key, recipe.content);
  return {};
}

} // namespace

Device::Device(const Backend* backend, int index)
    : backend_(backend), index_(index), chip_(&backend->chip(index)), table_(std::make_unique<Table>()) {}

Device::~Device() = default;

const Function* Device::find(const KernelKey& key) const {
  const Slot* slot = table_->current.load(std::memory_order_acquire)->find(key);
  return slot ? slot->function.load(std::memory_order_acquire) : nullptr;
}

std::optional<Made> Device::made(const KernelKey& key) const {
  const Slot* slot = table_->current.load(std::memory_order_acquire)->find(key);
  if (slot == nullptr || slot->function.load(std::memory_order_acquire) == nullptr) return std::nullopt;
  return slot->made;
}

Status Device::obtain(const KernelKey& key, const Function** function) {
  Slot& slot = *table_->find_or_add(key);
  if (slot.flight.claim()) {
    bool interrupted = false;
    Status s;
    try {
      s = build_slot(*this, slot, &interrupted);
    } catch (const std::exception& e) { // out of memory
      s = Status::refuse(std::string("making a kernel failed: ") + e.what());
    }
    if (!s && interrupted && ++slot.attempts < most_attempts) {
      slot.flight.land(false);
      return s;
    }
    if (!s) slot.failure.store(s.reason(), std::memory_order_release);
    slot.flight.land(true);
  }
  *function = slot.function.load(std::memory_order_acquire);
  return *function ? Status() : Status::refuse(slot.failure.load(std::memory_order_acquire));
}

Device* device(const Backend& table, int index) {
  constexpr int most_devices = 64, most_backends = 16;
  static std::array<std::atomic<Device*>, most_devices> known[most_backends];
  const auto& all = backends();
  const size_t which = static_cast<size_t>(std::find(all.begin(), all.end(), &table) - all.begin());
  if (which >= all.size() || which >= most_backends || index < 0 || index >= most_devices) return nullptr;
  std::atomic<Device*>& place = known[which][static_cast<size_t>(index)];
  if (Device* d = place.load(std::memory_order_acquire)) return d;
  if (index >= table.device_count()) return nullptr;
  auto made = std::make_unique<Device>(&table, index);
  Device* expected = nullptr;
  if (place.compare_exchange_strong(expected, made.get(), std::memory_order_acq_rel)) return made.release();
  return expected;
}

Status run(Device& device, const LaunchList& list, void* stream) {
  if (PlanScope* scope = PlanScope::current()) {
    for (uint32_t i = 0; i < list.size(); ++i) scope->note(list[i].key);
    return {};
  }
  const Function* functions[LaunchList::max_launches];
  for (uint32_t i = 0; i < list.size(); ++i) {
    functions[i] = device.find(list[i].key);
    if (functions[i]) [[likely]]
      continue;
    if (Status s = device.obtain(list[i].key, &functions[i]); !s) return s;
  }
  const Backend& backend = device.backend();
  for (uint32_t i = 0; i < list.size(); ++i)
    if (Status s = backend.launch(device.index(), *functions[i], list[i], list.args(list[i]), stream); !s) return s;
  return {};
}

namespace {
thread_local PlanScope* innermost = nullptr;
}

PlanScope::PlanScope(const Chip& chip) : chip_(chip), outer_(innermost) { innermost = this; }
PlanScope::~PlanScope() { innermost = outer_; }
PlanScope* PlanScope::current() { return innermost; }

void PlanScope::note(const KernelKey& key) {
  if (std::find(keys_.begin(), keys_.end(), key) == keys_.end()) keys_.push_back(key);
}

RuntimeCounters& runtime_counters() {
  static RuntimeCounters& counters = *new RuntimeCounters;
  return counters;
}

} // namespace corundum
