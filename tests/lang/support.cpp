#include "lang/support.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <stdexcept>

#include "core/backend.h"
#include "core/family.h"
#include "jit/language.h"

namespace corundum::test {
namespace {

// Everything is compiled anew: a test of the language does not depend on what a cache holds. Before Config is read.
const int no_cache = setenv("CORUNDUM_CACHE_DIR", "/dev/null/no", 1);

// The emulators are devices of one backend; everything runs on the one processor that there is.
int device_of(const Chip& chip) {
  const Backend& table = *backend(chip.backend);
  for (int i = table.device_count() - 1; i > 0; --i)
    if (!std::strcmp(table.chip(i).target, chip.target)) return i;
  return 0;
}

Function compile(const Chip& chip, const std::string& entry, const std::string& text) {
  static std::map<std::string, Function>& known = *new std::map<std::string, Function>;
  const std::string complete = resolve_includes(text), name = std::string(chip.target) + entry + complete;
  if (const auto found = known.find(name); found != known.end()) return found->second;
  const Backend& table = *backend(chip.backend);
  std::vector<uint8_t> binary;
  std::string log;
  bool interrupted = false;
  if (Status s = table.compile({&chip, entry, complete}, &binary, &log, &interrupted); !s)
    throw std::runtime_error(std::string(s.reason()) + "\n" + log);
  Function function;
  if (Status s = table.load(device_of(chip), binary, "", entry, &function); !s) throw std::runtime_error(s.reason());
  function.shared_limit = chip.shared_bytes;
  return known[name] = function;
}

} // namespace

Entry compile_text(const std::string& target, const std::string& text) {
  return reinterpret_cast<Entry>(compile(*known_chip(target), "entry", "#include \"lang/kernel.h\"\n" + text).handle);
}

void run_plan(const std::string& target, LaunchList& list) {
  const Chip& chip = *known_chip(target);
  std::vector<unsigned char> workspace(list.workspace_bytes + 64, list.workspace_zeroed ? 0 : 0xa5);
  list.bind_workspace(reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(workspace.data()) + 63) / 64 * 64));
  for (uint32_t i = 0; i < list.size(); ++i) {
    const Launch& launch = list[i];
    const KernelSource source = family(launch.key.family)->source(launch.key, chip);
    const Function function = compile(chip, source.entry, source.text);
    if (Status s = backend(chip.backend)->launch(device_of(chip), function, launch, list.args(launch), nullptr); !s)
      throw std::runtime_error(s.reason());
  }
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
