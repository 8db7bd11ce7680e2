#include "ops/pointwise/foreach.h"

#include <cstring>

#include "codegen/pointwise.h"
#include "core/family.h"

namespace corundum::pointwise {
namespace {

constexpr int arguments = 5;
constexpr const char* argument_names[arguments] = {"x", "y", "z", "s0", "s1"};

struct KeyBytes {
  uint8_t flag, compute, out;
  From from[arguments];
  ListsLayout layout;
};
static_assert(sizeof(KeyBytes) <= sizeof(KernelKey::bytes));

KeyBytes unpack(const KernelKey& key) {
  KeyBytes k;
  std::memcpy(&k, key.bytes, sizeof k);
  return k;
}

int count(const From (&from)[arguments], From kind) {
  int n = 0;
  for (const From f : from) n += f == kind;
  return n;
}

// The body of lang/lists.h: numbers are members, elements are found in their lists.
std::string body(const KeyBytes& k, const std::string& expression) {
  const DtypeInfo &in = info(static_cast<Dtype>(k.compute)), &out = info(static_cast<Dtype>(k.out));
  const int lists = 1 + count(k.from, From::list);
  std::string members, set, locals;
  const std::string own = std::string("a.column[").append(std::to_string(lists)).append("][tensor]");
  int list = 1;
  for (int i = 0; i < arguments; ++i) {
    const std::string name = argument_names[i], head = std::string("a.head[") + std::to_string(i) + "]";
    if (k.from[i] == From::none) continue;
    if (k.from[i] == From::list) {
      locals += "    const Value " + name + " = v[" + std::to_string(list++) + "];\n";
      continue;
    }
    members += "  Value " + name + ";\n";
    set += std::string(set.empty() ? " : " : ", ") + name + "(";
    if (k.from[i] == From::pointer)
      set += "convert<Value>(*reinterpret_cast<const In*>(" + head + ")))";
    else
      set += "slot_value<Value>(" + (k.from[i] == From::own ? own : head) + "))";
  }
  return "struct Body {\n  static constexpr int lists = " + std::to_string(lists) +
         ";\n  static constexpr unsigned reads = " + std::to_string((1 << lists) - 2) +
         ", writes = 1;\n  using Out = " + out.kernel_type + ";\n  using In = " + in.kernel_type +
         ";\n  using Common = In;\n  using Value = " + in.compute_type + ";\n" + members +
         "  COR_FN Body(const Args& a, int tensor)" + set + " {}\n  COR_FN bool idle() const { return false; }\n" +
         "  COR_FN void operator()(Value (&v)[lists]) const {\n" + locals + "    v[0] = convert<Value>(" + expression +
         ");\n  }\n  COR_FN void finish() const {}\n};\n";
}

class ForeachFamily : public Family {
 public:
  ForeachFamily() : Family("foreach") {}

  KernelSource source(const KernelKey& key, const Chip& chip) const override {
    const KeyBytes k = unpack(key);
    const std::string entry = "corundum_" + name_of(key), expression = ops[key.op].expression[k.flag];
    return {entry, "#include \"lang/lists.h\"\n" + codegen::maths_includes(expression) + "namespace cor {\n" +
                       lists_args(k.layout) + body(k, expression) + "}\n" + lists_entry(chip, k.layout, entry)};
  }
  std::string describe(const KernelKey& key) const override { return "foreach/" + name_of(key); }

 private:
  static std::string name_of(const KernelKey& key) {
    const KeyBytes k = unpack(key);
    static const char kinds[] = "_lsop";
    std::string s = std::string("foreach_") + ops[key.op].name + (k.flag ? std::to_string(k.flag) : "") + "_";
    for (const From f : k.from)
      if (f != From::none) s += kinds[static_cast<int>(f)];
    const char *in = info(static_cast<Dtype>(k.compute)).short_name, *out = info(static_cast<Dtype>(k.out)).short_name;
    return s + "_" + in + "_to_" + out + "_" + lists_name(k.layout);
  }
};
const ForeachFamily family_instance;

// Copies within one dtype and zeros are the same for all dtypes of a size.
Dtype of_size(size_t bytes) {
  return bytes == 1 ? Dtype::uint8 : bytes == 2 ? Dtype::uint16 : bytes == 4 ? Dtype::uint32 : Dtype::uint64;
}

} // namespace

Status plan(const Chip& chip, const ForeachCall& call, std::optional<ListLaunches>* launches) {
  KernelKey key;
  key.family = family_instance.id();
  key.op = static_cast<uint16_t>(call.op - ops.data());
  const bool moves = (call.op->signature == Signature::copy && call.compute == call.out) || call.op->signature == Signature::zero;
  if (moves && size_of(call.compute) > 8) return Status::refuse("elements are not of 1, 2, 4, 8 or 16 bytes");
  const Dtype in = moves ? of_size(size_of(call.compute)) : call.compute, out = moves ? in : call.out;
  ListsCall lists{1 + count(call.from, From::list),
                  count(call.from, From::own),
                  static_cast<uint8_t>(size_of(out)),
                  static_cast<uint8_t>(size_of(in)),
                  {},
                  call.items,
                  call.count};
  std::memcpy(lists.head, call.head, sizeof call.head);
  KeyBytes k{call.flag, static_cast<uint8_t>(in), static_cast<uint8_t>(out), {}, lists_layout(chip, lists)};
  std::memcpy(k.from, call.from, sizeof k.from);
  std::memcpy(key.bytes, &k, sizeof k);
  launches->emplace(chip, key, k.layout, lists);
  return {};
}

} // namespace corundum::pointwise
