// The cuda backend. Without a GPU: that it says so. With one: kernels, from any thread, on every device.
#include <unistd.h>

#include <thread>

#include "backends/cuda/driver.h"
#include "backends/cuda_memory.h"
#include "core/chip.h"
#include "jit/support.h"

namespace corundum::test {
namespace {

const Backend& cuda_backend() { return *backend("cuda"); }

bool has_gpu() { return cuda_backend().device_count() > 0; }

// All in children: a process that has used CUDA cannot fork for other tests.
TEST(CudaWithoutAGpu, SaysWhy) {
  EXPECT_TRUE(in_child({{"CUDA_VISIBLE_DEVICES", ""}}, [] {
    EXPECT_EQ(cuda_backend().device_count(), 0);
    EXPECT_EQ(device(cuda_backend(), 0), nullptr);
    EXPECT_NE(cuda_backend().describe(), "");
    Function f;
    EXPECT_FALSE(cuda_backend().load(0, {1, 2, 3}, "", "entry", &f).ok());
    EXPECT_FALSE(cuda_backend().synchronize(0).ok());
  }));
}

class CudaGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    const bool gpu = in_child({}, [] {
      if (!has_gpu()) _exit(1);
    });
    if (!gpu) GTEST_SKIP() << "NOT TESTED: no GPU here";
  }
  static bool child(const std::function<void()>& body) {
    const Directory cache;
    return in_child({{"CORUNDUM_CACHE_DIR", cache.path()}, {"CORUNDUM_NVRTC", PIP_NVRTC}}, body, 120);
  }
  // With a context current, as a caller who allocates has.
  static void run_and_check(Device& d, int number) {
    ASSERT_TRUE(d.backend().synchronize(d.index()).ok());
    const cuda::Driver& driver = *cuda::driver();
    cuda::Context mine = nullptr;
    int handle = 0;
    ASSERT_EQ(driver.device_get(&handle, d.index()), 0);
    ASSERT_EQ(driver.primary_retain(&mine, handle), 0);
    ASSERT_EQ(driver.context_set(mine), 0);
    CudaMemory memory(64);
    ASSERT_EQ(driver.context_set(nullptr), 0); // what a fresh thread has
    LaunchList list;
    list.add(key_of(good, number), 16, 32, Args{memory.pointer()});
    const Status s = run(d, list, nullptr);
    EXPECT_TRUE(s.ok()) << s.reason();
    EXPECT_TRUE(d.backend().synchronize(d.index()).ok());
    EXPECT_EQ(memory.first(), number);
  }
};

TEST_F(CudaGpu, EveryDeviceAndAFreshThread) {
  EXPECT_TRUE(child([] {
    for (int i = 0; i < cuda_backend().device_count(); ++i) {
      Device& d = *device(cuda_backend(), i);
      EXPECT_EQ(d.chip().warp_size, 32u);
      EXPECT_GE(d.chip().shared_bytes, 48u << 10);
      run_and_check(d, 1);
      std::thread([&] { run_and_check(d, 2); }).join();
    }
    EXPECT_LE(runtime_counters().compiled, 2u) << "devices of one kind share the cache";
  }));
}

TEST_F(CudaGpu, LimitsAreRefusals) {
  EXPECT_TRUE(child([] {
    Device& d = *device(cuda_backend(), 0);
    const Function* f = nullptr;
    ASSERT_TRUE(d.obtain(key_of(good, 3), &f).ok());
    EXPECT_GE(f->max_threads, 256u);
    EXPECT_EQ(f->shared_limit, d.chip().shared_bytes);
    Launch l{};
    l.grid[0] = l.grid[1] = l.grid[2] = 1;
    l.threads = 2048;
    Args args{nullptr};
    EXPECT_FALSE(d.backend().launch(0, *f, l, &args, nullptr).ok());
    l.threads = 32;
    l.shared_bytes = f->shared_limit + 1;
    EXPECT_FALSE(d.backend().launch(0, *f, l, &args, nullptr).ok());
  }));
}

TEST_F(CudaGpu, AllOfTheSharedMemoryCanBeUsed) {
  EXPECT_TRUE(child([] {
    Device& d = *device(cuda_backend(), 0);
    const Function* f = nullptr;
    ASSERT_TRUE(d.obtain(key_of(good, 4), &f).ok());
    CudaMemory memory(64);
    Launch l{};
    l.grid[0] = l.grid[1] = l.grid[2] = 1;
    l.threads = 32;
    l.shared_bytes = f->shared_limit;
    Args args{memory.pointer()};
    const Status s = d.backend().launch(0, *f, l, &args, nullptr);
    EXPECT_TRUE(s.ok()) << s.reason();
    EXPECT_TRUE(d.backend().synchronize(0).ok());
  }));
}

TEST_F(CudaGpu, FirstCallInsideACapture) {
  EXPECT_TRUE(child([] {
    Device& d = *device(cuda_backend(), 0);
    ASSERT_TRUE(d.backend().synchronize(0).ok());
    const cuda::Driver& driver = *cuda::driver();
    cuda::Context mine = nullptr;
    int handle = 0;
    ASSERT_EQ(driver.device_get(&handle, 0), 0);
    ASSERT_EQ(driver.primary_retain(&mine, handle), 0);
    ASSERT_EQ(driver.context_set(mine), 0);
    CudaMemory memory(64);
    void *stream = nullptr, *graph = nullptr, *executable = nullptr;
    ASSERT_EQ(CudaMemory::function("cuStreamCreate")(&stream, 1), 0);
    ASSERT_EQ(CudaMemory::function("cuStreamBeginCapture_v2")(stream, 0 /* global: the strictest */), 0);
    LaunchList list;
    list.add(key_of(good, 5), 16, 32, Args{memory.pointer()});
    const Status s = run(d, list, stream); // compiles, loads and is captured
    EXPECT_TRUE(s.ok()) << s.reason();
    ASSERT_EQ(CudaMemory::function("cuStreamEndCapture")(stream, &graph), 0);
    ASSERT_EQ(CudaMemory::function("cuGraphInstantiateWithFlags")(&executable, graph, 0ull), 0);
    ASSERT_EQ(CudaMemory::function("cuGraphLaunch")(executable, stream), 0);
    EXPECT_TRUE(d.backend().synchronize(0).ok());
    EXPECT_EQ(memory.first(), 5);
  }));
}

TEST_F(CudaGpu, TheCallersContextIsLeftAsItWas) {
  EXPECT_TRUE(child([] {
    if (cuda_backend().device_count() < 2) {
      std::puts("NOT TESTED: one GPU only");
      return;
    }
    run_and_check(*device(cuda_backend(), 0), 6);
    const cuda::Driver& driver = *cuda::driver();
    cuda::Context zero = nullptr, after = nullptr;
    int handle = 0;
    ASSERT_EQ(driver.device_get(&handle, 0), 0);
    ASSERT_EQ(driver.primary_retain(&zero, handle), 0);
    ASSERT_EQ(driver.context_set(zero), 0);
    const Function* f = nullptr;
    EXPECT_TRUE(device(cuda_backend(), 1)->obtain(key_of(good, 7), &f).ok());
    ASSERT_EQ(driver.context_get(&after), 0);
    EXPECT_EQ(after, zero);
  }));
}

} // namespace
} // namespace corundum::test
