#include <algorithm>
#include <map>
#include <mutex>
#include <stdexcept>

#include "core/args.h"
#include "core/family.h"
#include "core/sync.h"
#include "ops/user/user.h"

namespace corundum::user {
namespace {

using codegen::Kind;
using codegen::Layout;

// What a key of this family says. Dtypes take 4 bits, kinds of inputs 2.
struct KeyBytes {
  uint64_t program; // digest
  uint8_t common, layout, rank, wide, unit_out, threads_log2, vector, unroll;
  uint16_t kinds;
  uint16_t outs;
  uint32_t ins;

  Kind kind(int input) const { return static_cast<Kind>(kinds >> (2 * input) & 3); }
  void set_kind(int input, Kind kind) {
    kinds = static_cast<uint16_t>((kinds & ~(3 << (2 * input))) | static_cast<int>(kind) << (2 * input));
  }
  Dtype out(int o) const { return static_cast<Dtype>(outs >> (4 * o) & 15); }
  Dtype in(int i) const { return static_cast<Dtype>(ins >> (4 * i) & 15); }
};
static_assert(sizeof(KeyBytes) <= sizeof(KernelKey::bytes));
static_assert(static_cast<int>(Dtype::float64) < 16 && static_cast<int>(Kind::strided) < 4);

KeyBytes unpack(const KernelKey& key) {
  KeyBytes k;
  std::memcpy(&k, key.bytes, sizeof k);
  return k;
}

struct Programs {
  LeafMutex mutex;
  std::map<uint64_t, std::unique_ptr<const Program>> by_digest;
};
Programs& programs() {
  static Programs& all = *new Programs;
  return all;
}
[[maybe_unused]] const Programs& made_at_load = programs(); // see LeafMutex

// Throws std::runtime_error: a key may be remembered from an earlier process that defined the operator.
const Program& program_of(const KeyBytes& k) {
  Programs& all = programs();
  std::lock_guard lock(all.mutex);
  const auto found = all.by_digest.find(k.program);
  if (found == all.by_digest.end()) throw std::runtime_error("the operator of this kernel has not been defined in this process");
  return *found->second;
}

std::string name_of(const KeyBytes& k, const Program& p) {
  std::string s = p.name + "_", kinds;
  for (int i = 0; i < p.inputs(); ++i) {
    s += std::string(info(k.in(i)).short_name) + "_";
    kinds += "cbsg"[static_cast<int>(k.kind(i))];
  }
  s += "to";
  for (int o = 0; o < p.outputs; ++o) s += std::string("_") + info(k.out(o)).short_name;
  s += k.layout == static_cast<uint8_t>(Layout::flat) ? "_flat" : "_indexed" + std::to_string(k.rank) + (k.wide ? "w" : "");
  return s + "_" + kinds + "_v" + std::to_string(k.vector) + "u" + std::to_string(k.unroll);
}

class UserFamily : public Family {
 public:
  UserFamily() : Family("user") {}

  KernelSource source(const KernelKey& key, const Chip& chip) const override {
    const KeyBytes k = unpack(key);
    const Program& p = program_of(k);
    codegen::PointwiseText t;
    t.entry = "corundum_" + name_of(k, p);
    t.inputs.resize(static_cast<size_t>(p.inputs()));
    t.outputs.resize(static_cast<size_t>(p.outputs));
    std::vector<Dtype> stored;
    for (int i = 0; i < p.inputs(); ++i) {
      t.inputs[static_cast<size_t>(i)].kind = k.kind(i);
      stored.push_back(k.in(i));
    }
    for (int o = 0; o < p.outputs; ++o) stored.push_back(k.out(o));
    codegen::write_program(p, static_cast<Dtype>(k.common), stored, &t);
    t.layout = static_cast<Layout>(k.layout);
    t.rank = k.rank;
    t.wide = k.wide;
    t.unit_out = k.unit_out;
    t.threads = 1 << k.threads_log2;
    t.vector = k.vector;
    t.unroll = k.unroll;
    return {t.entry, codegen::pointwise_text(t, chip)};
  }

  std::string describe(const KernelKey& key) const override {
    const KeyBytes k = unpack(key);
    return "user/" + name_of(k, program_of(k));
  }
};
const UserFamily family_instance;

using Dims = DimList<max_operands, max_rank>;

struct Draft {
  const Chip& chip;
  const Call& call;
  const Program& program;
  KernelKey key;
  KeyBytes k{};
  ArgsWriter args;
  size_t widest = 1; // bytes of the largest element in memory

  Draft(const Chip& c, const Call& of, int64_t count) : chip(c), call(of), program(*of.program) {
    key.family = family_instance.id();
    k.program = program.digest;
    k.common = static_cast<uint8_t>(call.common);
    for (int o = 0; o < program.outputs; ++o) {
      const Operand& out = call.operands[o];
      k.outs |= static_cast<uint16_t>(static_cast<int>(out.dtype) << (4 * o));
      widest = std::max(widest, size_of(out.dtype));
      args.put(out.data);
    }
    for (int i = 0; i < program.inputs(); ++i) {
      const Operand& in = input(i);
      k.ins |= static_cast<uint32_t>(in.dtype) << (4 * i);
      if (in.scalar) {
        args.put(slot_of(*in.scalar, program.is_bool[static_cast<size_t>(i)] ? Dtype::boolean : codegen::computed_in(in.dtype)));
      } else {
        widest = std::max(widest, size_of(in.dtype));
        args.put(in.data);
      }
    }
    const Dtype number = codegen::computed_in(program.number_dtype == Dtype::invalid ? call.common : program.number_dtype);
    for (int i = 0; i < std::max(1, program.numbers); ++i)
      args.put(i < program.numbers ? slot_of(call.numbers[i], number) : uint64_t{0});
    args.put(count);
  }

  const Operand& input(int i) const { return call.operands[program.outputs + i]; }

  // Elements an access takes: 16 bytes of the widest operand, if every address and stride allows it.
  int vector_width(const Dims& dims) const {
    const int v = static_cast<int>(16 / widest);
    bool ok = dims.size[0] % v == 0 || dims.rank <= 1;
    for (int o = 0; o < dims.operands; ++o) {
      if (o >= program.outputs && k.kind(o - program.outputs) != Kind::contiguous) continue;
      const Operand& operand = call.operands[o];
      ok = ok && reinterpret_cast<uintptr_t>(operand.data) % (v * size_of(operand.dtype)) == 0;
      for (int r = 1; r < dims.rank; ++r) ok = ok && dims.stride[r][o] % v == 0;
    }
    return ok ? v : 1;
  }

  // As measured for the built-in operators (ops/pointwise/plan.cpp); many operands are enough accesses by themselves.
  void choose_unroll(int64_t count) {
    k.threads_log2 = 7;
    k.unroll = k.vector >= 4 ? 2 : 4;
    const bool is_small = count < static_cast<int64_t>(chip.multiprocessors) * 4 * (k.vector << k.threads_log2);
    if (is_small || program.inputs() > 4) k.unroll = 1;
  }

  Status finish(int64_t blocks, int64_t grain, LaunchList& list) {
    if (blocks >= (int64_t{1} << 31)) return Status::refuse("more blocks than a grid holds");
    std::memcpy(key.bytes, &k, sizeof k);
    Launch& launch = list.add(key, static_cast<uint32_t>(blocks), chip.simt ? 1u << k.threads_log2 : 1, args.data(), args.size());
    launch.grain = static_cast<uint32_t>(std::max<int64_t>(1, grain));
    return {};
  }
  Status finish_simt(int64_t count, LaunchList& list) {
    choose_unroll(count);
    const int64_t tile = static_cast<int64_t>(k.vector) * k.unroll << k.threads_log2;
    return finish((count + tile - 1) / tile, 1, list);
  }
};

Status check_dtypes(const Call& call) {
  const int operands = call.program->outputs + call.program->inputs();
  for (int o = 0; o < operands; ++o)
    if (!codegen::program_takes(call.operands[o].dtype)) return Status::refuse("dtype not covered");
  if (call.common != Dtype::invalid && !codegen::program_takes(call.common)) return Status::refuse("dtype not covered");
  return {};
}

Status plan_flat(Draft& d, const Dims& dims, int64_t count, LaunchList& list) {
  d.k.layout = static_cast<uint8_t>(Layout::flat);
  if (!d.chip.simt) return d.finish((count + codegen::simd_block - 1) / codegen::simd_block, 2, list);
  d.k.vector = static_cast<uint8_t>(d.vector_width(dims));
  return d.finish_simt(count, list);
}

Status plan_indexed(Draft& d, const Dims& dims, int64_t count, LaunchList& list) {
  bool unit_out = true, vectors = true;
  for (int o = 0; o < d.program.outputs; ++o) unit_out = unit_out && dims.stride[0][o] == 1;
  for (int i = 0; i < d.program.inputs(); ++i) vectors = vectors && d.k.kind(i) != Kind::strided;
  d.k.layout = static_cast<uint8_t>(Layout::indexed);
  d.k.rank = static_cast<uint8_t>(std::max(2, rank_class(dims.rank)));
  d.k.wide = d.chip.simt && count >= (int64_t{1} << 31);
  if (!d.chip.simt) {
    d.k.unit_out = unit_out;
    d.args.put(dims, d.k.rank);
    const int64_t pieces = (dims.size[0] + codegen::simd_block - 1) / codegen::simd_block;
    return d.finish(count / dims.size[0] * pieces, 32768 / std::min(dims.size[0], codegen::simd_block), list);
  }
  d.k.vector = static_cast<uint8_t>(vectors && unit_out ? d.vector_width(dims) : 1);
  if (d.k.vector == 1) // found one by one: the kinds would only multiply variants
    for (int i = 0; i < d.program.inputs(); ++i)
      if (!d.input(i).scalar) d.k.set_kind(i, Kind::strided);
  d.args.put(dims, d.k.rank);
  return d.finish_simt(count, list);
}

} // namespace

const Program& keep(Program program) {
  if (program.inputs() < 1 || program.inputs() > Program::max_inputs)
    throw std::invalid_argument(program.name + ": a kernel takes 1 to " + std::to_string(Program::max_inputs) + " tensors, not " +
                                std::to_string(program.inputs()));
  if (program.outputs < 1 || program.outputs > Program::max_outputs)
    throw std::invalid_argument(program.name + ": a kernel gives 1 to " + std::to_string(Program::max_outputs) + " tensors, not " +
                                std::to_string(program.outputs));
  if (program.numbers > Program::max_numbers)
    throw std::invalid_argument(program.name + ": a kernel takes at most " + std::to_string(Program::max_numbers) +
                                " numbers, not " + std::to_string(program.numbers));
  const std::string identity = program.identity();
  program.digest = codegen::digest_of(identity);
  const uint64_t digest = program.digest;
  Programs& all = programs();
  std::lock_guard lock(all.mutex);
  const auto [at, is_new] = all.by_digest.try_emplace(digest);
  if (is_new) at->second = std::make_unique<const Program>(std::move(program));
  if (at->second->identity() != identity)
    throw std::invalid_argument(identity + ": has the digest of another program; another name gives another one");
  return *at->second;
}

Status plan(const Chip& chip, const Call& call, LaunchList& list) {
  if (Status s = check_dtypes(call); !s) return s;
  Dims dims;
  dims.operands = call.program->outputs + call.program->inputs();
  int64_t count = 1;
  for (int r = 0; r < call.rank; ++r) {
    count *= call.shape[r];
    int64_t strides[max_operands];
    for (int o = 0; o < dims.operands; ++o) {
      const Operand& operand = call.operands[o];
      strides[o] = operand.scalar ? 0 : operand.strides[r] / static_cast<int64_t>(size_of(operand.dtype));
    }
    if (call.shape[r] != 0 && !dims.add(call.shape[r], strides)) return Status::refuse("more than 16 dimensions that do not merge");
  }
  if (count == 0) return {};
  if (dims.rank == 0) { // one element
    dims.size[0] = 1;
    for (int o = 0; o < dims.operands; ++o) dims.stride[0][o] = 1;
  }
  Draft d(chip, call, count);
  bool dense = dims.rank <= 1;
  for (int o = 0; o < dims.operands; ++o) {
    const int64_t stride = dims.stride[0][o];
    const int i = o - call.program->outputs;
    const Kind kind = call.operands[o].scalar ? Kind::scalar
                      : stride == 1           ? Kind::contiguous
                      : stride == 0           ? Kind::broadcast
                                              : Kind::strided;
    if (i >= 0) d.k.set_kind(i, kind);
    dense = dense && kind != Kind::strided && (i >= 0 || kind == Kind::contiguous);
  }
  return dense ? plan_flat(d, dims, count, list) : plan_indexed(d, dims, count, list);
}

} // namespace corundum::user
