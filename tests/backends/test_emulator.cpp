// Faults that were planted in kernels: the emulator reports each, with kernel, block, lane and line; and nothing where there is
// none.
#include "backends/emulator/emulator.h"
#include "backends/emulator/sanitizer.h"
#include "conformance/target.h"

namespace corundum::test {
namespace {

// What the emulator says of a kernel of two blocks of 256 lanes; the same words whatever the order of lanes.
std::string report_of(const Chip& chip, const std::string& body, const Kernel& shape) {
  Kernel kernel = shape;
  kernel.text =
      "#include \"lang/kernel.h\"\nusing namespace cor;\nusing Words = u32[256];\nstruct Args { u32* out; const u32* in; };\n"
      "COR_KERNEL(entry, 256, Args) {\n  const int t = thread_id();\n" +
      body + "}\n";
  Buffer out = Buffer::filled<uint32_t>(512, 0), in = Buffer::filled<uint32_t>(512, 1);
  const Status s = run_kernel(chip, kernel, {&out, &in});
  return s ? "" : s.reason();
}

class Faults : public OnTarget {
 protected:
  void SetUp() override {
    if (emulator::has_address_sanitizer()) GTEST_SKIP() << "NOT TESTED: AddressSanitizer looks at accesses in the emulator's place";
  }
  std::string report(const std::string& body, const Kernel& shape) const { return report_of(chip(), body, shape); }
  void expect(const std::string& body, const std::vector<std::string>& words, const Kernel& shape = {"", 2, 256}) const {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      emulator::set_seed(seed);
      const std::string said = report(body, shape);
      EXPECT_NE(said.find(std::string(GetParam()) + ": kernel entry"), std::string::npos) << said;
      for (const std::string& word : words) EXPECT_NE(said.find(word), std::string::npos) << "no \"" << word << "\" in: " << said;
    }
  }
  void expect_nothing(const std::string& body, const Kernel& shape = {"", 2, 256}) const {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      emulator::set_seed(seed);
      EXPECT_EQ(report(body, shape), "");
    }
  }
};

const std::string words = "COR_SHARED(words, Words);\n";

TEST_P(Faults, AMissingBarrierIsARace) {
  expect(words + "words[t] = t;\na.out[t] = words[255 - t];\n",
         {"race on byte", "writes it", "reads it", "`words[t] = t;`", "`a.out[t] = words[255 - t];`", "of block"});
  expect_nothing(words + "words[t] = t;\nbarrier();\na.out[t] = words[255 - t];\n");
}

TEST_P(Faults, AMissingBarrierBeforeTheNextWrite) {
  const std::string first = words + "words[t] = t;\nbarrier();\na.out[t] = words[t ^ 1];\n", second = "words[t] = 2 * t;\n";
  expect(first + second, {"race on byte", "`words[t] = 2 * t;`", "`a.out[t] = words[t ^ 1];`"});
  expect_nothing(first + "barrier();\n" + second);
}

TEST_P(Faults, AWarpsBarrierServesTheWarpAlone) {
  const std::string first = words + "words[t] = t;\nwarp_barrier();\n";
  expect_nothing(first + "a.out[t] = words[t ^ (Target::warp_size - 1)];\n");
  expect(first + "a.out[t] = words[t ^ Target::warp_size];\n", {"race on byte"});
}

TEST_P(Faults, AShuffleOrdersNoMemory) {
  expect(words + "words[t] = t;\nconst u32 x = shuffle_xor_word(t, 1);\na.out[t] = x + words[t ^ 1];\n", {"race on byte"});
}

TEST_P(Faults, AtomicOperationsMeetOnlyEachOther) {
  const std::string zero = words + "words[t] = 0;\nbarrier();\n", count = "atomic_add(&words[t % 3], 1u);\n";
  expect_nothing(zero + count + "barrier();\na.out[t] = words[t];\n");
  expect(zero + count + "a.out[t] = words[t % 3];\n", {"race on byte", "changes atomically", "reads it"});
  expect(words + "words[t] = 0;\n" + count, {"race on byte", "`words[t] = 0;`"});
}

TEST_P(Faults, ABarrierThatSomeLanesDoNotReach) {
  expect("if (t < 200) barrier();\na.out[t] = t;\n", {"do not all reach a barrier: lanes 0-199 wait at a barrier in entry",
                                                      "lanes 200-255 have ended", "`if (t < 200) barrier();`"});
}

TEST_P(Faults, LanesThatWaitInDifferentBarriers) {
  expect("if (t < 128) {\nbarrier();\na.out[t] = 1;\n} else {\nbarrier();\na.out[t] = 2;\n}\n",
         {"the lanes of a block meet in different barriers", "lanes 0-127 wait at a barrier", "lanes 128-255 wait at a barrier"});
}

TEST_P(Faults, AShuffleInADivergentBranch) {
  expect("if (t % 32 < 16) a.out[t] = shuffle_xor_word(t, 1);\n",
         {"the lanes of a warp of block", "do not all reach the same place", "wait at a shuffle in entry", "have ended"});
  expect("u32 x = t;\nif (t % 32 < 16) x = shuffle_xor_word(x, 1);\nbarrier();\na.out[t] = x;\n",
         {"do not all reach the same place", "wait at a shuffle", "wait at a barrier"});
  expect("if (t % 32 < 16)\na.out[t] = shuffle_xor_word(t, 1);\nelse\na.out[t] = shuffle_xor_word(t, 2);\n",
         {"the lanes of a warp meet in different places"});
}

TEST_P(Faults, AShuffleWithALaneThatIsNotThere) {
  expect("a.out[t] = shuffle_word(t, Target::warp_size);\n", {"shuffles with lane " + std::to_string(chip().warp_size)});
}

TEST_P(Faults, SharedMemoryBesideItsVariable) {
  expect(words + "words[t + 1] = t;\n",
         {"writes 4 bytes outside of its shared memory: byte 1024", "lane 255", "`words[t + 1] = t;`"});
  expect(words + "a.out[t] = words[t - 1];\n", {"reads 4 bytes outside of its shared memory: byte -4", "lane 0 "});
  expect("u32* words = reinterpret_cast<u32*>(shared_arena());\nwords[t] = t;\n", {"outside of its shared memory", "lane 255"},
         {"", 2, 256, 1020});
  expect_nothing("u32* words = reinterpret_cast<u32*>(shared_arena());\nwords[t] = t;\n", {"", 2, 256, 1024});
}

const std::string fetch = words + "async_copy16(&words[4 * (t % 64)], &a.in[4 * (t % 64)], 16);\nasync_commit();\n";
const std::string one_warp = "if (t >= 64) return;\n" + fetch;

TEST_P(Faults, AnAsynchronousCopyThatNobodyWaitsFor) {
  expect(one_warp, {"ends while its asynchronous copy is under way", "async_copy16(&words[4 * (t % 64)]"});
  expect(one_warp + "a.out[t] = words[4 * t];\nasync_wait<0>();\n",
         {"an asynchronous copy that nobody has waited for", "`a.out[t] = words[4 * t];`"});
  expect(one_warp + "async_wait<1>();\na.out[t] = words[4 * t];\nasync_wait<0>();\n", {"that nobody has waited for"});
  expect_nothing(one_warp + "async_wait<0>();\na.out[t] = words[4 * t];\n");
}

TEST_P(Faults, AnAsynchronousCopyIsItsLanesOwnUntilTheBarrier) {
  const std::string all =
      words + "if (t < 64) {\nasync_copy16(&words[4 * t], &a.in[4 * t]);\nasync_commit();\nasync_wait<0>();\n}\n";
  expect(all + "a.out[t] = words[t];\n", {"race on byte"});
  expect_nothing(all + "barrier();\na.out[t] = words[t];\n");
}

TEST_P(Faults, AnAsynchronousCopyOfAMisalignedAddress) {
  expect(words + "async_copy16(&words[4 * t + 1], a.in);\n", {"no multiple of 16"});
}

TEST_P(Faults, LanesThatWaitForWhatNobodyDoes) {
  expect("if (t == 0)\nwhile (load_acquire(a.out) == 0) {\n}\n", {"nobody gets further", "turns in a circle"});
}

TEST_P(Faults, ABlockThatEndsWhileOthersReadIt) {
  const std::string read = words + "words[t] = t;\ncluster_barrier();\na.out[t] = *in_block(&words[t], cluster_rank() ^ 1);\n";
  expect(read, {"while another block of its cluster uses its shared memory"}, {"", 2, 256, 0, 2});
  expect_nothing(read + "cluster_barrier();\n", {"", 2, 256, 0, 2});
  expect("a.out[t] = *in_block(a.out, 2u);\n", {"asks for block 2 of a cluster of 2"}, {"", 2, 256, 0, 2});
}

TEST_P(Faults, OtherBlocksOfAClusterWantItsBarrier) {
  const std::string write = words + "words[t] = t;\n",
                    read = "a.out[t] = *in_block(&words[t], cluster_rank() ^ 1);\ncluster_barrier();\n";
  expect(write + "barrier();\n" + read, {"race on byte"}, {"", 2, 256, 0, 2});
  expect_nothing(write + "cluster_barrier();\n" + read, {"", 2, 256, 0, 2});
}

TEST_P(Faults, ADeviceSideAssert) { expect("if (t == 7) device_assert_failed();\n", {"device-side assert"}); }

// Run by a test of its own, with the sanitizer loaded before all else: it ends the process at the first fault.
class UnderAddressSanitizer : public OnTarget {
 protected:
  void SetUp() override {
    if (!emulator::has_address_sanitizer()) GTEST_SKIP() << "NOT TESTED: libasan.so is not preloaded";
    GTEST_FLAG_SET(death_test_style, "fast");
  }
  std::string report(const std::string& body, const Kernel& shape = {"", 2, 256}) const { return report_of(chip(), body, shape); }
};

TEST_P(UnderAddressSanitizer, SharedMemoryBesideItsVariable) {
  const std::string said = std::string(GetParam()) + ": kernel entry: .*lane 255 of block";
  EXPECT_DEATH(report(words + "words[t + 1] = t;\n"), said);
  EXPECT_DEATH(report(words + "words[t] = t;\nbarrier();\na.out[t] = words[t + 1];\n"), said);
  const std::string arena = "u32* words = reinterpret_cast<u32*>(shared_arena());\nwords[t] = t;\n";
  EXPECT_DEATH(report(arena, {"", 2, 256, 1020}), said);
  EXPECT_EQ(report(arena, {"", 2, 256, 1024}), "");
}

TEST_P(UnderAddressSanitizer, GlobalMemoryBesideItsBuffer) {
  EXPECT_DEATH(report("a.out[2 * t + 2] = t;\n"), "lane 255 of block");
  EXPECT_DEATH(report("a.out[t] = a.in[t - 1];\n"), "lane 0 of block");
  EXPECT_DEATH(report(fetch + "async_copy16(words, a.in + 512);\nasync_commit();\nasync_wait<0>();\n"), "AddressSanitizer");
  EXPECT_EQ(report("a.out[2 * t + 1] = a.in[511 - t];\n"), "");
}

TEST_P(UnderAddressSanitizer, LanesMeetAsEver) {
  EXPECT_EQ(report(words + "words[t] = t;\nbarrier();\na.out[t] = words[t ^ 1] + shuffle_xor_word(t, 1);\n"), "");
  EXPECT_NE(report("if (t < 200) barrier();\na.out[t] = t;\n").find("do not all reach a barrier"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Targets, UnderAddressSanitizer, ::testing::Values("emulator32", "emulator64", "emulator128"),
                         [](const auto& info) { return info.param; });
INSTANTIATE_TEST_SUITE_P(Targets, Faults, ::testing::Values("emulator32", "emulator64", "emulator128"),
                         [](const auto& info) { return info.param; });

} // namespace
} // namespace corundum::test
