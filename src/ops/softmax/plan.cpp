#include <algorithm>

#include "core/args.h"
#include "core/family.h"
#include "ops/rows.h"
#include "ops/softmax/softmax.h"

namespace corundum::softmax {
namespace {

struct KeyBytes {
  uint8_t log, in, out;
  RowsLayout layout;
};
static_assert(sizeof(KeyBytes) <= sizeof(KernelKey::bytes));

class SoftmaxFamily : public Family {
 public:
  SoftmaxFamily() : Family("softmax") {}

  KernelSource source(const KernelKey& key, const Chip& chip) const override {
    KeyBytes k;
    std::memcpy(&k, key.bytes, sizeof k);
    const DtypeInfo &in = info(static_cast<Dtype>(k.in)), &out = info(static_cast<Dtype>(k.out));
    const std::string entry = "corundum_" + name_of(key);
    std::string text = "#include \"lang/kernel.h\"\n#include \"ops/softmax/softmax.kernel.h\"\n" + pass_type(chip, k.layout);
    text += std::string("#define BODY softmax<") + in.kernel_type + ", " + out.kernel_type + ", " + in.compute_type + ", " +
            (k.log ? "true>\n" : "false>\n");
    return {entry, text + "COR_ROWS(" + entry + ", Pass, SoftmaxArgs, (BODY)" + entry_tail(chip, k.layout)};
  }
  std::string describe(const KernelKey& key) const override { return "softmax/" + name_of(key); }

 private:
  static std::string name_of(const KernelKey& key) {
    KeyBytes k;
    std::memcpy(&k, key.bytes, sizeof k);
    return std::string(k.log ? "log_softmax_" : "softmax_") + info(static_cast<Dtype>(k.in)).short_name + "_to_" +
           info(static_cast<Dtype>(k.out)).short_name + "_" + layout_name(k.layout);
  }
};
const SoftmaxFamily family_instance;

} // namespace

Status plan(const Chip& chip, const Call& call, LaunchList& list) {
  if (!is_floating(call.in_dtype) || size_of(call.in_dtype) < 2) return Status::refuse("no kernel for this dtype");
  if (call.outer == 0 || call.n == 0 || call.inner == 0) return Status();
  RowsShape shape{call.outer, call.n, call.inner};
  shape.widest = std::max(size_of(call.in_dtype), size_of(call.out_dtype));
  shape.kept = call.in_dtype == Dtype::float64 ? 16 : 8; // x and e
  shape.column = call.inner > 1;
  shape.staged = size_of(call.in_dtype);
  shape.aligned = reinterpret_cast<uintptr_t>(call.in) % 16 == 0 && reinterpret_cast<uintptr_t>(call.out) % 16 == 0;
  RowsPlan p;
  if (Status s = plan_rows(chip, shape, &p); !s) return s;
  const KeyBytes k{call.log, static_cast<uint8_t>(call.in_dtype), static_cast<uint8_t>(call.out_dtype), p.layout};
  KernelKey key;
  key.family = family_instance.id();
  std::memcpy(key.bytes, &k, sizeof k);
  ArgsWriter args;
  args.put(call.outer);
  args.put(call.n);
  args.put(call.inner);
  args.put(call.in);
  args.put(static_cast<const void*>(call.out));
  add_rows(chip, key, p, args.data(), args.size(), list);
  return Status();
}

} // namespace corundum::softmax
