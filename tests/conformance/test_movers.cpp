// Movers, atomics and scatter: one text on every target.
#include <array>
#include <cmath>
#include <random>
#include <variant>

#include "conformance/target.h"
#include "core/index.h"

namespace corundum::test {
namespace {

class Movers : public OnTarget {
 protected:
  void SetUp() override {
    if (!runs()) GTEST_SKIP() << "NOT TESTED: " << why();
  }
  uint32_t blocks_of(int64_t rows, int64_t width) const {
    return static_cast<uint32_t>(chip().simt ? (rows * width + 2047) / 2048 : rows * ((width + 16383) / 16384));
  }
};

// The buffers' addresses, then the numbers.
std::vector<std::variant<Buffer*, int64_t>> arguments(const std::vector<Buffer*>& buffers, const std::vector<int64_t>& numbers) {
  std::vector<std::variant<Buffer*, int64_t>> all(buffers.begin(), buffers.end());
  all.insert(all.end(), numbers.begin(), numbers.end());
  return all;
}

// The two numbers that a Divider takes in an argument struct.
void put(std::vector<int64_t>* numbers, int64_t n) {
  const Divider d(n);
  numbers->push_back(static_cast<int64_t>(uint64_t{d.shift} << 32 | d.magic));
  numbers->push_back(d.size);
}

template <class T>
std::vector<T> counted(int64_t n) {
  std::vector<T> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(i * 2654435761u >> 3);
  return values;
}

// --- the transpose ---------------------------------------------------------------------------------------------------------------

template <class T>
void check_transpose(const Chip& chip, int64_t n0, int64_t n1, int64_t batch, int in_access, int out_access, int64_t units0,
                     int64_t units1) {
  constexpr int64_t bytes = sizeof(T), vector = 16 / bytes;
  SCOPED_TRACE(std::to_string(bytes) + " bytes: " + std::to_string(batch) + " x " + std::to_string(n0) + " x " +
               std::to_string(n1) + ", accesses of " + std::to_string(in_access) + " and " + std::to_string(out_access));
  const auto up = [&](int64_t n, int64_t to) { return (n + to - 1) / to * to; };
  const int64_t in_row = up(n1, in_access / bytes), out_row = up(n0, out_access / bytes);
  const std::vector<T> values = counted<T>(batch * n0 * in_row);
  std::vector<T> wanted(static_cast<size_t>(batch * n1 * out_row));
  for (int64_t b = 0; b < batch; ++b)
    for (int64_t i = 0; i < n0; ++i)
      for (int64_t j = 0; j < n1; ++j)
        wanted[static_cast<size_t>((b * n1 + j) * out_row + i)] = values[static_cast<size_t>((b * n0 + i) * in_row + j)];
  Buffer in = Buffer::of(values, in_access < 16 ? 1 : 0), out = Buffer::filled<T>(wanted.size(), T{}, out_access < 16 ? 1 : 0);
  std::vector<int64_t> numbers = {n0, n1, in_row, out_row, 0, 1, batch};
  numbers.resize(numbers.size() + 13, 1);
  numbers.push_back(n0 * in_row);
  numbers.resize(numbers.size() + 13, 0);
  numbers.push_back(n1 * out_row);
  numbers.resize(numbers.size() + 13, 0);
  const auto tiles = [](int64_t n, int64_t edge) { return (n + edge - 1) / edge; };
  Kernel kernel;
  kernel.text = "#include \"lang/transpose.h\"\nCOR_TRANSPOSE(entry, " + std::to_string(bytes);
  int64_t blocks = batch * tiles(n0, 256 / bytes) * tiles(n1, 128);
  if (chip.simt) {
    for (int64_t n : {int64_t{in_access}, int64_t{out_access}, int64_t{256}, units0, units1})
      kernel.text += ", " + std::to_string(n);
    blocks = batch * tiles(n0, units0 * vector) * tiles(n1, units1 * vector);
  }
  kernel.text += ")\n";
  kernel.blocks = static_cast<uint32_t>(blocks);
  kernel.threads = 256;
  kernel.shared_bytes = chip.simt ? 0 : 32768;
  const Status s = run_kernel(chip, kernel, arguments({&in, &out}, numbers));
  ASSERT_TRUE(s.ok()) << s.reason();
  EXPECT_TRUE(out.as<T>() == wanted);
}

template <class T>
void check_transposes(const Chip& chip, int64_t units0, int64_t units1) {
  constexpr int bytes = sizeof(T);
  for (const auto& [n0, n1] : {std::pair<int64_t, int64_t>{1, 1}, {15, 17}, {16, 128}, {129, 127}, {33, 300}})
    for (const auto& [in, out] : {std::pair{16, 16}, {bytes, 16}, {16, bytes}, {bytes, bytes}})
      check_transpose<T>(chip, n0, n1, 1 + n0 % 2, in, out, units0, units1);
}

struct Wide {
  uint64_t low, high;
  explicit Wide(uint64_t v = 0) : low(v), high(~v) {}
  friend bool operator==(const Wide& a, const Wide& b) { return a.low == b.low && a.high == b.high; }
};

TEST_P(Movers, TransposesOpaqueElements) {
  check_transposes<uint8_t>(chip(), 8, 8);
  check_transposes<uint16_t>(chip(), 8, 16);
  check_transposes<uint32_t>(chip(), 16, 16);
  check_transposes<uint64_t>(chip(), 16, 16);
  check_transposes<Wide>(chip(), 32, 16);
  for (const auto& [units0, units1] : {std::pair{1, 256}, {2, 128}, {128, 2}, {256, 1}}) { // narrow matrices
    check_transpose<uint32_t>(chip(), 1000, 8, 1, 16, 16, units0, units1);
    check_transpose<uint32_t>(chip(), 9, 1000, 1, 4, 16, units0, units1);
  }
  check_transpose<uint8_t>(chip(), 1000, 16, 1, 16, 16, 64, 1);
  check_transpose<uint8_t>(chip(), 17, 1000, 1, 1, 1, 2, 32);
}

// --- the row mover ---------------------------------------------------------------------------------------------------------------

// The arguments of every test's kernel.
const char* const row_args = R"(
#include "lang/movers.h"
using namespace cor;
using Word = Opaque<4>;
struct Args { Word* out; const Word* in; const i64* index; MoveArgs move; i64 p[3]; };
struct Body {
)";

struct Rows {
  int64_t rows, width, stride;
  std::array<int64_t, 3> p = {};
};

// Runs a Body over 4-byte words; wanted(i, k) is word k of row i.
template <class F>
void check_rows(const Chip& chip, uint32_t blocks, const std::string& body, const Rows& r, const std::vector<uint32_t>& in,
                const std::vector<int64_t>& index, F wanted) {
  SCOPED_TRACE(body + "\n" + std::to_string(r.rows) + " x " + std::to_string(r.width));
  Kernel kernel;
  kernel.text = row_args + body + "};\nCOR_MOVE_ROWS(entry, Args, Word, Body)\n";
  kernel.blocks = blocks;
  kernel.threads = 128;
  Buffer out = Buffer::filled<uint32_t>(static_cast<size_t>((r.rows - 1) * r.stride + r.width), 7), source = Buffer::of(in, 1),
         picks = Buffer::of(index);
  std::vector<int64_t> numbers = {r.rows};
  put(&numbers, r.width);
  numbers.insert(numbers.end(), {r.stride, r.p[0], r.p[1], r.p[2]});
  const Status s = run_kernel(chip, kernel, arguments({&out, &source, &picks}, numbers));
  ASSERT_TRUE(s.ok()) << s.reason();
  const auto got = out.as<uint32_t>();
  for (int64_t i = 0; i < r.rows; ++i)
    for (int64_t k = 0; k < r.stride && i * r.stride + k < static_cast<int64_t>(got.size()); ++k)
      ASSERT_EQ(got[static_cast<size_t>(i * r.stride + k)], k < r.width ? wanted(i, k) : 7u) << i << ", " << k;
}

constexpr int64_t widths[] = {1, 3, 16, 17, 128, 513, 4097, 20000};

// Rows of a view of which every second row, from the last to the first, is wanted.
TEST_P(Movers, RowsAtStrides) {
  for (int64_t width : widths)
    for (int64_t rows : {1, 2, 33}) {
      const auto in = counted<uint32_t>(2 * rows * width);
      check_rows(chip(), blocks_of(rows, width),
                 "static COR_FN const Word* row(const Args& a, i64 i) { return a.in + a.p[0] + i * a.p[1]; }\n",
                 {rows, width, width + 2, {(2 * rows - 1) * width, -2 * width}}, in, {},
                 [&](int64_t i, int64_t k) { return in[static_cast<size_t>((2 * rows - 1 - 2 * i) * width + k)]; });
    }
}

TEST_P(Movers, RowsByIndex) {
  for (int64_t width : widths) {
    const auto in = counted<uint32_t>(10 * width);
    const std::vector<int64_t> index = {3, 9, 0, 3, 3, 8, 1};
    check_rows(chip(), blocks_of(7, width),
               "static COR_FN const Word* row(const Args& a, i64 i) { return a.in + a.index[i] * a.move.width.size; }\n",
               {7, width, width}, in, index,
               [&](int64_t i, int64_t k) { return in[static_cast<size_t>(index[static_cast<size_t>(i)] * width + k)]; });
  }
}

// Padding on all sides, as torch.nn.functional.pad with a constant: three columns before, two after; a row before, one after.
TEST_P(Movers, PaddedRows) {
  for (int64_t width : widths) {
    const auto in = counted<uint32_t>(4 * width);
    check_rows(chip(), blocks_of(6, width + 5), R"(
static COR_FN PaddedRow<Word> row(const Args& a, i64 i) {
  const bool there = i >= 1 && i <= a.p[0];
  return {a.in + (there ? (i - 1) * a.p[1] : 0), 3, there ? a.p[1] : 0, {99}};
}
)",
               {6, width + 5, width + 5, {4, width}}, in, {}, [&](int64_t i, int64_t k) {
                 const bool there = i >= 1 && i <= 4 && k >= 3 && k < 3 + width;
                 return there ? in[static_cast<size_t>((i - 1) * width + k - 3)] : 99u;
               });
  }
}

TEST_P(Movers, FlippedAndRepeatedRows) {
  for (int64_t width : widths) {
    const auto in = counted<uint32_t>(3 * width);
    check_rows(chip(), blocks_of(3, width),
               "static COR_FN ReversedRow<Word> row(const Args& a, i64 i) { return {a.in + (i + 1) * a.move.width.size - 1}; }\n",
               {3, width, width}, in, {}, [&](int64_t i, int64_t k) { return in[static_cast<size_t>(i * width + width - 1 - k)]; });
    const Divider period(width);
    check_rows(chip(), blocks_of(6, 2 * width), R"(
static COR_FN RepeatedRow<Word> row(const Args& a, i64 i) {
  const Divider period{static_cast<u32>(a.p[0]), static_cast<u32>(a.p[0] >> 32), a.p[1]};
  return {a.in + i % 3 * a.p[1], period};
}
)",
               {6, 2 * width, 2 * width, {static_cast<int64_t>(uint64_t{period.shift} << 32 | period.magic), width}}, in, {},
               [&](int64_t i, int64_t k) { return in[static_cast<size_t>(i % 3 * width + k % width)]; });
  }
}

// --- atomics and scatter ---------------------------------------------------------------------------------------------------------

// Numbers small enough for every order to give the same sum and product.
template <class T>
struct Stored {
  static T of(int v) { return static_cast<T>(v); }
};
struct Truth {
  uint8_t bits;
};
template <>
struct Stored<Truth> {
  static Truth of(int v) { return {v != 0}; }
};
struct Half {
  uint16_t bits;
};
struct Bfloat {
  uint16_t bits;
};
template <>
struct Stored<Half> {
  static Half of(int v) {
    const _Float16 h = static_cast<_Float16>(v);
    Half r;
    std::memcpy(&r, &h, 2);
    return r;
  }
};
template <>
struct Stored<Bfloat> {
  static Bfloat of(int v) {
    const float f = static_cast<float>(v);
    uint32_t bits;
    std::memcpy(&bits, &f, 4);
    return {static_cast<uint16_t>(bits >> 16)};
  }
};

struct Operation {
  const char* name;
  int begin;
  int (*apply)(int, int);
  int (*value)(int); // of run number i
};
const Operation operations[] = {
    {"Add", 0, [](int a, int b) { return a + b; }, [](int i) { return i % 3; }},
    {"Multiply", 1, [](int a, int b) { return a * b; }, [](int i) { return i % 40 == 0    ? 2
                                                                           : i % 101 == 0 ? 0
                                                                                          : 1; }},
    {"Smallest", 100, [](int a, int b) { return a < b ? a : b; }, [](int i) { return 20 + i * 7 % 60; }},
    {"Largest", 0, [](int a, int b) { return a > b ? a : b; }, [](int i) { return 20 + i * 7 % 60; }},
};

template <class T>
void check_scatter(const Chip& chip, const std::string& type, const Operation& op, int64_t runs, int64_t rows, int64_t width,
                   int64_t owners) {
  SCOPED_TRACE(type + " " + op.name + ", " + std::to_string(runs) + " runs of " + std::to_string(width));
  std::vector<int64_t> index;
  std::vector<T> values;
  std::vector<int> wanted(static_cast<size_t>(rows * width), op.begin);
  std::mt19937 random(3);
  for (int64_t i = 0; i < runs; ++i) {
    index.push_back(static_cast<int64_t>(random() % static_cast<uint64_t>(rows)));
    for (int64_t k = 0; k < width; ++k) {
      const int v = op.value(static_cast<int>(i + k));
      values.push_back(Stored<T>::of(v));
      int& w = wanted[static_cast<size_t>(index.back() * width + k)];
      w = op.apply(w, v);
      if (type == "bool") w = w != 0;
    }
  }
  std::vector<T> expected;
  for (int w : wanted) expected.push_back(Stored<T>::of(w));
  Kernel kernel;
  kernel.text = "#include \"lang/scatter.h\"\nusing namespace cor;\nusing T = " + type + R"(;
struct Args { T* out; const T* in; const i64* index; ScatterArgs scatter; };
struct Body {
  using T = ::T;
  static COR_FN i64 row(const Args& a, i64 i) { return a.index[i]; }
  static COR_FN T* to(const Args& a, i64 row, i64) { return a.out + row * a.scatter.width.size; }
  static COR_FN const T* from(const Args& a, i64 i) { return a.in + i * a.scatter.width.size; }
};
COR_SCATTER(entry, Args, )" +
                op.name + ", Body)\n";
  kernel.threads = 128;
  kernel.blocks = static_cast<uint32_t>(chip.simt ? (runs * width + 511) / 512 : owners);
  Buffer out = Buffer::of(std::vector<T>(expected.size(), Stored<T>::of(op.begin))), in = Buffer::of(values),
         picks = Buffer::of(index);
  // A word that holds the last element may end behind it.
  while (out.bytes.size() % 4) out.bytes.push_back(0);
  std::vector<int64_t> numbers = {runs, rows};
  put(&numbers, width);
  numbers.push_back(owners);
  const Status s = run_kernel(chip, kernel, arguments({&out, &in, &picks}, numbers));
  ASSERT_TRUE(s.ok()) << s.reason();
  EXPECT_EQ(std::memcmp(out.bytes.data(), expected.data(), expected.size() * sizeof(T)), 0);
}

template <class T>
void check_scatters(const Chip& chip, const std::string& type) {
  for (const Operation& op : operations)
    for (const auto& [runs, rows, width] : {std::array<int64_t, 3>{1000, 37, 1}, {300, 5, 17}})
      for (int64_t owners : {1, 3}) check_scatter<T>(chip, type, op, runs, rows, width, owners);
}

TEST_P(Movers, ScattersEveryDtype) {
  check_scatters<Truth>(chip(), "bool");
  check_scatters<uint8_t>(chip(), "u8");
  check_scatters<int8_t>(chip(), "i8");
  check_scatters<int16_t>(chip(), "i16");
  check_scatters<int32_t>(chip(), "i32");
  check_scatters<int64_t>(chip(), "i64");
  check_scatters<Half>(chip(), "f16");
  check_scatters<Bfloat>(chip(), "bf16");
  check_scatters<float>(chip(), "float");
  check_scatters<double>(chip(), "double");
}

// NaN wins in the smallest and the largest; a number nobody else wants is stored as it is.
TEST_P(Movers, NanWins) {
  for (const char* op : {"Smallest", "Largest"}) {
    Kernel kernel;
    kernel.text = std::string(
                      "#include \"lang/atomics.h\"\nusing namespace cor;\nstruct Args { float* out; const float* in; };\n"
                      "#if COR_SIMT\nCOR_KERNEL(entry, 128, Args) {\n  if (thread_id() < 4) atomic_update<") +
                  op +
                  ">(a.out, a.in[thread_id()]);\n}\n#else\nextern \"C\" void entry(const void* args, i64, i64, void*) {\n"
                  "  const Args& a = *static_cast<const Args*>(args);\n  for (int t = 0; t < 4; ++t) atomic_update<" +
                  op + ">(a.out, a.in[t]);\n}\n#endif\n";
    kernel.threads = 128;
    Buffer out = Buffer::filled<float>(1, 1.0f), in = Buffer::of(std::vector<float>{2, 0, std::nanf(""), 3});
    const Status s = run_kernel(chip(), kernel, {&out, &in});
    ASSERT_TRUE(s.ok()) << s.reason();
    EXPECT_TRUE(std::isnan(out.as<float>()[0])) << op;
  }
}

ON_ALL_TARGETS(Movers);

} // namespace
} // namespace corundum::test
