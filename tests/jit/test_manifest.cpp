#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "jit/support.h"

namespace corundum::test {
namespace {

class Manifest : public ::testing::Test {
 protected:
  Environment environment() const { return {{"CORUNDUM_CACHE_DIR", directory / "cache"}}; }
  // The program's file, after it used the kernels 1, 2 and 3.
  std::string after_a_run() const {
    EXPECT_TRUE(in_child(environment(), [] {
      set_program("a test");
      for (int i = 1; i <= 3; ++i) EXPECT_TRUE(obtain_and_run(cpu(), i).ok());
    }));
    for (const std::string& path : files_below(directory / "cache"))
      if (path.find("/programs/") != std::string::npos) return path;
    ADD_FAILURE() << "nothing was remembered";
    return "";
  }
  bool prefetches(uint64_t count, const char* program = "a test") const {
    return in_child(environment(), [&] {
      set_program(program);
      prefetch(cpu());
      wait_for_prefetch();
      EXPECT_EQ(runtime_counters().prefetched, count);
      for (int i = 1; i <= 3; ++i) EXPECT_EQ(cpu().find(key_of(good, i)) != nullptr, count == 3);
    });
  }
  Directory directory;
};

TEST_F(Manifest, NextRunHasThemReadyEarly) {
  after_a_run();
  EXPECT_TRUE(prefetches(3));
  EXPECT_TRUE(prefetches(3)); // prefetching does not note them twice
  const std::string text = read_file(after_a_run());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4) << text;
}

TEST_F(Manifest, ProgramsAreApart) {
  after_a_run();
  EXPECT_TRUE(prefetches(0, "another"));
}

TEST_F(Manifest, WithoutANameNothingIsRemembered) {
  EXPECT_TRUE(in_child(environment(), [] { EXPECT_TRUE(obtain_and_run(cpu(), 1).ok()); }));
  EXPECT_EQ(files_below(directory / "cache").size(), 1u);
}

TEST_F(Manifest, AnotherBuildOfTheLibraryStartsAgain) {
  const std::string path = after_a_run();
  std::string text = read_file(path);
  text.replace(text.find('\n') - 1, 1, "x");
  write_text(path, text);
  EXPECT_TRUE(prefetches(0));
}

TEST_F(Manifest, BrokenLinesAreLeftOut) {
  const std::string path = after_a_run();
  const std::string text = read_file(path);
  write_text(path, text + "cpu avx2 nonsense\ncpu avx2 test 1 zz zz\n\xff\xfe\ncpu avx2 nobody 1 00 00\ncpu avx2 te");
  EXPECT_TRUE(prefetches(3));
}

TEST_F(Manifest, KeysThatMeanAnotherTextAreLeftOut) {
  const std::string path = after_a_run();
  std::string text = read_file(path);
  for (size_t at = text.find('\n') + 1; at < text.size(); at = text.find('\n', at) + 1) {
    char& last = text[text.find('\n', at) - 1]; // of the text's hash
    last = last == '0' ? '1' : '0';
  }
  write_text(path, text);
  EXPECT_TRUE(prefetches(0));
}

TEST_F(Manifest, ProcessThatEndsWhileWorkersCompile) {
  after_a_run();
  for (const std::string& path : files_below(directory / "cache"))
    if (path.find("/programs/") == std::string::npos) unlink(path.c_str());
  const int child = start_child(
      environment(),
      [] {
        set_program("a test");
        prefetch(cpu());
        std::exit(::testing::Test::HasFailure()); // runs the handlers
      },
      20);
  EXPECT_TRUE(finish(child));
}

TEST_F(Manifest, ForkWhileWorkersCompile) {
  after_a_run();
  EXPECT_TRUE(in_child(environment(), [] {
    set_program("a test");
    prefetch(cpu());
    EXPECT_TRUE(in_child(
        {},
        [] {
          wait_for_prefetch(); // the parent's workers are not this process's
          for (int i = 1; i <= 3; ++i) EXPECT_TRUE(obtain_and_run(cpu(), i).ok());
          prefetch(cpu());
          wait_for_prefetch();
        },
        20));
    wait_for_prefetch();
    EXPECT_EQ(runtime_counters().prefetched, 3u);
  }));
}

} // namespace
} // namespace corundum::test
