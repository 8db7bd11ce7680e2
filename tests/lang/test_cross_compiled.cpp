// Every family's kernels for AArch64, made by a cross compiler: they compile, and their loops use vector registers.
#include <regex>

#include "core/backend.h"
#include "lang/machine_code.h"

namespace corundum::test {
namespace {

TEST(CrossCompiled, EveryFamilyUsesVectors) {
  std::string why;
  if (backend("cpu")->compiler_identity(*known_chip("neon"), &why).empty())
    GTEST_SKIP() << "NOT TESTED: " << why << " (Debian: g++-aarch64-linux-gnu)";
  // Opaque elements move by NEON everywhere, rows of them by memcpy.
  const std::regex vector(R"(\b(z[0-9]+\.[bhsd]|v[0-9]+\.[0-9]+[bhsd]|q[0-9]+)\b|<memcpy)"), scalable(R"(\bz[0-9]+\.[bhsd]\b)");
  int of_any_length = 0;
  for_each_case({"neon", "sve"}, [&](const Chip& chip, const FamilyCase& wanted, const std::vector<Compiled>& kernels) {
    bool found = false;
    for (const Compiled& kernel : kernels) {
      const std::string code = print_code({"aarch64-linux-gnu-objdump", "-d"}, kernel.binary);
      EXPECT_NE(code.find(kernel.entry), std::string::npos) << code.substr(0, 300);
      found = found || std::regex_search(code, vector);
      const bool sve = std::regex_search(code, scalable);
      EXPECT_FALSE(sve && chip.target == std::string_view("neon")) << "SVE on a processor that may not have it";
      of_any_length += sve;
    }
    // No processor divides vectors of 64-bit integers, and GCC leaves the chain of a scan of rows scalar here.
    const bool scalar = wanted.name == "div floor i64" || wanted.name.rfind("cumsum of ", 0) == 0;
    EXPECT_TRUE(found || scalar || !wanted.wide_loads) << "no vector register";
  });
  EXPECT_GT(of_any_length, 10) << "kernels that use SVE";
}

} // namespace
} // namespace corundum::test
