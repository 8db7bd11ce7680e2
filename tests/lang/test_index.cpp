// The division by multiplication and the offsets of lang/index.h, with the numbers that core/index.h makes on the host.
#include <random>

#include "core/index.h"
#include "lang/support.h"

namespace corundum::test {
namespace {

class Index : public EachTarget {};

struct DivideArgs {
  Divider divider;
  const uint32_t* in;
  uint32_t* out;
};

TEST_P(Index, DividerDividesExactly) {
  const Entry entry = compile_text(target(), R"(
struct Args { cor::Divider divider; const unsigned* in; unsigned* out; };
extern "C" void entry(const void* args, long long first, long long last, void*) {
  const Args a = *static_cast<const Args*>(args);
  for (long long i = first; i < last; ++i) a.out[i] = a.divider.divide(a.in[i]);
})");
  constexpr uint32_t limit = (uint32_t{1} << 31) - 1;
  std::mt19937 random(1);
  std::vector<uint32_t> divisors = {1, 2, 3, 5, 6, 7, 9, 10, 11, 641, 6700417, limit, limit - 1, limit / 2, limit / 3};
  for (int k = 2; k < 31; ++k)
    for (int near : {-1, 0, 1}) divisors.push_back((uint32_t{1} << k) + static_cast<uint32_t>(near));
  for (int i = 0; i < 2000; ++i) divisors.push_back(1 + (random() & limit) % (limit >> (random() % 31)));
  for (uint32_t d : divisors) {
    std::vector<uint32_t> in = {0, 1, d - 1, d, d + 1 <= limit ? d + 1 : d, limit - 1, limit, limit / d * d, limit / d * d - 1};
    for (int i = 0; i < 500; ++i) in.push_back(random() & limit);
    for (int i = 0; i < 250; ++i) { // a multiple, and the number before it
      const uint32_t multiple = random() % (limit / d + 1) * d;
      in.push_back(multiple);
      in.push_back(multiple ? multiple - 1 : 0);
    }
    std::vector<uint32_t> out(in.size());
    const DivideArgs args{Divider(d), in.data(), out.data()};
    entry(&args, 0, static_cast<int64_t>(in.size()), nullptr);
    for (size_t i = 0; i < in.size(); ++i) ASSERT_EQ(out[i], in[i] / d) << in[i] << " / " << d;
  }
}

TEST_P(Index, SizesOfTwoToThe31AndMoreDivideByThemselves) {
  for (int64_t n : {int64_t{0}, int64_t{1}, int64_t{1} << 31, (int64_t{1} << 40) + 3}) {
    const Divider d(n);
    EXPECT_EQ(d.size, n);
    EXPECT_EQ(d.magic, 1u);
    EXPECT_EQ(d.shift, 0u);
  }
}

constexpr int rank = 4;
struct OffsetArgs {
  Divider shape[rank];
  int64_t stride[rank][2];
  int64_t first, step;
  int64_t* out;
};

template <bool Wide>
void check_offsets(const std::string& target, const int64_t (&sizes)[rank], int64_t first, int64_t step) {
  const Entry entry = compile_text(target, std::string("constexpr bool wide = ") + (Wide ? "true" : "false") + R"(;
struct Args { cor::Shape<4> shape; cor::i64 stride[4][2]; cor::i64 first, step; cor::i64* out; };
extern "C" void entry(const void* args, long long begin, long long end, void*) {
  const Args& a = *static_cast<const Args*>(args);
  for (long long i = begin; i < end; ++i) {
    cor::i64 offset[2] = {0, 0};
    cor::add_offsets<wide>(a.shape, a.stride, a.first + i * a.step, offset);
    a.out[2 * i] = offset[0];
    a.out[2 * i + 1] = offset[1];
  }
})");
  constexpr int64_t count = 3000;
  std::vector<int64_t> out(2 * count);
  OffsetArgs args{{}, {{1, 7}, {-3, 0}, {1000003, 11}, {int64_t{1} << 33, -5}}, first, step, out.data()};
  for (int d = 0; d < rank; ++d) args.shape[d] = Divider(sizes[d]);
  entry(&args, 0, count, nullptr);
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = first + i * step, want[2] = {0, 0};
    for (int d = 0; d < rank; ++d) {
      const int64_t index = d == rank - 1 ? rest : rest % sizes[d];
      for (int o = 0; o < 2; ++o) want[o] += index * args.stride[d][o];
      rest /= sizes[d];
    }
    ASSERT_EQ(out[2 * i], want[0]) << "number " << first + i * step;
    ASSERT_EQ(out[2 * i + 1], want[1]) << "number " << first + i * step;
  }
}

TEST_P(Index, OffsetsAreTheOnesOfPlainDivision) {
  check_offsets<false>(target(), {5, 1, 7, 100000}, 0, 1);
  check_offsets<false>(target(), {641, 128, 127, 206}, (int64_t{1} << 31) - 3000, 1);
  check_offsets<true>(target(), {5, 1, 7, 100000}, 0, 1);
  check_offsets<true>(target(), {100003, 65536, 3, 1 << 20}, (int64_t{1} << 31) - 10, 4294967291);
}

FOR_EACH_TARGET(Index);

} // namespace
} // namespace corundum::test
