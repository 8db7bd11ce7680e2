#include <algorithm>

#include "codegen/pointwise.h"
#include "core/args.h"
#include "core/family.h"
#include "ops/pointwise/pointwise.h"

namespace corundum::pointwise {
namespace {

using codegen::Kind;
using codegen::Layout;

// What a key of this family says, byte by byte.
struct KeyBytes {
  uint8_t flag, layout, rank, wide, unit_out, threads_log2, vector, unroll;
  uint8_t compute, out, in[max_inputs];
  uint8_t kind[max_inputs];
};
static_assert(sizeof(KeyBytes) <= sizeof(KernelKey::bytes));

// Same-dtype copies move opaque bits: this and the following codes mean 1, 2, 4, 8 and 16 bytes.
constexpr uint8_t opaque = 200;

uint8_t opaque_code(size_t bytes) {
  return static_cast<uint8_t>(opaque + (bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : bytes == 8 ? 3 : 4));
}
std::string stored_type(uint8_t code) {
  return code >= opaque ? "cor::Opaque<" + std::to_string(1 << (code - opaque)) + ">" : info(static_cast<Dtype>(code)).kernel_type;
}
std::string value_type(uint8_t code) { return code >= opaque ? stored_type(code) : info(static_cast<Dtype>(code)).compute_type; }
std::string short_name(uint8_t code) {
  return code >= opaque ? "x" + std::to_string(8 << (code - opaque)) : info(static_cast<Dtype>(code)).short_name;
}

class PointwiseFamily : public Family {
 public:
  PointwiseFamily() : Family("pointwise") {}

  KernelSource source(const KernelKey& key, const Chip& chip) const override {
    const Op& op = ops[key.op];
    KeyBytes k;
    std::memcpy(&k, key.bytes, sizeof k);
    codegen::PointwiseText t;
    t.entry = std::string("corundum_") + name_of(key);
    t.expression = op.expression[k.flag];
    t.out = stored_type(k.out);
    t.common = stored_type(k.compute);
    t.scalar = value_type(k.compute) == "bool" ? "bool" : k.compute >= opaque ? "int" : value_type(k.compute);
    t.input_count = inputs_of(op, k.flag);
    for (int i = 0; i < t.input_count; ++i) {
      t.inputs[i].stored = stored_type(k.in[i]);
      t.inputs[i].kind = static_cast<Kind>(k.kind[i]);
      const bool own_type = op.signature == Signature::copy || i == condition_of(op);
      t.inputs[i].value = value_type(own_type ? k.in[i] : k.compute);
    }
    t.layout = static_cast<Layout>(k.layout);
    t.rank = k.rank;
    t.wide = k.wide;
    t.unit_out = k.unit_out;
    t.threads = 1 << k.threads_log2;
    t.vector = k.vector;
    t.unroll = k.unroll;
    return {t.entry, codegen::pointwise_text(t, chip)};
  }

  std::string describe(const KernelKey& key) const override { return "pointwise/" + name_of(key); }

  // The input that is a condition, bool whatever the others are; or -1.
  static int condition_of(const Op& op) {
    return op.signature == Signature::masked_fill ? 1 : op.signature == Signature::where ? 0 : -1;
  }
  static int inputs_of(const Op& op, int flag) { return op.signature == Signature::clamp_tensor && flag > 0 ? 2 : op.inputs; }

 private:
  static std::string name_of(const KernelKey& key) {
    KeyBytes k;
    std::memcpy(&k, key.bytes, sizeof k);
    static const char* const layouts[] = {"flat", "indexed", "tiled"};
    static const char kinds[] = "cbsgt";
    std::string s = ops[key.op].name;
    if (s.back() == '_') s.pop_back();
    if (k.flag) s += std::to_string(k.flag);
    s += "_";
    for (int i = 0; i < inputs_of(ops[key.op], k.flag); ++i) s += short_name(k.in[i]) + "_";
    s += "to_" + short_name(k.out) + "_" + layouts[k.layout];
    if (k.rank) s += std::to_string(k.rank) + (k.wide ? "w" : "");
    s += "_";
    for (int i = 0; i < inputs_of(ops[key.op], k.flag); ++i) s += kinds[k.kind[i]];
    return s + "_v" + std::to_string(k.vector) + "u" + std::to_string(k.unroll);
  }
};
const PointwiseFamily family_instance;

Status check_dtypes(const Call& call) {
  const Op& op = *call.op;
  const int inputs = PointwiseFamily::inputs_of(op, call.flag);
  const auto covered = [](Dtype d) { return d <= Dtype::float64 && !(d >= Dtype::uint16 && d <= Dtype::uint64); };
  if (op.signature == Signature::copy) {
    if (call.in[0].dtype == call.out.dtype) return Status();
    if (!covered(call.in[0].dtype) || !covered(call.out.dtype)) return Status::refuse("no conversion kernel between these dtypes");
    return Status();
  }
  const Dtype c = call.compute;
  if (!covered(c) || !covered(call.out.dtype)) return Status::refuse("no kernel for this dtype");
  const uint8_t set = c == Dtype::boolean ? set_bool : is_integral(c) ? set_int : size_of(c) == 2 ? set_half : set_float;
  if (!(op.dtypes & set)) return Status::refuse("the operator is not defined for this dtype");
  for (int i = 0; i < inputs; ++i)
    if (!call.in[i].scalar && !covered(call.in[i].dtype)) return Status::refuse("no kernel for this input dtype");
  if (const int i = PointwiseFamily::condition_of(op); i >= 0 && call.in[i].dtype != Dtype::boolean)
    return Status::refuse("the condition is not bool");
  return Status();
}

// Everything but layout: fills key and head.
struct Draft {
  KernelKey key;
  KeyBytes k{};
  int inputs;
  size_t widest; // bytes of the largest element in memory
  ArgsWriter args;

  Draft(const Call& call, int64_t count) {
    key.family = family_instance.id();
    key.op = static_cast<uint16_t>(call.op - ops);
    inputs = PointwiseFamily::inputs_of(*call.op, call.flag);
    k.flag = call.flag;
    const bool opaque_copy = call.op->signature == Signature::copy && call.in[0].dtype == call.out.dtype;
    const auto code = [&](Dtype d) { return opaque_copy ? opaque_code(size_of(d)) : static_cast<uint8_t>(d); };
    k.out = code(call.out.dtype);
    k.compute = call.op->signature == Signature::copy ? code(call.in[0].dtype) : static_cast<uint8_t>(call.compute);
    widest = size_of(call.out.dtype);
    args.put(call.out.data);
    for (int i = 0; i < max_inputs; ++i) {
      const bool there = i < inputs;
      const Operand& in = call.in[i];
      const Dtype value = i == PointwiseFamily::condition_of(*call.op) ? Dtype::boolean : call.compute;
      k.in[i] = there ? code(in.scalar ? value : in.dtype) : 0;
      if (there && !in.scalar) {
        widest = std::max(widest, size_of(in.dtype));
        args.put(in.data);
      } else {
        args.put(there ? slot_of(*in.scalar, value) : uint64_t{0});
      }
    }
    for (int i = 0; i < 2; ++i) args.put(i < call.op->scalars ? slot_of(call.scalars[i], call.compute) : uint64_t{0});
    args.put(count);
  }

  void finish(const Chip& chip, uint32_t blocks, LaunchList& list) {
    std::memcpy(key.bytes, &k, sizeof k);
    list.add(key, blocks, chip.simt ? 1u << k.threads_log2 : 1, args.data(), args.size());
  }
};

bool is_aligned(const void* p, size_t bytes) { return reinterpret_cast<uintptr_t>(p) % bytes == 0; }

// Elements an access takes: 16 bytes of the widest operand, if every address allows it.
int vector_width(const Call& call, const Draft& d) {
  int v = static_cast<int>(16 / d.widest);
  bool ok = is_aligned(call.out.data, v * size_of(call.out.dtype));
  for (int i = 0; i < d.inputs; ++i) {
    const Kind kind = static_cast<Kind>(d.k.kind[i]);
    if (kind == Kind::contiguous) ok = ok && is_aligned(call.in[i].data, v * size_of(call.in[i].dtype));
  }
  return ok ? v : 1;
}

// Measured on an H200 (docs/facts.md): 128 threads with two accesses in flight are within 1 % of the best for every operator tried.
constexpr int simt_threads_log2 = 7, tile_threads_log2 = 8;

// A call too small for the chip spreads out first.
void choose_unroll(const Chip& chip, int64_t count, Draft& d) {
  d.k.threads_log2 = simt_threads_log2;
  d.k.unroll = d.k.vector >= 4 ? 2 : 4;
  if (count < static_cast<int64_t>(chip.multiprocessors) * 4 * (d.k.vector << simt_threads_log2)) d.k.unroll = 1;
}

Status simt_blocks(int64_t count, const Draft& d, uint32_t* blocks) {
  const int64_t tile = static_cast<int64_t>(d.k.vector) * d.k.unroll << d.k.threads_log2;
  const int64_t n = (count + tile - 1) / tile;
  if (n >= (int64_t{1} << 31)) return Status::refuse("more blocks than a grid holds");
  *blocks = static_cast<uint32_t>(n);
  return Status();
}

using Dims = DimList<1 + max_inputs, max_rank>;

Status plan_indexed(const Chip& chip, const Call& call, const Dims& dims, Draft& d, LaunchList& list) {
  const int64_t count = dims.count();
  bool vectors = dims.stride[0][0] == 1; // unit or no stride along dimension 0, so that V neighbours are one access
  const bool unit_out = vectors;
  for (int i = 0; i < d.inputs; ++i) {
    const int64_t s = dims.stride[0][i + 1];
    Kind kind = call.in[i].scalar ? Kind::scalar : s == 1 ? Kind::contiguous : s == 0 ? Kind::broadcast : Kind::strided;
    vectors = vectors && kind != Kind::strided;
    d.k.kind[i] = static_cast<uint8_t>(kind);
  }
  d.k.layout = static_cast<uint8_t>(Layout::indexed);
  d.k.rank = static_cast<uint8_t>(std::max(2, rank_class(dims.rank)));
  d.k.wide = chip.simt && count >= (int64_t{1} << 31);
  if (!chip.simt) {
    d.k.unit_out = unit_out;
    d.args.put(dims, d.k.rank, 1 + d.inputs);
    const int64_t pieces = (dims.size[0] + codegen::simd_block - 1) / codegen::simd_block, blocks = count / dims.size[0] * pieces;
    if (blocks >= (int64_t{1} << 32)) return Status::refuse("more blocks than a grid holds");
    d.finish(chip, static_cast<uint32_t>(blocks), list);
    list[list.size() - 1].grain = static_cast<uint32_t>(std::max<int64_t>(1, 32768 / std::min(dims.size[0], codegen::simd_block)));
    return Status();
  }
  d.k.vector = 1;
  if (vectors) {
    int v = vector_width(call, d);
    const auto fits = [&](int64_t n) { return n % v == 0; };
    for (int r = 0; r < dims.rank; ++r)
      for (int o = 0; o <= d.inputs; ++o)
        if (r > 0 && (o == 0 || d.k.kind[o - 1] == static_cast<uint8_t>(Kind::contiguous)) && !fits(dims.stride[r][o])) v = 1;
    d.k.vector = static_cast<uint8_t>(fits(dims.size[0]) ? v : 1);
  }
  if (d.k.vector == 1) { // found one by one: the kinds would only multiply variants
    for (int i = 0; i < d.inputs; ++i)
      if (!call.in[i].scalar) d.k.kind[i] = static_cast<uint8_t>(Kind::strided);
  }
  choose_unroll(chip, count, d);
  d.args.put(dims, d.k.rank, 1 + d.inputs);
  uint32_t blocks;
  if (Status s = simt_blocks(count, d, &blocks); !s) return s;
  d.finish(chip, blocks, list);
  return Status();
}

// The dimension other than 0 along which an input has unit stride, when the output has it along 0; or 0.
int transposed_dim(const Call& call, const Dims& dims, int inputs) {
  if (dims.stride[0][0] != 1 || dims.size[0] < 8) return 0;
  for (int i = 0; i < inputs; ++i) {
    if (call.in[i].scalar || dims.stride[0][i + 1] <= 1) continue;
    for (int r = 1; r < dims.rank; ++r)
      if (dims.stride[r][i + 1] == 1 && dims.size[r] >= 8) return r;
  }
  return 0;
}

// The larger tile whose transposed inputs fit into static shared memory (48 KB).
int simt_edge(const Call& call, const Draft& d) {
  size_t bytes = 0;
  for (int i = 0; i < d.inputs; ++i)
    if (d.k.kind[i] == static_cast<uint8_t>(Kind::transposed)) bytes += size_of(call.in[i].dtype);
  return bytes * 64 * 65 <= 48 * 1024 ? 64 : 32;
}

Status plan_tiled(const Chip& chip, const Call& call, Dims dims, int with, Draft& d, LaunchList& list) {
  std::swap(dims.size[1], dims.size[with]);
  for (int o = 0; o <= d.inputs; ++o) std::swap(dims.stride[1][o], dims.stride[with][o]);
  for (int i = 0; i < d.inputs; ++i) {
    const int64_t s0 = dims.stride[0][i + 1], s1 = dims.stride[1][i + 1];
    Kind kind = s1 == 1 && s0 > 1 && chip.simt ? Kind::transposed
                : s0 == 1                      ? Kind::contiguous
                : s0 == 0                      ? Kind::broadcast
                                               : Kind::strided;
    if (chip.simt && kind != Kind::transposed) kind = Kind::strided;
    d.k.kind[i] = static_cast<uint8_t>(call.in[i].scalar ? Kind::scalar : kind);
  }
  const int64_t count = dims.count(), edge = chip.simt ? simt_edge(call, d) : codegen::simd_edge;
  const auto tiles = [&](int r) { return (dims.size[r] + edge - 1) / edge; };
  const int64_t blocks = count / dims.size[0] / dims.size[1] * tiles(0) * tiles(1);
  if (blocks >= (int64_t{1} << 31)) return Status::refuse("more blocks than a grid holds");
  d.k.layout = static_cast<uint8_t>(Layout::tiled);
  d.k.rank = static_cast<uint8_t>(std::max(2, rank_class(dims.rank)));
  d.k.wide = chip.simt && count >= (int64_t{1} << 31);
  d.k.unit_out = 1;
  d.k.threads_log2 = tile_threads_log2;
  d.k.vector = static_cast<uint8_t>(edge); // a tiled kernel's elements per access are the tile's edge
  d.k.unroll = 1;
  d.args.put(dims, d.k.rank, 1 + d.inputs);
  d.finish(chip, static_cast<uint32_t>(blocks), list);
  list[list.size() - 1].grain = static_cast<uint32_t>(std::max<int64_t>(1, 32768 / (edge * edge)));
  return Status();
}

// `broadcast`: bit i is set for an input that is one element.
Status plan_flat(const Chip& chip, const Call& call, int64_t count, unsigned broadcast, LaunchList& list) {
  Draft d(call, count);
  for (int i = 0; i < d.inputs; ++i)
    d.k.kind[i] = static_cast<uint8_t>(call.in[i].scalar ? Kind::scalar : broadcast >> i & 1 ? Kind::broadcast : Kind::contiguous);
  d.k.layout = static_cast<uint8_t>(Layout::flat);
  if (!chip.simt) {
    d.finish(chip, static_cast<uint32_t>((count + codegen::simd_block - 1) / codegen::simd_block), list);
    list[list.size() - 1].grain = 2;
    return Status();
  }
  d.k.vector = static_cast<uint8_t>(vector_width(call, d));
  choose_unroll(chip, count, d);
  uint32_t blocks;
  if (Status s = simt_blocks(count, d, &blocks); !s) return s;
  d.finish(chip, blocks, list);
  return Status();
}

} // namespace

Status plan_dense(const Chip& chip, const Call& call, int64_t count, LaunchList& list) {
  if (Status s = check_dtypes(call); !s) return s;
  return count == 0 ? Status() : plan_flat(chip, call, count, 0, list);
}

Status plan(const Chip& chip, const Call& call, LaunchList& list) {
  if (Status s = check_dtypes(call); !s) return s;
  const int inputs = PointwiseFamily::inputs_of(*call.op, call.flag);
  Dims dims;
  int64_t count = 1;
  for (int r = 0; r < call.rank; ++r) {
    count *= call.shape[r];
    int64_t s[1 + max_inputs] = {};
    s[0] = call.out.strides[r] / static_cast<int64_t>(size_of(call.out.dtype));
    for (int i = 0; i < inputs; ++i)
      if (!call.in[i].scalar) s[i + 1] = call.in[i].strides[r] / static_cast<int64_t>(size_of(call.in[i].dtype));
    if (call.shape[r] != 0 && !dims.add(call.shape[r], s)) return Status::refuse("more than 16 dimensions that do not merge");
  }
  if (count == 0) return Status();
  bool dense = dims.rank <= 1;
  unsigned broadcast = 0;
  for (int o = 0; dense && dims.rank == 1 && o <= inputs; ++o) {
    if (o > 0 && dims.stride[0][o] == 0)
      broadcast |= 1u << (o - 1);
    else
      dense = dims.stride[0][o] == 1;
  }
  if (dense) return plan_flat(chip, call, count, broadcast, list);
  Draft d(call, count);
  if (const int with = transposed_dim(call, dims, inputs)) return plan_tiled(chip, call, dims, with, d, list);
  return plan_indexed(chip, call, dims, d, list);
}

} // namespace corundum::pointwise
