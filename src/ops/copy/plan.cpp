#include <algorithm>
#include <bit>

#include "core/args.h"
#include "core/family.h"
#include "ops/copy/copy.h"

namespace corundum::copy {
namespace {

struct KeyBytes {
  uint8_t element, in_access, out_access; // bytes
};

// The tile of a GPU kernel by log2 of the element's bytes, in units of 16 bytes along dimensions 0 and 1. Measured on an H200
// (docs/facts.md).
constexpr int threads = 256;
struct Tile {
  int units0, units1;
};
constexpr Tile tiles[] = {{8, 8}, {8, 16}, {16, 16}, {16, 16}, {32, 16}};

// The tile of a CPU kernel, as in lang/transpose_simd.h.
constexpr int64_t simd_edge0_bytes = 256, simd_edge1 = 128;
constexpr uint64_t streamed_from = 4 << 20; // bytes from which the output is written past the caches

constexpr int max_batch = 14; // as cor::TransposeArgs
constexpr int64_t shortest = 8;

class CopyFamily : public Family {
 public:
  CopyFamily() : Family("copy") {}

  KernelSource source(const KernelKey& key, const Chip& chip) const override {
    const KeyBytes k = bytes_of(key);
    const std::string entry = "corundum_" + name_of(k);
    std::string text = "#include \"lang/transpose.h\"\nCOR_TRANSPOSE(" + entry + ", " + std::to_string(k.element);
    if (chip.simt) {
      const Tile tile = tiles[std::countr_zero(k.element)];
      for (int n : {+k.in_access, +k.out_access, threads, tile.units0, tile.units1}) text += ", " + std::to_string(n);
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
    if (k.in_access) name += "_" + std::to_string(k.in_access) + "_" + std::to_string(k.out_access);
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

  bool find(const Dims& dims) {
    for (int d = 0; d < dims.rank; ++d)
      for (int side = 0; side < 2; ++side)
        if (dims.stride[d][side] == 1 && dim[side] < 0) dim[side] = d;
    if (dim[0] < 0 || dim[1] < 0 || dim[0] == dim[1]) return false;
    for (int i = 0; i < 2; ++i) n[i] = dims.size[dim[i]];
    return n[0] >= shortest && n[1] >= shortest;
  }
  void cut(const Chip& chip, const Dims& dims, size_t element) {
    const Tile tile = tiles[std::countr_zero(element)];
    const auto size = static_cast<int64_t>(element);
    edge[0] = chip.simt ? tile.units0 * 16 / size : simd_edge0_bytes / size;
    edge[1] = chip.simt ? tile.units1 * 16 / size : simd_edge1;
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
  if (!collect(call, dims) || !m.find(dims)) return false;
  m.cut(chip, dims, call.element_size);
  if (m.blocks >= (int64_t{1} << 31)) return false;
  const uint64_t in_access = access_of(dims, 1, m.dim[1], call.in, call.element_size),
                 out_access = access_of(dims, 0, m.dim[0], call.out, call.element_size);
  if (std::min(in_access, out_access) < call.element_size) return false;
  KeyBytes k{static_cast<uint8_t>(call.element_size)};
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
