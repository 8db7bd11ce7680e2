#include "ops/rows.h"

#include <algorithm>

namespace corundum {
namespace {

int log2_up(int64_t n) {
  int l = 0;
  while ((int64_t{1} << l) < n) ++l;
  return l;
}

constexpr int simd_width = 64;    // elements a chunk of a simd pass
constexpr int simd_narrow = 16;   // the same for rows so short that most of a wide chunk would lie idle
constexpr int lane_elements = 32; // elements a lane of a row that is not kept
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

Status plan_simt_rows(const Chip& chip, const RowsShape& s, RowsPlan* plan) {
  RowsLayout& l = plan->layout;
  const int vector = static_cast<int>(chip.vector_bytes / s.widest);
  l.aligned = s.aligned && s.n % vector == 0;
  l.width = static_cast<uint8_t>(vector);
  const int64_t span = s.n + (l.aligned ? 0 : vector - 1); // with the head that alignment costs
  const int per_lane = s.kept > 0 ? static_cast<int>(128 / s.kept_element) : lane_elements;
  int lanes = std::clamp(log2_up((span + per_lane - 1) / per_lane), 0, 10);
  // A row of few elements still wants neighbours in neighbouring lanes.
  lanes = std::max(lanes, std::min(5, log2_up((span + vector - 1) / vector)));
  const int64_t chunks = (span + (int64_t{vector} << lanes) - 1) / (int64_t{vector} << lanes);
  l.resident = s.kept > 0 && chunks * vector <= per_lane;
  if (s.kept > 0 && !l.resident) lanes = 9;
  if (s.kept == 0) lanes = std::clamp(log2_up(span / (vector * 4)), std::min(5, log2_up((span + vector - 1) / vector)), 8);
  l.chunks = l.resident ? static_cast<uint8_t>(chunks) : 0;
  l.lanes_log2 = static_cast<uint8_t>(lanes);
  l.threads_log2 = static_cast<uint8_t>(std::max(7, lanes));
  const int64_t rows_per_block = int64_t{1} << (l.threads_log2 - l.lanes_log2);
  return grid((s.outer + rows_per_block - 1) / rows_per_block, plan);
}

Status plan_simt_columns(const Chip& chip, const RowsShape& s, RowsPlan* plan) {
  RowsLayout& l = plan->layout;
  l.column = 1;
  int vector = static_cast<int>(std::min<size_t>(chip.vector_bytes / s.widest, 4));
  l.aligned = s.aligned && s.inner % vector == 0;
  if (!l.aligned) vector = 1;
  l.aligned = 1; // single elements always are
  l.width = static_cast<uint8_t>(vector);
  l.threads_log2 = 8;
  // Few columns, or too few blocks for the chip: fewer lanes across, more along.
  int across = std::clamp(log2_up((s.inner + vector - 1) / vector), 0, 5);
  const auto blocks = [&] { return s.outer * ((s.inner + (int64_t{vector} << across) - 1) / (int64_t{vector} << across)); };
  while (across > 3 && blocks() < 2 * chip.multiprocessors) --across;
  l.lanes_log2 = static_cast<uint8_t>(across);
  return grid(blocks(), plan);
}

} // namespace

Status plan_rows(const Chip& chip, const RowsShape& shape, RowsPlan* plan) {
  if (!chip.simt) return plan_simd(chip, shape, plan);
  return shape.column ? plan_simt_columns(chip, shape, plan) : plan_simt_rows(chip, shape, plan);
}

std::string pass_type(const Chip& chip, const RowsLayout& l) {
  std::string s = std::string("using Pass = cor::") + (l.column ? "ColumnPass<" : "RowPass<");
  const auto number = [](int n) { return std::to_string(n); };
  if (!chip.simt) return s + number(l.width) + ", " + number(l.resident) + ">;\n";
  s += number(1 << l.threads_log2) + ", " + number(1 << l.lanes_log2) + ", " + number(l.width);
  if (!l.column) s += ", " + number(l.chunks) + ", " + number(l.aligned);
  return s + ">;\n";
}

std::string entry_tail(const Chip& chip, const RowsLayout&) { return chip.simt ? ")\n" : ", 1)\n"; }

std::string layout_name(const RowsLayout& l) {
  std::string s = l.column ? "columns" : "rows";
  if (l.threads_log2) s += std::to_string(1 << l.lanes_log2) + "of" + std::to_string(1 << l.threads_log2);
  s += "_v" + std::to_string(l.width);
  if (l.chunks) s += "c" + std::to_string(l.chunks);
  if (l.threads_log2 == 0 && l.resident) s += "_resident";
  return l.threads_log2 && !l.aligned ? s + "_ragged" : s;
}

void add_rows(const Chip& chip, const KernelKey& key, const RowsPlan& plan, const void* args, uint32_t size, LaunchList& list) {
  Launch& launch = list.add(key, plan.blocks, chip.simt ? 1u << plan.layout.threads_log2 : 1, args, size);
  launch.shared_bytes = plan.shared_bytes;
  launch.grain = plan.grain;
}

} // namespace corundum
