// The families of operators, planned and run on every target with lanes, against what the processor makes of the same calls: at the
// lengths where vectors, warps, chunks and rows end, strided and misaligned. Dtypes and kinds take turns with the lengths.
#include <cmath>
#include <functional>
#include <random>

#include "conformance/target.h"
#include "lang/support.h"
#include "ops/copy/copy.h"
#include "ops/embedding/embedding.h"
#include "ops/layer_norm/layer_norm.h"
#include "ops/pointwise/pointwise.h"
#include "ops/reduce/reduce.h"
#include "ops/softmax/softmax.h"

namespace corundum::test {
namespace {

constexpr int64_t lengths[] = {0, 1, 15, 16, 17, 127, 128, 129, 1000, 4095, 4096, 4097};
constexpr Dtype floats[] = {Dtype::float32, Dtype::bfloat16, Dtype::float16, Dtype::float64};

Buffer normals(Dtype dtype, int64_t count, size_t misaligned = 0) {
  std::mt19937 random(static_cast<uint32_t>(count));
  std::normal_distribution<float> normal(0.5f, 2);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& v : values) v = normal(random);
  if (dtype == Dtype::float32) return Buffer::of(values, misaligned);
  if (dtype == Dtype::float64) return Buffer::of(std::vector<double>(values.begin(), values.end()), misaligned);
  std::vector<uint16_t> halves;
  for (const float v : values) halves.push_back(dtype == Dtype::float16 ? half_of(v) : bfloat_of(v));
  return Buffer::of(halves, misaligned);
}
Buffer zeros(Dtype dtype, int64_t count, size_t misaligned = 0) {
  return Buffer::filled<unsigned char>(static_cast<size_t>(count) * size_of(dtype), 0, misaligned * size_of(dtype));
}

std::vector<double> read(const Buffer& b, Dtype dtype) {
  std::vector<double> values;
  if (dtype == Dtype::float64) return b.as<double>();
  if (dtype == Dtype::float32)
    for (const float v : b.as<float>()) values.push_back(v);
  else
    for (const uint16_t v : b.as<uint16_t>()) values.push_back(dtype == Dtype::float16 ? from_half(v) : from_bfloat(v));
  return values;
}

using Pointers = std::vector<void*>;
using Plan = std::function<Status(const Chip&, const Pointers&, LaunchList&)>;

class Families : public OnTarget {
 protected:
  void SetUp() override {
    if (!runs()) GTEST_SKIP() << "NOT TESTED: " << why();
    if (backend("cpu")->device_count() == 0) GTEST_SKIP() << "NOT TESTED: " << backend("cpu")->describe();
  }
  static std::vector<Buffer> results(const Chip& chip, std::vector<Buffer> buffers, const Plan& plan) {
    std::vector<std::unique_ptr<Memory>> memory;
    Pointers pointers;
    for (const Buffer& b : buffers) {
      memory.push_back(std::make_unique<Memory>(chip, b));
      pointers.push_back(memory.back()->data());
    }
    LaunchList list;
    if (const Status s = plan(chip, pointers, list); !s) ADD_FAILURE() << chip.target << " refuses: " << s.reason();
    if (const Status s = run_list(chip, list); !s) ADD_FAILURE() << s.reason();
    for (size_t i = 0; i < buffers.size(); ++i) memory[i]->fetch(&buffers[i]);
    return buffers;
  }
  // Two ways to one number differ by roundings of the stored type, and of sums of numbers up to `scale`.
  void compare(Dtype dtype, double scale, const std::vector<Buffer>& buffers, const Plan& plan) const {
    const auto got = results(chip(), buffers, plan), want = results(backend("cpu")->chip(0), buffers, plan);
    const double stored = dtype == Dtype::float64   ? 0x1p-52
                          : dtype == Dtype::float32 ? 0x1p-23
                          : dtype == Dtype::float16 ? 0x1p-10
                                                    : 0x1p-7;
    const double computed = dtype == Dtype::float64 ? 0x1p-52 : 0x1p-23;
    for (size_t b = 0; b < buffers.size() && !HasFailure(); ++b) {
      const auto x = read(got[b], dtype), y = read(want[b], dtype);
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_TRUE(std::abs(x[i] - y[i]) <= stored * std::abs(y[i]) + 32 * computed * scale ||
                    (std::isnan(x[i]) && std::isnan(y[i])))
            << info(dtype).name << ", buffer " << b << ", element " << i << ": " << x[i] << " instead of " << y[i];
    }
  }
  void compare_bytes(const std::vector<Buffer>& buffers, const Plan& plan) const {
    const auto got = results(chip(), buffers, plan), want = results(backend("cpu")->chip(0), buffers, plan);
    for (size_t b = 0; b < buffers.size(); ++b) ASSERT_EQ(got[b].bytes, want[b].bytes) << "buffer " << b;
  }
  template <class F>
  static void each_length(F f) {
    int turn = 0;
    for (const int64_t n : lengths) {
      SCOPED_TRACE("n = " + std::to_string(n));
      f(n, turn++);
      if (HasFailure()) return;
    }
  }
};

TEST_P(Families, Softmax) {
  each_length([&](int64_t n, int turn) {
    for (const auto& [outer, inner] : {std::pair<int64_t, int64_t>{5, 1}, {2, 3}}) {
      const Dtype dtype = floats[turn % 4];
      const bool log = turn % 2;
      const size_t misaligned = turn % 3;
      compare(dtype, log ? 20 : 1, {normals(dtype, outer * n * inner, misaligned), zeros(dtype, outer * n * inner, misaligned)},
              [&, outer = outer, inner = inner](const Chip& chip, const Pointers& p, LaunchList& list) {
                return softmax::plan(chip, {log, p[0], dtype, p[1], dtype, outer, n, inner}, list);
              });
    }
  });
}

TEST_P(Families, LayerNorm) {
  each_length([&](int64_t n, int turn) {
    if (n == 0) return; // refused
    const Dtype dtype = floats[turn % 4];
    const bool weight = turn % 3 != 0, bias = turn % 2;
    const int64_t rows = 5;
    compare(dtype, n == 1 ? 1000 : 20,
            {normals(dtype, rows * n, turn % 2), normals(dtype, n), normals(dtype, n + 1, 1), zeros(dtype, rows * n),
             zeros(dtype, rows), zeros(dtype, rows)},
            [&](const Chip& chip, const Pointers& p, LaunchList& list) {
              return layer_norm::plan(chip,
                                      {rows, n, 1e-5, p[0], weight ? p[1] : nullptr, bias ? p[2] : nullptr, p[3], p[4], p[5], dtype,
                                       dtype, dtype, weight, bias},
                                      list);
            });
  });
}

// Sums of [3, n, inner] over n, whose rows lie `gap` elements apart.
TEST_P(Families, Reduce) {
  constexpr reduce::Kind kinds[] = {reduce::Kind::sum, reduce::Kind::mean, reduce::Kind::norm2, reduce::Kind::norm_inf};
  each_length([&](int64_t n, int turn) {
    for (const int64_t inner : {int64_t{1}, int64_t{33}}) {
      const Dtype dtype = floats[turn % 4];
      const int64_t gap = turn % 3, row = n * inner + gap;
      const int64_t sizes[] = {3, n, inner}, strides[] = {row, inner, 1}, out_sizes[] = {3, 1, inner},
                    out_strides[] = {inner, inner, 1};
      const reduce::Kind kind = kinds[n ? turn % 4 : 0];
      compare(
          dtype, 4 + static_cast<double>(n) / 4, {normals(dtype, 3 * row, turn % 2), zeros(dtype, 3 * inner)},
          [&](const Chip& chip, const Pointers& p, LaunchList& list) {
            return reduce::plan(chip, {kind, {p[0], dtype, 3, sizes, strides}, 2, {p[1], dtype, 3, out_sizes, out_strides}}, list);
          });
    }
  });
}

const pointwise::Op& op_called(std::string_view name) {
  for (const pointwise::Op& op : pointwise::ops)
    if (op.name == name) return op;
  throw std::runtime_error("no pointwise operator is called " + std::string(name));
}

// out = add(x, y) over [3, n] with bytes between elements and between rows, as each layout class wants them.
TEST_P(Families, Pointwise) {
  struct Layout {
    int64_t x[2], y[2]; // strides of the fast and the slow dimension; -1: the row's own length
    size_t misaligned;
  };
  constexpr Layout layouts[] = {
      {{1, -1}, {1, -1}, 0}, // dense
      {{1, -1}, {1, -1}, 1}, // dense, misaligned
      {{1, -1}, {1, 0}, 0},  // broadcast along the slow dimension
      {{2, -1}, {1, -1}, 0}, // every second element
  };
  each_length([&](int64_t n, int turn) {
    for (const Layout& l : layouts) {
      const Dtype dtype = floats[turn % 4];
      const int64_t shape[] = {n, 3}, size = static_cast<int64_t>(size_of(dtype));
      const auto strides = [&](const int64_t(&s)[2], int64_t(&bytes)[2]) {
        bytes[0] = s[0] * size;
        bytes[1] = (s[1] < 0 ? s[0] * n : s[1]) * size;
      };
      int64_t out[2], x[2], y[2];
      strides({1, -1}, out), strides(l.x, x), strides(l.y, y);
      compare(dtype, 20,
              {zeros(dtype, 3 * n, l.misaligned), normals(dtype, 6 * n, l.misaligned), normals(dtype, 3 * n, l.misaligned)},
              [&](const Chip& chip, const Pointers& p, LaunchList& list) {
                pointwise::Call call{&op_called("add"), 0, dtype, 2, shape};
                call.out[0] = {p[0], dtype, out};
                call.in[0] = {p[1], dtype, x};
                call.in[1] = {p[2], dtype, y};
                call.scalars[0] = Scalar::of(2.0);
                return pointwise::plan(chip, call, list);
              });
    }
  });
}

// out = add(x, y) over [m, n], where x has its unit stride along m: wide accesses where all sizes are even, single ones otherwise.
TEST_P(Families, PointwiseTransposed) {
  each_length([&](int64_t n, int turn) {
    for (const int64_t m : {16, 17, 130}) {
      if (n > 1000 && m > 100) continue;
      const Dtype dtype = floats[turn % 4];
      const int64_t shape[] = {n, m}, size = static_cast<int64_t>(size_of(dtype));
      const int64_t out[] = {size, n * size}, x[] = {m * size, size}, y[] = {turn % 2 ? 0 : size, turn % 2 ? size : n * size};
      compare(dtype, 20, {zeros(dtype, m * n), normals(dtype, m * n), normals(dtype, m * n)},
              [&](const Chip& chip, const Pointers& p, LaunchList& list) {
                pointwise::Call call{&op_called("add"), 0, dtype, 2, shape};
                call.out[0] = {p[0], dtype, out};
                call.in[0] = {p[1], dtype, x};
                call.in[1] = {p[2], dtype, y};
                call.scalars[0] = Scalar::of(2.0);
                return pointwise::plan(chip, call, list);
              });
    }
  });
}

TEST_P(Families, Embedding) {
  each_length([&](int64_t n, int turn) {
    const size_t element = size_t{1} << turn % 5, misaligned = turn % 2;
    const int64_t rows = 7, gap = turn % 3;
    std::vector<unsigned char> table(static_cast<size_t>(rows * (n + gap)) * element);
    std::mt19937 random(1);
    for (auto& byte : table) byte = static_cast<unsigned char>(random());
    std::vector<int64_t> indices;
    for (int64_t i = 0; i < 12; ++i) indices.push_back(i * i % rows);
    compare_bytes({Buffer::of(table, misaligned * element), Buffer::of(indices),
                   Buffer::filled<unsigned char>(12 * static_cast<size_t>(n) * element, 0, misaligned * element)},
                  [&](const Chip& chip, const Pointers& p, LaunchList& list) {
                    return embedding::plan(chip, {p[0], rows, n, n + gap, element, p[1], Dtype::int64, 12, p[2]}, list);
                  });
  });
}

TEST_P(Families, Transpose) {
  each_length([&](int64_t n, int turn) {
    for (const size_t element : {size_t{1} << turn % 5, size_t{1} << (turn + 2) % 5}) {
      const int64_t m = 17 + turn, e = static_cast<int64_t>(element), gap = turn % 2;
      std::vector<unsigned char> in(static_cast<size_t>(m * (n + gap)) * element);
      for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<unsigned char>(i * 7 + i / 251);
      const int64_t shape[] = {n, m}, in_strides[] = {e, (n + gap) * e}, out_strides[] = {m * e, e};
      if (LaunchList probe; !copy::plan_transpose(chip(), {element, 2, shape, nullptr, in_strides, nullptr, out_strides}, probe))
        return;
      compare_bytes({Buffer::of(in, turn % 2 * element), zeros(Dtype::uint8, m * n * e)}, [&](const Chip& chip, const Pointers& p,
                                                                                              LaunchList& list) {
        const bool planned = copy::plan_transpose(chip, {element, 2, shape, p[0], in_strides, p[1], out_strides}, list);
        return planned ? Status() : Status::refuse("no transpose");
      });
    }
  });
}

ON_LANES(Families);
ON_ARM(Families);

} // namespace
} // namespace corundum::test
