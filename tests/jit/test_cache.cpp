#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "core/chip.h"
#include "jit/build.h"
#include "jit/cache.h"
#include "jit/support.h"

namespace corundum::test {
namespace {

namespace fs = std::filesystem;
constexpr uid_t somebody = 65534;

struct Counts {
  uint64_t compiled, from_disk, faults;
};

void expect_counts(const Counts& c) {
  EXPECT_EQ(runtime_counters().compiled, c.compiled);
  EXPECT_EQ(runtime_counters().from_disk, c.from_disk);
  EXPECT_EQ(runtime_counters().cache_faults, c.faults);
}

void expect_run(const Counts& c) {
  const Status s = obtain_and_run(cpu(), 7);
  EXPECT_TRUE(s.ok()) << s.reason();
  expect_counts(c);
}

class Cache : public ::testing::Test {
 protected:
  Environment environment() const { return {{"CORUNDUM_CACHE_DIR", cache}}; }
  bool child(const Counts& c) const {
    return in_child(environment(), [&] { expect_run(c); });
  }
  // The one entry's file, after a first compile.
  std::string filled() const {
    EXPECT_TRUE(child({1, 0, 0}));
    std::vector<std::string> files = files_below(cache);
    EXPECT_EQ(files.size(), 1u);
    return files.empty() ? "" : files[0];
  }
  Directory directory;
  std::string cache = directory / "cache";
};

TEST_F(Cache, SecondProcessFindsTheEntry) {
  filled();
  EXPECT_TRUE(child({0, 1, 0}));
}

TEST_F(Cache, EntryIsPrivateAndInClearText) {
  const std::string path = filled();
  struct stat facts;
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
  const std::string bytes = read_file(path);
  EXPECT_EQ(bytes.substr(1, 3), "ELF");
  EXPECT_NE(bytes.find("kernel test_kernel_7\nbackend cpu\ntarget "), std::string::npos);
}

TEST_F(Cache, TruncatedEntryIsRebuilt) {
  const std::string path = filled(), whole = read_file(path);
  for (size_t keep : {size_t{0}, size_t{1}, size_t{39}, size_t{40}, whole.size() / 2, whole.size() - 1}) {
    write_text(path, whole.substr(0, keep));
    EXPECT_TRUE(child({1, 0, 1})) << "kept " << keep;
    EXPECT_TRUE(child({0, 1, 0})) << "rebuilt after " << keep;
  }
}

TEST_F(Cache, FlippedBitIsFound) {
  const std::string path = filled(), whole = read_file(path);
  const size_t last = whole.size() - 1;
  for (size_t at :
       {size_t{0}, size_t{100}, whole.size() / 2, last - 60, last - 38, last - 30, last - 26, last - 20, last - 10, last}) {
    std::string bad = whole;
    bad[at] ^= 4;
    write_text(path, bad);
    EXPECT_TRUE(child({1, 0, 1})) << "byte " << at << " of " << whole.size();
  }
}

TEST_F(Cache, ForeignContentsAreRemoved) {
  const std::string path = filled(), whole = read_file(path);
  write_text(path, "#!/bin/sh\necho this is something else, and long enough to hold a footer, were it one\n");
  EXPECT_TRUE(child({1, 0, 1}));
  // A good entry of another kernel under this name.
  ASSERT_TRUE(in_child(environment(), [] { EXPECT_TRUE(obtain_and_run(cpu(), 8).ok()); }));
  for (const std::string& other : files_below(cache))
    if (other != path) fs::copy_file(other, path, fs::copy_options::overwrite_existing);
  EXPECT_TRUE(child({1, 0, 1}));
  // A link, even to a good entry.
  write_text(directory / "elsewhere", whole);
  fs::remove(path);
  fs::create_symlink(directory / "elsewhere", path);
  EXPECT_TRUE(child({1, 0, 1}));
  EXPECT_FALSE(fs::is_symlink(path));
}

TEST_F(Cache, EntryThatOthersMayWriteIsRemoved) {
  const std::string path = filled();
  chmod(path.c_str(), 0666);
  EXPECT_TRUE(child({1, 0, 1}));
}

TEST_F(Cache, ForeignEntryIsRemoved) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const std::string path = filled();
  ASSERT_EQ(chown(path.c_str(), somebody, somebody), 0);
  EXPECT_TRUE(child({1, 0, 1}));
}

TEST_F(Cache, DirectoryInTheEntrysPlace) {
  const std::string path = filled();
  fs::remove(path);
  fs::create_directory(path);
  EXPECT_TRUE(child({1, 0, 2})); // it cannot be removed; the kernel runs all the same
}

TEST_F(Cache, WritableByOthersIsRefused) {
  fs::create_directory(cache);
  chmod(cache.c_str(), 0777);
  EXPECT_TRUE(in_child(environment(), [&] {
    expect_run({1, 0, 0});
    EXPECT_EQ(cache_stats().refusal, cache + " may be written by other users; chmod go-w it");
  }));
  EXPECT_TRUE(files_below(cache).empty());
}

TEST_F(Cache, ForeignDirectoryIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  const std::string path = filled();
  ASSERT_EQ(chown(cache.c_str(), somebody, somebody), 0);
  EXPECT_TRUE(in_child(environment(), [&] {
    expect_run({1, 0, 0}); // not even a good entry is read
    EXPECT_EQ(cache_stats().refusal, cache + " belongs to another user (uid 65534)");
  }));
}

TEST_F(Cache, ReadOnlyDirectoryIsReadAndNotWritten) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to become another user";
  chmod(directory.path().c_str(), 0755);
  fs::create_directory(cache);
  ASSERT_EQ(chown(cache.c_str(), somebody, somebody), 0);
  const auto as_somebody = [&](const std::function<void()>& body) {
    return in_child(environment(), [&] {
      ASSERT_EQ(setresgid(somebody, somebody, somebody), 0);
      ASSERT_EQ(setresuid(somebody, somebody, somebody), 0);
      body();
    });
  };
  ASSERT_TRUE(as_somebody([] { expect_run({1, 0, 0}); }));
  const std::vector<std::string> before = files_below(cache);
  ASSERT_EQ(before.size(), 1u);
  for (const auto& e : fs::recursive_directory_iterator(cache))
    if (e.is_directory()) chmod(e.path().c_str(), 0500);
  chmod(cache.c_str(), 0500);
  EXPECT_TRUE(as_somebody([] {
    expect_run({0, 1, 0});
    EXPECT_TRUE(obtain_and_run(cpu(), 8).ok()); // compiled, used, not kept
    expect_counts({1, 1, 0});
  }));
  EXPECT_EQ(files_below(cache), before);
}

TEST_F(Cache, CannotBeCreated) {
  write_text(directory / "file", "");
  EXPECT_TRUE(in_child({{"CORUNDUM_CACHE_DIR", directory / "file/cache"}}, [] { expect_run({1, 0, 0}); }));
  EXPECT_TRUE(in_child({{"CORUNDUM_CACHE_DIR", directory / "file"}}, [] { expect_run({1, 0, 0}); }));
}

TEST_F(Cache, NoHomeNoCache) {
  EXPECT_TRUE(in_child({}, [] {
    for (const char* name : {"CORUNDUM_CACHE_DIR", "XDG_CACHE_HOME", "HOME"}) unsetenv(name);
    expect_run({1, 0, 0});
    EXPECT_NE(cache_stats().refusal, "");
  }));
}

// A file system of its own, where that is permitted.
struct Mounted {
  Mounted(const std::string& where, unsigned long flags, const char* options) : path(where) {
    fs::create_directories(path);
    ok = mount("none", path.c_str(), "tmpfs", flags, options) == 0;
  }
  ~Mounted() {
    if (ok) umount2(path.c_str(), MNT_DETACH);
  }
  std::string path;
  bool ok;
};

TEST_F(Cache, FullDisk) {
  Mounted small(cache, 0, "size=8k,mode=0700");
  EXPECT_TRUE(in_child(environment(), [&] {
    if (small.ok) {
      expect_run({1, 0, 0});
    } else {
      std::puts("no mount permitted: a limit on the size of files instead of a full disk");
      signal(SIGXFSZ, SIG_IGN);
      Recipe recipe;
      ASSERT_TRUE(make_recipe(cpu().backend(), cpu().chip(), key_of(good, 7), &recipe).ok());
      const rlimit none = {16, 16};
      ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
      std::string path;
      EXPECT_FALSE(disk_cache().store({recipe.content, "avx2", "key"}, std::vector<uint8_t>(20000), &path).ok());
    }
  }));
  EXPECT_TRUE(files_below(cache).empty()) << "nothing half-written stays: " << files_below(cache)[0];
}

TEST_F(Cache, NoexecDisk) {
  Mounted noexec(cache, MS_NOEXEC, "mode=0700");
  if (!noexec.ok) GTEST_SKIP() << "NOT TESTED: no mount permitted; Cpu.LoadsFromMemory covers the way that a noexec disk takes";
  filled();
  EXPECT_TRUE(child({0, 1, 0}));
}

TEST_F(Cache, StatsVerifyPrune) {
  EXPECT_TRUE(in_child(environment(), [&] {
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(obtain_and_run(cpu(), i).ok());
    CacheStats all = cache_stats();
    EXPECT_EQ(all.entries, 4u);
    ASSERT_EQ(all.targets.size(), 1u);
    EXPECT_EQ(all.targets[0].target, cpu().chip().target);
    EXPECT_EQ(all.targets[0].bytes, all.bytes);

    const std::vector<std::string> files = files_below(cache);
    write_text(files[0], "broken");
    write_text(fs::path(files[0]).parent_path() / "README", "not ours");
    EXPECT_EQ(cache_verify().faulty, 1u);
    EXPECT_FALSE(fs::exists(files[0]));
    EXPECT_EQ(cache_verify().faulty, 0u);

    // The one used longest ago goes first.
    const timespec old[2] = {{1000000, 0}, {1000000, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, files[2].c_str(), old, 0), 0);
    const std::string leftover = fs::path(files[0]).parent_path() / ".tmp-1-1-0";
    write_text(leftover, "");
    ASSERT_EQ(utimensat(AT_FDCWD, leftover.c_str(), old, 0), 0);
    EXPECT_EQ(cache_prune(cache_stats().bytes - 1), 1u);
    EXPECT_FALSE(fs::exists(files[2]));
    EXPECT_FALSE(fs::exists(leftover));
    EXPECT_EQ(cache_prune(0), 2u);
    EXPECT_EQ(cache_stats().entries, 0u);
    EXPECT_TRUE(fs::exists(fs::path(files[0]).parent_path() / "README"));
  }));
}

TEST_F(Cache, InstructionSetsSideBySide) {
  EXPECT_TRUE(in_child({{"CORUNDUM_CACHE_DIR", cache}, {"CORUNDUM_NVRTC", PIP_NVRTC}}, [&] {
    for (int round = 0; round < 2; ++round) {
      for (const char* target : {"avx2", "avx512", "sm_80", "sm_90"}) {
        const Chip& chip = *known_chip(target);
        Recipe recipe;
        ASSERT_TRUE(make_recipe(*backend(chip.backend), chip, key_of(good, 7), &recipe).ok());
        bool interrupted = false;
        const Status s = build(
            recipe, {}, [](const Binary& b) { return b.bytes.empty() ? Status::refuse("empty") : Status(); }, &interrupted);
        EXPECT_TRUE(s.ok()) << target << ": " << s.reason();
      }
    }
    expect_counts({4, 4, 0});
    EXPECT_EQ(cache_stats().targets.size(), 4u);
  }));
}

TEST_F(Cache, CompilerOffNamesTheKernel) {
  Environment off = environment();
  off.emplace_back("CORUNDUM_JIT", "0");
  EXPECT_TRUE(in_child(off, [] {
    const Status s = obtain_and_run(cpu(), 7);
    ASSERT_FALSE(s.ok());
    EXPECT_NE(std::string(s.reason()).find("test/1 number 7"), std::string::npos) << s.reason();
    expect_counts({0, 0, 0});
  }));
  filled();
  EXPECT_TRUE(in_child(off, [] { expect_run({0, 1, 0}); }));
}

TEST_F(Cache, NoCompilerIsARefusalWithAReason) {
  Environment none = environment();
  none.emplace_back("PATH", directory.path());
  EXPECT_TRUE(in_child(none, [] {
    const Status s = obtain_and_run(cpu(), 7);
    ASSERT_FALSE(s.ok());
    EXPECT_NE(std::string(s.reason()).find("no C++ compiler was found"), std::string::npos) << s.reason();
  }));
  none.back() = {"CORUNDUM_CXX", "/no/such/compiler"};
  EXPECT_TRUE(in_child(none, [] {
    const Status s = obtain_and_run(cpu(), 7);
    ASSERT_FALSE(s.ok());
    EXPECT_NE(std::string(s.reason()).find("/no/such/compiler"), std::string::npos) << s.reason();
  }));
}

} // namespace
} // namespace corundum::test
