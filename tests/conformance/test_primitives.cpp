// Each primitive of a target with lanes (lang/target_*.h) by itself: a failure here says which one is wrong. The texts stand on
// nothing else of the language.
#include <numeric>
#include <set>

#include "conformance/target.h"

namespace corundum::test {
namespace {

constexpr uint32_t threads = 256, blocks = 5;
constexpr size_t lanes = size_t{threads} * blocks;

// A lane each: u32 out[], u32 in[] = 0, 1, 2, ...; `t` is the lane's number in its block, `i` in the launch.
class Primitives : public OnTarget {
 protected:
  static std::string text(const std::string& body, const std::string& before = "") {
    return "#include \"lang/kernel.h\"\nusing namespace cor;\nstruct alignas(16) Words {\n  u32 v[256];\n  COR_FN u32& "
           "operator[](int k) { return v[k]; }\n};\nconstexpr int W = Target::warp_size;\n"
           "struct Args { u32* out; const u32* in; };\n" +
           before + "COR_KERNEL(entry, 256, Args) {\n  const int t = thread_id();\n  const u32 i = block_id() * 256 + t;\n" + body +
           "}\n";
  }
  // want(i, warp size) for each lane.
  template <class Want>
  void expect(const std::string& body, Want want, Kernel kernel = {"", blocks, threads}, const std::string& before = "") const {
    kernel.text = text(body, before);
    Buffer out, in;
    const auto arguments = [&] {
      std::vector<uint32_t> numbers(size_t{kernel.blocks} * threads);
      std::iota(numbers.begin(), numbers.end(), 0u);
      in = Buffer::of(numbers);
      out = Buffer::filled<uint32_t>(numbers.size(), 0xdead);
      return std::vector<Argument>{&out, &in};
    };
    run(kernel, arguments, [&] {
      const auto got = out.as<uint32_t>();
      for (uint32_t i = 0; i < kernel.blocks * threads; ++i)
        ASSERT_EQ(got[i], static_cast<uint32_t>(want(i, chip().warp_size))) << "block " << i / threads << " lane " << i % threads;
    });
  }
  bool has_clusters() const {
    return chip().backend != std::string_view("cuda") || std::string_view(chip().target) >= "sm_90" ||
           std::strlen(chip().target) > 5;
  }
};

TEST_P(Primitives, Numbers) {
  expect("a.out[i] = i;\n", [](uint32_t i, uint32_t) { return i; });
  expect("a.out[i] = block_count();\n", [](uint32_t, uint32_t) { return blocks; });
  expect("a.out[i] = W;\n", [](uint32_t, uint32_t warp) { return warp; });
}

TEST_P(Primitives, BarrierAndSharedMemory) {
  expect(R"(
  COR_SHARED(words, Words);
  u32 x = t;
  for (int round = 0; round < 3; ++round) {
    words[t] = x;
    barrier();
    x = words[(t + 77) % 256] + 1;
    barrier();
  }
  a.out[i] = x;
)",
         [](uint32_t i, uint32_t) { return (i % threads + 3 * 77) % 256 + 3; });
}

TEST_P(Primitives, SharedMemoryIsABlocksOwn) {
  expect(R"(
  COR_SHARED(first, Words);
  COR_SHARED(second, Words);
  first[t] = i;
  second[t] = 3 * i;
  barrier();
  a.out[i] = first[255 - t] + second[t ^ 1];
)",
         [](uint32_t i, uint32_t) { return i / 256 * 256 + 255 - i % 256 + 3 * (i ^ 1); });
}

TEST_P(Primitives, DynamicSharedMemory) {
  expect(R"(
  COR_SHARED(fixed, Words);
  auto* arena = reinterpret_cast<u32*>(shared_arena());
  fixed[t] = 0;
  for (int k = 0; k < 4; ++k) arena[4 * t + k] = i + k;
  barrier();
  u32 sum = fixed[t] + static_cast<u32>(reinterpret_cast<u64>(arena) % 128);
  for (int k = 0; k < 4; ++k) sum += arena[4 * (255 - t) + k];
  a.out[i] = sum;
)",
         [](uint32_t i, uint32_t) { return 4 * (i / 256 * 256 + 255 - i % 256) + 6; }, {"", blocks, threads, 4096});
}

TEST_P(Primitives, WarpBarrier) {
  expect(R"(
  COR_SHARED(words, Words);
  words[t] = i;
  warp_barrier();
  u32 x = words[t ^ (W - 1)];
  warp_barrier();
  words[t] = 2 * x;
  warp_barrier();
  a.out[i] = words[t ^ 1];
)",
         [](uint32_t i, uint32_t warp) { return 2 * ((i ^ 1) ^ (warp - 1)); });
}

TEST_P(Primitives, ShuffleXor) {
  expect(R"(
  u32 x = i;
  for (int m = 1; m < W; m *= 2) x = shuffle_xor_word(x, m);
  a.out[i] = x;
)",
         [](uint32_t i, uint32_t warp) { return i ^ (warp - 1); });
}

TEST_P(Primitives, Shuffle) {
  expect("a.out[i] = shuffle_word(i, (t + 5) % W) * 2 + shuffle_word(i, 3);\n", [](uint32_t i, uint32_t warp) {
    const uint32_t first = i / warp * warp;
    return (first + (i % warp + 5) % warp) * 2 + first + 3;
  });
}

TEST_P(Primitives, Ballot) {
  const std::string mask = "const LaneMask m = cor::ballot(t % 3 == 0);\n";
  const auto set = [](uint32_t i) { return i % threads % 3 == 0; };
  expect(mask + "a.out[i] = count_bits(m & lanes_below(t % W));\n", [&](uint32_t i, uint32_t warp) {
    uint32_t count = 0;
    for (uint32_t k = i / warp * warp; k < i; ++k) count += set(k);
    return count;
  });
  expect(mask + "a.out[i] = lowest_bit(m) * 1000 + leading_zeros(m);\n", [&](uint32_t i, uint32_t warp) {
    const uint32_t first = i / warp * warp, bits = warp > 64 ? 128 : 64;
    uint32_t low = 0, high = warp - 1;
    while (!set(first + low)) ++low;
    while (!set(first + high)) --high;
    return low * 1000 + bits - 1 - high;
  });
  expect("a.out[i] = lowest_bit(cor::ballot(false)) + 1;\n", [](uint32_t, uint32_t) { return 0; });
}

TEST_P(Primitives, AtomicAddInSharedMemory) {
  expect(R"(
  COR_SHARED(words, Words);
  words[t] = 0;
  barrier();
  atomic_add(&words[t % 5], static_cast<u32>(t));
  barrier();
  a.out[i] = words[t % 5];
)",
         [](uint32_t i, uint32_t) {
           uint32_t sum = 0;
           for (uint32_t t = 0; t < 256; ++t) sum += t % 5 == i % 256 % 5 ? t : 0;
           return sum;
         });
}

// Every lane of all blocks adds to one of 7 numbers; numbers before it are all different for an addition of 1.
template <class T>
void expect_sums(const Buffer& numbers) {
  std::vector<T> want(7);
  for (size_t i = 0; i < lanes; ++i) want[i % 7] += static_cast<T>(i % 11);
  EXPECT_EQ(numbers.as<T>(), want);
}

TEST_P(Primitives, AtomicAddInGlobalMemory) {
  const Kernel kernel{
      "#include \"lang/kernel.h\"\nusing namespace cor;\nstruct Args { u32* a; u64* b; float* c; double* d; u32* before; };\n"
      "COR_KERNEL(entry, 256, Args) {\n  const u32 i = block_id() * 256 + thread_id();\n"
      "  atomic_add(a.a + i % 7, i % 11);\n  atomic_add(a.b + i % 7, static_cast<u64>(i % 11));\n"
      "  atomic_add(a.c + i % 7, static_cast<float>(i % 11));\n  atomic_add(a.d + i % 7, static_cast<double>(i % 11));\n"
      "  a.before[i] = atomic_add(a.a + 7, 1u);\n}\n",
      blocks, threads};
  Buffer a, b, c, d, before;
  const auto arguments = [&] {
    a = Buffer::filled<uint32_t>(8, 0), b = Buffer::filled<uint64_t>(7, 0), c = Buffer::filled<float>(7, 0);
    d = Buffer::filled<double>(7, 0), before = Buffer::filled<uint32_t>(lanes, 0);
    return std::vector<Argument>{&a, &b, &c, &d, &before};
  };
  run(kernel, arguments, [&] {
    const auto numbers = before.as<uint32_t>();
    EXPECT_EQ(std::set<uint32_t>(numbers.begin(), numbers.end()).size(), lanes);
    EXPECT_EQ(a.as<uint32_t>()[7], lanes);
    a.bytes.resize(7 * sizeof(uint32_t));
    expect_sums<uint32_t>(a);
    expect_sums<uint64_t>(b);
    expect_sums<float>(c);
    expect_sums<double>(d);
  });
}

TEST_P(Primitives, Exchange) {
  const Kernel kernel{text("a.out[i] = atomic_exchange(const_cast<u32*>(a.in), i + 1);\n"), blocks, threads};
  Buffer out, in;
  const auto arguments = [&] {
    out = Buffer::filled<uint32_t>(lanes, 0), in = Buffer::filled<uint32_t>(1, 0);
    return std::vector<Argument>{&out, &in};
  };
  run(kernel, arguments, [&] { // what went in came out, but for the last
    auto seen = out.as<uint32_t>();
    seen.push_back(in.as<uint32_t>()[0]);
    std::vector<uint32_t> all(lanes + 1);
    std::iota(all.begin(), all.end(), 0u);
    EXPECT_TRUE(std::is_permutation(seen.begin(), seen.end(), all.begin()));
  });
}

TEST_P(Primitives, CompareAndSwap) {
  const std::string loop =
      "template <class T>\nCOR_FN void add(T* p, T v) {\n  T old = *reinterpret_cast<volatile T*>(p);\n"
      "  for (;;) {\n    const T seen = compare_and_swap(p, old, static_cast<T>(old + v));\n"
      "    if (seen == old) return;\n    old = seen;\n  }\n}\n";
  const Kernel kernel{"#include \"lang/kernel.h\"\nusing namespace cor;\nstruct Args { u16* a; u32* b; u64* c; };\n" + loop +
                          "COR_KERNEL(entry, 256, Args) {\n  const u32 i = block_id() * 256 + thread_id();\n"
                          "  add(a.a + i % 7, static_cast<u16>(i % 11));\n  add(a.b + i % 7, i % 11);\n"
                          "  add(a.c + i % 7, static_cast<u64>(i % 11));\n}\n",
                      blocks, threads};
  Buffer a, b, c;
  const auto arguments = [&] {
    a = Buffer::filled<uint16_t>(7, 0), b = Buffer::filled<uint32_t>(7, 0), c = Buffer::filled<uint64_t>(7, 0);
    return std::vector<Argument>{&a, &b, &c};
  };
  run(kernel, arguments, [&] {
    expect_sums<uint16_t>(a);
    expect_sums<uint32_t>(b);
    expect_sums<uint64_t>(c);
  });
}

// Blocks in order of their tickets: each waits for the one before, adds its own and lets the next one go.
TEST_P(Primitives, ReleaseAndAcquire) {
  const Kernel kernel{
      "#include \"lang/kernel.h\"\nusing namespace cor;\nstruct Chain { u32 ticket, turn; u64 turn64; u32 sum; };\n"
      "struct Args { Chain* chain; u32* out; };\nCOR_KERNEL(entry, 256, Args) {\n  COR_SHARED(mine, u32);\n"
      "  Chain* c = a.chain;\n  if (thread_id() == 0) {\n    mine = atomic_add(&c->ticket, 1u);\n"
      "    while (load_acquire(&c->turn) != mine) spin();\n    while (load_acquire(&c->turn64) != mine) spin();\n"
      "    a.out[mine] = c->sum;\n    c->sum += 10 + mine;\n    store_release(&c->turn64, static_cast<u64>(mine) + 1);\n"
      "    store_release(&c->turn, mine + 1);\n  }\n  barrier();\n  a.out[64 + mine * 256 + thread_id()] = mine;\n}\n",
      20, threads};
  Buffer chain, out;
  const auto arguments = [&] {
    chain = Buffer::filled<uint64_t>(3, 0), out = Buffer::filled<uint32_t>(64 + 20 * threads, 0);
    return std::vector<Argument>{&chain, &out};
  };
  run(kernel, arguments, [&] {
    const auto got = out.as<uint32_t>();
    for (uint32_t k = 0, sum = 0; k < 20; sum += 10 + k++) ASSERT_EQ(got[k], sum) << k;
    for (uint32_t i = 0; i < 20 * threads; ++i) ASSERT_EQ(got[64 + i], i / threads);
  });
}

TEST_P(Primitives, RelaxedAccessesAreNotSplit) {
  const Kernel kernel{
      "#include \"lang/kernel.h\"\nusing namespace cor;\nstruct Args { u32* ticket; u64* word; u32* out; };\n"
      "COR_KERNEL(entry, 256, Args) {\n  COR_SHARED(mine, u32);\n  if (thread_id() == 0) mine = atomic_add(a.ticket, 1u);\n"
      "  barrier();\n  if (mine == 0) {\n    if (thread_id() == 0) store_relaxed(a.word, u64{1} << 32 | 0xabcdefu);\n"
      "    return;\n  }\n  u64 w;\n  while ((w = load_relaxed(a.word)) == 0) spin();\n"
      "  a.out[(mine - 1) * 256 + thread_id()] = static_cast<u32>(w);\n}\n",
      blocks, threads};
  Buffer ticket, word, out;
  const auto arguments = [&] {
    ticket = Buffer::filled<uint32_t>(1, 0), word = Buffer::filled<uint64_t>(1, 0);
    out = Buffer::filled<uint32_t>(lanes - threads, 0);
    return std::vector<Argument>{&ticket, &word, &out};
  };
  run(kernel, arguments, [&] { EXPECT_EQ(out.as<uint32_t>(), std::vector<uint32_t>(lanes - threads, 0xabcdef)); });
}

TEST_P(Primitives, Clusters) {
  if (!has_clusters()) GTEST_SKIP() << "NOT TESTED: " << chip().name << " has no clusters";
  for (const uint32_t size : {2u, 4u, 8u}) {
    expect(R"(
  COR_SHARED(words, Words);
  words[t] = i;
  cluster_barrier();
  const u32 next = cluster_rank() + 1;
  u32 x = *in_block(&words[255 - t], next % )" +
               std::to_string(size) + R"();
  cluster_barrier();
  words[t] = x;
  barrier();
  a.out[i] = words[t ^ 1];
)",
           [&](uint32_t i, uint32_t) {
             const uint32_t block = i / threads, first = block / size * size, next = first + (block - first + 1) % size;
             return next * threads + 255 - (i % threads ^ 1);
           },
           {"", size, threads, 0, size});
  }
}

TEST_P(Primitives, AsyncCopies) {
  // Whole pieces.
  expect(R"(
  COR_SHARED(words, Words);
  if (t < 64) async_copy16(&words[4 * t], &a.in[block_id() * 256 + 4 * t]);
  async_commit();
  async_wait<0>();
  barrier();
  a.out[i] = words[255 - t];
)",
         [](uint32_t i, uint32_t) { return i / 256 * 256 + 255 - i % 256; });
  // Part of the bytes, and zeros.
  expect(R"(
  COR_SHARED(words, Words);
  if (t < 64) async_copy16(&words[4 * t], &a.in[block_id() * 256 + 4 * t], t % 5 * 4);
  async_commit();
  async_wait<0>();
  barrier();
  a.out[i] = words[t];
)",
         [](uint32_t i, uint32_t) { return i % 4 < i % 256 / 4 % 5 ? i : 0; });
}

TEST_P(Primitives, AsyncCopiesInGroups) {
  // Two in flight; of each the lane reads what it copied itself.
  expect(R"(
  struct alignas(16) Stages {
    u32 v[2][4 * 256];
    COR_FN u32* operator[](int k) { return v[k]; }
  };
  COR_SHARED(stage, Stages);
  const u32* in = a.in + block_id() * 256;
  async_copy16(&stage[0][4 * t], in + t / 4 * 4 % 256);
  async_commit();
  u32 sum = 0;
  for (int k = 1; k <= 4; ++k) {
    if (k < 4) async_copy16(&stage[k % 2][4 * t], in + (t / 4 * 4 + 16 * k) % 256);
    async_commit();
    async_wait<1>();
    sum += stage[(k + 1) % 2][4 * t + t % 4];
  }
  async_wait<0>();
  a.out[i] = sum;
)",
         [](uint32_t i, uint32_t) {
           uint32_t sum = 0;
           for (uint32_t k = 0; k < 4; ++k) sum += i / 256 * 256 + (i % 256 / 4 * 4 + 16 * k) % 256 + i % 4;
           return sum;
         });
}

ON_LANES(Primitives);

} // namespace
} // namespace corundum::test
