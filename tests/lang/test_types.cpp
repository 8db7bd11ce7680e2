// Conversions of lang/types.h and the integer division of lang/maths.h.
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "lang/support.h"

namespace corundum::test {
namespace {

struct Args {
  const void* in;
  void* out;
};

// out[i] = expression of x = in[i].
template <class To, class From>
std::vector<To> apply(const std::string& target, const std::string& to, const std::string& from, const std::string& expression,
                      const std::vector<From>& in) {
  const Entry entry = compile_text(
      target, "using namespace cor;\nusing boolean = bool;\nusing f32 = float;\nusing f64 = double;\nstruct Args { const " + from +
                  "* in; " + to + R"(* out; };
extern "C" void entry(const void* args, long long first, long long last, void*) {
  const Args a = *static_cast<const Args*>(args);
#pragma GCC ivdep
  for (long long i = first; i < last; ++i) { const auto x = a.in[i]; a.out[i] = )" +
                  expression + "; }\n}\n");
  std::vector<To> out(in.size());
  const Args args{in.data(), out.data()};
  entry(&args, 0, static_cast<int64_t>(in.size()), nullptr);
  return out;
}

class Types : public EachTarget {
 protected:
  template <class To, class From>
  std::vector<To> convert(const std::string& to, const std::string& from, const std::vector<From>& in) const {
    return apply<To>(target(), to, from, "cor::convert<" + to + ">(x)", in);
  }
};

std::vector<uint16_t> all_16_bits() {
  std::vector<uint16_t> all(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  return all;
}

// Every value of a 16-bit type, the point midway between it and the next (a tie, or the edge of overflow), the two neighbours of
// that point, and a step through all patterns of f32.
std::vector<float> hard_floats(float (*widen)(uint16_t)) {
  std::vector<float> floats = floats_by_pattern(1009);
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const float value = widen(static_cast<uint16_t>(bits));
    floats.push_back(value);
    if (!std::isfinite(value)) continue;
    float next = widen(static_cast<uint16_t>(bits + 1));
    if (std::isinf(next)) next = std::nextafter(value, next) == next ? next : 2 * value - widen(static_cast<uint16_t>(bits - 1));
    const float middle = value + (next - value) / 2;
    for (int step : {-1, 0, 1}) floats.push_back(float_of(bits_of(middle) + static_cast<uint32_t>(step)));
  }
  return floats;
}

TEST_P(Types, HalfToFloat) {
  const auto in = all_16_bits();
  const auto out = convert<float>("f32", "f16", in);
  for (uint32_t i = 0; i < 65536; ++i) {
    const float want = from_half(in[i]);
    if (std::isnan(want))
      ASSERT_TRUE(std::isnan(out[i])) << std::hex << i;
    else
      ASSERT_EQ(bits_of(out[i]), bits_of(want)) << std::hex << i;
  }
}

TEST_P(Types, FloatToHalf) {
  const auto in = hard_floats(from_half);
  const auto out = convert<uint16_t>("f16", "f32", in);
  for (size_t i = 0; i < in.size(); ++i) {
    // c10::Half writes every NaN as 0x7e00 with the sign.
    const uint16_t want = std::isnan(in[i]) ? static_cast<uint16_t>(0x7e00u | (std::signbit(in[i]) ? 0x8000u : 0)) : half_of(in[i]);
    ASSERT_EQ(out[i], want) << std::hexfloat << in[i];
  }
}

TEST_P(Types, BfloatToFloat) {
  const auto in = all_16_bits();
  const auto out = convert<float>("f32", "bf16", in);
  for (uint32_t i = 0; i < 65536; ++i) {
    if (std::isnan(from_bfloat(in[i])))
      ASSERT_TRUE(std::isnan(out[i])) << std::hex << i;
    else
      ASSERT_EQ(bits_of(out[i]), i << 16) << std::hex << i;
  }
}

TEST_P(Types, FloatToBfloat) {
  const auto in = hard_floats(from_bfloat);
  const auto out = convert<uint16_t>("bf16", "f32", in);
  for (size_t i = 0; i < in.size(); ++i) {
    // c10::BFloat16 writes every NaN as 0x7fc0.
    const uint16_t want = std::isnan(in[i]) ? 0x7fc0u : bfloat_of(in[i]);
    ASSERT_EQ(out[i], want) << std::hexfloat << in[i];
  }
}

TEST_P(Types, WiderNumbersRoundToFloatFirst) {
  // 1 + 2^-11 + 2^-40 lies above the tie of f16, but f32 loses the last bit and the tie goes to even, as in ATen.
  EXPECT_EQ(convert<uint16_t>("f16", "f64", std::vector<double>{1 + 0x1p-11 + 0x1p-40})[0], 0x3c00);
  EXPECT_EQ(convert<uint16_t>("bf16", "f64", std::vector<double>{1 + 0x1p-8 + 0x1p-40})[0], 0x3f80);
  const std::vector<int64_t> integers = {0, 1, -1, 2048, 2049, 2051, 65519, 65520, -65520, int64_t{1} << 40};
  const auto half = convert<uint16_t>("f16", "i64", integers);
  const auto bfloat = convert<uint16_t>("bf16", "i64", integers);
  for (size_t i = 0; i < integers.size(); ++i) {
    EXPECT_EQ(half[i], half_of(static_cast<float>(integers[i]))) << integers[i];
    EXPECT_EQ(bfloat[i], bfloat_of(static_cast<float>(integers[i]))) << integers[i];
  }
}

TEST_P(Types, FloatToInteger) {
  const std::vector<float> in = {0.f,   -0.f,   0.99f, -0.99f, 1.5f, -1.5f,  127.9f, -128.9f,
                                 200.f, 255.5f, 256.f, 300.f,  -1.f, -200.f, 70000.f};
  const auto i8 = convert<int8_t>("i8", "f32", in);
  const auto u8 = convert<uint8_t>("u8", "f32", in);
  const auto i16 = convert<int16_t>("i16", "f32", in);
  const auto i32 = convert<int32_t>("i32", "f32", in);
  const auto i64 = convert<int64_t>("i64", "f32", in);
  for (size_t i = 0; i < in.size(); ++i) {
    const int64_t truncated = static_cast<int64_t>(in[i]); // small integers wrap
    EXPECT_EQ(i8[i], static_cast<int8_t>(truncated)) << in[i];
    EXPECT_EQ(u8[i], static_cast<uint8_t>(truncated)) << in[i];
    EXPECT_EQ(i16[i], static_cast<int16_t>(truncated)) << in[i];
    EXPECT_EQ(i32[i], truncated) << in[i];
    EXPECT_EQ(i64[i], truncated) << in[i];
  }
  const std::vector<double> large = {9007199254740993.0, -9.2e18, 2147483647.0, -2147483648.9};
  const auto wide = convert<int64_t>("i64", "f64", large);
  for (size_t i = 0; i < large.size(); ++i) EXPECT_EQ(wide[i], static_cast<int64_t>(large[i]));
  EXPECT_EQ(convert<int32_t>("i32", "f64", std::vector<double>{2147483647.9, -2147483648.0}),
            (std::vector<int32_t>{2147483647, -2147483647 - 1}));
}

TEST_P(Types, IntegerToInteger) {
  const std::vector<int64_t> in = {0,
                                   1,
                                   -1,
                                   127,
                                   128,
                                   255,
                                   256,
                                   -128,
                                   -129,
                                   int64_t{1} << 31,
                                   int64_t{1} << 32,
                                   (int64_t{1} << 32) + 7,
                                   std::numeric_limits<int64_t>::max(),
                                   std::numeric_limits<int64_t>::min()};
  const auto i8 = convert<int8_t>("i8", "i64", in);
  const auto u8 = convert<uint8_t>("u8", "i64", in);
  const auto i32 = convert<int32_t>("i32", "i64", in);
  const auto f32 = convert<float>("f32", "i64", in);
  for (size_t i = 0; i < in.size(); ++i) {
    EXPECT_EQ(i8[i], static_cast<int8_t>(in[i])) << in[i];
    EXPECT_EQ(u8[i], static_cast<uint8_t>(in[i])) << in[i];
    EXPECT_EQ(i32[i], static_cast<int32_t>(in[i])) << in[i];
    EXPECT_EQ(f32[i], static_cast<float>(in[i])) << in[i];
  }
}

TEST_P(Types, ToBool) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> in = {0.f, -0.f, 1e-45f, -1e-45f, 0.5f, nan, 2.f, std::numeric_limits<float>::infinity()};
  const std::vector<uint8_t> want = {0, 0, 1, 1, 1, 1, 1, 1};
  EXPECT_EQ(convert<uint8_t>("boolean", "f32", in), want);
  EXPECT_EQ(convert<uint8_t>("boolean", "i64", std::vector<int64_t>{0, 1, -1, 256, int64_t{1} << 32}),
            (std::vector<uint8_t>{0, 1, 1, 1, 1}));
  EXPECT_EQ(convert<uint8_t>("boolean", "f16", std::vector<uint16_t>{0, 0x8000, 1, 0x3c00, 0x7e00}),
            (std::vector<uint8_t>{0, 0, 1, 1, 1}));
}

template <class T>
struct Pair {
  T a, b;
};

// Both roundings of a / b, as the pair's struct.
template <class T>
std::vector<Pair<T>> divide(const std::string& target, const std::string& type, const std::vector<Pair<T>>& in) {
  const Entry entry = compile_text(target, "#include \"lang/maths/divide.h\"\nstruct Pair { cor::" + type + R"( a, b; };
struct Args { const Pair* in; Pair* out; };
extern "C" void entry(const void* args, long long first, long long last, void*) {
  const Args a = *static_cast<const Args*>(args);
  for (long long i = first; i < last; ++i) {
    a.out[i].a = cor::div_trunc(a.in[i].a, a.in[i].b);
    a.out[i].b = cor::div_floor(a.in[i].a, a.in[i].b);
  }
})");
  std::vector<Pair<T>> out(in.size());
  const Args args{in.data(), out.data()};
  entry(&args, 0, static_cast<int64_t>(in.size()), nullptr);
  return out;
}

template <class T>
void check_division(const std::string& target, const std::string& type, const std::vector<Pair<T>>& in) {
  const auto out = divide<T>(target, type, in);
  size_t compared = 0;
  for (size_t i = 0; i < in.size(); ++i) {
    if (in[i].b == 0) continue; // the caller refuses; here it is enough that nothing traps
    const __int128 a = in[i].a, b = in[i].b, truncated = a / b;
    const __int128 floored = truncated - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
    ASSERT_EQ(out[i].a, static_cast<T>(truncated)) << type << ": " << int64_t(a) << " / " << int64_t(b);
    ASSERT_EQ(out[i].b, static_cast<T>(floored)) << type << ": " << int64_t(a) << " // " << int64_t(b);
    ++compared;
  }
  EXPECT_GT(compared, in.size() / 2);
}

TEST_P(Types, EveryDivisionOfBytes) {
  std::vector<Pair<int8_t>> signed_pairs;
  std::vector<Pair<uint8_t>> unsigned_pairs;
  for (int a = 0; a < 256; ++a)
    for (int b = 0; b < 256; ++b) {
      signed_pairs.push_back({static_cast<int8_t>(a), static_cast<int8_t>(b)});
      unsigned_pairs.push_back({static_cast<uint8_t>(a), static_cast<uint8_t>(b)});
    }
  check_division(target(), "i8", signed_pairs);
  check_division(target(), "u8", unsigned_pairs);
}

template <class T>
std::vector<Pair<T>> hard_pairs() {
  using Limits = std::numeric_limits<T>;
  const T most = Limits::max(), least = Limits::min();
  const std::vector<T> edges = {0,     1,    T(-1),       2,     T(-2),        3,           T(-3),       7,
                                T(-7), most, T(most - 1), least, T(least + 1), T(most / 2), T(least / 2)};
  std::vector<Pair<T>> pairs;
  for (T a : edges)
    for (T b : edges) pairs.push_back({a, b});
  std::mt19937_64 random(1);
  for (int i = 0; i < 20000; ++i) pairs.push_back({static_cast<T>(random()), static_cast<T>(random() >> (random() % 64))});
  return pairs;
}

TEST_P(Types, DivisionOfWiderIntegers) {
  check_division(target(), "i16", hard_pairs<int16_t>());
  check_division(target(), "i32", hard_pairs<int32_t>());
  check_division(target(), "i64", hard_pairs<int64_t>());
}

// As Python's // where ATen's CPU kernel is: signs, zeros and infinities.
TEST_P(Types, DivisionOfFloats) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  struct Case {
    float a, b, truncated, floored;
  };
  const std::vector<Case> cases = {
      {7, 2, 3, 3},
      {-7, 2, -3, -4},
      {7, -2, -3, -4},
      {-7, -2, 3, 3},
      {6, 3, 2, 2},
      {-6, 3, -2, -2},
      {0, 3, 0, 0},
      {0, -3, -0.f, -0.f},
      {-0.f, 3, -0.f, -0.f},
      {1, 0, inf, inf},
      {-1, 0, -inf, -inf},
      {0, 0, nan, nan},
      {1, inf, 0, 0},
      {-1, inf, -0.f, -1},
      {inf, 2, inf, nan},
      {nan, 1, nan, nan},
      {1, nan, nan, nan},
      {1, 0.1f, 10, 9},
      {1e30f, 3, std::trunc(1e30f / 3), std::floor(1e30f / 3)},
  };
  std::vector<Pair<float>> in;
  for (const Case& c : cases) in.push_back({c.a, c.b});
  const Entry entry = compile_text(target(), R"(#include "lang/maths/divide.h"
struct Pair { float a, b; };
struct Args { const Pair* in; Pair* out; };
extern "C" void entry(const void* args, long long first, long long last, void*) {
  const Args a = *static_cast<const Args*>(args);
  for (long long i = first; i < last; ++i) {
    a.out[i].a = cor::div_trunc(a.in[i].a, a.in[i].b);
    a.out[i].b = cor::div_floor(a.in[i].a, a.in[i].b);
  }
})");
  std::vector<Pair<float>> out(in.size());
  const Args args{in.data(), out.data()};
  entry(&args, 0, static_cast<int64_t>(in.size()), nullptr);
  const auto same = [](float got, float want) {
    return std::isnan(want) ? std::isnan(got) : got == want && std::signbit(got) == std::signbit(want);
  };
  for (size_t i = 0; i < in.size(); ++i) {
    EXPECT_TRUE(same(out[i].a, cases[i].truncated)) << in[i].a << " / " << in[i].b << " truncated is " << out[i].a;
    EXPECT_TRUE(same(out[i].b, cases[i].floored)) << in[i].a << " // " << in[i].b << " is " << out[i].b;
  }
}

FOR_EACH_TARGET(Types);

} // namespace
} // namespace corundum::test
