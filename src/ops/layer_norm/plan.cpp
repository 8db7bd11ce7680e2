#include <algorithm>

#include "core/args.h"
#include "core/family.h"
#include "ops/layer_norm/layer_norm.h"
#include "ops/rows.h"

namespace corundum::layer_norm {
namespace {

struct KeyBytes {
  uint8_t dtype, param, stat, has_weight, has_bias;
  RowsLayout layout;
};
static_assert(sizeof(KeyBytes) <= sizeof(KernelKey::bytes));

KeyBytes unpack(const KernelKey& key) {
  KeyBytes k;
  std::memcpy(&k, key.bytes, sizeof k);
  return k;
}

class LayerNormFamily : public Family {
 public:
  LayerNormFamily() : Family("layer_norm") {}

  KernelSource source(const KernelKey& key, const Chip& chip) const override {
    const KeyBytes k = unpack(key);
    const DtypeInfo& t = info(static_cast<Dtype>(k.dtype));
    const std::string entry = "corundum_" + name_of(k);
    std::string text = "#include \"lang/kernel.h\"\n#include \"ops/layer_norm/layer_norm.kernel.h\"\n" + pass_type(chip, k.layout);
    text += std::string("#define BODY layer_norm<") + t.kernel_type + ", " + info(static_cast<Dtype>(k.param)).kernel_type + ", " +
            info(static_cast<Dtype>(k.stat)).kernel_type + ", " + t.compute_type + ", " + std::to_string(k.has_weight) + ", " +
            std::to_string(k.has_bias) + ">\n";
    return {entry, text + "COR_ROWS(" + entry + ", Pass, LayerNormArgs, (BODY)" + entry_tail(chip, k.layout)};
  }
  std::string describe(const KernelKey& key) const override { return "layer_norm/" + name_of(unpack(key)); }

 private:
  static std::string name_of(const KeyBytes& k) {
    std::string s = std::string("layer_norm_") + info(static_cast<Dtype>(k.dtype)).short_name;
    if (k.has_weight || k.has_bias) s += std::string("_") + info(static_cast<Dtype>(k.param)).short_name;
    return s + (k.has_weight ? "_w" : "") + (k.has_bias ? "_b" : "") + "_" + info(static_cast<Dtype>(k.stat)).short_name + "_" +
           layout_name(k.layout);
  }
};
const LayerNormFamily family_instance;

} // namespace

Status plan(const Chip& chip, const Call& call, LaunchList& list) {
  if (!is_floating(call.dtype) || size_of(call.dtype) < 2) return Status::refuse("no kernel for this dtype");
  if (call.rows == 0) return Status();
  if (call.n == 0) return Status::refuse("rows of no elements");
  RowsShape shape{call.rows, call.n, 1};
  shape.widest = std::max(size_of(call.dtype), call.has_weight || call.has_bias ? size_of(call.param_dtype) : 1);
  shape.kept = call.dtype == Dtype::float64 ? 8 : 4;
  shape.staged = size_of(call.dtype);
  shape.along = call.has_weight || call.has_bias;
  shape.aligned = true;
  for (const void* p : {call.in, call.weight, call.bias, static_cast<const void*>(call.out)})
    shape.aligned = shape.aligned && reinterpret_cast<uintptr_t>(p) % 16 == 0;
  RowsPlan p;
  if (Status s = plan_rows(chip, shape, &p); !s) return s;
  const KeyBytes k{static_cast<uint8_t>(call.dtype),
                   static_cast<uint8_t>(call.param_dtype),
                   static_cast<uint8_t>(call.stat_dtype),
                   call.has_weight,
                   call.has_bias,
                   p.layout};
  KernelKey key;
  key.family = family_instance.id();
  std::memcpy(key.bytes, &k, sizeof k);
  ArgsWriter args;
  args.put(call.rows);
  args.put(call.n);
  args.put(int64_t{1});
  for (const void* pointer : {call.in, call.weight, call.bias, static_cast<const void*>(call.out),
                              static_cast<const void*>(call.mean), static_cast<const void*>(call.rstd)})
    args.put(pointer);
  args.put(slot_of(Scalar::of(1.0 / static_cast<double>(call.n)), call.dtype));
  args.put(slot_of(Scalar::of(call.eps), call.dtype));
  add_rows(chip, key, p, args.data(), args.size(), list);
  return Status();
}

} // namespace corundum::layer_norm
