#include <cstring>

#include "core/family.h"
#include "ops/isin/isin.h"

namespace corundum::isin {
namespace {

struct KeyBytes {
  uint8_t dtype, sorted;
  ListsLayout layout;
};
static_assert(sizeof(KeyBytes) <= sizeof(KernelKey::bytes));

KeyBytes unpack(const KernelKey& key) {
  KeyBytes k;
  std::memcpy(&k, key.bytes, sizeof k);
  return k;
}

class IsinFamily : public Family {
 public:
  IsinFamily() : Family("isin") {}

  KernelSource source(const KernelKey& key, const Chip& chip) const override {
    const KeyBytes k = unpack(key);
    const DtypeInfo& t = info(static_cast<Dtype>(k.dtype));
    const std::string entry = "corundum_" + name_of(k);
    std::string text = "#include \"ops/isin/isin.kernel.h\"\nnamespace cor {\n" + lists_args(k.layout);
    text += std::string("using Body = IsinBody<") + t.kernel_type + ", " + t.compute_type +
            (k.sorted ? ", true>;\n}\n" : ", false>;\n}\n");
    return {entry, text + lists_entry(chip, k.layout, entry)};
  }
  std::string describe(const KernelKey& key) const override { return "isin/" + name_of(unpack(key)); }

 private:
  static std::string name_of(const KeyBytes& k) {
    std::string s = k.sorted ? "isin_sorted_" : "isin_few_";
    s += info(static_cast<Dtype>(k.dtype)).short_name;
    return s + "_" + lists_name(k.layout);
  }
};
const IsinFamily family_instance;

} // namespace

Status plan(const Chip& chip, const Call& call, ListItem* item, std::optional<ListLaunches>* launches) {
  if (!is_floating(call.dtype) && !is_integral(call.dtype)) return Status::refuse("no kernel for this dtype");
  *item = {call.n, {reinterpret_cast<uint64_t>(call.out), reinterpret_cast<uint64_t>(call.in)}};
  ListsCall lists{2, 0, 1, static_cast<uint8_t>(size_of(call.dtype)), {}, item, 1};
  lists.head[0] = reinterpret_cast<uint64_t>(call.among);
  lists.head[1] = static_cast<uint64_t>(call.count);
  lists.head[2] = call.invert;
  const KeyBytes k{static_cast<uint8_t>(call.dtype), call.count > few, lists_layout(chip, lists)};
  KernelKey key;
  key.family = family_instance.id();
  std::memcpy(key.bytes, &k, sizeof k);
  launches->emplace(chip, key, k.layout, lists);
  return {};
}

} // namespace corundum::isin
