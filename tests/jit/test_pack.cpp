#include <filesystem>

#include "core/chip.h"
#include "jit/pack.h"
#include "jit/support.h"

namespace corundum::test {
namespace {

class Pack : public ::testing::Test {
 protected:
  // A pack of the kernels 1, 2 and 3 for this processor.
  void SetUp() override {
    ASSERT_TRUE(in_child(with_compiler(), [&] {
      PackResult result;
      size_t last = 0, calls = 0;
      const auto progress = [&](size_t done, size_t total) {
        EXPECT_EQ(total, 4u);
        EXPECT_EQ(done, last + 1);
        last = done, ++calls;
      };
      const std::vector<KernelKey> keys = {key_of(good, 1), key_of(good, 2), key_of(good, 3), key_of(throws)};
      const Status s = write_pack(pack, cpu().chip(), keys, 2, progress, &result);
      ASSERT_TRUE(s.ok()) << s.reason();
      EXPECT_EQ(calls, 4u);
      EXPECT_EQ(result.kernels, 3u);
      EXPECT_GT(result.bytes, 3000u);
      EXPECT_EQ(result.failed, 1u);
      ASSERT_EQ(result.errors.size(), 1u);
      EXPECT_EQ(result.errors[0], "test: operator 3 has no text");
    }));
  }
  Environment with_compiler() const { return {{"CORUNDUM_CACHE_DIR", directory / "cache"}}; }
  Environment without_compiler() const {
    return {{"CORUNDUM_CACHE_DIR", "/dev/null/no"}, {"CORUNDUM_CXX", "/no/such/compiler"}, {"CORUNDUM_PACKS", pack}};
  }
  void damage(size_t at) const {
    std::string bytes = read_file(pack);
    ASSERT_LT(at, bytes.size());
    bytes[at] ^= 1;
    write_text(pack, bytes);
  }
  // open_pack's reason.
  void expect_refused(const std::string& words) const {
    const Status s = open_pack(pack);
    ASSERT_FALSE(s.ok());
    EXPECT_NE(std::string(s.reason()).find(words), std::string::npos) << s.reason();
    EXPECT_NE(std::string(s.reason()).find(pack), std::string::npos) << s.reason();
  }
  Directory directory;
  std::string pack = directory / "kernels.pack";
};

TEST_F(Pack, ServesAMachineWithoutCompiler) {
  EXPECT_TRUE(in_child(without_compiler(), [&] {
    for (int i = 1; i <= 3; ++i) {
      const Status s = obtain_and_run(cpu(), i);
      EXPECT_TRUE(s.ok()) << s.reason();
    }
    EXPECT_EQ(runtime_counters().from_pack, 3u);
    EXPECT_EQ(runtime_counters().compiled, 0u);
    EXPECT_FALSE(obtain_and_run(cpu(), 4).ok());
    ASSERT_EQ(open_packs().size(), 1u);
    EXPECT_EQ(open_packs()[0].kernels, 3u);
    EXPECT_EQ(open_packs()[0].target, cpu().chip().target);
  }));
}

TEST_F(Pack, OpenedLater) {
  Environment e = without_compiler();
  e.pop_back();
  EXPECT_TRUE(in_child(e, [&] {
    EXPECT_TRUE(open_pack(pack).ok());
    EXPECT_TRUE(obtain_and_run(cpu(), 2).ok());
  }));
}

TEST_F(Pack, DamagedKernelIsCompiledInstead) {
  damage(read_file(pack).size() - 3000); // inside the code of the last kernel
  Environment e = with_compiler();
  e.emplace_back("CORUNDUM_PACKS", pack);
  EXPECT_TRUE(in_child(e, [&] {
    for (int i = 1; i <= 3; ++i) EXPECT_TRUE(obtain_and_run(cpu(), i).ok());
    EXPECT_EQ(runtime_counters().from_pack, 2u);
    EXPECT_EQ(runtime_counters().cache_faults, 1u);
    EXPECT_EQ(runtime_counters().from_disk, 1u); // write_pack left it there
  }));
}

TEST_F(Pack, DamagedIndexIsRefused) {
  damage(100);
  expect_refused("is damaged");
}

TEST_F(Pack, CutShortIsRefused) {
  write_text(pack, read_file(pack).substr(0, 5000));
  expect_refused("its length is wrong");
  write_text(pack, read_file(pack).substr(0, 10));
  expect_refused("is no pack");
}

TEST_F(Pack, CutShortWhileOpen) {
  Environment e = with_compiler();
  EXPECT_TRUE(in_child(e, [&] {
    ASSERT_TRUE(open_pack(pack).ok());
    std::filesystem::resize_file(pack, 1000);
    EXPECT_TRUE(obtain_and_run(cpu(), 1).ok());
    EXPECT_EQ(runtime_counters().from_pack, 0u);
  }));
}

TEST_F(Pack, OtherFilesAreRefused) {
  write_text(pack, std::string(4096, 'x'));
  expect_refused("is no pack");
  std::filesystem::remove(pack);
  expect_refused("No such file");
}

TEST_F(Pack, MissingConfiguredPackIsAnErrorLineAndNoMore) {
  Environment e = with_compiler();
  e.emplace_back("CORUNDUM_PACKS", directory / "missing.pack");
  EXPECT_TRUE(in_child(e, [&] {
    ::testing::internal::CaptureStderr();
    EXPECT_TRUE(obtain_and_run(cpu(), 1).ok());
    EXPECT_NE(::testing::internal::GetCapturedStderr().find("missing.pack"), std::string::npos);
  }));
}

TEST_F(Pack, ForAnotherMachine) {
  EXPECT_TRUE(in_child({{"CORUNDUM_CACHE_DIR", directory / "cache"}, {"CORUNDUM_NVRTC", PIP_NVRTC}}, [&] {
    for (const char* target : {"avx512", "sm_90"}) {
      PackResult result;
      const std::string path = directory / target;
      ASSERT_TRUE(write_pack(path, *known_chip(target), {key_of(good, 1), key_of(good, 1)}, 1, nullptr, &result).ok());
      EXPECT_EQ(result.failed, 0u);
      EXPECT_EQ(result.kernels, 1u) << "one text, one kernel";
      ASSERT_TRUE(open_pack(path).ok());
      EXPECT_EQ(open_packs().back().target, target);
    }
  }));
}

} // namespace
} // namespace corundum::test
