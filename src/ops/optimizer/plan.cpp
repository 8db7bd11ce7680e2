#include <cmath>
#include <cstring>

#include "core/args.h"
#include "core/family.h"
#include "ops/optimizer/optimizer.h"

namespace corundum::optimizer {
namespace {

// The texts: KernelKey::op is one of these, or a Kind.
enum : uint16_t { unscale = 100, update_scale = 101 };

struct KeyBytes {
  uint8_t dtype, scaled;
  ListsLayout layout;
};
static_assert(sizeof(KeyBytes) <= sizeof(KernelKey::bytes));

KeyBytes unpack(const KernelKey& key) {
  KeyBytes k;
  std::memcpy(&k, key.bytes, sizeof k);
  return k;
}

struct KindInfo {
  const char* name;
  const char* body; // the template, and its arguments between the types and `Scaled`
  const char* flags;
  int lists;
  bool has_step;
};
constexpr KindInfo kinds[] = {
    {"adam", "AdamBody", ", false, false", 4, true},
    {"adamw", "AdamBody", ", true, false", 4, true},
    {"adam_amsgrad", "AdamBody", ", false, true", 5, true},
    {"adamw_amsgrad", "AdamBody", ", true, true", 5, true},
    {"sgd", "SgdBody", ", false", 2, false},
    {"sgd_momentum", "SgdBody", ", true", 3, false},
    {"adagrad", "AdagradBody", "", 3, true},
};
const KindInfo& info_of(Kind kind) { return kinds[static_cast<int>(kind)]; }

class OptimizerFamily : public Family {
 public:
  OptimizerFamily() : Family("optimizer") {}

  KernelSource source(const KernelKey& key, const Chip& chip) const override {
    const KeyBytes k = unpack(key);
    const DtypeInfo& t = info(static_cast<Dtype>(k.dtype));
    const std::string types = std::string(t.kernel_type) + ", " + t.compute_type, entry = "corundum_" + name_of(key);
    std::string body, header = "scale";
    if (key.op == unscale) {
      body = "UnscaleBody<" + types + ">";
    } else if (key.op == update_scale) {
      body = "UpdateScaleBody";
    } else {
      header = "optimizer";
      body = std::string(kinds[key.op].body) + "<" + types + kinds[key.op].flags + (k.scaled ? ", true>" : ", false>");
    }
    return {entry, "#include \"ops/optimizer/" + header + ".kernel.h\"\nnamespace cor {\n" + lists_args(k.layout) +
                       "using Body = " + body + ";\n}\n" + lists_entry(chip, k.layout, entry)};
  }
  std::string describe(const KernelKey& key) const override { return "optimizer/" + name_of(key); }

 private:
  static std::string name_of(const KernelKey& key) {
    const KeyBytes k = unpack(key);
    const char* name = key.op == unscale ? "unscale" : key.op == update_scale ? "update_scale" : kinds[key.op].name;
    return std::string(name) + "_" + info(static_cast<Dtype>(k.dtype)).short_name + (k.scaled ? "_scaled_" : "_") +
           lists_name(k.layout);
  }
};
const OptimizerFamily family_instance;

void give(const Chip& chip, uint16_t op, Dtype dtype, bool scaled, const ListsCall& lists, std::optional<ListLaunches>* launches) {
  KernelKey key;
  key.family = family_instance.id();
  key.op = op;
  const KeyBytes k{static_cast<uint8_t>(dtype), scaled, lists_layout(chip, lists)};
  std::memcpy(key.bytes, &k, sizeof k);
  launches->emplace(chip, key, k.layout, lists);
}

ListsCall lists_call(int lists, int numbers, Dtype dtype, const ListItem* items, size_t count) {
  const auto bytes = static_cast<uint8_t>(size_of(dtype));
  return {lists, numbers, bytes, bytes, {}, items, count};
}

uint64_t address(const void* p) { return reinterpret_cast<uint64_t>(p); }

} // namespace

int lists_of(Kind kind) { return info_of(kind).lists; }
bool has_step(Kind kind) { return info_of(kind).has_step; }

Status plan(const Chip& chip, const Call& call, std::optional<ListLaunches>* launches) {
  if (!is_floating(call.dtype) || size_of(call.dtype) < 2) return Status::refuse("no kernel for this dtype");
  const KindInfo& kind = info_of(call.kind);
  const Numbers& n = call.numbers;
  ListsCall lists = lists_call(kind.lists, kind.has_step, call.dtype, call.items, call.count);
  // The order of cor::OptimizerHead.
  const auto slot = [&](double v) { return slot_of(Scalar::of(v), call.dtype); };
  uint64_t* head = lists.head;
  for (const uint64_t v : {slot(n.rate), address(n.rate_at), address(n.scale_at), address(n.found_at), slot(n.maximize ? -1 : 1),
                           slot(n.weight_decay)})
    *head++ = v;
  const bool sgd = call.kind == Kind::sgd || call.kind == Kind::sgd_momentum;
  *head++ = slot(sgd ? n.momentum : n.epsilon);
  if (sgd) {
    for (const uint64_t v : {slot(1 - n.dampening), uint64_t{n.nesterov}, uint64_t{n.first_step}}) *head++ = v;
  } else if (call.kind == Kind::adagrad) {
    *head = slot(n.rate_decay);
  } else {
    for (const double beta : {n.beta1, n.beta2})
      for (const double v : {beta, 1 - beta, std::log(beta)}) *head++ = slot(v);
  }
  give(chip, static_cast<uint16_t>(call.kind), call.dtype, n.scale_at != nullptr, lists, launches);
  return {};
}

Status plan_unscale(const Chip& chip, Dtype dtype, const void* factor, const void* found, const ListItem* items, size_t count,
                    std::optional<ListLaunches>* launches) {
  if (!is_floating(dtype) || size_of(dtype) < 2) return Status::refuse("no kernel for this dtype");
  ListsCall lists = lists_call(1, 0, dtype, items, count);
  lists.head[0] = address(factor);
  lists.head[1] = address(found);
  give(chip, unscale, dtype, false, lists, launches);
  return {};
}

Status plan_update(const Chip& chip, const ScaleUpdate& update, std::optional<ListLaunches>* launches) {
  ListsCall lists = lists_call(1, 0, Dtype::float32, update.scale, 1);
  lists.head[0] = address(update.tracker);
  lists.head[1] = address(update.found);
  lists.head[2] = slot_of(Scalar::of(update.growth), Dtype::float64);
  lists.head[3] = slot_of(Scalar::of(update.backoff), Dtype::float64);
  lists.head[4] = static_cast<uint64_t>(update.interval);
  give(chip, update_scale, Dtype::float32, false, lists, launches);
  return {};
}

} // namespace corundum::optimizer
