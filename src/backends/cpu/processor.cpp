#include "backends/cpu/processor.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "core/config.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#endif

namespace corundum::cpu {
namespace {

#if defined(__x86_64__)

// Best last. What -march=haswell and -march=skylake-avx512 use; cpuid's answer includes what the system saves and restores.
std::vector<std::string> targets_here() {
  std::vector<std::string> targets;
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
  if (!avx2) return targets;
  targets.push_back("avx2");
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd"))
    targets.push_back("avx512");
  return targets;
}

// The system keeps the state of AMX's tiles only for processes that ask.
bool may_use_tiles() {
  constexpr long request_permission = 0x1023, tile_data = 18; // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA of Linux
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

uint32_t features_here() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  uint32_t features = 0;
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d) && a >> 5 & 1) features |= bf16_pairs;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && d >> 22 & 1 && d >> 24 & 1 && may_use_tiles()) features |= bf16_tiles;
  return features;
}

std::string product_name() {
  unsigned words[12] = {};
  for (unsigned i = 0; i < 3; ++i)
    if (!__get_cpuid(0x80000002 + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3])) return "x86-64";
  std::string name(reinterpret_cast<const char*>(words), strnlen(reinterpret_cast<const char*>(words), sizeof words));
  name.erase(0, name.find_first_not_of(' ') == std::string::npos ? name.size() : name.find_first_not_of(' '));
  while (!name.empty() && name.back() == ' ') name.pop_back();
  return name.empty() ? "x86-64" : name;
}

#else

std::vector<std::string> targets_here() { return {}; }
uint32_t features_here() { return 0; }
std::string product_name() { return "unknown processor"; }

#endif

std::string choose_target(const std::vector<std::string>& here) {
  const std::string& wanted = config().cpu_target;
  if (wanted.empty() || here.empty()) return here.empty() ? "" : here.back();
  if (std::find(here.begin(), here.end(), wanted) != here.end()) return wanted;
  log_line("CORUNDUM_CPU_TARGET is " + wanted + ", which this processor does not have or this library does not know; using " +
               here.back(),
           true);
  return here.back();
}

} // namespace

Chip describe_processor() {
  Chip chip{};
  if (const Chip* known = known_chip(choose_target(targets_here()))) chip = *known;
  if (std::string(chip.target) == "avx512") chip.features = features_here();
  const std::string name = product_name();
  std::memset(chip.name, 0, sizeof chip.name);
  std::memcpy(chip.name, name.data(), std::min(name.size(), sizeof chip.name - 1));
  if (const long l2 = sysconf(_SC_LEVEL2_CACHE_SIZE); l2 > 0) chip.l2_bytes = static_cast<uint64_t>(l2);
  return chip;
}

} // namespace corundum::cpu
