// The compilers themselves, and the library's own kernel texts through them.
#include <dlfcn.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "core/chip.h"
#include "jit/build.h"
#include "jit/language.h"
#include "jit/nvrtc.h"
#include "jit/support.h"
#include "ops/softmax/softmax.h"

namespace corundum::test {
namespace {

struct Outcome {
  Status status;
  std::vector<uint8_t> binary;
  std::string log;
  bool interrupted = false;
};

Outcome compile(const char* target, const std::string& text) {
  const Chip& chip = *known_chip(target);
  Outcome o;
  o.status = backend(chip.backend)->compile({&chip, "entry", text}, &o.binary, &o.log, &o.interrupted);
  return o;
}

bool is_elf_for(const std::vector<uint8_t>& binary, int machine) {
  return binary.size() > 64 &&
         std::memcmp(binary.data(),
                     "\x7f"
                     "ELF",
                     4) == 0 &&
         binary[18] + 256 * binary[19] == machine;
}
constexpr int elf_x86_64 = 62, elf_cuda = 190;

const Environment with_nvrtc = {{"CORUNDUM_NVRTC", PIP_NVRTC}, {"CORUNDUM_CACHE_DIR", "/dev/null/no"}};

TEST(Compilers, NvrtcMakesACubinWithoutAGpu) {
  ASSERT_STRNE(PIP_NVRTC, "") << "no NVRTC among the Python packages";
  EXPECT_TRUE(in_child(with_nvrtc, [] {
    for (const char* target : {"sm_80", "sm_90", "sm_100"}) {
      const Outcome o = compile(target, "extern \"C\" __global__ void entry(int* p) { *p = 1; }");
      EXPECT_TRUE(o.status.ok()) << o.status.reason() << o.log;
      EXPECT_TRUE(is_elf_for(o.binary, elf_cuda));
    }
    std::string why;
    EXPECT_EQ(nvrtc_identity(&why).rfind("nvrtc 1", 0), 0u) << nvrtc_identity(&why);
  }));
}

TEST(Compilers, NvrtcReportsErrors) {
  EXPECT_TRUE(in_child(with_nvrtc, [] {
    const Outcome o = compile("sm_90", "no text");
    EXPECT_FALSE(o.status.ok());
    EXPECT_FALSE(o.interrupted);
    EXPECT_NE(o.log.find("error"), std::string::npos) << o.log;
  }));
}

// NVRTC's own locks may be held at that moment; no answer but a refusal is safe.
TEST(Compilers, ForkWhileNvrtcCompiles) {
  EXPECT_TRUE(in_child(with_nvrtc, [] {
    const std::string small = "extern \"C\" __global__ void entry(int* p) { *p = 1; }";
    ASSERT_TRUE(compile("sm_90", small).status.ok());
    EXPECT_TRUE(in_child({}, [&] { EXPECT_TRUE(compile("sm_90", small).status.ok()); })) << "nothing was compiling then";
    std::string large = "extern \"C\" __global__ void entry(float* p) { float x = p[threadIdx.x];\n";
    for (int i = 0; i < 1000; ++i) large += "x = x * p[" + std::to_string(i % 977) + "] + " + std::to_string(i) + ".5f;\n";
    std::atomic<bool> done{false};
    std::thread busy([&] {
      EXPECT_TRUE(compile("sm_90", large + "p[0] = x; }").status.ok());
      done = true;
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    ASSERT_FALSE(done) << "the large kernel compiled too fast for this test";
    EXPECT_TRUE(in_child(
        {},
        [&] {
          const Outcome o = compile("sm_90", small);
          ASSERT_FALSE(o.status.ok());
          EXPECT_NE(std::string(o.status.reason()).find("was forked while"), std::string::npos) << o.status.reason();
        },
        20));
    busy.join();
    EXPECT_TRUE(compile("sm_90", small).status.ok()) << "the parent goes on";
  }));
}

TEST(Compilers, NvrtcMissing) {
  EXPECT_TRUE(in_child({{"CORUNDUM_NVRTC", "/no/libnvrtc.so"}}, [] {
    std::string why;
    EXPECT_EQ(nvrtc_identity(&why), "");
    EXPECT_NE(why.find("/no/libnvrtc.so"), std::string::npos) << why;
  }));
  EXPECT_TRUE(in_child({{"CORUNDUM_NVRTC", "libm.so.6"}}, [] {
    std::string why;
    EXPECT_EQ(nvrtc_identity(&why), "");
    EXPECT_NE(why.find("lacks functions"), std::string::npos) << why;
  }));
}

TEST(Compilers, NvrtcThatIsLoadedAlreadyIsTaken) {
  EXPECT_TRUE(in_child({}, [] {
    unsetenv("CORUNDUM_NVRTC");
    ASSERT_NE(dlopen(PIP_NVRTC, RTLD_NOW | RTLD_LOCAL), nullptr);
    std::string why;
    EXPECT_NE(nvrtc_identity(&why), "") << why;
  }));
}

TEST(Compilers, HostMakesASharedObjectForEachInstructionSet) {
  EXPECT_TRUE(in_child({}, [] {
    const std::string text = "extern \"C\" void entry(float* p) { for (int i = 0; i < 64; ++i) p[i] += 1; }";
    const Outcome narrow = compile("avx2", text), wide = compile("avx512", text);
    for (const Outcome* o : {&narrow, &wide}) {
      EXPECT_TRUE(o->status.ok()) << o->log;
      EXPECT_TRUE(is_elf_for(o->binary, elf_x86_64));
    }
    EXPECT_NE(narrow.binary, wide.binary);
    EXPECT_EQ(compile("avx2", text).binary, narrow.binary) << "the same text gives the same bytes";
  }));
}

TEST(Compilers, HostWithoutTemporaryFilesMayBeTriedAgain) {
  EXPECT_TRUE(in_child({{"TMPDIR", "/no/such/place"}}, [] {
    const Outcome o = compile("avx2", "int x;");
    EXPECT_FALSE(o.status.ok());
    EXPECT_TRUE(o.interrupted);
    EXPECT_NE(std::string(o.status.reason()).find("/no/such/place"), std::string::npos) << o.status.reason();
  }));
}

TEST(Compilers, SigchldIgnoredByTheProgram) {
  EXPECT_TRUE(in_child({{"CORUNDUM_CACHE_DIR", "/dev/null/no"}}, [] {
    signal(SIGCHLD, SIG_IGN);
    const Status s = obtain_and_run(cpu(), 1);
    EXPECT_TRUE(s.ok()) << s.reason();
  }));
}

TEST(Language, IncludesAreResolvedOnce) {
  ASSERT_GT(embedded_file_count, 0);
  const std::string include = std::string("#include \"") + embedded_files[0].name + "\"\n";
  const std::string once = resolve_includes(include), twice = resolve_includes(include + include);
  EXPECT_EQ(once, twice);
  EXPECT_EQ(once.find("#include"), std::string::npos);
  EXPECT_THROW(resolve_includes("#include \"no/such.h\"\n"), std::runtime_error);
  EXPECT_EQ(resolve_includes("int a; // #include \"no\"\n"), "int a; // #include \"no\"\n");
}

TEST(Language, ARealKernelCompilesForEveryTarget) {
  EXPECT_TRUE(in_child(with_nvrtc, [] {
    for (const char* target : {"avx2", "avx512", "sm_80", "sm_90", "sm_100"}) {
      const Chip& chip = *known_chip(target);
      const softmax::Call call{false, nullptr, Dtype::float32, nullptr, Dtype::float32, 64, 1000, 1};
      LaunchList list;
      ASSERT_TRUE(softmax::plan(chip, call, list).ok());
      ASSERT_GT(list.size(), 0u);
      for (uint32_t i = 0; i < list.size(); ++i) {
        Recipe recipe;
        ASSERT_TRUE(make_recipe(*backend(chip.backend), chip, list[i].key, &recipe).ok());
        bool interrupted = false;
        const Status s = build(
            recipe, {}, [](const Binary&) { return Status(); }, &interrupted);
        EXPECT_TRUE(s.ok()) << target << ": " << s.reason();
      }
    }
    EXPECT_GE(runtime_counters().compiled, 5u);
  }));
}

} // namespace
} // namespace corundum::test
