#include "ops/lists.h"

#include <algorithm>
#include <cstring>

namespace corundum {
namespace {

constexpr int64_t simd_tile = 16384;
constexpr int simt_threads_log2 = 8;                // docs/facts.md
constexpr int64_t most_elements = int64_t{1} << 30; // of one entry: more are several entries

// As cor::ListsArgs: 8 bytes a head, the count, 8 a column and twice 4 for sizes. Even, so that all members are multiples of 8.
constexpr int most_tensors(int columns) {
  return (static_cast<int>(LaunchList::max_args) - 8 * (list_heads + 1)) / (8 * columns + 8) / 2 * 2;
}

} // namespace

ListsLayout lists_layout(const Chip& chip, const ListsCall& call) {
  const auto columns = static_cast<uint8_t>(call.lists + call.numbers);
  const int widest = std::max(call.out_bytes, call.in_bytes);
  return chip.simt ? ListsLayout{columns, simt_threads_log2, static_cast<uint8_t>(std::max(1, 16 / widest))}
                   : ListsLayout{columns, 0, 1};
}

std::string lists_name(const ListsLayout& l) {
  return std::string("c") + std::to_string(l.columns) + "_v" + std::to_string(l.vector);
}

std::string lists_args(const ListsLayout& l) {
  return std::string("using Args = ListsArgs<") + std::to_string(l.columns) + ", " + std::to_string(most_tensors(l.columns)) +
         ">;\n";
}

std::string lists_entry(const Chip& chip, const ListsLayout& l, const std::string& entry) {
  const std::string tail =
      chip.simt ? std::to_string(1 << l.threads_log2) + ", " + std::to_string(l.vector) : std::to_string(simd_tile);
  return "COR_LISTS(" + entry + ", cor::Body, cor::Args, " + tail + ")\n";
}

ListLaunches::ListLaunches(const Chip& chip, const KernelKey& key, const ListsLayout& layout, const ListsCall& call)
    : chip_(chip), key_(key), layout_(layout), call_(call), most_(most_tensors(layout.columns)) {
  tile_ = chip.simt ? int64_t{layout.vector} << layout.threads_log2 : simd_tile;
}

bool ListLaunches::next(LaunchList& list) {
  alignas(16) unsigned char args[LaunchList::max_args];
  auto* const words = reinterpret_cast<uint64_t*>(args);
  uint64_t* const columns = words + list_heads + 1;
  auto* const sizes = reinterpret_cast<uint32_t*>(columns + layout_.columns * most_);
  uint32_t* const firsts = sizes + most_;
  int tensors = 0;
  uint32_t blocks = 0;
  int64_t elements = 0;
  while (item_ < call_.count && tensors < most_) {
    const ListItem& item = call_.items[item_];
    const int64_t n = std::min(item.n - done_, most_elements);
    if (n > 0) {
      for (int c = 0; c < layout_.columns; ++c) {
        const uint64_t bytes = c >= call_.lists ? 0 : c == 0 ? call_.out_bytes : call_.in_bytes;
        columns[c * most_ + tensors] = item.column[c] + static_cast<uint64_t>(done_) * bytes;
      }
      sizes[tensors] = static_cast<uint32_t>(n);
      firsts[tensors] = blocks;
      blocks += static_cast<uint32_t>((n + tile_ - 1) / tile_);
      elements += n;
      ++tensors;
    }
    done_ += n;
    if (done_ >= item.n) ++item_, done_ = 0;
  }
  if (tensors == 0) return false;
  std::memcpy(words, call_.head, sizeof call_.head);
  words[list_heads] = static_cast<uint64_t>(tensors);
  const auto size = static_cast<uint32_t>(reinterpret_cast<unsigned char*>(firsts + most_) - args);
  Launch& launch = list.add(key_, blocks, chip_.simt ? 1u << layout_.threads_log2 : 1, args, size);
  launch.grain = static_cast<uint32_t>(std::max<int64_t>(1, 32768 * int64_t{blocks} / elements));
  return true;
}

} // namespace corundum
