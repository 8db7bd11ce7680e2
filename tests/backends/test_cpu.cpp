#include <algorithm>
#include <atomic>
#include <thread>

#include "backends/cpu/cpu.h"
#include "backends/cpu/module.h"
#include "core/chip.h"
#include "jit/support.h"

namespace corundum::test {
namespace {

std::vector<uint8_t> compiled(const std::string& text) {
  std::vector<uint8_t> binary;
  std::string log;
  bool interrupted = false;
  const Status s = backend("cpu")->compile({known_chip("avx2"), "entry", text}, &binary, &log, &interrupted);
  EXPECT_TRUE(s.ok()) << log;
  return binary;
}

// First in this file: the tests below read the configuration in this process, and children would inherit it.
TEST(Processor, ChipFollowsConfigurationAndPool) {
  EXPECT_TRUE(in_child({{"CORUNDUM_CPU_TARGET", "avx2"}}, [] {
    ASSERT_EQ(backend("cpu")->device_count(), 1);
    const Chip& chip = backend("cpu")->chip(0);
    EXPECT_STREQ(chip.target, "avx2");
    EXPECT_EQ(chip.multiprocessors, 1u);
    cpu::set_pool_size(6);
    EXPECT_EQ(chip.multiprocessors, 6u);
    EXPECT_NE(backend("cpu")->describe().find("6 threads"), std::string::npos);
  }));
  EXPECT_TRUE(in_child({{"CORUNDUM_CPU_TARGET", "avx9000"}}, [] {
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(backend("cpu")->device_count(), 1);
    EXPECT_NE(::testing::internal::GetCapturedStderr().find("avx9000"), std::string::npos);
  }));
}

// What a kernel saw.
struct Seen {
  std::atomic<int> blocks[1000];
  std::atomic<int> calls;
  std::atomic<int> misaligned;
};
struct SeenArgs {
  Seen* seen;
};
// Touches all of its scratch.
constexpr const char* watching = R"(
struct Seen { int blocks[1000]; int calls; int misaligned; };
extern "C" void entry(const void* args, long long first, long long last, void* scratch) {
  Seen* seen = *static_cast<Seen* const*>(args);
  __atomic_fetch_add(&seen->calls, 1, __ATOMIC_RELAXED);
  if (reinterpret_cast<unsigned long long>(scratch) % 64) __atomic_fetch_add(&seen->misaligned, 1, __ATOMIC_RELAXED);
  for (long long b = first; b < last; ++b) {
    __atomic_fetch_add(&seen->blocks[b], 1, __ATOMIC_RELAXED);
    if (scratch) for (int i = 0; i < 100000; ++i) static_cast<volatile char*>(scratch)[i] = 1;
  }
})";

std::atomic<int> pool_calls{0};

// Threads for real, and parts that do not divide evenly.
void four_threads(int64_t begin, int64_t end, int64_t grain, void (*body)(void*, int64_t, int64_t), void* context) {
  ++pool_calls;
  const int64_t part = std::max(grain, (end - begin + 3) / 4);
  std::vector<std::thread> threads;
  for (int64_t at = begin; at < end; at += part) threads.emplace_back([=] { body(context, at, std::min(at + part, end)); });
  for (std::thread& t : threads) t.join();
}

class CpuLaunch : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { function = new Function(loaded()); }
  static Function loaded() {
    Function f;
    EXPECT_TRUE(backend("cpu")->load(0, compiled(watching), "", "entry", &f).ok());
    return f;
  }
  void TearDown() override { cpu::set_parallel_for(nullptr); }
  Status launch(uint32_t x, uint32_t y, uint32_t z, uint32_t grain, uint32_t scratch) {
    for (auto& b : seen.blocks) b = 0;
    seen.calls = seen.misaligned = 0;
    pool_calls = 0;
    SeenArgs args{&seen};
    Launch l{};
    l.grid[0] = x, l.grid[1] = y, l.grid[2] = z;
    l.threads = 1, l.grain = grain, l.shared_bytes = scratch, l.args_size = sizeof args;
    return backend("cpu")->launch(0, *function, l, &args, nullptr);
  }
  void expect_each_block_once(int blocks) {
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(seen.blocks[i], i < blocks ? 1 : 0) << "block " << i;
  }
  static inline Function* function = nullptr;
  Seen seen;
};

TEST_F(CpuLaunch, AllBlocksOnTheCallingThreadWithoutAPool) {
  ASSERT_TRUE(launch(10, 5, 2, 1, 0).ok());
  expect_each_block_once(100);
  EXPECT_EQ(seen.calls, 1);
}

TEST_F(CpuLaunch, PoolGetsPartsOfAtLeastTheGrain) {
  cpu::set_parallel_for(four_threads);
  ASSERT_TRUE(launch(101, 1, 1, 1, 100000).ok());
  expect_each_block_once(101);
  EXPECT_EQ(pool_calls, 1);
  EXPECT_EQ(seen.calls, 4);
  EXPECT_EQ(seen.misaligned, 0);
  ASSERT_TRUE(launch(101, 1, 1, 60, 0).ok());
  expect_each_block_once(101);
  EXPECT_EQ(seen.calls, 2);
}

TEST_F(CpuLaunch, OneTaskDoesNotEnterThePool) {
  cpu::set_parallel_for(four_threads);
  ASSERT_TRUE(launch(16, 1, 1, 16, 100000).ok());
  expect_each_block_once(16);
  EXPECT_EQ(pool_calls, 0);
}

TEST_F(CpuLaunch, NoBlocksNoWork) {
  cpu::set_parallel_for(four_threads);
  ASSERT_TRUE(launch(0, 1, 1, 0, 0).ok());
  expect_each_block_once(0);
  EXPECT_EQ(pool_calls, 0);
}

TEST_F(CpuLaunch, TooMuchScratchIsRefused) {
  const Status s = launch(1, 1, 1, 1, 1u << 30);
  ASSERT_FALSE(s.ok());
  expect_each_block_once(0);
  EXPECT_NE(std::string(s.reason()).find("1073741824 bytes of scratch"), std::string::npos) << s.reason();
}

TEST(Cpu, LoadsFromMemory) {
  // The descriptors are used again each time: no load may find an earlier one's library.
  for (int i = 0; i < 40; ++i) {
    void* address = nullptr;
    const Status s =
        cpu::load_entry(compiled("extern \"C\" int entry() { return " + std::to_string(i) + "; }"), "", "entry", &address);
    ASSERT_TRUE(s.ok()) << s.reason();
    EXPECT_EQ(reinterpret_cast<int (*)()>(address)(), i);
  }
}

TEST(Cpu, PathThatCannotBeLoadedFallsBackToMemory) {
  void* address = nullptr;
  ASSERT_TRUE(cpu::load_entry(compiled("extern \"C\" int entry() { return 3; }"), "/no/such/file", "entry", &address).ok());
  EXPECT_EQ(reinterpret_cast<int (*)()>(address)(), 3);
}

TEST(Cpu, MathsFunctionsAreInReach) {
  void* address = nullptr;
  const Status s = cpu::load_entry(
      compiled("extern \"C\" double erf(double); extern \"C\" double entry(double x) { return erf(x); }"), "", "entry", &address);
  ASSERT_TRUE(s.ok()) << s.reason();
  EXPECT_NEAR(reinterpret_cast<double (*)(double)>(address)(0.5), 0.5204998778, 1e-9);
}

TEST(Cpu, BrokenCodeIsRefused) {
  void* address = nullptr;
  EXPECT_FALSE(cpu::load_entry({1, 2, 3}, "", "entry", &address).ok());
  EXPECT_FALSE(cpu::load_entry({}, "", "entry", &address).ok());
  const Status missing = cpu::load_entry(compiled("int x;"), "", "entry", &address);
  EXPECT_STREQ(missing.reason(), "the kernel entry is not in its shared object");
}

} // namespace
} // namespace corundum::test
