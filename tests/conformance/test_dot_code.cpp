// What NVRTC makes of matrix products, read back from the machine code: the right tensor cores, copies that are asynchronous, and
// nothing in local memory. No GPU is needed.
#include "conformance/matmul.h"
#include "conformance/target.h"
#include "jit/language.h"
#include "jit/process.h"
#include "jit/support.h"

namespace corundum::test {
namespace {

std::string machine_code(const Chip& chip, const std::string& text) {
  std::vector<uint8_t> binary;
  std::string log;
  bool interrupted = false;
  const Status s = backend("cuda")->compile({&chip, "entry", resolve_includes(text)}, &binary, &log, &interrupted);
  EXPECT_TRUE(s.ok()) << s.reason() << log;
  const Directory directory;
  write_text(directory / "kernel.cubin", std::string(binary.begin(), binary.end()));
  return run_process({CUOBJDUMP, "-sass", directory / "kernel.cubin"}).output;
}

int count(const std::string& code, const std::string& word) {
  int n = 0;
  for (size_t at = code.find(word); at != std::string::npos; at = code.find(word, at + word.size())) ++n;
  return n;
}

struct Expected {
  const char* target;
  Matmul product;
  const char* multiplies; // the instruction as it is printed
  int how_many;           // in the loop
  const char* copies;
};

constexpr const char* async16 = "LDGSTS.E.BYPASS.";

class DotCode : public ::testing::TestWithParam<Expected> {};

TEST_P(DotCode, UsesTheUnit) {
  if (!*CUOBJDUMP) GTEST_SKIP() << "no cuobjdump: it comes with the triton package that a CUDA build of torch depends on";
  ASSERT_STRNE(PIP_NVRTC, "") << "no NVRTC among the Python packages";
  Expected e = GetParam();
  const Chip& chip = *known_chip(e.target);
  choose_tiles(chip, e.product.size <= 2, &e.product);
  const std::string code = machine_code(chip, matmul_text(e.product));
  EXPECT_EQ(count(code, e.multiplies), e.how_many) << code;
  for (const char* other : {"HMMA", "HGMMA", "IMMA", "DMMA"})
    if (std::string(e.multiplies).find(other) == std::string::npos) EXPECT_EQ(count(code, std::string(" ") + other), 0) << other;
  EXPECT_GE(count(code, e.copies), 2) << code;
  EXPECT_EQ(count(code, " LDL") + count(code, " STL"), 0) << "registers went to local memory\n" << code;
  // One wait in the loop and one behind it: more of them mean that each wgmma waits for the one before.
  if (std::string(e.multiplies) == "HGMMA") EXPECT_EQ(count(code, "WARPGROUP.DEPBAR"), 2) << code;
}

constexpr Matmul bf16_out_bf16{"cor::bf16", "cor::bf16", 2, 2, true, false}, f16_out_f32{"cor::f16", "float", 2, 4, false, true},
    i8_out_i32{"cor::i8", "int", 1, 4, true, true}, f32{"float", "float", 4, 4, true, false},
    f64{"double", "double", 8, 8, true, false};
constexpr Matmul by(Matmul p, const char* unit) {
  p.unit = unit;
  return p;
}
INSTANTIATE_TEST_SUITE_P(Products, DotCode,
                         ::testing::Values(Expected{"sm_80", bf16_out_bf16, "HMMA.16816.F32.BF16", 16, async16},
                                           Expected{"sm_80", f16_out_f32, "HMMA.16816.F32", 16, async16},
                                           Expected{"sm_80", i8_out_i32, "IMMA.16832.S8.S8", 16, async16},
                                           Expected{"sm_80", by(f32, "tf32"), "HMMA.1688.F32.TF32", 4, async16},
                                           Expected{"sm_80", f32, " FFMA ", 64, async16},
                                           Expected{"sm_80", f64, " DFMA ", 32, async16},
                                           Expected{"sm_90", bf16_out_bf16, "HGMMA", 4, async16},
                                           Expected{"sm_90", f16_out_f32, "HGMMA", 4, async16},
                                           Expected{"sm_90", by(bf16_out_bf16, "mma"), "HMMA.16816.F32.BF16", 16, async16},
                                           Expected{"sm_90", by(bf16_out_bf16, "mapped"), "HGMMA", 4, "UTMALDG"},
                                           Expected{"sm_100", bf16_out_bf16, "HMMA.16816.F32.BF16", 16, async16},
                                           Expected{"sm_100", i8_out_i32, "IMMA.16832.S8.S8", 16, async16}),
                         [](const auto& info) {
                           const Expected& e = info.param;
                           const std::string type = e.product.type;
                           return std::string(e.target) + "_" + type.substr(type.find_last_of(':') + 1) + "_" + e.product.unit;
                         });

} // namespace
} // namespace corundum::test
