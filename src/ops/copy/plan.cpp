#include <algorithm>
#include <bit>

#include "core/args.h"
#include "core/family.h"
#include "ops/copy/copy.h"

namespace corundum::copy {
namespace {

struct KeyBytes {
  uint8_t element, in_access, out_access; // bytes
  uint8_t units0, units1;                 // log2 of a GPU kernel's tile, in units of 16 bytes along either dimension
};

constexpr int threads = 256;
struct Units {
  int64_t along0, along1;
};
// By log2 of the element's bytes. Measured on an H200 (docs/facts.md).
constexpr Units units[] = {{8, 8}, {8, 16}, {16, 16}, {16, 16}, {32, 16}};

// A tile of the same size that is no wider than it need be.
Units fit(Units u, int64_t n0, int64_t n1, int64_t vector) {
  while (u.along1 > 1 && u.along1 * vector >= 2 * n1) u = {2 * u.along0, u.along1 / 2};
  while (u.along0 > 1 && u.along0 * vector >= 2 * n0) u = {u.along0 / 2, 2 * u.along1};
  return u;
}

// The tile of a CPU kernel, as in lang/transpose_simd.h.
constexpr int64_t simd_edge0_bytes = 256, simd_edge1 = 128;
constexpr uint64_t streamed_from = 4 << 20; // bytes from which the output is written past the caches

constexpr int max_batch = 14; // as cor::TransposeArgs
// The shorter dimension of a matrix that is worth it: a unit of 16 bytes, or a block of a CPU kernel.
int64_t shortest(const Chip& chip, size_t element) {
  return chip.simt ? std::max<int64_t>(4, static_cast<int64_t>(16 / element)) : 8;
}

class CopyFamily : public Family {
 public:
  CopyFamily() : Family("copy") {}

  KernelSource source(const KernelKey& key, const Chip& chip) const override {
    const KeyBytes k = bytes_of(key);
    const std::string entry = "corundum_" + name_of(k);
    std::string text = "#include \"lang/transpose.h\"\nCOR_TRANSPOSE(" + entry + ", " + std::to_string(k.element);
    if (chip.simt) {
      for (int n : {+k.in_access, +k.out_access, threads, 1 << k.units0, 1 << k.units1}) text += ", " + std::to_string(n);
    }
    return {entry, text + ")\n"};
  }
  std::string describe(const KernelKey& key) const override { return "copy/" + name_of(bytes_of(key)); }

 private:
  static KeyBytes bytes_of(const KernelKey& key) {
    KeyBytes k;
    std::memcpy(&k, key.bytes, sizeof k);
    return k;
  }
  static std::string name_of(const KeyBytes& k) {
    std::string name = "transpose_x" + std::to_string(8 * k.element);
    if (k.in_access)
      for (int n : {+k.in_access, +k.out_access, 1 << k.units0, 1 << k.units1}) name += "_" + std::to_string(n);
    return name;
  }
};
const CopyFamily family_instance;

using Dims = DimList<2, max_batch + 2>;

// Dimensions in the order of the output's strides, merged, strides in elements; false if there are too many.
bool collect(const Call& call, Dims& dims) {
  int order[64];
  if (call.rank > 64) return false;
  for (int r = 0; r < call.rank; ++r) order[r] = r;
  std::sort(order, order + call.rank, [&](int a, int b) { return call.out_strides[a] < call.out_strides[b]; });
  const auto size = static_cast<int64_t>(call.element_size);
  for (int i = 0; i < call.rank; ++i) {
    const int r = order[i];
    if (call.out_strides[r] % size || call.in_strides[r] % size) return false;
    const int64_t strides[] = {call.out_strides[r] / size, call.in_strides[r] / size};
    if (call.shape[r] == 0 || !dims.add(call.shape[r], strides)) return false;
  }
  return true;
}

// The widest access, of at most `widest` bytes, that divides all addresses of a side; 64 bytes are the widest vector of a CPU.
constexpr uint64_t widest = 64;
uint64_t access_of(const Dims& dims, int side, int along, const void* data, size_t element) {
  uint64_t all = reinterpret_cast<uint64_t>(data) | widest;
  for (int d = 0; d < dims.rank; ++d)
    if (d != along) all |= static_cast<uint64_t>(dims.stride[d][side]) * element;
  return all & (~all + 1);
}

// The matrix of a transpose among the dimensions.
struct Matrix {
  int dim[2] = {-1, -1}; // along which the output, and the input, has unit stride
  int64_t n[2], edge[2], blocks;

  bool find(const Dims& dims, int64_t shortest) {
    for (int d = 0; d < dims.rank; ++d)
      for (int side = 0; side < 2; ++side)
        if (dims.stride[d][side] == 1 && dim[side] < 0) dim[side] = d;
    if (dim[0] < 0 || dim[1] < 0 || dim[0] == dim[1]) return false;
    for (int i = 0; i < 2; ++i) n[i] = dims.size[dim[i]];
    return std::min(n[0], n[1]) >= shortest;
  }
  void cut(const Chip& chip, const Dims& dims, size_t element, KeyBytes* k) {
    const auto size = static_cast<int64_t>(element), vector = 16 / size;
    edge[0] = simd_edge0_bytes / size;
    edge[1] = simd_edge1;
    if (chip.simt) {
      const Units u = fit(units[std::countr_zero(element)], n[0], n[1], vector);
      k->units0 = static_cast<uint8_t>(std::countr_zero(static_cast<uint64_t>(u.along0)));
      k->units1 = static_cast<uint8_t>(std::countr_zero(static_cast<uint64_t>(u.along1)));
      edge[0] = u.along0 * vector;
      edge[1] = u.along1 * vector;
    }
    blocks = dims.count() / n[0] / n[1];
    for (int i = 0; i < 2; ++i) blocks *= (n[i] + edge[i] - 1) / edge[i];
  }
};

// The struct of lang/transpose.h.
void put_args(const Call& call, const Dims& dims, const Matrix& m, bool streamed, ArgsWriter& args) {
  args.put(call.in);
  args.put(static_cast<const void*>(call.out));
  args.put(m.n[0]);
  args.put(m.n[1]);
  args.put(dims.stride[m.dim[0]][1]);
  args.put(dims.stride[m.dim[1]][0]);
  args.put(int64_t{streamed});
  args.put(int64_t{dims.rank - 2});
  int batch[max_batch], used = 0;
  for (int d = 0; d < dims.rank; ++d)
    if (d != m.dim[0] && d != m.dim[1]) batch[used++] = d;
  for (int d = 0; d < max_batch; ++d) args.put(d < used ? dims.size[batch[d]] : int64_t{1});
  for (int side : {1, 0})
    for (int d = 0; d < max_batch; ++d) args.put(d < used ? dims.stride[batch[d]][side] : int64_t{0});
}

} // namespace

bool plan_transpose(const Chip& chip, const Call& call, LaunchList& list) {
  Dims dims;
  Matrix m;
  KeyBytes k{static_cast<uint8_t>(call.element_size)};
  if (!collect(call, dims) || !m.find(dims, shortest(chip, call.element_size))) return false;
  m.cut(chip, dims, call.element_size, &k);
  if (m.blocks >= (int64_t{1} << 31)) return false;
  const uint64_t in_access = access_of(dims, 1, m.dim[1], call.in, call.element_size),
                 out_access = access_of(dims, 0, m.dim[0], call.out, call.element_size);
  if (std::min(in_access, out_access) < call.element_size) return false;
  if (chip.simt) {
    k.in_access = static_cast<uint8_t>(std::min<uint64_t>(in_access, 16));
    k.out_access = static_cast<uint8_t>(std::min<uint64_t>(out_access, 16));
  }
  const bool streamed =
      !chip.simt && out_access == widest && static_cast<uint64_t>(dims.count()) * call.element_size >= streamed_from;
  ArgsWriter args;
  put_args(call, dims, m, streamed, args);
  KernelKey key;
  key.family = family_instance.id();
  std::memcpy(key.bytes, &k, sizeof k);
  Launch& launch = list.add(key, static_cast<uint32_t>(m.blocks), chip.simt ? threads : 1, args.data(), args.size());
  if (!chip.simt) {
    launch.shared_bytes = static_cast<uint32_t>(simd_edge0_bytes * simd_edge1);
    launch.grain = 2;
  }
  return true;
}

} // namespace corundum::copy
