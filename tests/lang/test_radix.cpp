// Histograms, ranks and exchanges of a tile: together they sort it, stably.
#include <algorithm>
#include <numeric>
#include <random>

#include "conformance/target.h"

namespace corundum::test {
namespace {

constexpr int size = 1024; // of a tile

const char* const sorting = R"(
#include "lang/radix.h"
using namespace cor;
struct Args {
  i64 blocks, n;
  u32* keys;
  u64* payloads;
  u32 *counts, *starts;
};
template <class Block>
COR_FN void sort_tile(Block& block, const Args& a) {
  auto keys = load(block, a.keys, a.n, ~0u);
  auto payloads = load(block, a.payloads, a.n, u64(0));
  const auto digits_at = [&](int bit) { return map(block, [=](u32 key) { return static_cast<int>(key >> bit & 15); }, keys); };
  const auto counts = histogram<4>(block, digits_at(28));
  for_range(block, 16, [&](int d) { a.counts[d] = counts[d]; });
  for (int bit = 0; bit < 32; bit += 4) {
    const auto ranks = rank_by_digit<4>(block, digits_at(bit));
    for_range(block, 16, [&](int d) { a.starts[d] = ranks.start[d]; });
    keys = permute(block, keys, ranks.place);
    payloads = permute(block, payloads, ranks.place);
  }
  store(block, a.keys, a.n, keys);
  store(block, a.payloads, a.n, payloads);
}
)";

class Radix : public OnTarget {};

TEST_P(Radix, SortsATile) {
  for (int n : {1, 127, 129, 1000, size}) {
    SCOPED_TRACE(n);
    std::mt19937 random(n);
    std::vector<uint32_t> keys(n);
    for (auto& key : keys) key = random() % 3 == 0 ? 7u << 28 : random() >> 1; // many equal ones; none like the padding
    std::vector<uint64_t> payloads(n);
    std::iota(payloads.begin(), payloads.end(), uint64_t{1} << 40);
    Buffer k, p, c, s;
    const Kernel kernel{std::string(sorting) + "using Program = Block<" + (chip().simt ? "128, 8" : "1, 1024") +
                            ">;\nCOR_BLOCKS(entry, Program, Args, sort_tile)\n",
                        1, 128};
    std::vector<int> order(n);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return keys[a] < keys[b]; });
    const auto arguments = [&] {
      k = Buffer::of(keys, 1), p = Buffer::of(payloads);
      c = s = Buffer::filled<uint32_t>(16, 9);
      return std::vector<Argument>{int64_t{1}, int64_t{n}, &k, &p, &c, &s};
    };
    run(kernel, arguments, [&] {
      const auto sorted = k.as<uint32_t>();
      const auto moved = p.as<uint64_t>();
      std::vector<uint32_t> counts(16);
      for (int i = 0; i < n; ++i) {
        ASSERT_EQ(sorted[i], keys[order[i]]) << "place " << i;
        ASSERT_EQ(moved[i], payloads[order[i]]) << "place " << i;
        ++counts[keys[i] >> 28];
      }
      if (chip().simt) counts[15] += size - n; // a tile of lanes is always full
      EXPECT_EQ(c.as<uint32_t>(), counts);
      uint32_t below = 0;
      for (int d = 0; d < 16; ++d) {
        ASSERT_EQ(s.as<uint32_t>()[d], below) << "digit " << d;
        below += counts[d];
      }
    });
  }
}

ON_ALL_TARGETS(Radix);

} // namespace
} // namespace corundum::test
