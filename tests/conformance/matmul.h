#pragma once
// A matrix product in the kernel language: what dot() and pipeline() are tried with.
#include <sstream>
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
    p->m = p->unit == std::string("amx") ? 96 : 168;
    p->n = p->size == 8 ? 48 : 96;
    p->k = p->size == 8 ? 48 : 128;
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
  // Before mapped stages stand their barriers.
  const int stages = p.stages * (p.m + p.n) * p.k * p.size + (p.unit == std::string("mapped") ? 1024 : 0),
            out = p.m * (p.n * p.out_size + 16);
  return static_cast<uint32_t>(stages > out ? stages : out);
}

inline std::string matmul_text(const Matmul& p) {
  static const char* const body = R"(
#include "lang/dot.h"
template <class D, int Stages, class A, class B, class Out, class Block>
COR_FN void multiply(Block& block, const A& a, const B& b, Out* out, cor::i64 stride, cor::i64 m, cor::i64 n, cor::i64 k) {
  const auto at = cor::tile_at<D::m, D::n>(block, m, n);
  auto sums = cor::zeros<D>(block);
  cor::pipeline<Stages, typename D::Stage>(
      block, (k + D::k - 1) / D::k,
      [&](auto& stage, cor::i64 step) {
        fetch(block, stage.a, a, at.m, step * D::k);
        fetch(block, stage.b, b, at.n, step * D::k);
      },
      [&](const auto& stage) { dot(stage.a, stage.b, sums); });
  store(block, sums, out + at.m * stride + at.n, stride, m - at.m, n - at.n, [](auto sum) { return sum; });
}
)";
  static const char* const plain = R"(
struct MatmulArgs {
  const T *a, *b;
  Out* out;
  cor::i64 blocks, m, n, k, a_stride, b_stride, stride;
};
template <class Block>
COR_FN void matmul(Block& block, const MatmulArgs& args) {
  const cor::Factor<T, along_a> a{args.a, args.m, args.k, args.a_stride};
  const cor::Factor<T, along_b> b{args.b, args.n, args.k, args.b_stride};
  multiply<D, stages>(block, a, b, args.out, args.stride, args.m, args.n, args.k);
}
)";
  static const char* const mapped = R"(
struct MatmulArgs {
  cor::TensorMap a, b;
  Out* out;
  cor::i64 blocks, m, n, k, stride;
};
template <class Block>
COR_FN void matmul(Block& block, const MatmulArgs& args) {
  const cor::MappedFactor<T, along_a> a{&args.a};
  const cor::MappedFactor<T, along_b> b{&args.b};
  multiply<D, stages>(block, a, b, args.out, args.stride, args.m, args.n, args.k);
}
)";
  const auto along = [](bool k) { return k ? "cor::Along::k" : "cor::Along::outer"; };
  std::ostringstream text;
  text << "#include \"lang/kernel.h\"" << body << "using T = " << p.type << ";\nusing Out = " << p.out
       << ";\nconstexpr auto along_a = " << along(p.a_along_k) << ", along_b = " << along(p.b_along_k)
       << ";\nconstexpr int stages = " << p.stages << ";\nusing D = cor::Dot<T, " << p.m << ", " << p.n << ", " << p.k
       << ", along_a, along_b, " << p.threads << ", cor::Unit::" << p.unit << ">;\nusing B = cor::Block<" << p.threads << ", 1>;\n"
       << (p.unit == std::string("mapped") ? mapped : plain) << "COR_BLOCKS(entry, B, MatmulArgs, matmul)\n";
  return text.str();
}

} // namespace corundum::test
