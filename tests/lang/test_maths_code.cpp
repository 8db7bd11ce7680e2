// What the host compiler makes of loops over the functions of lang/maths/: vectors of the target's whole width, no arithmetic one
// element at a time, no call. Read back from the machine code; the processor need not have the instructions.
#include <regex>
#include <sstream>

#include "jit/host_compiler.h"
#include "jit/language.h"
#include "jit/process.h"
#include "jit/support.h"

namespace corundum::test {
namespace {

const char* const one_argument[] = {"exp",  "exp2",   "expm1",  "log",     "log1p", "log2",  "log10", "sin",      "cos",      "tan",
                                    "asin", "acos",   "atan",   "sinh",    "cosh",  "tanh",  "asinh", "acosh",    "atanh",    "erf",
                                    "erfc", "erfinv", "lgamma", "digamma", "sqrt",  "rsqrt", "cbrt",  "gelu_erf", "gelu_tanh"};
const char* const two_arguments[] = {"pow", "atan2", "hypot", "fmod", "remainder"};

// fmod of f64, and with it remainder, is libm's.
bool is_call(const std::string& function, const std::string& type) {
  return type == "double" && (function == "fmod" || function == "remainder");
}

// A constant number of elements, a multiple of any vector: there is no rest to be done one by one.
std::string loops(const std::string& type) {
  std::string text = "#include \"lang/kernel.h\"\n#include \"lang/maths.h\"\nusing T = " + type + ";\n";
  for (const std::string f : one_argument)
    text += "extern \"C\" void " + f +
            "_loop(const T* __restrict x, T* __restrict out) {\n  for (int i = 0; i < 4096; ++i) out[i] = cor::" + f +
            "(x[i]);\n}\n";
  for (const std::string f : two_arguments)
    text += "extern \"C\" void " + f +
            "_loop(const T* __restrict x, const T* __restrict y, T* __restrict out) {\n  for (int i = 0; i < 4096; ++i) out[i] = "
            "cor::" +
            f + "(x[i], y[i]);\n}\n";
  return text;
}

// The machine code of each function of a shared object, by name.
std::map<std::string, std::string> disassembled(const std::string& path) {
  const ProcessResult r = run_process({"objdump", "-d", "--no-show-raw-insn", path});
  EXPECT_EQ(r.exit_code, 0) << r.output;
  static const std::regex head(R"(^[0-9a-f]+ <(\w+)>:$)");
  std::map<std::string, std::string> code;
  std::string name, line;
  for (std::istringstream lines(r.output); std::getline(lines, line);) {
    std::smatch m;
    if (std::regex_match(line, m, head)) name = m[1];
    code[name] += line + "\n";
  }
  return code;
}

void check(const std::string& target, const std::string& type) {
  const Chip& chip = *known_chip(target.c_str());
  std::vector<uint8_t> binary;
  std::string log;
  bool interrupted = false;
  const Status s = host_compile({&chip, "entry", resolve_includes(loops(type))}, &binary, &log, &interrupted);
  ASSERT_TRUE(s.ok()) << s.reason() << log;
  Directory directory;
  write_text(directory / "maths.so", std::string(binary.begin(), binary.end()));
  const auto code = disassembled(directory / "maths.so");
  static const std::regex scalar(R"(\bv(add|sub|mul|div|sqrt|min|max|rndscale|round|fn?m(add|sub)\d*)s[sd]\b)"),
      call(R"(\bcall\b)");
  const std::regex vector(std::string(R"(\bv\w+p[sd]\b.*%)") + (target == "avx512" ? "zmm" : "ymm"));
  const auto look = [&](const std::string& f) {
    SCOPED_TRACE(f + " of " + type + " on " + target);
    const auto found = code.find(f + "_loop");
    ASSERT_NE(found, code.end());
    EXPECT_EQ(std::regex_search(found->second, call), is_call(f, type)) << found->second;
    if (is_call(f, type)) return;
    EXPECT_FALSE(std::regex_search(found->second, scalar)) << found->second;
    EXPECT_TRUE(std::regex_search(found->second, vector)) << found->second;
  };
  for (const char* f : one_argument) look(f);
  for (const char* f : two_arguments) look(f);
}

class MathsCode : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};
TEST_P(MathsCode, LoopsAreVectors) {
  std::string why;
  const std::string compiler = host_compiler_identity(*known_chip(GetParam().first), &why);
  if (compiler.rfind("g++", 0) != 0) GTEST_SKIP() << "vectors are asserted of GCC's code; here is " << compiler << why;
  if (run_process({"objdump", "--version"}).exit_code != 0) GTEST_SKIP() << "no objdump (binutils) to read machine code with";
  check(GetParam().first, GetParam().second);
}
INSTANTIATE_TEST_SUITE_P(Targets, MathsCode,
                         ::testing::Values(std::pair{"avx2", "float"}, std::pair{"avx2", "double"}, std::pair{"avx512", "float"},
                                           std::pair{"avx512", "double"}),
                         [](const auto& info) { return std::string(info.param.first) + "_" + info.param.second; });

} // namespace
} // namespace corundum::test
