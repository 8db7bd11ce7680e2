#include "core/args.h"
#include "core/family.h"
#include "ops/embedding/embedding.h"

#include <algorithm>

namespace corundum::embedding {
namespace {

// As COR_MOVE_ROWS has them: words that a block moves.
constexpr int threads = 128;
constexpr int64_t simd_block = 16384;
constexpr int64_t simt_block(uint64_t word) { return 512 * (word < 2 ? 8 : 16 / static_cast<int64_t>(word)); }

struct KeyBytes {
  uint8_t word, index; // bytes moved at a time; Dtype
};

class EmbeddingFamily : public Family {
 public:
  EmbeddingFamily() : Family("embedding") {}

  KernelSource source(const KernelKey& key, const Chip&) const override {
    const std::string entry = "corundum_" + name_of(key);
    const std::string word = "cor::Opaque<" + std::to_string(key.bytes[0]) + ">";
    const std::string text = "#include \"ops/embedding/embedding.kernel.h\"\nusing Body = Embedding<" + word + ", " +
                             info(static_cast<Dtype>(key.bytes[1])).kernel_type + ">;\nCOR_MOVE_ROWS(" + entry +
                             ", EmbeddingArgs, " + word + ", Body)\n";
    return {entry, text};
  }
  std::string describe(const KernelKey& key) const override { return "embedding/" + name_of(key); }

 private:
  static std::string name_of(const KernelKey& key) {
    return "embedding_x" + std::to_string(8 * key.bytes[0]) + "_" + info(static_cast<Dtype>(key.bytes[1])).short_name;
  }
};
const EmbeddingFamily family_instance;

} // namespace

Status plan(const Chip& chip, const Call& call, LaunchList& list) {
  if (call.index_dtype != Dtype::int32 && call.index_dtype != Dtype::int64)
    return Status::refuse("indices are neither int32 nor int64");
  if (call.count == 0 || call.n == 0) return Status();
  // The widest word that divides rows, their distance and all addresses.
  const uint64_t everything = static_cast<uint64_t>(call.n) * call.element_size |
                              static_cast<uint64_t>(call.row_stride) * call.element_size | reinterpret_cast<uint64_t>(call.weight) |
                              reinterpret_cast<uint64_t>(call.out);
  uint64_t word = 16;
  while (everything % word != 0) word /= 2;
  KernelKey key;
  key.family = family_instance.id();
  key.bytes[0] = static_cast<uint8_t>(word);
  key.bytes[1] = static_cast<uint8_t>(call.index_dtype);
  const auto words = [&](int64_t elements) { return static_cast<int64_t>(elements * call.element_size / word); };
  ArgsWriter args;
  args.put(static_cast<const void*>(call.out));
  args.put(call.count);
  args.put(Divider(words(call.n)));
  args.put(words(call.n));
  args.put(call.weight);
  args.put(call.indices);
  args.put(call.rows);
  args.put(words(call.row_stride));
  const auto pieces = [](int64_t n, int64_t of) { return (n + of - 1) / of; };
  const int64_t blocks =
      chip.simt ? pieces(call.count * words(call.n), simt_block(word)) : call.count * pieces(words(call.n), simd_block);
  if (blocks >= (int64_t{1} << 31)) return Status::refuse("more blocks than a grid holds");
  Launch& launch = list.add(key, static_cast<uint32_t>(blocks), chip.simt ? threads : 1, args.data(), args.size());
  launch.grain = static_cast<uint32_t>(std::max<int64_t>(1, 65536 / call.n));
  return Status();
}

} // namespace corundum::embedding
