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

// An emulator of each width of warps is a device of its own.
int device_of(const Chip& chip) {
  const Backend& table = *backend(chip.backend);
  for (int i = 0; i < table.device_count(); ++i)
    if (std::strcmp(table.chip(i).target, chip.target) == 0) return i;
  return 0; // an instruction set below the processor's best
}

Function compile(const Chip& chip, const std::string& entry, const std::string& text) {
  static auto& known = *new std::map<std::string, Function>;
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

double ulps(float result, double exact) {
  constexpr double beyond = 0x1p128; // where the next float would be, if the range went on
  if (std::isnan(exact)) return std::isnan(result) ? 0 : std::numeric_limits<double>::infinity();
  if (std::isnan(result)) return std::numeric_limits<double>::infinity();
  if (std::isinf(result) && std::abs(exact) >= beyond && std::signbit(result) == std::signbit(exact)) return 0;
  if (std::isinf(exact)) return std::numeric_limits<double>::infinity();
  const double value = std::isinf(result) ? std::copysign(beyond, result) : static_cast<double>(result);
  const int exponent = exact == 0 ? -126 : std::max(-126, std::ilogb(exact));
  return std::abs(value - exact) / std::ldexp(1.0, std::min(exponent, 127) - 23);
}

} // namespace corundum::test
