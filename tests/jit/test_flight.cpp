// One compile for many: threads, processes, forks.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "core/status.h"
#include "core/sync.h"
#include "jit/cache.h"
#include "jit/support.h"

namespace corundum::test {
namespace {

using namespace std::chrono_literals;

void eight_threads(const std::function<void()>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back(body);
  for (std::thread& t : threads) t.join();
}

class FlightTest : public ::testing::Test {
 protected:
  Environment environment(const std::string& before = "") const {
    return {{"CORUNDUM_CACHE_DIR", directory / "cache"}, {"CORUNDUM_CXX", counting_compiler(directory, before)}};
  }
  Directory directory;
};

// Until the compiler has been started `count` times.
bool wait_for_compiles(const Directory& directory, int count) {
  for (int i = 0; i < 2000; ++i, std::this_thread::sleep_for(5ms))
    if (compiles(directory) >= count) return true;
  return false;
}

TEST_F(FlightTest, TwoProcessesAndEightThreadsCompileOnce) {
  const auto body = [] { eight_threads([] { EXPECT_TRUE(obtain_and_run(cpu(), 1).ok()); }); };
  const Environment e = environment("sleep 0.2");
  const int first = start_child(e, body), second = start_child(e, body);
  EXPECT_TRUE(finish(first));
  EXPECT_TRUE(finish(second));
  EXPECT_EQ(compiles(directory), 1);
  for (const std::string& file : files_below(directory / "cache"))
    EXPECT_EQ(file.find("/locks/"), std::string::npos) << file << " stayed";
}

TEST_F(FlightTest, EightThreadsWithoutADiskCompileOnce) {
  Environment e = environment("sleep 0.2");
  e[0].second = "/dev/null/no";
  EXPECT_TRUE(in_child(e, [] { eight_threads([] { EXPECT_TRUE(obtain_and_run(cpu(), 1).ok()); }); }));
  EXPECT_EQ(compiles(directory), 1);
}

TEST_F(FlightTest, DifferentKeysCompileAtTheSameTime) {
  EXPECT_TRUE(in_child(environment("sleep 0.5"), [] {
    const auto start = std::chrono::steady_clock::now();
    std::atomic<int> number{0};
    eight_threads([&] { EXPECT_TRUE(obtain_and_run(cpu(), number++).ok()); });
    EXPECT_LT(std::chrono::steady_clock::now() - start, 8 * 500ms);
  }));
  EXPECT_EQ(compiles(directory), 8);
}

TEST_F(FlightTest, ForkInMidCompile) {
  EXPECT_TRUE(in_child(environment("sleep 1"), [&] {
    std::thread compiling([] { EXPECT_TRUE(obtain_and_run(cpu(), 1).ok()); });
    ASSERT_TRUE(wait_for_compiles(directory, 1));
    EXPECT_TRUE(in_child(
        {},
        [] {
          EXPECT_TRUE(obtain_and_run(cpu(), 1).ok()); // the parent's, once it is on the disk
          EXPECT_TRUE(obtain_and_run(cpu(), 2).ok());
        },
        20));
    compiling.join();
  }));
  EXPECT_EQ(compiles(directory), 2);
}

TEST_F(FlightTest, ForkInMidCompileWithoutADisk) {
  Environment e = environment("sleep 1");
  e[0].second = "/dev/null/no";
  EXPECT_TRUE(in_child(e, [&] {
    std::thread compiling([] { EXPECT_TRUE(obtain_and_run(cpu(), 1).ok()); });
    ASSERT_TRUE(wait_for_compiles(directory, 1));
    EXPECT_TRUE(in_child(
        {}, [] { EXPECT_TRUE(obtain_and_run(cpu(), 1).ok()); }, 20));
    compiling.join();
  }));
  EXPECT_EQ(compiles(directory), 2);
}

TEST_F(FlightTest, ParentKilledInMidCompileLeavesNoLock) {
  int grandchild[2];
  ASSERT_EQ(pipe(grandchild), 0);
  const Environment e = environment("sleep 1");
  const int parent = start_child(e, [&] {
    std::thread([] { (void)obtain_and_run(cpu(), 1); }).detach();
    ASSERT_TRUE(wait_for_compiles(directory, 1));
    start_child({}, [&] {
      char go;
      ASSERT_EQ(read(grandchild[0], &go, 1), 1); // stays while the other tries
    });
    pause();
  });
  ASSERT_TRUE(wait_for_compiles(directory, 1));
  std::this_thread::sleep_for(300ms);
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(in_child(
      e, [] { EXPECT_TRUE(obtain_and_run(cpu(), 1).ok()); }, 60));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s) << "waited for a lock that nobody needs";
  ASSERT_EQ(write(grandchild[1], "g", 1), 1);
}

TEST_F(FlightTest, ForkAfterCompile) {
  EXPECT_TRUE(in_child(environment(), [] {
    EXPECT_TRUE(obtain_and_run(cpu(), 1).ok());
    EXPECT_TRUE(in_child(
        {},
        [] {
          EXPECT_NE(cpu().find(key_of(good, 1)), nullptr);
          EXPECT_TRUE(obtain_and_run(cpu(), 1).ok());
          EXPECT_TRUE(obtain_and_run(cpu(), 2).ok());
        },
        20));
  }));
  EXPECT_EQ(compiles(directory), 2);
}

// Forks while other threads hold every lock that there is, many times.
TEST_F(FlightTest, ForkUnderContention) {
  EXPECT_TRUE(in_child(environment(), [] {
    EXPECT_TRUE(obtain_and_run(cpu(), 0).ok());
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        const Function* function;
        for (int i = 0; !stop; ++i) {
          (void)cpu().obtain(key_of(throws, i * 4 + t), &function);
          intern("text " + std::to_string(i * 4 + t));
        }
      });
    for (int i = 0; i < 100; ++i)
      ASSERT_TRUE(in_child(
          {},
          [i] {
            intern("child " + std::to_string(i));
            const Function* function;
            EXPECT_FALSE(cpu().obtain(key_of(throws, -1 - i), &function).ok());
            EXPECT_TRUE(obtain_and_run(cpu(), 0).ok());
          },
          20));
    stop = true;
    for (std::thread& t : threads) t.join();
  }));
}

TEST_F(FlightTest, KilledCompileIsTriedAgain) {
  const std::string once = "[ -e " + (directory / "killed") + " ] || { touch " + (directory / "killed") + "; kill -9 $$; }";
  EXPECT_TRUE(in_child(environment(once), [] {
    const Status first = obtain_and_run(cpu(), 1);
    ASSERT_FALSE(first.ok());
    EXPECT_NE(std::string(first.reason()).find("killed"), std::string::npos) << first.reason();
    EXPECT_TRUE(obtain_and_run(cpu(), 1).ok());
  }));
  EXPECT_EQ(compiles(directory), 2);
}

TEST_F(FlightTest, AlwaysKilledCompileIsGivenUp) {
  EXPECT_TRUE(in_child(environment("kill -9 $$"), [] {
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(obtain_and_run(cpu(), 1).ok());
  }));
  EXPECT_EQ(compiles(directory), 3);
}

TEST_F(FlightTest, FailureIsReportedOnceAndRemembered) {
  EXPECT_TRUE(in_child(environment(), [&] {
    ::testing::internal::CaptureStderr();
    const Function* function = nullptr;
    const Status first = cpu().obtain(key_of(wrong_text, 3), &function);
    std::atomic<int> same{0};
    eight_threads([&] {
      const Function* f = nullptr;
      same += cpu().obtain(key_of(wrong_text, 3), &f).reason() == first.reason();
    });
    const std::string said = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(same, 8);
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    EXPECT_NE(said.find("test/2 number 3"), std::string::npos) << said;
    EXPECT_NE(said.find("error:"), std::string::npos) << said;
    const size_t at = said.find((directory / "cache") + "/failed/");
    ASSERT_NE(at, std::string::npos) << said;
    const std::string report = read_file(said.substr(at, said.find(')', at) - at));
    EXPECT_NE(report.find("this is no C++ 3;"), std::string::npos) << report;
    EXPECT_NE(report.find("error:"), std::string::npos) << report;
  }));
  EXPECT_EQ(compiles(directory), 1);
}

TEST_F(FlightTest, TextThatThrowsAndMissingEntryAreRefusals) {
  EXPECT_TRUE(in_child(environment(), [] {
    const Function* function = nullptr;
    const Status no_text = cpu().obtain(key_of(throws), &function);
    EXPECT_STREQ(no_text.reason(), "test: operator 3 has no text");
    EXPECT_FALSE(cpu().obtain(key_of(no_entry), &function).ok());
    EXPECT_EQ(function, nullptr);
    KernelKey nobody;
    nobody.family = 999;
    EXPECT_FALSE(cpu().obtain(nobody, &function).ok());
  }));
}

TEST_F(FlightTest, TableGrowsUnderReaders) {
  EXPECT_TRUE(in_child(environment(), [] {
    EXPECT_TRUE(obtain_and_run(cpu(), 0).ok());
    const Function* known = cpu().find(key_of(good, 0));
    std::atomic<bool> stop{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i)
      readers.emplace_back([&] {
        while (!stop) wrong += cpu().find(key_of(good, 0)) != known;
      });
    for (int i = 0; i < 20000; ++i) {
      const Function* function = nullptr;
      EXPECT_FALSE(cpu().obtain(key_of(throws, i), &function).ok());
    }
    stop = true;
    for (std::thread& t : readers) t.join();
    EXPECT_EQ(wrong, 0);
    for (int i = 0; i < 20000; ++i) EXPECT_EQ(cpu().find(key_of(throws, i)), nullptr);
  }));
}

TEST(Plan, ScopeCollectsAndLaunchesNothing) {
  EXPECT_TRUE(in_child({{"CORUNDUM_CACHE_DIR", "/dev/null/no"}}, [] {
    int out = -1;
    LaunchList list;
    list.add(key_of(good, 1), 1, 1, Args{&out});
    list.add(key_of(good, 2), 1, 1, Args{&out});
    list.add(key_of(good, 1), 1, 1, Args{&out});
    PlanScope outer(*known_chip("sm_90"));
    {
      PlanScope scope(*known_chip("avx512"));
      EXPECT_EQ(PlanScope::current(), &scope);
      EXPECT_TRUE(run(cpu(), list, nullptr).ok());
      EXPECT_EQ(scope.keys().size(), 2u);
    }
    EXPECT_EQ(PlanScope::current(), &outer);
    EXPECT_TRUE(outer.keys().empty());
    EXPECT_EQ(out, -1);
    std::thread([] { EXPECT_EQ(PlanScope::current(), nullptr); }).join();
  }));
}

TEST(Plan, NothingRunsWhenAKernelOfTheListIsMissing) {
  EXPECT_TRUE(in_child({{"CORUNDUM_CACHE_DIR", "/dev/null/no"}}, [] {
    int out = -1;
    LaunchList list;
    list.add(key_of(good, 1), 1, 1, Args{&out});
    list.add(key_of(throws, 1), 1, 1, Args{&out});
    EXPECT_FALSE(run(cpu(), list, nullptr).ok());
    EXPECT_EQ(out, -1);
  }));
}

} // namespace
} // namespace corundum::test
