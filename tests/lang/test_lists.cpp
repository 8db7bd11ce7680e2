// Operators over lists of tensors: lengths where tiles and vectors end, more tensors than one launch holds, empty and misaligned
// ones, numbers of all and of each.
#include <memory>

#include "core/args.h"
#include "lang/support.h"
#include "ops/pointwise/foreach.h"

namespace corundum::test {
namespace {

using pointwise::From;

const pointwise::Op& op_of(const char* name, pointwise::Signature signature) {
  for (const pointwise::Op& op : pointwise::ops)
    if (!std::strcmp(op.name, name) && op.signature == signature) return op;
  throw std::runtime_error(name);
}

constexpr int64_t lengths[] = {0, 1, 15, 16, 17, 127, 128, 129, 1023, 1024, 1025, 4095, 4096, 4097, 16384, 16385, 40000};

class Lists : public EachTarget {
 protected:
  // Runs all launches and says how many there were.
  int run(const pointwise::ForeachCall& call) {
    std::optional<ListLaunches> launches;
    if (const Status s = pointwise::plan(chip(), call, &launches); !s) throw std::runtime_error(s.reason());
    for (int n = 0;; ++n) {
      LaunchList list;
      if (!launches->next(list)) return n;
      run_plan(target(), list);
    }
  }
};

uint64_t address(const void* p) { return reinterpret_cast<uint64_t>(p); }
uint64_t slot(double v) { return slot_of(Scalar::of(v), Dtype::float32); }

TEST_P(Lists, AddsListsWithANumberOfAll) {
  std::vector<std::unique_ptr<Guarded<float>>> x, y, out;
  std::vector<ListItem> items;
  const size_t tensors = target().rfind("emulator", 0) == 0 ? std::size(lengths) : 300; // several launches, where they are cheap
  for (size_t i = 0; i < tensors; ++i) {
    const auto n = static_cast<size_t>(lengths[i % std::size(lengths)]), shift = i % 5 == 4 ? 1ul : 0ul; // some are misaligned
    for (auto* list : {&x, &y, &out}) list->push_back(std::make_unique<Guarded<float>>(n + shift));
    for (size_t k = 0; k < n; ++k) {
      x[i]->data()[shift + k] = static_cast<float>(k) + static_cast<float>(i);
      y[i]->data()[shift + k] = 0.5f * static_cast<float>(k);
    }
    items.push_back(
        {static_cast<int64_t>(n), {address(out[i]->data() + shift), address(x[i]->data() + shift), address(y[i]->data() + shift)}});
  }
  pointwise::ForeachCall call{&op_of("add", pointwise::Signature::binary_alpha),
                              0,
                              Dtype::float32,
                              Dtype::float32,
                              {From::list, From::list, From::none, From::shared},
                              {0, 0, 0, slot(2)},
                              items.data(),
                              items.size()};
  EXPECT_EQ(run(call), tensors == 300 ? 3 : 1);
  for (size_t i = 0; i < tensors; ++i) {
    EXPECT_TRUE(out[i]->intact());
    const size_t shift = i % 5 == 4 ? 1 : 0;
    for (int64_t k = 0; k < items[i].n; ++k)
      ASSERT_EQ((*out[i])[shift + static_cast<size_t>(k)], 2.f * static_cast<float>(k) + static_cast<float>(i)) << i << " " << k;
  }
}

TEST_P(Lists, MultipliesInPlaceByTheNumberOfEach) {
  std::vector<std::unique_ptr<Guarded<uint16_t>>> x;
  std::vector<ListItem> items;
  for (size_t i = 0; i < std::size(lengths); ++i) {
    const auto n = static_cast<size_t>(lengths[i]);
    x.push_back(std::make_unique<Guarded<uint16_t>>(n));
    for (size_t k = 0; k < n; ++k) x[i]->data()[k] = bfloat_of(static_cast<float>(k % 100));
    items.push_back({lengths[i], {address(x[i]->data()), address(x[i]->data()), slot(static_cast<double>(i))}});
  }
  pointwise::ForeachCall call{&op_of("mul", pointwise::Signature::binary),
                              0,
                              Dtype::bfloat16,
                              Dtype::bfloat16,
                              {From::list, From::own},
                              {},
                              items.data(),
                              items.size()};
  EXPECT_EQ(run(call), 1);
  for (size_t i = 0; i < items.size(); ++i) {
    EXPECT_TRUE(x[i]->intact());
    for (size_t k = 0; k < static_cast<size_t>(items[i].n); ++k)
      ASSERT_EQ((*x[i])[k], bfloat_of(static_cast<float>(k % 100) * static_cast<float>(i))) << i << " " << k;
  }
}

TEST_P(Lists, ConvertsMovesAndZeroes) {
  constexpr size_t n = 5000;
  Guarded<float> from(n), moved(n);
  Guarded<uint16_t> halves(n);
  float factor = 1;
  for (size_t k = 0; k < n; ++k) from.data()[k] = static_cast<float>(k % 2000);
  const pointwise::Op& copy = op_of("copy_", pointwise::Signature::copy);
  ListItem item{n, {address(halves.data()), address(from.data())}};
  run({&copy, 0, Dtype::float32, Dtype::float16, {From::list}, {}, &item, 1});
  item.column[0] = address(moved.data());
  run({&copy, 0, Dtype::float32, Dtype::float32, {From::list}, {}, &item, 1});
  for (size_t k = 0; k < n; ++k) {
    ASSERT_EQ(halves[k], half_of(static_cast<float>(k % 2000)));
    ASSERT_EQ(moved[k], static_cast<float>(k % 2000));
  }
  run({&op_of("zero_", pointwise::Signature::zero),
       0,
       Dtype::float32,
       Dtype::float32,
       {From::none, From::none, From::none, From::shared},
       {},
       &item,
       1});
  for (size_t k = 0; k < n; ++k) ASSERT_EQ(moved[k], 0.f);
  EXPECT_TRUE(halves.intact() && moved.intact());
  factor = 3; // one element in memory for all
  item.column[0] = item.column[1] = address(from.data());
  run({&op_of("mul", pointwise::Signature::binary),
       0,
       Dtype::float32,
       Dtype::float32,
       {From::list, From::pointer},
       {0, address(&factor)},
       &item,
       1});
  for (size_t k = 0; k < n; ++k) ASSERT_EQ(from[k], 3.f * static_cast<float>(k % 2000));
}

FOR_EACH_TARGET_AND_EMULATOR(Lists);

} // namespace
} // namespace corundum::test
