#pragma once
// A matrix product in the kernel language: what dot() and pipeline() are tried with.
#include <string>

#include "core/chip.h"

namespace corundum::test {

// What the text fixes. `along_k`: k is contiguous in that factor (a [m, k] as rows, b [k, n] as columns).
struct Matmul {
  const char *type, *out;
  int size, out_size; // bytes of an element
  bool a_along_k, b_along_k;
  const char* unit = "best";
  int m = 0, n = 0, k = 0, threads = 1, stages = 2;
};

// Sizes of tiles that fit the chip: where lanes multiply, small ones, since the emulator takes its time.
inline void choose_tiles(const Chip& chip, bool tensor_cores, Matmul* p) {
  p->threads = chip.simt ? 256 : 1;
  p->stages = 3;
  if (!chip.simt) { // whole panels for every width of registers; half the scratch for packed tiles
    p->m = p->unit == std::string("amx") ? 96 : p->size == 8 ? 84 : 168;
    p->n = 96;
    p->k = p->size == 8 ? 64 : 128;
  } else if (tensor_cores) {
    p->m = p->n = 128;
    p->k = 128 / p->size;
    p->stages = 4;
  } else {
    p->m = p->size == 1 && !p->a_along_k ? 128 : 64; // 128 bytes at least where it is contiguous
    p->n = p->size == 1 && !p->b_along_k ? 128 : 64;
    p->k = 128 / p->size;
    p->stages = p->size == 1 ? 2 : 3;
  }
}

// Of the arena on GPUs, of the scratch on CPUs: the stages, or the sums on their way out; the sums lie behind the stage on CPUs.
inline uint32_t shared_bytes(const Chip& chip, const Matmul& p) {
  const int panel_element = p.unit == std::string("best") && p.size < 4 ? 4 : p.size;
  if (!chip.simt) return static_cast<uint32_t>((p.m + p.n) * p.k * panel_element + 128 + p.m * p.n * (p.size == 8 ? 8 : 4));
  const int stages = p.stages * (p.m + p.n) * p.k * p.size, out = p.m * (p.n * p.out_size + 16);
  return static_cast<uint32_t>(stages > out ? stages : out);
}

inline std::string matmul_text(const Matmul& p) {
  static const char* const body = R"(
#include "lang/dot.h"
struct MatmulArgs {
  const void *a, *b;
  void* out;
  cor::i64 blocks, m, n, k, a_stride, b_stride, out_stride;
};
template <class D, int Stages, class Out, cor::Along A, cor::Along B, class Block>
COR_FN void matmul(Block& block, const MatmulArgs& args) {
  using T = typename D::Element;
  const cor::Factor<T, A> a{static_cast<const T*>(args.a), args.m, args.k, args.a_stride};
  const cor::Factor<T, B> b{static_cast<const T*>(args.b), args.n, args.k, args.b_stride};
  const auto at = cor::tile_at<D::m, D::n>(block, args.m, args.n);
  auto sums = cor::zeros<D>(block);
  cor::pipeline<Stages, typename D::Stage>(
      block, (args.k + D::k - 1) / D::k,
      [&](auto& stage, cor::i64 step) {
        fetch(block, stage.a, a, at.m, step * D::k);
        fetch(block, stage.b, b, at.n, step * D::k);
      },
      [&](const auto& stage) { dot(stage.a, stage.b, sums); });
  Out* const out = static_cast<Out*>(args.out) + at.m * args.out_stride + at.n;
  store(block, sums, out, args.out_stride, args.m - at.m, args.n - at.n, [](auto sum) { return sum; });
}
)";
  const auto along = [](bool k) { return std::string(k ? "cor::Along::k" : "cor::Along::outer"); };
  const std::string orders = along(p.a_along_k) + ", " + along(p.b_along_k), threads = std::to_string(p.threads);
  return "#include \"lang/kernel.h\"" + std::string(body) + "using B = cor::Block<" + threads + ", 1>;\nusing D = cor::Dot<" +
         p.type + ", " + std::to_string(p.m) + ", " + std::to_string(p.n) + ", " + std::to_string(p.k) + ", " + orders + ", " +
         threads + ", cor::Unit::" + p.unit + ">;\n#define BODY matmul<D, " + std::to_string(p.stages) + ", " + p.out + ", " +
         orders + ">\nCOR_BLOCKS(entry, B, MatmulArgs, (BODY))\n";
}

} // namespace corundum::test
