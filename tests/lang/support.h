#pragma once
// What the tests of the kernel language share: kernel texts, compiled for each instruction set that this processor has.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/chip.h"
#include "core/launch.h"

namespace corundum::test {

// Compiles `#include "lang/kernel.h"` and the text for a target ("avx2", "avx512"). The text defines `entry`, which is called as
// the cpu backend calls it: entry(args, first block, last block, scratch). A text that does not compile throws std::runtime_error
// with the compiler's output.
using Entry = void (*)(const void* args, int64_t first, int64_t last, void* scratch);
Entry compile_text(const std::string& target, const std::string& text);

// Compiles what a plan for known_chip(target) asks for and runs it, workspace included. The target may be an emulator's, too.
void run_plan(const std::string& target, LaunchList& list);

// A test case for each instruction set; those that the processor lacks are skipped, with a word.
class EachTarget : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override;
  std::string target() const { return GetParam(); }
  const Chip& chip() const { return *known_chip(GetParam()); }
};
// The same, and the emulators of GPUs: for plans.
#define FOR_EACH_TARGET_AND_EMULATOR(suite)                                                                                \
  INSTANTIATE_TEST_SUITE_P(Targets, suite, ::testing::Values("avx2", "avx512", "emulator32", "emulator64", "emulator128"), \
                           [](const auto& info) { return info.param; })
#define FOR_EACH_TARGET(suite) \
  INSTANTIATE_TEST_SUITE_P(Targets, suite, ::testing::Values("avx2", "avx512"), [](const auto& info) { return info.param; })

// The same cases for the lowering to lanes, for suites whose kernels come from plans (run_plan) alone.
#define AND_ON_THE_EMULATOR(suite)                                                                        \
  INSTANTIATE_TEST_SUITE_P(Emulator, suite, ::testing::Values("emulator32", "emulator64", "emulator128"), \
                           [](const auto& info) { return info.param; })

// A buffer of `size` elements, initially 0x5a bytes, with canaries before and after it.
template <class T>
class Guarded {
 public:
  explicit Guarded(size_t size) : bytes_(size * sizeof(T) + 2 * guard, canary) {}
  T* data() { return reinterpret_cast<T*>(bytes_.data() + guard); }
  T operator[](size_t i) { return data()[i]; }
  bool intact() const {
    for (size_t i = 0; i < guard; ++i)
      if (bytes_[i] != canary || bytes_[bytes_.size() - 1 - i] != canary) return false;
    return true;
  }

 private:
  static constexpr size_t guard = 1024; // more than any vector register, a multiple of 16
  static constexpr unsigned char canary = 0x5a;
  std::vector<unsigned char> bytes_;
};

// Floats that step evenly through all bit patterns: every binade of either sign, denormals, NaNs. About 2^32 / step.
std::vector<float> floats_by_pattern(uint32_t step);
float float_of(uint32_t bits);
uint32_t bits_of(float value);

// 16-bit floats, by the compiler and by integers: what the language's own conversions are compared with.
uint16_t half_of(float value);
float from_half(uint16_t bits);
uint16_t bfloat_of(float value);
float from_bfloat(uint16_t bits);

// Distance of a result from the exact value, in units of the last place of its type at that value, or at `least` where that is
// larger. 0 for the same special value; infinite for another one, and for a zero of the other sign.
double ulps(float result, long double exact, double least = 0);
double ulps(double result, long double exact, double least = 0);

} // namespace corundum::test
