// What hipRTC makes of every family, read back from the code objects. No GPU is needed, and none of AMD's has run them.
#include <optional>
#include <regex>

#include "core/backend.h"
#include "jit/support.h"
#include "lang/machine_code.h"

namespace corundum::test {
namespace {

const std::vector<std::string> architectures = {"gfx906", "gfx90a"};

// The number that a code object's metadata (MessagePack, in a note) gives for a key that stands there once.
std::optional<uint32_t> metadata(const std::vector<uint8_t>& object, const std::string& key) {
  const std::string bytes(object.begin(), object.end());
  const std::string packed = static_cast<char>(key.size() < 32 ? 0xa0 | key.size() : 0) + key;
  const size_t at = bytes.find(packed);
  if (at == std::string::npos || at + packed.size() + 5 > bytes.size()) return {};
  const auto* value = object.data() + at + packed.size();
  const auto number = [&](int size) {
    uint32_t n = 0;
    for (int i = 1; i <= size; ++i) n = n << 8 | value[i];
    return n;
  };
  if (value[0] < 0x80) return value[0];
  if (value[0] >= 0xcc && value[0] <= 0xce) return number(1 << (value[0] - 0xcc));
  return {};
}

// Accesses of 16 bytes or more to global memory, or by way of an address of any kind.
int wide_accesses(const std::string& code, const std::string& kind) {
  const std::regex access("\\b(global|flat)_" + kind + "_dwordx4\\b");
  return static_cast<int>(std::distance(std::sregex_iterator(code.begin(), code.end(), access), std::sregex_iterator()));
}

class CodeObjects : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    // In a child: hipRTC starts threads, and the other tests fork.
    const bool found = in_child({}, [&] {
      if (backend("hip")->compiler_identity(*known_chip("gfx90a"), &why).empty()) _exit(1);
    });
    if (!found) GTEST_SKIP() << "NOT TESTED: no hipRTC here (Debian: libamdhip64-5 libhiprtc-builtins5)";
  }
};

// Scalar registers may move to lanes of vector registers: that costs little. Memory is what must not be needed.
void check_registers(const Chip& chip, const Compiled& kernel) {
  SCOPED_TRACE(kernel.entry);
  EXPECT_EQ(metadata(kernel.binary, ".wavefront_size"), chip.warp_size);
  EXPECT_EQ(metadata(kernel.binary, ".vgpr_spill_count"), 0u);
  EXPECT_EQ(metadata(kernel.binary, ".private_segment_fixed_size"), 0u) << "registers went to memory";
  EXPECT_LE(metadata(kernel.binary, ".group_segment_fixed_size").value_or(UINT32_MAX), chip.shared_bytes);
}

void check_accesses(const FamilyCase& wanted, const std::vector<Compiled>& kernels) {
  int loads = 0, stores = 0;
  for (const Compiled& kernel : kernels) {
    const std::string code = print_code({LLVM_OBJDUMP, "-d"}, kernel.binary);
    EXPECT_NE(code.find(kernel.entry), std::string::npos) << code.substr(0, 300);
    loads += wide_accesses(code, "load");
    stores += wide_accesses(code, "store");
  }
  EXPECT_TRUE(loads > 0 || !wanted.wide_loads) << "no wide load";
  EXPECT_TRUE(stores > 0 || !wanted.wide_stores) << "no wide store";
}

TEST_F(CodeObjects, EveryFamily) {
  EXPECT_TRUE(in_child(
      {},
      [] {
        for_each_case(architectures, [](const Chip& chip, const FamilyCase& wanted, const std::vector<Compiled>& kernels) {
          for (const Compiled& kernel : kernels) check_registers(chip, kernel);
          if (*LLVM_OBJDUMP) check_accesses(wanted, kernels);
        });
      },
      900));
  if (!*LLVM_OBJDUMP) GTEST_SKIP() << "registers and wavefronts are tested; wide accesses are NOT: no llvm-objdump (Debian: llvm)";
}

} // namespace
} // namespace corundum::test
