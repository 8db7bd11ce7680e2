// Block programs on the CPU: tiles of every length, folds and scans of a monoid that does not commute, order among blocks.
#include <numeric>

#include "lang/support.h"

namespace corundum::test {
namespace {

constexpr int64_t lengths[] = {0, 1, 7, 8, 9, 15, 16, 17, 127, 128, 129, 1000, 4095, 4096, 4097};

// A block scans one tile of 128; affine maps x -> a x + b compose in order only. Numbers wrap, so every result is exact.
const char* const text = R"(
#include "lang/across.h"
using namespace cor;
struct Affine {
  struct State { u32 a, b; };
  static COR_FN State identity() { return {1, 0}; }
  static COR_FN State of(u32 x) { return {2 * x + 1, x}; }
  static COR_FN State combine(State p, State q) { return {p.a * q.a, p.b * q.a + q.b}; }
};
struct Args {
  i64 blocks, n;
  const u32* in;
  u32 *inclusive, *exclusive, *folds, *tickets, *last, *counters;
};
using B = Block<4, 32>;
COR_FN void body(B& block, const Args& a) {
  const i64 first = block.id * B::size, left = a.n - first;
  const auto x = load(block, a.in + first, left, 0u);
  Affine::State total;
  const auto b = [](Affine::State s) { return s.b; };
  store(block, a.inclusive + first, left, map(block, b, inclusive_scan<Affine>(block, x, &total)));
  a.folds[2 * block.id] = total.b;
  store(block, a.exclusive + first, left, map(block, b, exclusive_scan<Affine>(block, x, &total)));
  a.folds[2 * block.id + 1] = fold<Affine>(block, x).b;
  a.tickets[ticket(block, a.counters)] += 1;
  for_each(block, x, [&](int e, u32 v) { if (e == 0 && v != a.in[first]) a.tickets[0] = 99; });
  if (last_block(block, a.counters + 1)) *a.last += 1;
}
COR_BLOCKS(entry, B, Args, body)
)";

class Blocks : public EachTarget {};

TEST_P(Blocks, ScansFoldsAndCountsInOrder) {
  const Entry entry = compile_text(target(), text);
  for (const int64_t n : lengths) {
    SCOPED_TRACE(n);
    const auto size = static_cast<size_t>(n), blocks = (size + 127) / 128;
    std::vector<uint32_t> in(size + 1);
    std::iota(in.begin(), in.end(), 12345u);
    Guarded<uint32_t> inclusive(size), exclusive(size);
    std::vector<uint32_t> folds(2 * blocks), tickets(blocks + 1), counters(2);
    uint32_t last = 0;
    struct {
      int64_t blocks, n;
      const void *in, *inclusive, *exclusive, *folds, *tickets, *last, *counters;
    } args{static_cast<int64_t>(blocks),
           n,
           in.data() + 1,
           inclusive.data(),
           exclusive.data(),
           folds.data(),
           tickets.data(),
           &last,
           counters.data()};
    entry(&args, 0, args.blocks, nullptr);
    ASSERT_TRUE(inclusive.intact() && exclusive.intact());
    EXPECT_EQ(last, blocks != 0);
    uint32_t b = 0;
    for (size_t i = 0; i < size; ++i) {
      if (i % 128 == 0) b = 0;
      ASSERT_EQ(exclusive[i], b) << i;
      b = b * (2 * in[i + 1] + 1) + in[i + 1];
      ASSERT_EQ(inclusive[i], b) << i;
      if (i % 128 == 127 || i + 1 == size) {
        EXPECT_EQ(folds[i / 128 * 2], b);
        EXPECT_EQ(folds[i / 128 * 2 + 1], b);
        EXPECT_EQ(tickets[i / 128], 1u);
      }
    }
  }
}

FOR_EACH_TARGET(Blocks);

} // namespace
} // namespace corundum::test
