// Compaction by a mask on every lowering, where tiles and blocks begin and end; elements of every size, at any alignment.
#include <cstring>
#include <numeric>
#include <random>

#include "lang/support.h"
#include "ops/compact/compact.h"

namespace corundum::test {
namespace {

class Compact : public EachTarget {
 protected:
  void check(int64_t n, double share, size_t element) {
    SCOPED_TRACE(std::to_string(n) + " elements of " + std::to_string(element) + " bytes, " + std::to_string(share) +
                 " of them set");
    std::mt19937 random(static_cast<uint32_t>(n + element));
    std::bernoulli_distribution coin(share);
    Guarded<unsigned char> mask(n + 1), in(n * element);
    std::vector<int64_t> want;
    for (int64_t i = 0; i < n; ++i)
      if ((mask.data()[i + 1] = coin(random))) want.push_back(i);
    for (size_t i = 0; i < n * element; ++i) in.data()[i] = static_cast<unsigned char>(random());
    const int64_t blocks = compact::blocks(chip(), n);
    Guarded<int64_t> counts(blocks);
    Guarded<unsigned char> out(want.size() * element);
    const compact::Call call{n, mask.data() + 1, counts.data(), in.data(), element, out.data()};
    LaunchList counting, moving;
    ASSERT_TRUE(compact::count(chip(), call, counting).ok());
    ASSERT_TRUE(compact::move(chip(), call, moving).ok());
    run_plan(target(), counting);
    ASSERT_EQ(std::accumulate(counts.data(), counts.data() + blocks, int64_t{0}), static_cast<int64_t>(want.size()));
    run_plan(target(), moving);
    for (size_t i = 0; i < want.size(); ++i)
      ASSERT_EQ(std::memcmp(out.data() + i * element, in.data() + want[i] * element, element), 0) << "place " << i;
    EXPECT_TRUE(mask.intact() && in.intact() && counts.intact() && out.intact());
  }
};

TEST_P(Compact, Lengths) {
  for (int64_t n : {1, 15, 16, 17, 127, 128, 129, 1000, 4095, 4096, 4097})
    for (double share : {0.0, 0.01, 0.5, 1.0}) check(n, share, 4);
  check(chip().simt ? 100003 : (1 << 20) + 3, 0.5, 4);
}

TEST_P(Compact, Elements) {
  for (size_t element : {1, 2, 8, 16}) check(10007, 0.3, element);
}

TEST_P(Compact, Refusals) {
  LaunchList list;
  EXPECT_STREQ(compact::move(chip(), {100, nullptr, nullptr, nullptr, 3, nullptr}, list).reason(),
               "elements are not of 1, 2, 4, 8 or 16 bytes");
  EXPECT_TRUE(compact::count(chip(), {0, nullptr, nullptr, nullptr, 4, nullptr}, list).ok());
  EXPECT_EQ(list.size(), 0u);
}

FOR_EACH_TARGET_AND_EMULATOR(Compact);

} // namespace
} // namespace corundum::test
