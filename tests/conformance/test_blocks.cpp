// Block operations (lang/block.h) and order among blocks (lang/across.h) on every target: tiles at every length and alignment,
// scans and folds of a monoid that does not commute. Numbers wrap, so every result is exact.
#include <algorithm>
#include <numeric>

#include "conformance/target.h"

namespace corundum::test {
namespace {

constexpr int64_t lengths[] = {0, 1, 15, 16, 17, 127, 128, 129, 1000, 4095, 4096, 4097};

// x stands for the map y -> (2 x + 1) y + x.
const std::string affine = R"(
#include "lang/across.h"
#include "lang/kernel.h"
using namespace cor;
struct Affine {
  struct State { u32 a, b; };
  static COR_FN State identity() { return {1, 0}; }
  static COR_FN State of(u32 x) { return {2 * x + 1, x}; }
  static COR_FN State combine(State p, State q) { return {p.a * q.a, p.b * q.a + q.b}; }
};
)";

class Blocks : public OnTarget {};

TEST_P(Blocks, TilesComeAndGo) {
  for (const size_t bytes : {1, 2, 4, 8, 16}) {
    const std::string text = "#include \"lang/block.h\"\n#include \"lang/kernel.h\"\nusing T = cor::Opaque<" +
                             std::to_string(bytes) +
                             ">;\nstruct Args { cor::i64 blocks, n; const T* in; T* out; };\nusing B = cor::Block<128, 4>;\n"
                             "COR_FN void body(B& block, const Args& a) {\n  const cor::i64 first = block.id * B::size;\n"
                             "  store(block, a.out + first, a.n - first, load(block, a.in + first, a.n - first, T{}));\n}\n"
                             "COR_BLOCKS(entry, B, Args, body)\n";
    for (const int64_t n : lengths) {
      const auto shift = static_cast<size_t>(n % 3), blocks = static_cast<size_t>(n + 511) / 512;
      if (blocks == 0) continue; // no launch
      SCOPED_TRACE(std::to_string(n) + " elements of " + std::to_string(bytes) + " bytes, off by " + std::to_string(shift));
      std::vector<unsigned char> numbers(static_cast<size_t>(n) * bytes);
      for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<unsigned char>(i * 7 + i / 251);
      Buffer in, out;
      const auto arguments = [&] {
        in = Buffer::of(numbers, shift * bytes);
        out = Buffer::filled<unsigned char>(numbers.size(), 0xee, (shift + static_cast<size_t>(n % 2)) * bytes);
        return std::vector<Argument>{static_cast<int64_t>(blocks), n, &in, &out};
      };
      run({text, static_cast<uint32_t>(blocks), 128}, arguments, [&] { EXPECT_EQ(out.bytes, numbers); });
      if (HasFailure() || IsSkipped()) break; // one length has compiled it
    }
    if (HasFailure()) return;
  }
}

TEST_P(Blocks, ScansAndFoldsInOrder) {
  const std::string text = affine + R"(
struct Args { i64 blocks, n; const u32* in; u32 *inclusive, *exclusive, *folds, *seen; };
using B = Block<256, 4>;
COR_FN void body(B& block, const Args& a) {
  const i64 first = block.id * B::size, left = a.n - first;
  const auto x = load(block, a.in + first, left, 0u);
  Affine::State total;
  const auto b = [](Affine::State s) { return s.b; };
  store(block, a.inclusive + first, left, map(block, b, inclusive_scan<Affine>(block, x, &total)));
  a.folds[2 * block.id] = total.b;
  store(block, a.exclusive + first, left, map(block, b, exclusive_scan<Affine>(block, x, &total)));
  a.folds[2 * block.id + 1] = fold<Affine>(block, x).b;
  for_each(block, x, [&](int e, u32 v) { if (first + e < a.n) a.seen[first + e] = v + static_cast<u32>(e); });
}
COR_BLOCKS(entry, B, Args, body)
)";
  for (const int64_t n : lengths) {
    const auto size = static_cast<size_t>(n), blocks = (size + 1023) / 1024;
    if (blocks == 0) continue;
    SCOPED_TRACE(n);
    std::vector<uint32_t> numbers(size);
    std::iota(numbers.begin(), numbers.end(), 12345u);
    Buffer in, inclusive, exclusive, folds, seen;
    const auto arguments = [&] {
      in = Buffer::of(numbers, size % 4);
      inclusive = exclusive = seen = Buffer::filled<uint32_t>(size, 0, 1);
      folds = Buffer::filled<uint32_t>(2 * blocks, 0);
      return std::vector<Argument>{static_cast<int64_t>(blocks), n, &in, &inclusive, &exclusive, &folds, &seen};
    };
    run({text, static_cast<uint32_t>(blocks), 256}, arguments, [&] {
      const auto in_scan = inclusive.as<uint32_t>(), ex_scan = exclusive.as<uint32_t>(), fold = folds.as<uint32_t>(),
                 values = seen.as<uint32_t>();
      uint32_t b = 0;
      for (size_t i = 0; i < size; ++i) {
        if (i % 1024 == 0) b = 0;
        ASSERT_EQ(ex_scan[i], b) << i;
        b = b * (2 * numbers[i] + 1) + numbers[i];
        ASSERT_EQ(in_scan[i], b) << i;
        ASSERT_EQ(values[i], numbers[i] + i % 1024) << i;
        if (i % 1024 == 1023 || i + 1 == size) { // elements that are not there stand for 0, which is y -> y
          ASSERT_EQ(fold[i / 1024 * 2], b);
          ASSERT_EQ(fold[i / 1024 * 2 + 1], b);
        }
      }
    });
    if (HasFailure() || IsSkipped()) return;
  }
}

TEST_P(Blocks, TicketsAndTheLastBlock) {
  const std::string text = affine + R"(
struct Args { i64 blocks; u32 *tickets, *sum, *counters; };
using B = Block<256, 1>;
COR_FN void body(B& block, const Args& a) {
  a.tickets[ticket(block, a.counters)] = static_cast<u32>(block.id + 1);
  if (!last_block(block, a.counters + 1)) return;
  u32 sum = 0;
  for (i64 i = 0; i < block.count; ++i) sum += a.tickets[i];
  *a.sum = sum;
}
COR_BLOCKS(entry, B, Args, body)
)";
  Buffer tickets, sum, counters;
  const auto arguments = [&] {
    tickets = Buffer::filled<uint32_t>(50, 0), sum = Buffer::filled<uint32_t>(1, 0), counters = Buffer::filled<uint32_t>(2, 0);
    return std::vector<Argument>{int64_t{50}, &tickets, &sum, &counters};
  };
  run({text, 50, 256}, arguments, [&] {
    std::vector<uint32_t> all(50);
    std::iota(all.begin(), all.end(), 1u);
    const auto got = tickets.as<uint32_t>();
    EXPECT_TRUE(std::is_permutation(got.begin(), got.end(), all.begin()));
    EXPECT_EQ(sum.as<uint32_t>()[0], 50u * 51 / 2) << "the last block did not see what all others wrote";
  });
}

ON_ALL_TARGETS(Blocks);

// Processors fold, scan and scan again in launches of their own.
class LookBack : public OnTarget {};

TEST_P(LookBack, CombinesWhatEarlierPlacesHold) {
  const std::string text = affine + R"(
struct Args { i64 blocks; u64* words; const u32* in; u32 *out, *counter; };
using B = Block<128, 1>;
COR_FN void body(B& block, const Args& a) {
  const i64 place = ticket(block, a.counter);
  const auto held = fold<Affine>(block, load(block, a.in + place * B::size, B::size, 0u));
  a.out[place] = look_back<Affine>(block, LookBack{a.words, a.blocks}, place, held).b;
}
COR_BLOCKS(entry, B, Args, body)
)";
  for (const int64_t blocks : {1, 32, 33, 100, 1100}) {
    SCOPED_TRACE(std::to_string(blocks) + " blocks");
    std::vector<uint32_t> numbers(static_cast<size_t>(blocks) * 128);
    std::iota(numbers.begin(), numbers.end(), 1u);
    Buffer words, in, out, counter;
    const auto arguments = [&] {
      const int64_t windows = (blocks + 31) / 32;
      words = Buffer::filled<uint64_t>(static_cast<size_t>(2 * (blocks + windows + (windows + 31) / 32)), 0);
      in = Buffer::of(numbers);
      out = Buffer::filled<uint32_t>(static_cast<size_t>(blocks), 0), counter = Buffer::filled<uint32_t>(1, 0);
      return std::vector<Argument>{blocks, &words, &in, &out, &counter};
    };
    run({text, static_cast<uint32_t>(blocks), 128}, arguments, [&] {
      const auto got = out.as<uint32_t>();
      uint32_t b = 0;
      for (size_t i = 0; i < numbers.size(); ++i) {
        if (i % 128 == 0) {
          ASSERT_EQ(got[i / 128], b) << "place " << i / 128;
        }
        b = b * (2 * numbers[i] + 1) + numbers[i];
      }
    });
    if (HasFailure() || IsSkipped()) return;
  }
}

ON_LANES(LookBack);

} // namespace
} // namespace corundum::test
