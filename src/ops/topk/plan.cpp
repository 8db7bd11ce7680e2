#include <algorithm>

#include "core/args.h"
#include "core/family.h"
#include "ops/topk/topk.h"

namespace corundum::topk {
namespace {

struct KeyBytes {
  uint8_t dtype, threads_log2; // of a block; on CPUs 0
};

KeyBytes unpack(const KernelKey& key) {
  KeyBytes k;
  std::memcpy(&k, key.bytes, sizeof k);
  return k;
}

class TopkFamily : public Family {
 public:
  TopkFamily() : Family("topk") {}

  KernelSource source(const KernelKey& key, const Chip&) const override {
    const KeyBytes k = unpack(key);
    const std::string entry = "corundum_" + name_of(k), type = info(static_cast<Dtype>(k.dtype)).kernel_type;
    return {entry, "#include \"ops/topk/topk.kernel.h\"\nusing namespace cor;\nusing Program = Block<" +
                       std::to_string(1 << k.threads_log2) + ", 1>;\nCOR_BLOCKS(" + entry + ", Program, TopkArgs, topk<" + type +
                       ">)\n"};
  }
  std::string describe(const KernelKey& key) const override { return "topk/" + name_of(unpack(key)); }

 private:
  static std::string name_of(const KeyBytes& k) {
    const std::string lanes = k.threads_log2 ? "_x" + std::to_string(1 << k.threads_log2) : "";
    return std::string("topk_") + info(static_cast<Dtype>(k.dtype)).short_name + lanes;
  }
};
const TopkFamily family_instance;

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// How one launch cuts its rows.
struct Cut {
  int64_t stretches, length, found; // stretches of a row, their length, elements that they leave
};

// Selecting takes a block a few microseconds whatever it does: long rows are cut, so that many blocks select at the same time. Each
// stretch must leave much less than it had.
Cut cut_of(const Chip& chip, int64_t rows, int64_t n, int64_t k) {
  const int64_t shortest = std::max<int64_t>(chip.simt ? 32768 : 65536, 16 * k);
  const int64_t blocks_wanted = chip.simt ? 2 * chip.multiprocessors : chip.multiprocessors;
  int64_t stretches = std::min(n / shortest, divide_up(blocks_wanted, rows));
  if (stretches <= 1) return {1, n, std::min(n, k)};
  const int64_t length = divide_up(n, stretches);
  stretches = divide_up(n, length);
  return {stretches, length, (stretches - 1) * k + std::min(k, n - (stretches - 1) * length)};
}

// A place of a block's list: a key (lang/ordered.h) and a number; twice where sorting goes to and fro.
size_t place_bytes(const Chip& chip, size_t element) { return chip.simt ? std::max<size_t>(element, 4) + 4 : 2 * (element + 4); }

// Places of a block's list: sorting wants a power of two, and gathering twice what is wanted.
int64_t capacity_of(const Chip& chip, int64_t n, int64_t k, size_t element) {
  const size_t place = place_bytes(chip, element);
  int64_t capacity = 64;
  while (capacity < n && capacity < std::max<int64_t>(2 * k, 2048)) capacity *= 2;
  const int64_t room = chip.shared_bytes - (chip.simt ? 16384 : 0); // counts and partial sums have their own
  while (capacity >= 2 * k && capacity * place > static_cast<size_t>(room)) capacity /= 2;
  return capacity * place <= static_cast<size_t>(room) ? capacity : 0;
}

// About eight accesses of 16 bytes a lane.
int threads_log2_of(const Chip& chip, int64_t bytes) {
  if (!chip.simt) return 0;
  const int log2 = bytes <= 1024 ? 6 : bytes <= 16384 ? 8 : bytes <= 65536 ? 9 : 10;
  return 1u << log2 < chip.warp_size ? log2 + 1 : log2;
}

// Where a launch reads or writes: in tensors, or in the workspace.
struct Place {
  bool in_work;
  uint64_t values, index;
};

Status add(const Chip& chip, const Call& call, const Cut& cut, int64_t n, Place in, Place out, LaunchList& list) {
  const int64_t capacity = capacity_of(chip, cut.length, std::min(call.k, cut.length), size_of(call.dtype));
  if (capacity == 0) return Status::refuse("k is larger than what a block can sort");
  if (list.size() == LaunchList::max_launches) return Status::refuse("a row is too long for this k");
  const int64_t blocks = call.rows * cut.stretches;
  if (blocks >= int64_t{1} << 31) return Status::refuse("more blocks than a grid holds");
  const int log2 = threads_log2_of(chip, cut.length * size_of(call.dtype));
  const KeyBytes k{static_cast<uint8_t>(call.dtype), static_cast<uint8_t>(log2)};
  KernelKey key;
  key.family = family_instance.id();
  std::memcpy(key.bytes, &k, sizeof k);
  ArgsWriter args; // member by member, as TopkArgs has them
  for (int64_t v : {blocks, cut.stretches, cut.length, n, call.k, capacity, cut.found}) args.put(v);
  args.put(call.largest ? uint64_t{0} : ~uint64_t{0});
  const uint32_t work_at = args.size();
  for (uint64_t v : {uint64_t{0}, uint64_t{in.in_work}, uint64_t{out.in_work}, in.values, in.index, out.values, out.index})
    args.put(v);
  Launch& launch = list.add(key, static_cast<uint32_t>(blocks), 1u << log2, args.data(), args.size());
  if (in.in_work || out.in_work) launch.workspace_at = static_cast<int32_t>(work_at);
  launch.shared_bytes = static_cast<uint32_t>(capacity * place_bytes(chip, size_of(call.dtype)));
  launch.grain = static_cast<uint32_t>(std::max<int64_t>(1, 32768 / cut.length));
  return Status();
}

} // namespace

Status plan(const Chip& chip, const Call& call, LaunchList& list) {
  if (is_complex(call.dtype) || (is_floating(call.dtype) && size_of(call.dtype) < 2)) return Status::refuse("dtype not covered");
  if (call.k < 0 || call.k > call.n) return Status::refuse("k is not between 0 and the row's length");
  if (call.rows == 0 || call.k == 0) return Status();
  const Place last{false, reinterpret_cast<uint64_t>(call.out), reinterpret_cast<uint64_t>(call.index)};
  Place in{false, reinterpret_cast<uint64_t>(call.in), 0};
  for (int64_t n = call.n;;) {
    const Cut cut = cut_of(chip, call.rows, n, call.k);
    if (cut.length >= int64_t{1} << 31) return Status::refuse("a row is too long for one block");
    if (cut.stretches == 1) return add(chip, call, cut, n, in, last, list);
    // Values and their indices, both aligned to 256 bytes.
    const uint64_t index_at = divide_up(list.workspace_bytes + call.rows * cut.found * size_of(call.dtype), 256) * 256;
    const Place out{true, list.workspace_bytes, index_at};
    list.workspace_bytes = divide_up(index_at + call.rows * cut.found * 8, 256) * 256;
    if (Status s = add(chip, call, cut, n, in, out, list); !s) return s;
    in = out;
    n = cut.found;
  }
}

} // namespace corundum::topk
