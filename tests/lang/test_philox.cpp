// Philox against published vectors, the conversions to numbers, and which draw belongs to which element.
#include <cmath>
#include <random>

#include "core/index.h"
#include "lang/support.h"
#include "ops/random/random.h"

namespace corundum::test {
namespace {

class Philox : public EachTarget {};

struct RoundsArgs {
  uint64_t key;
  uint32_t counter[4];
  uint32_t* out;
};

// The vectors of the Random123 library ("kat_vectors", philox4x32 10).
TEST_P(Philox, PublishedVectors) {
  const Entry entry = compile_text(target(), R"(
#include "lang/philox.h"
struct Args { cor::u64 key; unsigned c[4]; unsigned* out; };
extern "C" void entry(const void* args, long long, long long, void*) {
  const Args& a = *static_cast<const Args*>(args);
  cor::Random4 r[2] = {{{1, 2, 3, 4}}, {{a.c[0], a.c[1], a.c[2], a.c[3]}}};
  cor::philox_rounds(a.key, r);
  for (int k = 0; k < 4; ++k) a.out[k] = r[1].word[k];
})");
  const struct {
    uint64_t key;
    uint32_t counter[4], wanted[4];
  } vectors[] = {
      {0, {0, 0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {~uint64_t{0}, {~0u, ~0u, ~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {0x299f31d0a4093822, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (const auto& v : vectors) {
    uint32_t out[4] = {};
    RoundsArgs args{v.key, {v.counter[0], v.counter[1], v.counter[2], v.counter[3]}, out};
    entry(&args, 0, 1, nullptr);
    for (int k = 0; k < 4; ++k) EXPECT_EQ(out[k], v.wanted[k]) << k;
  }
}

struct DrawsArgs {
  uint64_t seed, offset, later;
  int64_t captured, n, threads, slices;
  Divider line;
  void* out;
};

// Draws n values on `blocks` blocks of 256 subsequences, `vector` neighbours at once.
template <class T>
std::vector<T> draw(const std::string& target, const std::string& kind, const std::string& type, bool apart, uint64_t seed,
                    uint64_t offset, int64_t n, int64_t blocks, int vector, bool captured = false, int64_t slices = 1) {
  const std::string count = std::to_string(vector), served = apart ? "apart" : "neighbours";
  const Entry entry =
      compile_text(target,
                   "#include \"lang/draws.h\"\nstruct Args { cor::DrawArgs draws; void* out; };\n"
                   "struct Body { template <class V> static COR_FN void put(const Args& a, cor::i64 e, const V& v, int count) {\n"
                   "  cor::store_some(static_cast<" +
                       type + "*>(a.out) + e, v, count); } };\nCOR_DRAWS(entry, Args, cor::" + kind + ", cor::Served::" + served +
                       ", " + count + ", Body)\n");
  const int64_t threads = 256 * blocks, line = apart ? threads / vector : threads;
  Guarded<T> out(static_cast<size_t>(n));
  const uint64_t found[2] = {seed, offset - 8}; // as a captured graph finds them
  DrawsArgs args{seed, offset, 0, 0, n, threads, slices, Divider(line), out.data()};
  if (captured) {
    args.seed = reinterpret_cast<uint64_t>(&found[0]);
    args.offset = reinterpret_cast<uint64_t>(&found[1]);
    args.later = 8, args.captured = 1;
  }
  entry(&args, 0, (line * slices + 255) / 256, nullptr);
  EXPECT_TRUE(out.intact());
  return {out.data(), out.data() + n};
}

TEST_P(Philox, ElementsAreServedByTheirSubsequence) {
  constexpr uint64_t seed = 0x123456789abcull, offset = (uint64_t{1} << 34) + 8;
  for (int64_t n : {1, 255, 256, 257, 2047, 2048, 2049, 10000})
    for (int64_t blocks : {1, 2}) {
      const int64_t threads = 256 * blocks;
      const auto apart = draw<uint32_t>(target(), "Words", "cor::u32", true, seed, offset, n, blocks, 1);
      const auto neighbours = draw<uint32_t>(target(), "Words", "cor::u32", false, seed, offset, n, blocks, 4);
      // One subsequence alone is what a launch with its number as the only one in reach gives.
      const auto first = draw<uint32_t>(target(), "Words", "cor::u32", false, seed, offset + 4 * 3, 4 * threads, blocks, 4);
      for (int64_t e = 0; e < n; ++e) {
        const int64_t t = e % threads, word = e / threads % 4, call = e / (4 * threads);
        if (call == 0 && 4 * t + word < n) {
          EXPECT_EQ(apart[static_cast<size_t>(e)], neighbours[static_cast<size_t>(4 * t + word)]);
        }
        if (call == 3) {
          EXPECT_EQ(apart[static_cast<size_t>(e)], first[static_cast<size_t>(4 * t + word)]);
        }
      }
      EXPECT_EQ(apart, draw<uint32_t>(target(), "Words", "cor::u32", true, seed, offset, n, blocks, 4));
      EXPECT_EQ(apart, draw<uint32_t>(target(), "Words", "cor::u32", true, seed, offset, n, blocks, 4, true)) << "captured";
      EXPECT_EQ(apart, draw<uint32_t>(target(), "Words", "cor::u32", true, seed, offset, n, blocks, 4, false, 3)) << "slices";
      EXPECT_EQ(neighbours, draw<uint32_t>(target(), "Words", "cor::u32", false, seed, offset, n, blocks, 4, false, 2)) << "slices";
    }
}

// A thread that serves 8 neighbours calls the generator twice for them; one that serves 2 leaves half of a call.
TEST_P(Philox, NeighboursOfOtherWidths) {
  constexpr int64_t n = 5000, threads = 256;
  const auto four = draw<uint32_t>(target(), "Words", "cor::u32", false, 9, 4, 4 * n, 1, 4);
  const auto eight = draw<uint32_t>(target(), "Words", "cor::u32", false, 9, 4, n, 1, 8);
  const auto two = draw<uint32_t>(target(), "Words", "cor::u32", false, 9, 4, n, 1, 2);
  for (int64_t e = 0; e < n; ++e) {
    const int64_t place = e / 8 % threads, call = e / (8 * threads) * 2 + e % 8 / 4;
    ASSERT_EQ(eight[static_cast<size_t>(e)], four[static_cast<size_t>((call * threads + place) * 4 + e % 4)]) << e;
    const int64_t other = e / 2 % threads, round = e / (2 * threads);
    ASSERT_EQ(two[static_cast<size_t>(e)], four[static_cast<size_t>((round * threads + other) * 4 + e % 2)]) << e;
  }
}

TEST_P(Philox, UniformNumbers) {
  constexpr int64_t n = 100000;
  const auto words = draw<uint32_t>(target(), "Words", "cor::u32", true, 7, 0, n, 4, 4);
  const auto floats = draw<float>(target(), "UniformFloats", "float", true, 7, 0, n, 4, 4);
  for (size_t i = 0; i < n; ++i) {
    ASSERT_EQ(floats[i], std::fma(static_cast<float>(words[i]), 0x1p-32f, 0x1p-33f)) << words[i]; // curand's constant is 2^-32
    ASSERT_TRUE(floats[i] > 0 && floats[i] <= 1);
  }
  const auto pairs = draw<uint32_t>(target(), "Words", "cor::u32", false, 7, 0, 2 * n, 4, 4);
  const auto doubles = draw<double>(target(), "UniformDoubles", "double", false, 7, 0, n, 4, 2);
  const auto wide = draw<uint64_t>(target(), "DoubleWords", "cor::u64", false, 7, 0, n, 4, 2);
  for (size_t i = 0; i < n; ++i) {
    const uint64_t z = pairs[2 * i] ^ uint64_t { pairs[2 * i + 1] } << 21;
    ASSERT_EQ(doubles[i], std::fma(static_cast<double>(z), 0x1p-53, 0x1p-54));
    ASSERT_EQ(wide[i], uint64_t{pairs[2 * i]} << 32 | pairs[2 * i + 1]);
  }
}

template <class T>
void check_normal(const std::vector<T>& values) {
  double sum = 0, squares = 0, fourth = 0, products = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double v = values[i];
    sum += v, squares += v * v, fourth += v * v * v * v;
    if (i) products += v * values[i - 1];
  }
  const auto n = static_cast<double>(values.size());
  EXPECT_LT(std::abs(sum / n), 5 / std::sqrt(n));
  EXPECT_LT(std::abs(squares / n - 1), 5 * std::sqrt(2 / n));
  EXPECT_LT(std::abs(fourth / n - 3), 5 * std::sqrt(96 / n));
  EXPECT_LT(std::abs(products / n), 5 / std::sqrt(n));
}

TEST_P(Philox, NormalNumbers) {
  constexpr int64_t n = 1000000;
  check_normal(draw<float>(target(), "NormalFloats", "float", false, 1, 0, n, 8, 4));
  check_normal(draw<double>(target(), "NormalDoubles", "double", false, 1, 0, n, 8, 2));
}

// The generator of the standard library is the same one.
TEST_P(Philox, MersenneTwister) {
  std::mt19937 wanted(5489);
  random::MersenneState state{};
  uint32_t word = 5489;
  for (uint32_t k = 0; k < 624; ++k) state.word[k] = word, word = 1812433253u * (word ^ word >> 30) + k + 1;
  state.used = 624;
  for (int64_t n : {1, 311, 312, 313, 700, 5000}) {
    Guarded<int32_t> out(static_cast<size_t>(n));
    const random::Distribution all{random::Kind::integers, {}, uint64_t{1} << 31, -5};
    LaunchList list;
    ASSERT_TRUE(random::plan_serial(chip(), {all, Dtype::int32, out.data(), n}, &state, list).ok());
    run_plan(target(), list);
    for (int64_t k = 0; k < n; ++k)
      ASSERT_EQ(out[static_cast<size_t>(k)], static_cast<int32_t>(wanted() & 0x7fffffff) - 5) << n << " " << k;
    ASSERT_TRUE(out.intact());
  }
}

FOR_EACH_TARGET(Philox);

} // namespace
} // namespace corundum::test
