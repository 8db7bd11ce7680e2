#include "lang/support.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "conformance/target.h"

namespace corundum::test {

Entry compile_text(const std::string& target, const std::string& text) {
  return reinterpret_cast<Entry>(load_kernel(*known_chip(target), "entry", "#include \"lang/kernel.h\"\n" + text).handle);
}

void run_plan(const std::string& target, LaunchList& list) {
  if (Status s = run_list(*known_chip(target), list); !s) throw std::runtime_error(s.reason());
}

void EachTarget::SetUp() {
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (target() == "avx512" && !has_avx512) GTEST_SKIP() << "this processor has no AVX-512";
}

float float_of(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

std::vector<float> floats_by_pattern(uint32_t step) {
  std::vector<float> floats;
  floats.reserve((uint64_t{1} << 32) / step + 1);
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += step) floats.push_back(float_of(static_cast<uint32_t>(bits)));
  return floats;
}

uint16_t half_of(float value) {
  const _Float16 half = static_cast<_Float16>(value);
  uint16_t bits;
  std::memcpy(&bits, &half, sizeof bits);
  return bits;
}
float from_half(uint16_t bits) {
  _Float16 half;
  std::memcpy(&half, &bits, sizeof half);
  return static_cast<float>(half);
}

// Round to nearest, ties to even, told as two neighbours and a comparison.
uint16_t bfloat_of(float value) {
  const uint32_t bits = bits_of(value), rest = bits & 0xffffu;
  const bool up = rest > 0x8000u || (rest == 0x8000u && (bits & 0x10000u) != 0);
  return static_cast<uint16_t>((bits >> 16) + (up ? 1 : 0));
}
float from_bfloat(uint16_t bits) { return float_of(static_cast<uint32_t>(bits) << 16); }

template <class T>
static double ulps_of(T result, long double exact, double least) {
  using Limits = std::numeric_limits<T>;
  constexpr double infinite = std::numeric_limits<double>::infinity();
  const long double beyond = std::ldexp(1.L, Limits::max_exponent); // where the next float would be, if the range went on
  if (std::isnan(exact) || std::isnan(result)) return std::isnan(exact) && std::isnan(result) ? 0 : infinite;
  const bool same_sign = std::signbit(result) == std::signbit(exact);
  if (std::isinf(result) && std::abs(exact) >= beyond) return same_sign ? 0 : infinite;
  if (std::isinf(exact) || (exact == 0 && result == 0 && !same_sign)) return infinite;
  const long double value = std::isinf(result) ? std::copysign(beyond, result) : static_cast<long double>(result);
  const long double size = std::max(std::abs(exact), static_cast<long double>(least));
  const int exponent = size == 0 ? Limits::min_exponent - 1 : std::max(Limits::min_exponent - 1, std::ilogb(size));
  const int last_place = std::min(exponent, Limits::max_exponent - 1) - (Limits::digits - 1);
  return static_cast<double>(std::abs(value - exact) / std::ldexp(1.L, last_place));
}
double ulps(float result, long double exact, double least) { return ulps_of(result, exact, least); }
double ulps(double result, long double exact, double least) { return ulps_of(result, exact, least); }

} // namespace corundum::test
