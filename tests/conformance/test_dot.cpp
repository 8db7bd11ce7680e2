// Products of matrices by dot() and pipeline() on every target, against f64: all types, either order of each factor, extents around
// the edges of tiles, strides longer than rows and buffers off alignment.
#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "backends/cuda_memory.h"
#include "conformance/matmul.h"
#include "conformance/qemu.h"
#include "conformance/target.h"
#include "lang/support.h"

namespace corundum::test {
namespace {

// A stored type, seen from the host. `rounding` of a result, `summing` of each addition, relative.
struct F32 {
  using Stored = float;
  static constexpr const char* name = "float";
  static constexpr double rounding = 0x1p-24, summing = 0x1p-23;
  static Stored write(double v) { return static_cast<float>(v); }
  static double read(Stored v) { return v; }
};
struct Tf32 : F32 { // f32 that is rounded to 11 bits before it is multiplied
  static constexpr double summing = 0x1p-13;
};
struct F64 {
  using Stored = double;
  static constexpr const char* name = "double";
  static constexpr double rounding = 0x1p-53, summing = 0x1p-52;
  static Stored write(double v) { return v; }
  static double read(Stored v) { return v; }
};
struct F16 {
  using Stored = uint16_t;
  static constexpr const char* name = "cor::f16";
  static constexpr double rounding = 0x1p-11, summing = 0x1p-23;
  static Stored write(double v) { return half_of(static_cast<float>(v)); }
  static double read(Stored v) { return from_half(v); }
};
struct BF16 {
  using Stored = uint16_t;
  static constexpr const char* name = "cor::bf16";
  static constexpr double rounding = 0x1p-8, summing = 0x1p-23;
  static Stored write(double v) { return bfloat_of(static_cast<float>(v)); }
  static double read(Stored v) { return from_bfloat(v); }
};
struct I8 {
  using Stored = int8_t;
  static constexpr const char* name = "cor::i8";
  static constexpr double rounding = 0, summing = 0;
  static Stored write(double v) { return static_cast<int8_t>(std::lround(v * 40)); }
  static double read(Stored v) { return v; }
};
struct I32 {
  using Stored = int32_t;
  static constexpr const char* name = "int";
  static constexpr double rounding = 0, summing = 0;
  static double read(Stored v) { return v; }
};

// A factor: element (outer, k) at outer * row + k * column.
template <class T>
struct Operand {
  int64_t row, column, stride;
  std::vector<typename T::Stored> values;

  Operand(int64_t outer, int64_t k, bool along_k, int64_t more, std::mt19937& random) {
    stride = (along_k ? k : outer) + more;
    row = along_k ? stride : 1;
    column = along_k ? 1 : stride;
    std::uniform_real_distribution<double> number(-3, 3);
    values.resize(static_cast<size_t>((along_k ? outer : k) * stride));
    for (auto& v : values) v = T::write(number(random));
  }
  double at(int64_t outer, int64_t k) const { return T::read(values[static_cast<size_t>(outer * row + k * column)]); }
};

struct Extents {
  int64_t m, n, k, more; // `more`: elements between rows; odd ones put rows off alignment, and buffers too
};

class Dot : public OnTarget {
 protected:
  bool tensor_cores() const { return chip().backend == std::string_view("cuda"); }

  template <class T, class Out>
  void multiply(const Matmul& p, Extents e) const {
    SCOPED_TRACE(std::string(p.type) + " " + p.unit + " " + std::to_string(e.m) + "x" + std::to_string(e.n) + "x" +
                 std::to_string(e.k) + "+" + std::to_string(e.more) + (p.a_along_k ? " ak" : " am") +
                 (p.b_along_k ? " bk" : " bn"));
    std::mt19937 random(static_cast<unsigned>(e.m * 31 + e.n * 7 + e.k));
    const Operand<T> a(e.m, e.k, p.a_along_k, e.more, random), b(e.n, e.k, p.b_along_k, e.more, random);
    const size_t off = static_cast<size_t>(e.more % 2), row = static_cast<size_t>(e.n + e.more);
    const auto before = static_cast<typename Out::Stored>(7);
    Buffer in_a = Buffer::of(a.values, off), in_b = Buffer::of(b.values, off), out;
    const int64_t blocks = (e.m + p.m - 1) / p.m * ((e.n + p.n - 1) / p.n);
    const auto arguments = [&]() -> std::vector<Argument> {
      out = Buffer::filled(static_cast<size_t>(e.m) * row, before, off);
      return {&in_a, &in_b, &out, blocks, e.m, e.n, e.k, a.stride, b.stride, static_cast<int64_t>(row)};
    };
    run({matmul_text(p), static_cast<uint32_t>(blocks), static_cast<uint32_t>(p.threads), shared_bytes(chip(), p)}, arguments,
        [&] { compare<T, Out>(a, b, e, out.as<typename Out::Stored>(), row, before); });
  }

  // bf16 by the copy engine: the kernel's struct starts with two tensor maps, which hold addresses, and ends at a multiple of 64
  // bytes as they do.
  void multiply_mapped(const Matmul& p, Extents e) const {
    SCOPED_TRACE("mapped " + std::to_string(e.m) + "x" + std::to_string(e.n) + "x" + std::to_string(e.k));
    std::mt19937 random(static_cast<unsigned>(e.m * 31 + e.n * 7 + e.k));
    const Operand<BF16> a(e.m, e.k, p.a_along_k, e.more, random), b(e.n, e.k, p.b_along_k, e.more, random);
    const Memory in_a(chip(), Buffer::of(a.values)), in_b(chip(), Buffer::of(b.values));
    const size_t row = static_cast<size_t>(e.n + e.more);
    Buffer out = Buffer::filled(static_cast<size_t>(e.m) * row, uint16_t{7});
    const int64_t blocks = (e.m + p.m - 1) / p.m * ((e.n + p.n - 1) / p.n);
    std::vector<Argument> arguments;
    for (const uint64_t word : tensor_map(in_a.data(), a.stride, p.a_along_k, e.m, e.k, p.m, p.k))
      arguments.push_back(static_cast<int64_t>(word));
    for (const uint64_t word : tensor_map(in_b.data(), b.stride, p.b_along_k, e.n, e.k, p.n, p.k))
      arguments.push_back(static_cast<int64_t>(word));
    for (const Argument& last : {Argument(&out), Argument(blocks), Argument(e.m), Argument(e.n), Argument(e.k),
                                 Argument(static_cast<int64_t>(row)), Argument(int64_t{0}), Argument(int64_t{0})})
      arguments.push_back(last);
    run(
        {matmul_text(p), static_cast<uint32_t>(blocks), static_cast<uint32_t>(p.threads), shared_bytes(chip(), p)},
        [&] { return arguments; }, [&] { compare<BF16, BF16>(a, b, e, out.as<uint16_t>(), row, 7); });
  }

  // The driver's description of a factor; boxes are 128 bytes by the tile's rows. Constants of cuda.h: bf16, no interleaving,
  // swizzled by 128 bytes, 256 bytes into the L2 cache at a time, zeros outside.
  static std::array<uint64_t, 16> tensor_map(void* p, int64_t stride, bool along_k, int64_t outer, int64_t k, int tile_outer,
                                             int tile_k) {
    alignas(64) std::array<uint64_t, 16> map{};
    const uint64_t extents[] = {static_cast<uint64_t>(along_k ? k : outer), static_cast<uint64_t>(along_k ? outer : k)};
    const uint64_t strides[] = {static_cast<uint64_t>(stride) * 2};
    const uint32_t box[] = {64, static_cast<uint32_t>(along_k ? tile_outer : tile_k)}, steps[] = {1, 1};
    EXPECT_EQ(CudaMemory::function("cuTensorMapEncodeTiled")(map.data(), 9, 2, p, extents, strides, box, steps, 0, 3, 3, 0), 0);
    return map;
  }

  template <class T, class Out>
  static void compare(const Operand<T>& a, const Operand<T>& b, Extents e, const std::vector<typename Out::Stored>& results,
                      size_t row, typename Out::Stored before) {
    for (int64_t i = 0; i<e.m; i += e.m> 200 && i + 61 < e.m ? 60 : 1) {
      for (int64_t j = 0; j < e.n; ++j) {
        double exact = 0, sizes = 0;
        for (int64_t k = 0; k < e.k; ++k) {
          const double product = a.at(i, k) * b.at(j, k);
          exact += product;
          sizes += std::abs(product);
        }
        const double result = Out::read(results[static_cast<size_t>(i) * row + static_cast<size_t>(j)]);
        const double allowed = Out::rounding * std::abs(exact) + T::summing * (8 + static_cast<double>(e.k) / 16) * sizes;
        ASSERT_LE(std::abs(result - exact), allowed) << i << ", " << j << ": " << result << ", expected " << exact;
      }
      for (size_t j = static_cast<size_t>(e.n); j < row; ++j) ASSERT_EQ(results[static_cast<size_t>(i) * row + j], before);
    }
  }

  bool emulated() const { return chip().backend == std::string_view("emulator") || qemu_chip(chip().target); }

  // All extents, or a few where each lane's access takes its time.
  template <class T, class Out>
  void sweep(bool a_along_k, bool b_along_k, const char* unit = "best") const {
    Matmul p{T::name, Out::name, sizeof(typename T::Stored), sizeof(typename Out::Stored), a_along_k, b_along_k, unit};
    choose_tiles(chip(), tensor_cores() && p.size <= 2, &p);
    if (!runs()) return multiply<T, Out>(p, {1, 1, 1, 0}); // which compiles
    for (const Extents e : {Extents{1, 1, 1, 0}, {17, 17, 17, 0}, {65, 16, 140, 1}, {1, 129, 0, 3}}) multiply<T, Out>(p, e);
    if (emulated()) return;
    for (const int64_t s : {15, 16, 127, 128, 129, 1000}) multiply<T, Out>(p, {s, s, s, 0});
    multiply<T, Out>(p, {129, 257, 65, 8});
  }
};

TEST_P(Dot, F32) {
  sweep<F32, F32>(true, false);
  sweep<F32, F32>(false, true);
}
TEST_P(Dot, F32OtherOrders) {
  if (emulated()) GTEST_SKIP() << "F32 takes both orders of each factor";
  sweep<F32, F32>(true, true);
  sweep<F32, F32>(false, false);
}
TEST_P(Dot, F64) { sweep<F64, F64>(true, false); }
TEST_P(Dot, BF16) {
  sweep<BF16, BF16>(true, false);
  sweep<BF16, BF16>(false, true);
}
TEST_P(Dot, BF16OtherOrders) {
  if (emulated()) GTEST_SKIP() << "BF16 takes both orders of each factor";
  sweep<BF16, BF16>(true, true);
  sweep<BF16, BF16>(false, false);
}
TEST_P(Dot, F16) { sweep<F16, F32>(false, true); }
TEST_P(Dot, I8) { sweep<I8, I32>(true, false); }

// Tensor cores that best does not choose on the newest chips, and those that round.
TEST_P(Dot, UnitsOfTensorCores) {
  if (!tensor_cores()) GTEST_SKIP() << "this target has no tensor cores";
  sweep<BF16, F32>(true, false, "mma");
  sweep<BF16, F32>(false, true, "mma");
  sweep<I8, I32>(true, true, "mma");
  sweep<Tf32, F32>(true, false, "tf32");
  sweep<Tf32, F32>(true, true, "tf32");
}

TEST_P(Dot, TilesThroughTensorMaps) {
  if (chip().target != std::string_view("sm_90")) GTEST_SKIP() << "only sm_90 has both wgmma and tensor maps";
  if (!runs()) GTEST_SKIP() << "NOT TESTED: " << why();
  for (const bool a_along_k : {true, false})
    for (const bool b_along_k : {true, false}) {
      Matmul p{BF16::name, BF16::name, 2, 2, a_along_k, b_along_k, "mapped"};
      choose_tiles(chip(), true, &p);
      for (const int64_t s : {1, 15, 16, 17, 127, 128, 129, 1000}) multiply_mapped(p, {s, s, s, (8 - s % 8) % 8});
      multiply_mapped(p, {264, 136, 200, 8});
    }
}

// The instructions that a processor may have beyond its target's, asked of its record.
TEST_P(Dot, Bf16InstructionsOfTheProcessor) {
  if (chip().target != std::string_view("avx512")) GTEST_SKIP() << "only processors with AVX-512 have them";
  const uint32_t features = backend("cpu")->chip(0).features;
  EXPECT_TRUE((features & bf16_tiles) == 0 || (features & bf16_pairs) != 0) << "AMX without AVX-512 BF16 is not known to exist";
  if (runs() && !(features & bf16_pairs)) GTEST_SKIP() << "NOT TESTED: this processor does not multiply pairs of bf16";
  sweep<BF16, F32>(true, false, "pairs");
  sweep<BF16, F32>(false, true, "pairs");
  if (runs() && !(features & bf16_tiles)) GTEST_SKIP() << "NOT TESTED: this processor has no AMX";
  sweep<BF16, F32>(true, false, "amx");
  sweep<BF16, F32>(false, true, "amx");
}

ON_ALL_TARGETS(Dot);

} // namespace
} // namespace corundum::test
