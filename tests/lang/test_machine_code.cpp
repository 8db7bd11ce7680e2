// What NVRTC makes of the kernels that matter most, read back from the machine code: wide accesses, and nothing in local memory.
// No GPU is needed.
#include <cstdint>
#include <map>
#include <regex>
#include <sstream>

#include "core/chip.h"
#include "jit/support.h"
#include "lang/machine_code.h"
#include "ops/copy/copy.h"
#include "ops/layer_norm/layer_norm.h"
#include "ops/pointwise/pointwise.h"
#include "ops/scan/scan.h"
#include "ops/softmax/softmax.h"

namespace corundum::test {
namespace {

const Environment with_nvrtc = {{"CORUNDUM_NVRTC", PIP_NVRTC}, {"CORUNDUM_CACHE_DIR", "/dev/null/no"}};
void* const aligned = reinterpret_cast<void*>(uintptr_t{1} << 20); // plans look at the address only

// Accesses by kind ("LDG", "STG", "LDL", "STL", "LDGSTS": from global to shared memory) and bytes a lane.
using Accesses = std::map<std::pair<std::string, int>, int>;

int count(const Accesses& accesses, const std::string& kind, int at_least, int at_most) {
  int n = 0;
  for (const auto& [what, times] : accesses)
    if (what.first == kind && what.second >= at_least && what.second <= at_most) n += times;
  return n;
}

Accesses accesses_in(const std::string& code) {
  static const std::regex access(R"(\b(LDG|STG|LDL|STL|LDGSTS)\b((\.\w+)*))");
  static const std::regex width(R"(\.[US]?(8|16|64|128|256)\b)");
  Accesses found;
  for (std::sregex_iterator it(code.begin(), code.end(), access), end; it != end; ++it) {
    const std::string modifiers = (*it)[2];
    int bytes = 4;
    // An address may be said to be of 64 bits, too (".64"): the widest number that is not it stands last.
    for (std::sregex_iterator w(modifiers.begin(), modifiers.end(), width); w != end; ++w) bytes = std::stoi((*w)[1]) / 8;
    ++found[{(*it)[1], bytes}];
  }
  return found;
}

// The machine code of a kernel, as cuobjdump prints it.
std::string machine_code(const Compiled& kernel) {
  std::string code = print_code({CUOBJDUMP, "-sass"}, kernel.binary);
  EXPECT_NE(code.find(kernel.entry), std::string::npos) << code.substr(0, 300);
  return code;
}

// Of the list's only kernel.
std::string machine_code(const Chip& chip, const LaunchList& list) {
  const std::vector<Compiled> kernels = compile_plan(chip, list);
  EXPECT_EQ(kernels.size(), 1u);
  return kernels.size() == 1 ? machine_code(kernels[0]) : "";
}

struct Expected {
  int wide_loads, wide_stores;     // of 16 bytes or more, counted as if each had 16
  int narrow_loads, narrow_stores; // at most
};

void check(const Chip& chip, const std::string& name, const LaunchList& list, Expected e) {
  SCOPED_TRACE(name + " on " + chip.target);
  const std::string code = machine_code(chip, list);
  const Accesses accesses = accesses_in(code);
  EXPECT_EQ(count(accesses, "LDG", 16, 16) + 2 * count(accesses, "LDG", 32, 32), e.wide_loads) << code;
  EXPECT_EQ(count(accesses, "STG", 16, 16) + 2 * count(accesses, "STG", 32, 32), e.wide_stores) << code;
  EXPECT_LE(count(accesses, "LDG", 1, 8), e.narrow_loads) << code;
  EXPECT_LE(count(accesses, "STG", 1, 8), e.narrow_stores) << code;
  EXPECT_EQ(count(accesses, "LDL", 1, 32) + count(accesses, "STL", 1, 32), 0) << "registers went to local memory\n" << code;
}

// Runs `body` in a process whose configuration names pip's NVRTC.
void with_tools(const std::function<void()>& body) {
  if (!*CUOBJDUMP) GTEST_SKIP() << "no cuobjdump: it comes with the triton package that a CUDA build of torch depends on";
  ASSERT_STRNE(PIP_NVRTC, "") << "no NVRTC among the Python packages";
  EXPECT_TRUE(in_child(with_nvrtc, body, 600));
}
const std::vector<std::string> architectures = {"sm_80", "sm_90", "sm_100"};
void for_each_chip(const std::function<void(const Chip&)>& body) {
  with_tools([&] {
    for (const std::string& target : architectures) body(*known_chip(target));
  });
}

constexpr Dtype both[] = {Dtype::float32, Dtype::bfloat16};

TEST(MachineCode, TheReaderTellsWidths) {
  const Accesses a = accesses_in(
      "LDG.E.128 R4\n LDG.E R2\n LDG.E.U16.CONSTANT R1\n STG.E.64 [R2]\n STL.128 [R1]\n LDG.E.64.CONSTANT\n LDGSTS.E.BYPASS.128 "
      "[R1]\n LDGDEPBAR");
  EXPECT_EQ(count(a, "LDG", 16, 16), 1);
  EXPECT_EQ(count(a, "LDGSTS", 16, 16), 1);
  EXPECT_EQ(count(a, "LDG", 1, 8), 3);
  EXPECT_EQ(count(a, "LDG", 2, 2), 1);
  EXPECT_EQ(count(a, "STG", 8, 8), 1);
  EXPECT_EQ(count(a, "STL", 1, 32), 1);
}

// The two vectors a lane of both inputs; the narrow ones are the last, partial block's.
TEST(MachineCode, FlatAdd) {
  for_each_chip([](const Chip& chip) {
    for (Dtype dtype : both) {
      pointwise::Call call{};
      call.op = &pointwise::ops[0];
      ASSERT_STREQ(call.op->name, "add");
      call.compute = call.out[0].dtype = dtype;
      call.out[0].data = aligned;
      for (auto& in : call.in) in.data = aligned, in.dtype = dtype;
      for (Scalar& s : call.scalars) s = Scalar::of(1.0);
      LaunchList list;
      const Status s = pointwise::plan_dense(chip, call, int64_t{1} << 24, list);
      ASSERT_TRUE(s.ok()) << s.reason();
      check(chip, "add", list, {4, 2, 2, 1});
    }
  });
}

// A row comes to shared memory and goes from there in 16-byte pieces only, in loops; `vectors` are read beside it.
void check_row(const Chip& chip, const std::string& name, const LaunchList& list, bool vectors, int narrow_stores, int narrow = 0) {
  SCOPED_TRACE(name + " on " + chip.target);
  const std::string code = machine_code(chip, list);
  const Accesses accesses = accesses_in(code);
  EXPECT_EQ(count(accesses, "LDGSTS", 16, 16), 1) << code;
  EXPECT_EQ(count(accesses, "LDGSTS", 1, 8) + count(accesses, "LDG", 1, 8), narrow) << code;
  EXPECT_EQ(count(accesses, "LDG", 16, 32) > 0, vectors) << code;
  EXPECT_GT(count(accesses, "STG", 16, 16), 0) << code;
  EXPECT_LE(count(accesses, "STG", 1, 8), narrow_stores) << code;
  EXPECT_EQ(count(accesses, "LDL", 1, 32) + count(accesses, "STL", 1, 32), 0) << "registers went to local memory\n" << code;
}

TEST(MachineCode, Softmax) {
  for_each_chip([](const Chip& chip) {
    for (Dtype dtype : both) {
      LaunchList list;
      const Status s = softmax::plan(chip, {false, aligned, dtype, aligned, dtype, 4096, 4096, 1}, list);
      ASSERT_TRUE(s.ok()) << s.reason();
      check_row(chip, "softmax", list, false, 0);
    }
  });
}

// Odd rows keep wide accesses: the narrow stores are those of the two ends.
TEST(MachineCode, SoftmaxOfOddRows) {
  for_each_chip([](const Chip& chip) {
    for (Dtype dtype : both) {
      LaunchList list;
      const Status s = softmax::plan(chip, {false, aligned, dtype, aligned, dtype, 4096, 4097, 1}, list);
      ASSERT_TRUE(s.ok()) << s.reason();
      const Accesses accesses = accesses_in(machine_code(chip, list));
      EXPECT_EQ(count(accesses, "LDGSTS", 16, 16), 1);
      EXPECT_LE(count(accesses, "LDG", 1, 32), 3); // beside whole chunks, and where input and output differ in phase
      EXPECT_EQ(count(accesses, "STG", 16, 16), 1);
      EXPECT_LE(count(accesses, "STG", 1, 8), static_cast<int>(16 / size_of(dtype)) + 1); // a chunk of another phase, and one alone
    }
  });
}

// Weight and bias are loaded beside the row; the narrow stores are the mean and the deviation.
TEST(MachineCode, LayerNorm) {
  for_each_chip([](const Chip& chip) {
    for (Dtype dtype : both) {
      layer_norm::Call call{};
      call.dtype = call.param_dtype = dtype;
      call.stat_dtype = Dtype::float32;
      call.rows = call.n = 4096;
      call.in = call.weight = call.bias = call.out = call.mean = call.rstd = aligned;
      call.has_weight = call.has_bias = true;
      call.eps = 1e-5;
      LaunchList list;
      const Status s = layer_norm::plan(chip, call, list);
      ASSERT_TRUE(s.ok()) << s.reason();
      check_row(chip, "layer_norm", list, true, 2, 1); // the row's first element
    }
  });
}

// Every family: whole vectors where its layout allows them, and no register that does not fit.
TEST(MachineCode, EveryFamily) {
  with_tools([] {
    for_each_case(architectures, [](const Chip&, const FamilyCase& wanted, const std::vector<Compiled>& kernels) {
      int loads = 0, stores = 0;
      for (const Compiled& kernel : kernels) {
        const std::string code = machine_code(kernel);
        const Accesses accesses = accesses_in(code);
        loads += count(accesses, "LDG", 16, 32) + count(accesses, "LDGSTS", 16, 16);
        stores += count(accesses, "STG", 16, 32);
        if (!wanted.local_memory)
          EXPECT_EQ(count(accesses, "LDL", 1, 32) + count(accesses, "STL", 1, 32), 0) << kernel.entry << " uses local memory\n"
                                                                                      << code;
      }
      EXPECT_TRUE(loads > 0 || !wanted.wide_loads) << "no wide load";
      EXPECT_TRUE(stores > 0 || !wanted.wide_stores) << "no wide store";
    });
  });
}

// Each lane moves its part of a tile in 16-byte pieces; the narrow accesses are the ragged edges'.
TEST(MachineCode, Transpose) {
  for_each_chip([](const Chip& chip) {
    for (int element : {1, 2, 4, 8, 16}) {
      const int64_t shape[] = {4096, 4096}, unit[] = {element, 4096 * element}, row[] = {4096 * element, element};
      LaunchList list;
      ASSERT_TRUE(copy::plan_transpose(chip, {static_cast<size_t>(element), 2, shape, aligned, row, aligned, unit}, list));
      const int pieces = element < 8 ? 4 : 2, ragged = element < 16 ? 1 : 0;
      check(chip, "transpose of " + std::to_string(element) + " bytes", list, {pieces, pieces, ragged, ragged});
    }
  });
}

// A tile goes to and from shared memory in wide pieces by one rolled loop each; the narrow accesses are those of ragged ends.
TEST(MachineCode, Cumsum) {
  for_each_chip([](const Chip& chip) {
    struct Shape {
      const char* name;
      int64_t outer, n, inner;
    };
    for (const Shape& shape : {Shape{"rows", 4096, 4096, 1}, {"short rows", 4096, 100, 1}, {"columns", 64, 1024, 1024}})
      for (Dtype dtype : both) {
        SCOPED_TRACE(std::string(shape.name) + " on " + chip.target);
        LaunchList list;
        const Status s =
            scan::plan(chip, {scan::Kind::sum, aligned, dtype, aligned, dtype, shape.outer, shape.n, shape.inner}, list);
        ASSERT_TRUE(s.ok()) << s.reason();
        const std::vector<Compiled> kernels = compile_plan(chip, list);
        ASSERT_EQ(kernels.size(), 1u);
        const std::string code = machine_code(kernels[0]);
        const Accesses accesses = accesses_in(code);
        EXPECT_EQ(count(accesses, "LDGSTS", 16, 16), 1) << code;
        EXPECT_EQ(count(accesses, "STG", 16, 16), 1) << code;
        EXPECT_LE(count(accesses, "LDG", 1, 8), 1) << code;
        EXPECT_LE(count(accesses, "STG", 1, 8), 1) << code;
        EXPECT_EQ(count(accesses, "LDL", 1, 32) + count(accesses, "STL", 1, 32), 0) << "registers went to local memory\n" << code;
      }
  });
}

} // namespace
} // namespace corundum::test
