#pragma once
// Targets on which one kernel text is compiled and run: "emulator32", "emulator64", "emulator128", "avx2", "avx512", "neon",
// "sve128" and "sve512" (under qemu), "cuda" (the first device, whatever its architecture), "gfx906" and "gfx90a", for which
// kernels are compiled.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <memory_resource>
#include <string>
#include <variant>
#include <vector>

#include "core/backend.h"

namespace corundum::test {

// Numbers that a kernel reads or writes. The first one lies `misaligned` of them behind a multiple of 256 bytes.
struct Buffer {
  std::vector<unsigned char> bytes;
  size_t misaligned_bytes = 0;

  template <class T>
  static Buffer of(const std::vector<T>& values, size_t misaligned = 0) {
    Buffer b;
    b.bytes.resize(values.size() * sizeof(T));
    if (!values.empty()) std::memcpy(b.bytes.data(), values.data(), b.bytes.size());
    b.misaligned_bytes = misaligned * sizeof(T);
    return b;
  }
  template <class T>
  static Buffer filled(size_t size, T value, size_t misaligned = 0) {
    return of(std::vector<T>(size, value), misaligned);
  }
  template <class T>
  std::vector<T> as() const {
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
    return values;
  }
};

// A buffer in memory that the target's kernels reach, with canaries on both sides.
class Memory {
 public:
  Memory(const Chip& chip, const Buffer& buffer);
  ~Memory();
  void* data() const;
  // Copies back. A canary that is gone is a failure of the test.
  void fetch(Buffer* buffer);

 private:
  struct Device;
  std::pmr::vector<unsigned char> host_;
  std::unique_ptr<Device> device_;
  size_t start_, bytes_;
};

struct Kernel {
  std::string text; // includes what it needs and defines `entry`
  uint32_t blocks = 1;
  uint32_t threads = 1; // a block; ignored where a block is a loop
  uint32_t shared_bytes = 0;
  uint32_t cluster = 1;
};
// A member of the kernel's struct argument: a buffer's address, or a number.
using Argument = std::variant<Buffer*, int64_t>;

// The record of the target. Where it cannot run here, `why` says so, and then kernels are compiled at most.
const Chip& find_chip(const std::string& target, std::string* why);

// Kernels are compiled once a process, from their text alone: no cache is asked. A text that does not compile, or cannot be loaded,
// throws std::runtime_error with what the compiler said.
Function load_kernel(const Chip& chip, const std::string& entry, const std::string& text);
void compile_kernel(const Chip& chip, const Kernel& kernel);
// Compiles, copies the buffers there and back and launches. A refusal is the launch's.
Status run_kernel(const Chip& chip, const Kernel& kernel, const std::vector<Argument>& arguments);
// The same for all launches of a plan whose pointers are Memory::data(), workspace included.
// `edit` may change each kernel's text before it is compiled.
Status run_list(
    const Chip& chip, LaunchList& list, const std::function<void(std::string*)>& edit = [](std::string*) {});

// A test case for each target. Where one cannot run here, its kernels are compiled and the case is skipped, with the reason.
class OnTarget : public ::testing::TestWithParam<const char*> {
 protected:
  OnTarget() : chip_(&find_chip(GetParam(), &why_)) {}
  const Chip& chip() const { return *chip_; }
  bool runs() const { return why_.empty(); }
  const std::string& why() const { return why_; }
  // On the emulator several times, in different orders of lanes and blocks: `arguments` makes them anew, and `check` looks at what
  // the buffers then hold.
  template <class Arguments, class Check>
  void run(const Kernel& kernel, Arguments arguments, Check check) const {
    if (!runs()) {
      if (std::string none; backend(chip().backend)->compiler_identity(chip(), &none).empty())
        GTEST_SKIP() << "NOT TESTED, nor compiled for " << chip().target << ": " << none;
      compile_kernel(chip(), kernel);
      GTEST_SKIP() << "NOT TESTED, compiled for " << chip().target << " only: " << why_;
    }
    for (uint64_t order = 1; order <= orders(); ++order) {
      set_order(order);
      const Status s = run_kernel(chip(), kernel, arguments());
      ASSERT_TRUE(s.ok()) << s.reason();
      check();
      if (HasFailure()) return;
    }
  }

 private:
  uint64_t orders() const;
  static void set_order(uint64_t order);
  std::string why_;
  const Chip* chip_;
};
// AArch64, by emulation.
#define ON_ARM(suite) \
  INSTANTIATE_TEST_SUITE_P(Arm, suite, ::testing::Values("neon", "sve128", "sve512"), [](const auto& info) { return info.param; })
// Targets with lanes, and all.
#define ON_LANES(suite)                                                                                              \
  INSTANTIATE_TEST_SUITE_P(Targets, suite,                                                                           \
                           ::testing::Values("emulator32", "emulator64", "emulator128", "cuda", "gfx906", "gfx90a"), \
                           [](const auto& info) { return info.param; })
#define ON_ALL_TARGETS(suite)                                                                                                     \
  INSTANTIATE_TEST_SUITE_P(                                                                                                       \
      Targets, suite, ::testing::Values("emulator32", "emulator64", "emulator128", "avx2", "avx512", "cuda", "gfx906", "gfx90a"), \
      [](const auto& info) { return info.param; });                                                                               \
  ON_ARM(suite)

} // namespace corundum::test
