#include <algorithm>

#include "core/args.h"
#include "core/family.h"
#include "ops/compact/compact.h"

namespace corundum::compact {
namespace {

constexpr int64_t threads = 256, items = 32, tile = threads * items;

// key.bytes[0]: bytes of an element, 0 where a block counts.
class CompactFamily : public Family {
 public:
  CompactFamily() : Family("compact") {}

  KernelSource source(const KernelKey& key, const Chip& chip) const override {
    const std::string entry = "corundum_" + name_of(key), element = std::to_string(key.bytes[0]);
    const std::string shape = chip.simt ? std::to_string(threads) + ", " + std::to_string(items) : "1, " + std::to_string(tile);
    return {entry, "#include \"ops/compact/compact.kernel.h\"\nusing namespace cor;\nusing Program = Block<" + shape +
                       ">;\nCOR_BLOCKS(" + entry + ", Program, CompactArgs, " +
                       (key.bytes[0] ? "compact<Opaque<" + element + ">>" : "count_set") + ")\n"};
  }
  std::string describe(const KernelKey& key) const override { return "compact/" + name_of(key); }

 private:
  static std::string name_of(const KernelKey& key) {
    return key.bytes[0] ? "compact_x" + std::to_string(8 * key.bytes[0]) : "compact_count";
  }
};
const CompactFamily family_instance;

// Enough blocks to fill the chip, each a few tiles: every block adds up the counts of those before it.
int64_t part_of(const Chip& chip, int64_t n) {
  const int64_t tiles = (n + tile - 1) / tile, wanted = (chip.simt ? 8 : 4) * chip.multiprocessors;
  return std::max<int64_t>((tiles + wanted - 1) / wanted, chip.simt ? 1 : 8) * tile;
}

Status add(const Chip& chip, const Call& call, size_t element_size, LaunchList& list) {
  if (call.n == 0) return Status();
  if (part_of(chip, call.n) >= int64_t{1} << 31) return Status::refuse("a block's part is too long");
  KernelKey key;
  key.family = family_instance.id();
  key.bytes[0] = static_cast<uint8_t>(element_size);
  ArgsWriter args; // member by member, as CompactArgs has them
  args.put(blocks(chip, call.n));
  args.put(call.n);
  args.put(part_of(chip, call.n));
  for (const void* p : {call.mask, static_cast<const void*>(call.counts), call.in, static_cast<const void*>(call.out)}) args.put(p);
  Launch& launch = list.add(key, static_cast<uint32_t>(blocks(chip, call.n)), threads, args.data(), args.size());
  if (!chip.simt) launch.threads = 1, launch.shared_bytes = tile * sizeof(uint16_t);
  return Status();
}

} // namespace

int64_t blocks(const Chip& chip, int64_t n) { return (n + part_of(chip, n) - 1) / part_of(chip, n); }

Status count(const Chip& chip, const Call& call, LaunchList& list) { return add(chip, call, 0, list); }

Status move(const Chip& chip, const Call& call, LaunchList& list) {
  switch (call.element_size) {
    case 1:
    case 2:
    case 4:
    case 8:
    case 16:
      return add(chip, call, call.element_size, list);
    default:
      return Status::refuse("elements are not of 1, 2, 4, 8 or 16 bytes");
  }
}

} // namespace corundum::compact
