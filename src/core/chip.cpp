#include "core/chip.h"

namespace corundum {
namespace {

constexpr uint32_t KiB = 1024;
constexpr uint64_t MiB = 1024 * 1024;

// Sources: the tuning guides of NVIDIA's A100, H100 and B200 (shared memory a block may have: 163, 227, 227 KB), and the devices'
// own attributes (an H200 says 60 MB of L2); AMD's white papers on Vega 20 and CDNA 2 (a gfx90a is one of an MI250X's two dies). A
// CPU's numbers are those of a common server core; the real ones replace them when there is a device.
constexpr Chip chips[] = {
    // backend, target, name, simt, warp, vector, multiprocessors, threads, shared, L2, features, cluster
    {"cuda", "sm_80", "NVIDIA A100", true, 32, 16, 108, 1024, 163 * KiB, 40 * MiB},
    {"cuda", "sm_90", "NVIDIA H200", true, 32, 16, 132, 1024, 227 * KiB, 60 * MiB, 0, 8},
    {"cuda", "sm_100", "NVIDIA B200", true, 32, 32, 148, 1024, 227 * KiB, 126 * MiB, 0, 8},
    {"hip", "gfx906", "AMD Instinct MI60", true, 64, 16, 64, 1024, 64 * KiB, 4 * MiB},
    {"hip", "gfx90a", "AMD Instinct MI250X", true, 64, 16, 110, 1024, 64 * KiB, 8 * MiB},
    {"emulator", "emulator32", "emulator, warps of 32", true, 32, 16, 4, 1024, 227 * KiB, 1 * MiB, 0, 8},
    {"emulator", "emulator64", "emulator, warps of 64", true, 64, 16, 4, 1024, 64 * KiB, 1 * MiB},
    {"emulator", "emulator128", "emulator, warps of 128", true, 128, 16, 4, 1024, 227 * KiB, 1 * MiB, 0, 8},
    {"cpu", "avx2", "x86-64 with AVX2", false, 1, 32, 1, 1, 256 * KiB, 512 * KiB},
    {"cpu", "avx512", "x86-64 with AVX-512", false, 1, 64, 1, 1, 1024 * KiB, 2 * MiB},
    {"cpu", "neon", "AArch64 with NEON", false, 1, 16, 1, 1, 512 * KiB, 1 * MiB},
    {"cpu", "sve", "AArch64 with SVE", false, 1, 32, 1, 1, 512 * KiB, 1 * MiB},
};

} // namespace

const Chip* known_chip(std::string_view target) {
  for (const Chip& c : chips)
    if (target == c.target) return &c;
  return nullptr;
}

} // namespace corundum
