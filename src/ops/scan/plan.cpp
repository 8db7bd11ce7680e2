#include <algorithm>

#include "core/args.h"
#include "core/family.h"
#include "ops/scan/scan.h"

namespace corundum::scan {
namespace {

enum Order : uint8_t { whole, pieces, segments };                   // cor::Order
enum Phase : uint8_t { scans, folds_pieces, scans_pieces, clears }; // which kernel of the text

struct KeyBytes {
  uint8_t kind, in, out, state, phase, order, threads_log2, items, columns;
};
static_assert(sizeof(KeyBytes) <= sizeof(KernelKey::bytes));

constexpr const char* names[] = {"cumsum"};
constexpr const char* monoids[] = {"CumSum"};

const DtypeInfo& dtype(uint8_t d) { return info(static_cast<Dtype>(d)); }

class ScanFamily : public Family {
 public:
  ScanFamily() : Family("scan") {}

  KernelSource source(const KernelKey& key, const Chip&) const override {
    static constexpr const char* orders[] = {"whole", "pieces", "segments"};
    static constexpr const char* bodies[] = {"cumulate<M, In, Out>", "fold_pieces<M, In>", "cumulate_pieces<M, In>"};
    const KeyBytes k = unpack(key);
    const auto type = [](const char* name, const std::string& is) { return std::string("using ") + name + " = " + is + ";\n"; };
    const std::string entry = "corundum_" + name_of(key);
    if (k.phase == clears) return {entry, "#include \"lang/clear.h\"\nCOR_CLEAR(" + entry + ", 256)\n"};
    std::string text = "#include \"ops/scan/scan.kernel.h\"\n";
    text += type("In", dtype(k.in).kernel_type) + type("Out", dtype(k.out).kernel_type);
    text += type("M", std::string(monoids[k.kind]) + "<In, " + dtype(k.state).kernel_type + ">");
    text += type("Blocks", "cor::Walk<" + std::to_string(1 << k.threads_log2) + ", " + std::to_string(k.items) + ", " +
                               std::to_string(k.columns) + ", cor::Order::" + orders[k.order] + ">");
    text += std::string("#define BODY ") + bodies[k.phase] + "\n";
    return {entry, text + "COR_BLOCKS(" + entry + ", Blocks, cor::WalkArgs, (BODY))\n"};
  }
  std::string describe(const KernelKey& key) const override { return "scan/" + name_of(key); }

 private:
  static KeyBytes unpack(const KernelKey& key) {
    KeyBytes k;
    std::memcpy(&k, key.bytes, sizeof k);
    return k;
  }
  static std::string name_of(const KernelKey& key) {
    static constexpr const char *orders[] = {"", "_pieces", "_segments"}, *phases[] = {"", "_fold", "_sums"};
    const KeyBytes k = unpack(key);
    if (k.phase == clears) return "clear";
    return std::string(names[k.kind]) + phases[k.phase] + "_" + dtype(k.in).short_name + "_to_" + dtype(k.out).short_name +
           orders[k.order] + "_" + std::to_string(1 << k.threads_log2) + "x" + std::to_string(k.items) +
           (k.columns > 1 ? "_columns" + std::to_string(k.columns) : "");
  }
};
const ScanFamily family_instance;

Dtype state_of(const Chip& chip, Dtype out) {
  if (is_integral(out)) return Dtype::int64;
  return out == Dtype::float64 || (out == Dtype::float32 && !chip.simt) ? Dtype::float64 : Dtype::float32;
}

int log2_up(int64_t n) {
  int l = 0;
  while ((int64_t{1} << l) < n) ++l;
  return l;
}
int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

struct Layout {
  KeyBytes key;
  int64_t blocks, pieces = 1, per_block = 1;
  uint32_t grain = 1;
};

Status add_launch(const Call& call, const Layout& l, int64_t n, LaunchList& list) {
  if (l.blocks >= int64_t{1} << 31) return Status::refuse("more blocks than a grid holds");
  KernelKey key;
  key.family = family_instance.id();
  std::memcpy(key.bytes, &l.key, sizeof l.key);
  ArgsWriter args;
  for (int64_t v : {l.blocks, call.outer, n, call.inner, l.pieces, l.per_block}) args.put(v);
  args.put(static_cast<const void*>(nullptr));
  args.put(call.in);
  args.put(static_cast<const void*>(call.out));
  Launch& launch = list.add(key, static_cast<uint32_t>(l.blocks), 1u << l.key.threads_log2, args.data(), args.size());
  launch.grain = l.grain;
  if (l.key.order == pieces || l.key.phase == scans_pieces) launch.workspace_at = 6 * 8;
  return Status();
}

// --- GPUs ------------------------------------------------------------------------------------------------------------------------

constexpr int wide_columns = 32; // cor::wide_columns

// Words of 8 bytes that cor::LookBack wants for a sequence and a column: each piece, window, and window of windows has a state.
uint64_t look_back_words(int64_t pieces, Dtype state) {
  const int64_t windows = divide_up(pieces, 32);
  return static_cast<uint64_t>(pieces + windows + divide_up(windows, 32)) * (size_of(state) / 4);
}

// Shared memory that tiles wait in: of the input, and of the output unless its elements are as large (lang/block_simt.h).
int64_t staged_bytes(const Layout& l, int64_t items) {
  const auto in = static_cast<int64_t>(dtype(l.key.in).size), out = static_cast<int64_t>(dtype(l.key.out).size);
  return (items << l.key.threads_log2) * (in == out ? out : in + out) * 73 / 64;
}
constexpr int64_t most_staged = 40 * 1024; // of the 48 KB that need not be asked for; folds want some, too

// Lanes and their elements: a tile is 16 KB, or twice that where `most` of a lane's elements are asked for.
struct Lanes {
  int threads_log2, items, granule, most;
};
Lanes lanes_for(const Call& call, Dtype state, bool narrow_blocks) {
  if (size_of(state) > 4) return {8, 8, 8, 16};
  if (size_of(call.out_dtype) == 2) return {narrow_blocks ? 7 : 8, 32, 8, 64};
  return {8, 16, 4, 32};
}

// Zeroes the whole workspace.
void add_clear(LaunchList& list) {
  constexpr uint32_t threads = 256;
  const auto words = static_cast<int64_t>(list.workspace_bytes / 8);
  KeyBytes k{};
  k.phase = clears;
  KernelKey key;
  key.family = family_instance.id();
  std::memcpy(key.bytes, &k, sizeof k);
  ArgsWriter args;
  args.put(static_cast<const void*>(nullptr));
  args.put(words);
  list.add(key, static_cast<uint32_t>(divide_up(words, threads)), threads, args.data(), args.size()).workspace_at = 0;
}

Status plan_simt(const Chip& chip, const Call& call, Layout l, LaunchList& list) {
  const auto state = static_cast<Dtype>(l.key.state);
  const int64_t piece = static_cast<int64_t>(16 / size_of(call.out_dtype)); // elements of a wide access
  const bool is_row = call.inner == 1;
  l.key.columns = static_cast<uint8_t>(is_row ? 1 : call.inner > wide_columns / 2 ? wide_columns : 1 << log2_up(call.inner));
  const int64_t groups = l.key.columns == wide_columns ? divide_up(call.inner, wide_columns) : 1;
  const int64_t sequences = call.outer * groups;
  // Rows begin at the aligned-down address; what that costs is there once a row.
  const bool aligned = reinterpret_cast<uintptr_t>(call.out) % 16 == 0 && (call.outer == 1 || call.n % piece == 0);
  const int64_t span = call.n + (is_row && !aligned ? piece - 1 : 0);
  const bool many = sequences >= int64_t{8} * chip.multiprocessors;
  const Lanes lanes = lanes_for(call, state, is_row && many);
  l.key.threads_log2 = static_cast<uint8_t>(lanes.threads_log2);
  const auto tile = [&](int64_t items) { return (items << lanes.threads_log2) / l.key.columns; };
  const auto tiles = [&](int64_t items) { return divide_up(span, tile(items)); };
  int64_t items = lanes.items;
  if (staged_bytes(l, lanes.most) <= most_staged) {
    if (is_row && tiles(items) > 1 && tiles(lanes.most) == 1) // a row that fits is one tile
      items = divide_up(divide_up(span, int64_t{1} << lanes.threads_log2), lanes.granule) * lanes.granule;
    else if (!many && tiles(lanes.most) > 1 && tiles(lanes.most) * sequences >= int64_t{3} * chip.multiprocessors)
      items = lanes.most;
  }
  l.key.items = static_cast<uint8_t>(items);
  if (span <= tile(items) / 2) {
    l.key.order = segments;
    l.per_block = (tile(items) - (span - call.n)) / call.n;
    if (l.per_block > piece) l.per_block -= l.per_block % piece; // the next tile is aligned, too
    l.blocks = divide_up(call.outer, l.per_block) * groups;
  } else if (tiles(items) == 1 || many) {
    l.blocks = sequences;
  } else {
    l.key.order = pieces;
    l.pieces = tiles(items);
    l.blocks = sequences * l.pieces;
    list.workspace_bytes = 128 + static_cast<uint64_t>(sequences * l.key.columns) * look_back_words(l.pieces, state) * 8;
    add_clear(list);
  }
  if (Status s = add_launch(call, l, call.n, list); !s) return s;
  // Blocks load their tiles while the words that they look back at are zeroed.
  list[list.size() - 1].early = l.key.order == pieces && chip.max_cluster > 1; // as old as clusters
  return Status();
}

// --- CPUs ------------------------------------------------------------------------------------------------------------------------

constexpr int64_t task_elements = 32768;

Status plan_simd(const Chip& chip, Call call, Layout l, LaunchList& list) {
  if (call.n == 1) { // nothing is added: all elements lie side by side
    call.inner *= call.outer;
    call.outer = 1;
  }
  l.key.threads_log2 = 0;
  l.key.columns = call.inner == 1 ? 1 : call.inner <= 8 ? 8 : 64;
  l.key.items = call.inner == 1 ? 128 : call.inner <= 8 ? 128 : 16;
  if (call.inner == 1) l.key.threads_log2 = 3;
  const int64_t groups = divide_up(call.inner, l.key.columns), sequences = call.outer * groups;
  const int64_t elements = call.n * std::min<int64_t>(call.inner, l.key.columns); // of a block
  l.blocks = sequences;
  l.grain = static_cast<uint32_t>(std::max<int64_t>(1, task_elements / elements));
  const int64_t threads = chip.multiprocessors;
  if (threads == 1 || sequences >= threads || elements < 4 * task_elements) return add_launch(call, l, call.n, list);

  l.pieces = std::min(divide_up(2 * threads, sequences), elements / task_elements);
  l.per_block = divide_up(call.n, l.pieces);
  l.pieces = divide_up(call.n, l.per_block);
  l.blocks = sequences * l.pieces;
  l.key.order = pieces;
  list.workspace_bytes = static_cast<uint64_t>(call.outer * l.pieces * call.inner) * size_of(static_cast<Dtype>(l.key.state));
  l.key.phase = folds_pieces;
  if (Status s = add_launch(call, l, call.n, list); !s) return s;
  Layout sums = l;
  sums.key.phase = scans_pieces;
  sums.key.order = whole;
  sums.key.in = sums.key.out = l.key.state;
  sums.blocks = sequences;
  if (Status s = add_launch(call, sums, l.pieces, list); !s) return s;
  l.key.phase = scans;
  return add_launch(call, l, call.n, list);
}

} // namespace

Status plan(const Chip& chip, const Call& call, LaunchList& list) {
  const auto covered = [](Dtype d) { return d <= Dtype::int64 || (d >= Dtype::float16 && d <= Dtype::float64); };
  if (!covered(call.in_dtype) || !covered(call.out_dtype)) return Status::refuse("no kernel for this dtype");
  if (is_integral(call.out_dtype) && is_floating(call.in_dtype)) return Status::refuse("a sum of floats as integers");
  if (call.outer == 0 || call.n == 0 || call.inner == 0) return Status();
  Layout l{};
  l.pieces = l.per_block = 1;
  l.key.kind = static_cast<uint8_t>(call.kind);
  l.key.in = static_cast<uint8_t>(call.in_dtype);
  l.key.out = static_cast<uint8_t>(call.out_dtype);
  l.key.state = static_cast<uint8_t>(state_of(chip, call.out_dtype));
  return chip.simt ? plan_simt(chip, call, l, list) : plan_simd(chip, call, l, list);
}

} // namespace corundum::scan
