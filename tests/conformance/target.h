#pragma once
// Targets on which one kernel text is compiled and run: "emulator32", "emulator64", "emulator128", "avx2", "avx512", "cuda" (the
// first device, whatever its architecture).
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "core/backend.h"

namespace corundum::test {

// Memory of a kernel. Its first element lies `misaligned` elements behind a multiple of 256 bytes.
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

struct Kernel {
  std::string
      text; // includes what it needs and defines `entry`, whose struct argument has the buffers' addresses, then the numbers
  uint32_t blocks = 1;
  uint32_t threads = 1; // ignored where a block is a loop
  uint32_t shared_bytes = 0;
  uint32_t cluster = 1;
};

// The record of the target; nullptr, with the reason, where it cannot run here.
const Chip* runnable_chip(const std::string& target, std::string* why);

// Compiles the text (each once a process), copies the buffers to the device and back, and checks that nothing beside them was
// touched. A text that does not compile throws std::runtime_error with the compiler's output; a refusal is the launch's.
Status run_kernel(const Chip& chip, const Kernel& kernel, const std::vector<Buffer*>& buffers, const std::vector<int64_t>& numbers);

// A test case for each target; one that cannot run here is skipped, with the reason.
class OnTarget : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    std::string why;
    chip_ = runnable_chip(GetParam(), &why);
    if (!chip_) GTEST_SKIP() << "NOT TESTED: " << why;
  }
  const Chip& chip() const { return *chip_; }
  void run(const Kernel& kernel, const std::vector<Buffer*>& buffers, const std::vector<int64_t>& numbers = {}) const {
    const Status s = run_kernel(chip(), kernel, buffers, numbers);
    ASSERT_TRUE(s.ok()) << s.reason();
  }

 private:
  const Chip* chip_ = nullptr;
};
// Targets with lanes, and all.
#define ON_LANES(suite)                                                                                          \
  INSTANTIATE_TEST_SUITE_P(Targets, suite, ::testing::Values("emulator32", "emulator64", "emulator128", "cuda"), \
                           [](const auto& info) { return info.param; })
#define ON_ALL_TARGETS(suite)                                                                                                      \
  INSTANTIATE_TEST_SUITE_P(Targets, suite, ::testing::Values("emulator32", "emulator64", "emulator128", "avx2", "avx512", "cuda"), \
                           [](const auto& info) { return info.param; })

} // namespace corundum::test
