#include <algorithm>
#include <deque>
#include <mutex>

#include "codegen/pointwise.h"
#include "core/args.h"
#include "core/family.h"
#include "ops/pointwise/pointwise.h"

namespace corundum::pointwise {
namespace {

using codegen::Kind;
using codegen::Layout;

// What a key of this family says, byte by byte. An input's byte holds its kind above five bits of type.
struct KeyBytes {
  uint8_t flag, layout, rank, wide, unit_out, threads_log2, vector, unroll;
  uint8_t compute, out[max_outputs], in[max_inputs];

  uint8_t type(int input) const { return in[input] & 31; }
  Kind kind(int input) const { return static_cast<Kind>(in[input] >> 5); }
  void set_kind(int input, Kind kind) { in[input] = static_cast<uint8_t>(type(input) | static_cast<int>(kind) << 5); }
};
static_assert(sizeof(KeyBytes) <= sizeof(KernelKey::bytes));

// Same-dtype copies move opaque bits: this and the following codes mean 1, 2, 4, 8 and 16 bytes.
constexpr uint8_t opaque = 24;
static_assert(static_cast<int>(Dtype::count) <= opaque);

uint8_t opaque_code(size_t bytes) {
  return static_cast<uint8_t>(opaque + (bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : bytes == 8 ? 3 : 4));
}
std::string stored_type(uint8_t code) {
  return code >= opaque ? "cor::Opaque<" + std::to_string(1 << (code - opaque)) + ">" : info(static_cast<Dtype>(code)).kernel_type;
}
std::string value_type(uint8_t code) { return code >= opaque ? stored_type(code) : info(static_cast<Dtype>(code)).compute_type; }
std::string short_name(uint8_t code) {
  return code >= opaque ? std::string("x").append(std::to_string(8 << (code - opaque))) : info(static_cast<Dtype>(code)).short_name;
}
bool is_verdict(const Op& op) { return op.signature == Signature::verdict; }
bool is_complex_code(uint8_t code) { return code < opaque && is_complex(static_cast<Dtype>(code)); }

KeyBytes unpack(const KernelKey& key) {
  KeyBytes k;
  std::memcpy(&k, key.bytes, sizeof k);
  return k;
}

// Rows in files of their own are numbered behind the table's, as they first come to a plan.
struct OwnRows {
  std::mutex mutex;
  std::deque<const Op*> rows;
};
OwnRows& own_rows() {
  static auto* rows = new OwnRows;
  return *rows;
}

uint16_t number_of(const Op& op) {
  if (&op >= ops.data() && &op < ops.data() + ops.size()) [[likely]]
    return static_cast<uint16_t>(&op - ops.data());
  OwnRows& own = own_rows();
  std::lock_guard lock(own.mutex);
  const auto found = std::find(own.rows.begin(), own.rows.end(), &op);
  const auto place = found - own.rows.begin();
  if (found == own.rows.end()) own.rows.push_back(&op);
  return static_cast<uint16_t>(ops.size() + place);
}

const Op& numbered(uint16_t number) {
  if (number < ops.size()) [[likely]]
    return ops[number];
  OwnRows& own = own_rows();
  std::lock_guard lock(own.mutex);
  return *own.rows[number - ops.size()];
}

// Into an output of another dtype goes what the result's own dtype holds: 16-bit sums rounded, 8-bit ones wrapped.
bool rounds_first(const Op& op, const KeyBytes& k) {
  const bool keeps = op.promotion == Promotion::standard || op.promotion == Promotion::int_to_float;
  return keeps && op.outputs == 1 && op.signature != Signature::copy && k.compute < opaque && k.out[0] != k.compute &&
         (set_of(static_cast<Dtype>(k.compute)) & (set_bool | set_int | set_half | set_unsigned));
}

class PointwiseFamily : public Family {
 public:
  PointwiseFamily() : Family("pointwise") {}

  KernelSource source(const KernelKey& key, const Chip& chip) const override {
    const Op& op = numbered(key.op);
    const KeyBytes k = unpack(key);
    codegen::PointwiseText t;
    t.entry = std::string("corundum_") + name_of(key);
    t.expression = op.expression[k.flag];
    if (rounds_first(op, k)) t.expression = "round_to<Common>(" + t.expression + ")";
    t.common = stored_type(k.compute);
    t.scalar = k.compute >= opaque ? "int" : value_type(k.compute);
    t.scalars = op.scalars;
    t.slots = slots_of(k.compute);
    t.verdict = is_verdict(op);
    t.complex = is_complex_code(k.compute) || is_complex_code(k.type(0));
    for (int o = 0; o < op.outputs; ++o) {
      t.outputs.push_back({t.verdict ? "cor::Verdict" : stored_type(k.out[o]), value_type(k.out[o])});
      t.complex = t.complex || is_complex_code(k.out[o]);
    }
    for (int i = 0; i < inputs_of(op, k.flag); ++i)
      t.inputs.push_back({stored_type(k.type(i)), value_type(op.own >> i & 1 ? k.type(i) : k.compute), k.kind(i)});
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

  // 8-byte words of a number.
  static int slots_of(uint8_t compute) { return compute == static_cast<uint8_t>(Dtype::complex128) ? 2 : 1; }

 private:
  static std::string name_of(const KernelKey& key) {
    const KeyBytes k = unpack(key);
    const Op& op = numbered(key.op);
    static const char* const layouts[] = {"flat", "indexed", "tiled"};
    static const char kinds[] = "cbsgt";
    std::string s = op.name;
    if (s.back() == '_') s.pop_back();
    if (k.flag) s += std::to_string(k.flag);
    s += "_";
    for (int i = 0; i < inputs_of(op, k.flag); ++i) s += short_name(k.type(i)) + "_";
    s += "to_";
    for (int o = 0; o < op.outputs; ++o) s += short_name(k.out[o]) + "_";
    s += layouts[k.layout];
    if (k.rank) s += std::to_string(k.rank) + (k.wide ? "w" : "");
    if (static_cast<Layout>(k.layout) == Layout::indexed && k.unit_out) s += "u";
    s += "_";
    for (int i = 0; i < inputs_of(op, k.flag); ++i) s += kinds[static_cast<int>(k.kind(i))];
    return s + "_v" + std::to_string(k.vector) + "u" + std::to_string(k.unroll) +
           (k.threads_log2 == 8 && k.layout != 2 ? "t256" : "");
  }
};
const PointwiseFamily family_instance;

bool moves_bits(const Call& call) {
  return call.op->signature == Signature::copy && call.flag == 0 && call.in[0].dtype == call.out[0].dtype;
}

Status check_dtypes(const Call& call) {
  if (moves_bits(call)) return Status();
  const Op& op = *call.op;
  const bool converts = op.signature == Signature::copy;
  if (!(op.dtypes & set_of(call.compute))) return Status::refuse("the operator is not defined for this dtype");
  for (int o = 0; o < op.outputs; ++o)
    if (!set_of(call.out[o].dtype)) return Status::refuse("no kernel for this output dtype");
  for (int i = 0; i < inputs_of(op, call.flag); ++i) {
    const Dtype in = call.in[i].dtype;
    if (call.in[i].scalar) continue;
    if (!set_of(in)) return Status::refuse("no kernel for this input dtype");
    if (op.own >> i & 1 && !converts && in != Dtype::boolean && in != Dtype::uint8)
      return Status::refuse("the condition is not bool");
    if (is_complex(in) && !is_complex(call.compute)) return Status::refuse("complex numbers as real ones");
  }
  return Status();
}

// Everything but layout: fills key and head.
struct Draft {
  KernelKey key;
  KeyBytes k{};
  int inputs, outputs;
  size_t widest = 0; // bytes of the largest element in memory
  ArgsWriter args;

  Draft(const Call& call, int64_t count) {
    const Op& op = *call.op;
    key.family = family_instance.id();
    key.op = number_of(op);
    inputs = inputs_of(op, call.flag);
    outputs = op.outputs;
    const bool is_opaque = moves_bits(call);
    const auto code = [&](Dtype d) { return is_opaque ? opaque_code(size_of(d)) : static_cast<uint8_t>(d); };
    k.flag = call.flag;
    k.compute = code(call.compute);
    for (int o = 0; o < outputs; ++o) {
      k.out[o] = code(call.out[o].dtype);
      widest = std::max(widest, size_of(call.out[o].dtype));
      args.put(call.out[o].data);
    }
    const int slots = PointwiseFamily::slots_of(k.compute);
    for (int i = 0; i < inputs; ++i) {
      const Operand& in = call.in[i];
      const Dtype value = op.own >> i & 1 && op.signature != Signature::copy ? Dtype::boolean : call.compute;
      k.in[i] = code(in.scalar ? value : in.dtype);
      if (in.scalar) {
        put(*in.scalar, value, slots);
      } else {
        widest = std::max(widest, size_of(in.dtype));
        args.put(in.data);
        if (slots == 2) args.put(uint64_t{0});
      }
    }
    for (int i = 0; i < op.scalars; ++i) put(call.scalars[i], call.compute, slots);
    for (int i = op.scalars ? slots : 0; i < slots; ++i) args.put(uint64_t{0});
    args.put(count);
  }

  void put(const Scalar& number, Dtype dtype, int slots) {
    args.put(slot_of(number, dtype));
    if (slots == 2) args.put(slot_of(Scalar::of(number.im), Dtype::float64));
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
  bool ok = true;
  for (int o = 0; o < d.outputs; ++o) ok = ok && is_aligned(call.out[o].data, v * size_of(call.out[o].dtype));
  for (int i = 0; i < d.inputs; ++i)
    if (d.k.kind(i) == Kind::contiguous) ok = ok && is_aligned(call.in[i].data, v * size_of(call.in[i].dtype));
  return ok ? v : 1;
}

// Measured on an H200 (docs/facts.md): 128 threads with two accesses in flight are within 1 % of the best for every operator tried.
constexpr int simt_threads_log2 = 7, tile_threads_log2 = 8, lanes_of_multiprocessor = 2048;

// A call too small for the chip spreads out: one access in flight a lane, and narrower ones of small elements.
void choose_unroll(const Chip& chip, int64_t count, Draft& d) {
  d.k.threads_log2 = simt_threads_log2;
  d.k.unroll = d.k.vector >= 4 ? 2 : 4;
  const int64_t lanes = static_cast<int64_t>(chip.multiprocessors) * lanes_of_multiprocessor;
  if (count >= lanes / 4 * 3 * d.k.vector) return;
  d.k.unroll = 1;
  while (d.k.vector > 4) d.k.vector /= 2;
  if (count >= lanes) d.k.threads_log2 = simt_threads_log2 + 1; // starting more blocks costs more than they win
}

Status simt_blocks(const Chip& chip, int64_t count, const Draft& d, uint32_t* blocks) {
  const int64_t tile = static_cast<int64_t>(d.k.vector) * d.k.unroll << d.k.threads_log2;
  int64_t n = (count + tile - 1) / tile;
  if (is_verdict(ops[d.key.op]))
    n = std::min(n, static_cast<int64_t>(chip.multiprocessors) * lanes_of_multiprocessor >> d.k.threads_log2);
  if (n >= (int64_t{1} << 31)) return Status::refuse("more blocks than a grid holds");
  *blocks = static_cast<uint32_t>(n);
  return Status();
}

using Dims = DimList<max_outputs + max_inputs, max_rank>;

// A verdict, which has no strides, counts as one.
bool has_unit_outputs(const Call& call, const Dims& dims, const Draft& d) {
  for (int o = 0; o < d.outputs; ++o)
    if (dims.stride[0][o] != 1 && !is_verdict(*call.op)) return false;
  return true;
}

Status plan_indexed(const Chip& chip, const Call& call, const Dims& dims, Draft& d, LaunchList& list) {
  const int64_t count = dims.count();
  bool vectors = has_unit_outputs(call, dims, d); // unit or no stride along dimension 0, so that V neighbours are one access
  const bool unit_out = vectors;
  for (int i = 0; i < d.inputs; ++i) {
    const int64_t s = dims.stride[0][d.outputs + i];
    Kind kind = call.in[i].scalar ? Kind::scalar : s == 1 ? Kind::contiguous : s == 0 ? Kind::broadcast : Kind::strided;
    vectors = vectors && kind != Kind::strided;
    d.k.set_kind(i, kind);
  }
  d.k.layout = static_cast<uint8_t>(Layout::indexed);
  d.k.rank = static_cast<uint8_t>(std::max(2, rank_class(dims.rank)));
  d.k.wide = chip.simt && count >= (int64_t{1} << 31);
  if (!chip.simt) {
    d.k.unit_out = unit_out;
    d.args.put(dims, d.k.rank);
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
      for (int o = 0; o < dims.operands; ++o)
        if (r > 0 && (o < d.outputs || d.k.kind(o - d.outputs) == Kind::contiguous) && !fits(dims.stride[r][o])) v = 1;
    d.k.vector = static_cast<uint8_t>(fits(dims.size[0]) ? v : 1);
  }
  if (d.k.vector == 1) { // found one by one: the kinds would only multiply variants
    for (int i = 0; i < d.inputs; ++i)
      if (!call.in[i].scalar) d.k.set_kind(i, Kind::strided);
  }
  choose_unroll(chip, count, d);
  d.args.put(dims, d.k.rank);
  uint32_t blocks;
  if (Status s = simt_blocks(chip, count, d, &blocks); !s) return s;
  d.finish(chip, blocks, list);
  return Status();
}

// The dimension other than 0 along which an input has unit stride, when the outputs have it along 0; or 0.
int transposed_dim(const Call& call, const Dims& dims, const Draft& d) {
  if (!has_unit_outputs(call, dims, d) || dims.size[0] < 8) return 0;
  for (int i = 0; i < d.inputs; ++i) {
    if (call.in[i].scalar || dims.stride[0][d.outputs + i] <= 1) continue;
    for (int r = 1; r < dims.rank; ++r)
      if (dims.stride[r][d.outputs + i] == 1 && dims.size[r] >= 8) return r;
  }
  return 0;
}

// The larger tile whose transposed inputs fit into static shared memory (48 KB); 0 where none does.
int simt_edge(const Call& call, const Draft& d) {
  size_t bytes = 0;
  for (int i = 0; i < d.inputs; ++i)
    if (d.k.kind(i) == Kind::transposed) bytes += size_of(call.in[i].dtype);
  constexpr size_t most = 47 * 1024; // inputs that are not transposed have tiles of a few elements
  return bytes * 64 * 65 <= most ? 64 : bytes * 32 * 33 <= most ? 32 : 0;
}

// Neighbours that an access of a tiled kernel takes: 8 bytes of the widest operand, if every address, stride and size allows it.
// Transposed inputs have their neighbours along dimension 1, all others along dimension 0.
int tile_vector(const Call& call, const Dims& dims, const Draft& d) {
  const int v = static_cast<int>(std::max<size_t>(1, 8 / d.widest));
  const auto fits = [&](int64_t n) { return n % v == 0; };
  if (!fits(dims.size[0]) || !fits(dims.size[1])) return 1;
  for (int o = 0; o < dims.operands; ++o) {
    const int i = o - d.outputs;
    const Kind kind = i < 0 ? Kind::contiguous : d.k.kind(i);
    if (kind == Kind::scalar || kind == Kind::broadcast) continue;
    if (kind == Kind::strided) return 1;
    const Operand& operand = i < 0 ? call.out[o] : call.in[i];
    if (!is_aligned(operand.data, v * size_of(operand.dtype))) return 1;
    const int along = kind == Kind::transposed ? 1 : 0;
    for (int r = 0; r < dims.rank; ++r)
      if (r != along && !fits(dims.stride[r][o])) return 1;
  }
  return v;
}

Status plan_tiled(const Chip& chip, const Call& call, Dims dims, int with, Draft& d, LaunchList& list) {
  std::swap(dims.size[1], dims.size[with]);
  for (int o = 0; o < dims.operands; ++o) std::swap(dims.stride[1][o], dims.stride[with][o]);
  for (int i = 0; i < d.inputs; ++i) {
    const int64_t s0 = dims.stride[0][d.outputs + i], s1 = dims.stride[1][d.outputs + i];
    Kind kind = s1 == 1 && s0 > 1 && chip.simt ? Kind::transposed
                : s0 == 1                      ? Kind::contiguous
                : s0 == 0                      ? Kind::broadcast
                                               : Kind::strided;
    d.k.set_kind(i, call.in[i].scalar ? Kind::scalar : kind);
  }
  const int wide = chip.simt ? tile_vector(call, dims, d) : 1;
  for (int i = 0; chip.simt && wide == 1 && i < d.inputs; ++i) // found one by one: the kinds would only multiply variants
    if (d.k.kind(i) != Kind::transposed && d.k.kind(i) != Kind::scalar) d.k.set_kind(i, Kind::strided);
  const int64_t count = dims.count(), edge = chip.simt ? simt_edge(call, d) : codegen::simd_edge;
  if (edge == 0) return Status::refuse("too many transposed inputs for a block's shared memory");
  const auto tiles = [&](int r) { return (dims.size[r] + edge - 1) / edge; };
  const int64_t blocks = count / dims.size[0] / dims.size[1] * tiles(0) * tiles(1);
  if (blocks >= (int64_t{1} << 31)) return Status::refuse("more blocks than a grid holds");
  d.k.layout = static_cast<uint8_t>(Layout::tiled);
  d.k.rank = static_cast<uint8_t>(std::max(2, rank_class(dims.rank)));
  d.k.wide = chip.simt && count >= (int64_t{1} << 31);
  d.k.unit_out = 1;
  d.k.threads_log2 = tile_threads_log2;
  d.k.vector = static_cast<uint8_t>(edge); // a tiled kernel's elements per access are the tile's edge
  d.k.unroll = static_cast<uint8_t>(wide); // and its unroll the elements an access takes
  d.args.put(dims, d.k.rank);
  d.finish(chip, static_cast<uint32_t>(blocks), list);
  list[list.size() - 1].grain = static_cast<uint32_t>(std::max<int64_t>(1, 32768 / (edge * edge)));
  return Status();
}

// `broadcast`: bit i is set for an input that is one element.
Status plan_flat(const Chip& chip, const Call& call, int64_t count, unsigned broadcast, LaunchList& list) {
  Draft d(call, count);
  for (int i = 0; i < d.inputs; ++i)
    d.k.set_kind(i, call.in[i].scalar ? Kind::scalar : broadcast >> i & 1 ? Kind::broadcast : Kind::contiguous);
  d.k.layout = static_cast<uint8_t>(Layout::flat);
  if (!chip.simt) {
    d.finish(chip, static_cast<uint32_t>((count + codegen::simd_block - 1) / codegen::simd_block), list);
    list[list.size() - 1].grain = 2;
    return Status();
  }
  d.k.vector = static_cast<uint8_t>(vector_width(call, d));
  choose_unroll(chip, count, d);
  uint32_t blocks;
  if (Status s = simt_blocks(chip, count, d, &blocks); !s) return s;
  d.finish(chip, blocks, list);
  return Status();
}

constexpr const Op *quotient = &row("div", Signature::binary), *product = &row("mul", Signature::binary);

bool divides_by_number(const Chip& chip, const Call& call) {
  return call.op == quotient && chip.simt && call.in[1].scalar && is_floating(call.compute);
}

// ATen's GPU kernels multiply with a divisor's inverse, taken in the type that they compute in.
template <class Plan>
Status plan_product(Call call, Plan plan) {
  const double by = call.in[1].scalar->f;
  const Scalar inverse = Scalar::of(call.compute == Dtype::float64 ? 1 / by : static_cast<double>(1 / static_cast<float>(by)));
  call.op = product;
  call.in[1].scalar = &inverse;
  return plan(call);
}

} // namespace

int inputs_of(const Op& op, int flag) { return op.signature == Signature::clamp_tensor && flag > 0 ? 2 : op.inputs; }

uint8_t set_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::boolean:
      return set_bool;
    case Dtype::uint8:
    case Dtype::int8:
    case Dtype::int16:
    case Dtype::int32:
    case Dtype::int64:
      return set_int;
    case Dtype::uint16:
    case Dtype::uint32:
    case Dtype::uint64:
      return set_unsigned;
    case Dtype::float16:
    case Dtype::bfloat16:
      return set_half;
    case Dtype::float32:
    case Dtype::float64:
      return set_float;
    case Dtype::complex64:
    case Dtype::complex128:
      return set_complex;
    default:
      return 0;
  }
}

Status plan_dense(const Chip& chip, const Call& call, int64_t count, LaunchList& list) {
  if (divides_by_number(chip, call)) return plan_product(call, [&](const Call& c) { return plan_dense(chip, c, count, list); });
  if (Status s = check_dtypes(call); !s) return s;
  return count == 0 ? Status() : plan_flat(chip, call, count, 0, list);
}

Status plan(const Chip& chip, const Call& call, LaunchList& list) {
  if (divides_by_number(chip, call)) return plan_product(call, [&](const Call& c) { return plan(chip, c, list); });
  if (Status s = check_dtypes(call); !s) return s;
  const int inputs = inputs_of(*call.op, call.flag), outputs = call.op->outputs;
  Dims dims;
  dims.operands = outputs + inputs;
  int64_t count = 1;
  for (int r = 0; r < call.rank; ++r) {
    count *= call.shape[r];
    int64_t s[max_outputs + max_inputs] = {};
    for (int o = 0; o < outputs && !is_verdict(*call.op); ++o)
      s[o] = call.out[o].strides[r] / static_cast<int64_t>(size_of(call.out[o].dtype));
    for (int i = 0; i < inputs; ++i)
      if (!call.in[i].scalar) s[outputs + i] = call.in[i].strides[r] / static_cast<int64_t>(size_of(call.in[i].dtype));
    if (call.shape[r] != 0 && !dims.add(call.shape[r], s)) return Status::refuse("more than 16 dimensions that do not merge");
  }
  if (count == 0) return Status();
  bool dense = dims.rank <= 1;
  unsigned broadcast = 0;
  for (int o = 0; dense && dims.rank == 1 && o < dims.operands; ++o) {
    if (o >= outputs && dims.stride[0][o] == 0)
      broadcast |= 1u << (o - outputs);
    else
      dense = dims.stride[0][o] == 1 || (o < outputs && is_verdict(*call.op));
  }
  if (dense) return plan_flat(chip, call, count, broadcast, list);
  Draft d(call, count);
  if (const int with = transposed_dim(call, dims, d)) return plan_tiled(chip, call, dims, with, d, list);
  return plan_indexed(chip, call, dims, d, list);
}

} // namespace corundum::pointwise
