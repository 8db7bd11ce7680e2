#include "ops/rows.h"

#include <algorithm>

namespace corundum {
namespace {

int log2_up(int64_t n) {
  int l = 0;
  while ((int64_t{1} << l) < n) ++l;
  return l;
}

constexpr int simd_width = 64;  // elements a chunk of a simd pass
constexpr int simd_narrow = 16; // the same for rows so short that most of a wide chunk would lie idle
constexpr int64_t task_elements = 32768;

Status grid(int64_t blocks, RowsPlan* plan) {
  if (blocks >= (int64_t{1} << 31)) return Status::refuse("more blocks than a grid holds");
  plan->blocks = static_cast<uint32_t>(blocks);
  return Status();
}

Status plan_simd(const Chip& chip, const RowsShape& s, RowsPlan* plan) {
  RowsLayout& l = plan->layout;
  l.column = s.column;
  const int width = !s.column && s.n < 2 * simd_width ? simd_narrow : simd_width;
  l.width = static_cast<uint8_t>(width);
  const int64_t chunks = s.column ? s.n : (s.n + width - 1) / width;
  const int64_t bytes = chunks * width * static_cast<int64_t>(s.kept);
  l.resident = s.kept > 0 && bytes <= static_cast<int64_t>(chip.l2_bytes / 2);
  plan->shared_bytes = l.resident ? static_cast<uint32_t>(bytes) : 0;
  const int64_t units = s.outer * (s.column ? (s.inner + simd_width - 1) / simd_width : 1);
  const int64_t unit_elements = std::max<int64_t>(1, s.n * (s.column ? simd_width : 1));
  plan->grain = static_cast<uint32_t>(std::max<int64_t>(1, task_elements / unit_elements));
  return grid(units, plan);
}

// Blocks that share a fold, by the bytes that are kept of it: the fewest that leave room for three blocks a multiprocessor, so that
// one loads while another computes. 0: more than a cluster holds.
int choose_cluster(const Chip& chip, int64_t bytes, int64_t fixed) {
  const int64_t room = chip.shared_bytes - fixed;
  uint32_t cluster = 1;
  while (cluster < chip.max_cluster && bytes / cluster > room / 3) cluster *= 2;
  return bytes / cluster <= room ? static_cast<int>(cluster) : 0;
}

Status plan_simt_rows(const Chip& chip, const RowsShape& s, RowsPlan* plan) {
  RowsLayout& l = plan->layout;
  const int access = s.staged > 0 ? 16 : static_cast<int>(chip.vector_bytes);
  const int vector = access / static_cast<int>(s.widest);
  l.aligned = s.aligned && s.n % vector == 0;
  l.width = static_cast<uint8_t>(vector);
  const int64_t chunks = (s.n + (l.aligned ? 0 : vector - 1) + vector - 1) / vector; // with the head that alignment costs
  const int cluster = s.staged > 0 ? choose_cluster(chip, chunks * vector * static_cast<int64_t>(s.staged), 4096) : 0;
  l.resident = cluster > 0;
  l.cluster_log2 = static_cast<uint8_t>(log2_up(std::max(1, cluster)));
  const int64_t mine = (chunks + (1 << l.cluster_log2) - 1) >> l.cluster_log2;
  // Many chunks a lane spread what a lane costs, most of all where it looks for the ends of rows; few rows want more lanes all the
  // same. Neighbouring lanes want neighbours in memory.
  const int64_t per_lane = s.staged == 0 ? 4 : !l.aligned || cluster > 1 ? 16 : s.along || mine <= 1024 ? 4 : 8;
  const int most = std::min(log2_up(mine), l.resident ? 10 : s.staged > 0 ? 9 : 8);
  int lanes = std::clamp(log2_up((mine + per_lane - 1) / per_lane), std::min(l.resident ? 3 : 5, most), most);
  while (l.resident && lanes < most && (s.outer << (lanes + l.cluster_log2)) < int64_t{chip.multiprocessors} * 512) ++lanes;
  l.lanes_log2 = static_cast<uint8_t>(lanes);
  l.threads_log2 = static_cast<uint8_t>(std::max(7, lanes));
  // The chip starts some 300 blocks in a microsecond: a block wants 16 KB, where there are many.
  const auto block_bytes = [&] { return mine * vector * static_cast<int64_t>(s.staged) << (l.threads_log2 - l.lanes_log2); };
  while (l.resident && l.threads_log2 < 8 && block_bytes() < 16384 &&
         s.outer >> (l.threads_log2 + 1 - l.lanes_log2) >= int64_t{16} * chip.multiprocessors)
    ++l.threads_log2;
  if (l.cluster_log2) l.threads_log2 = l.lanes_log2 = static_cast<uint8_t>(std::max(lanes, log2_up(chip.warp_size)));
  const int64_t rows_per_block = int64_t{1} << (l.threads_log2 - l.lanes_log2);
  if (l.resident) plan->shared_bytes = static_cast<uint32_t>(rows_per_block * mine * vector * static_cast<int64_t>(s.staged));
  return grid((s.outer + rows_per_block - 1) / rows_per_block << l.cluster_log2, plan);
}

Status plan_simt_columns(const Chip& chip, const RowsShape& s, RowsPlan* plan) {
  RowsLayout& l = plan->layout;
  l.column = 1;
  const int most = s.staged > 0 ? 16 / static_cast<int>(s.widest) : std::min(static_cast<int>(chip.vector_bytes / s.widest), 4);
  const int vector = s.aligned && s.inner % most == 0 ? most : 1;
  l.aligned = 1; // single elements always are
  l.width = static_cast<uint8_t>(vector);
  l.threads_log2 = 8;
  // Few columns, or too few blocks for the chip: fewer lanes across, more along.
  const int most_across = s.staged > 0 ? std::max(0, 5 - log2_up(vector)) : 5; // staged: 32 columns
  int across = std::clamp(log2_up((s.inner + vector - 1) / vector), 0, most_across);
  const auto blocks = [&] { return s.outer * ((s.inner + (int64_t{vector} << across) - 1) / (int64_t{vector} << across)); };
  while (across > 3 && blocks() < 2 * chip.multiprocessors) --across;
  const auto step = [&] { return (int64_t{vector} << across) * static_cast<int64_t>(s.staged); };
  const auto choose = [&] { return step() > 0 ? choose_cluster(chip, s.n * step(), 32 * 1024) : 0; };
  int cluster = choose();
  while (step() > 64 && (cluster == 0 || cluster > 8)) --across, cluster = choose(); // long columns: narrower stretches
  l.lanes_log2 = static_cast<uint8_t>(across);
  l.resident = cluster > 0;
  l.cluster_log2 = static_cast<uint8_t>(log2_up(std::max(1, cluster)));
  if (cluster > 1) l.threads_log2 = 9;
  if (l.resident) plan->shared_bytes = static_cast<uint32_t>((s.n + cluster - 1) / cluster * step());
  return grid(blocks() << l.cluster_log2, plan);
}

} // namespace

Status plan_rows(const Chip& chip, const RowsShape& shape, RowsPlan* plan) {
  if (!chip.simt) return plan_simd(chip, shape, plan);
  return shape.column ? plan_simt_columns(chip, shape, plan) : plan_simt_rows(chip, shape, plan);
}

std::string pass_type(const Chip& chip, const RowsLayout& l) {
  const std::string s = std::string("using Pass = cor::") + (l.column ? "ColumnPass<" : "RowPass<");
  const auto number = [](int n) { return std::to_string(n); };
  if (!chip.simt) return s + number(l.width) + ", " + number(l.resident) + ">;\n";
  return (l.column ? "#include \"lang/rows_simt_column.h\"\n" : "#include \"lang/rows_simt_row.h\"\n") + s +
         number(1 << l.threads_log2) + ", " + number(1 << l.lanes_log2) + ", " + number(l.width) + ", " + number(l.resident) +
         (l.column ? "" : ", " + number(l.aligned)) + ", " + number(1 << l.cluster_log2) + ">;\n";
}

std::string entry_tail(const Chip& chip, const RowsLayout&) { return chip.simt ? ")\n" : ", 1)\n"; }

std::string layout_name(const RowsLayout& l) {
  std::string s = l.column ? "columns" : "rows";
  if (l.threads_log2) s += std::to_string(1 << l.lanes_log2) + "of" + std::to_string(1 << l.threads_log2);
  s += "_v" + std::to_string(l.width);
  if (l.cluster_log2) s += "c" + std::to_string(1 << l.cluster_log2);
  if (l.resident) s += "_resident";
  return l.threads_log2 && !l.aligned ? s + "_ragged" : s;
}

void add_rows(const Chip& chip, const KernelKey& key, const RowsPlan& plan, const void* args, uint32_t size, LaunchList& list) {
  Launch& launch = list.add(key, plan.blocks, chip.simt ? 1u << plan.layout.threads_log2 : 1, args, size);
  launch.shared_bytes = plan.shared_bytes;
  launch.cluster = 1u << plan.layout.cluster_log2;
  launch.grain = plan.grain;
}

} // namespace corundum
