#include "torch/guards.h"

#include <ATen/EmptyTensor.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/fill.h>
#include <ATen/record_function.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <set>

namespace corundum::guards {

namespace {

constexpr size_t guard_bytes = 512; // a multiple of every alignment
constexpr uint8_t canary = 0x5A;

struct Block {
  at::Tensor bytes; // guard, memory, guard
  size_t size;
};

// Leaked: tensors may outlive everything.
struct Blocks {
  std::mutex mutex;
  std::set<Block*> alive;
  std::vector<std::unique_ptr<Block>> gone; // kept until looked at: a kernel may still write
};
Blocks& blocks() {
  static auto* all = new Blocks;
  return *all;
}

std::atomic<bool> active{false};

void let_go(void* context) {
  auto* block = static_cast<Block*>(context);
  std::lock_guard lock(blocks().mutex);
  blocks().alive.erase(block);
  blocks().gone.emplace_back(block);
}

// Of the checker's own: below autograd, and nobody's record.
struct Unseen {
  at::AutoDispatchBelowADInplaceOrView below;
  at::RecordFunctionGuard unrecorded{false};
};

class GuardingAllocator final : public c10::Allocator {
 public:
  GuardingAllocator(c10::Allocator* inner, c10::DispatchKey key) : inner_(inner), key_(key) {}

  c10::DataPtr allocate(size_t size) override {
    if (size == 0) return inner_->allocate(0);
    const Unseen unseen;
    const auto room = static_cast<int64_t>(size + 2 * guard_bytes);
    auto block = std::make_unique<Block>();
    block->size = size;
    block->bytes = at::Tensor(at::detail::empty_generic({room}, inner_, c10::DispatchKeySet(key_), at::kByte, std::nullopt));
    block->bytes.fill_(canary);
    auto* memory = static_cast<uint8_t*>(block->bytes.mutable_data_ptr()) + guard_bytes;
    const c10::Device device = block->bytes.device();
    std::lock_guard lock(blocks().mutex);
    blocks().alive.insert(block.get());
    return {memory, block.release(), &let_go, device};
  }
  void copy_data(void* to, const void* from, size_t count) const override { inner_->copy_data(to, from, count); }

  c10::Allocator* const inner_;

 private:
  const c10::DispatchKey key_;
};

// How many bytes of one guard, from byte `begin` of the block, are not as they were made; says so and mends them.
void look_at(const Block& block, int64_t begin, const char* where, std::vector<std::string>* found) {
  at::Tensor guard = block.bytes.narrow(0, begin, guard_bytes);
  const at::Tensor seen = guard.is_cpu() ? guard : guard.cpu();
  const auto* bytes = static_cast<const uint8_t*>(seen.const_data_ptr());
  const auto stray = std::count_if(bytes, bytes + guard_bytes, [](uint8_t byte) { return byte != canary; });
  if (stray == 0) return;
  found->push_back(std::to_string(stray) + " bytes were written " + where + " memory of " + std::to_string(block.size) + " bytes");
  guard.fill_(canary);
}

} // namespace

void switch_to(bool on) { active.store(on); }

c10::Allocator* allocator_of(const Target& target) {
  if (!active.load(std::memory_order_relaxed) || target.device == nullptr) [[likely]]
    return target.allocator;
  static auto* made = new std::vector<std::unique_ptr<GuardingAllocator>>; // one for each of torch's, never destroyed
  std::lock_guard lock(blocks().mutex);
  for (const auto& one : *made)
    if (one->inner_ == target.allocator) return one.get();
  return made->emplace_back(std::make_unique<GuardingAllocator>(target.allocator, target.key)).get();
}

std::vector<std::string> damage() {
  std::vector<std::unique_ptr<Block>> gone;
  std::vector<Block*> all;
  {
    std::lock_guard lock(blocks().mutex);
    gone.swap(blocks().gone);
    all.assign(blocks().alive.begin(), blocks().alive.end());
  }
  for (const auto& block : gone) all.push_back(block.get());
  const Unseen unseen;
  std::vector<std::string> found;
  for (const Block* block : all) {
    look_at(*block, 0, "before", &found);
    look_at(*block, static_cast<int64_t>(guard_bytes + block->size), "behind", &found);
  }
  return found;
}

} // namespace corundum::guards
