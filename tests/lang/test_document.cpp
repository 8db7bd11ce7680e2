// The five kernels of docs/kernel-language.md: each text there is compiled in place of the operator's own, on the CPU and on the
// emulators, and gives the same bits.
#include <cstring>
#include <fstream>
#include <functional>
#include <numeric>
#include <sstream>

#include "conformance/target.h"
#include "lang/support.h"
#include "ops/copy/copy.h"
#include "ops/pointwise/pointwise.h"
#include "ops/scan/scan.h"
#include "ops/softmax/softmax.h"
#include "ops/topk/topk.h"

namespace corundum::test {
namespace {

// The block of the document that begins with "```cpp kernel=<name>".
std::string block_of(const std::string& name) {
  std::ifstream file(KERNEL_LANGUAGE_DOCUMENT);
  std::stringstream all;
  all << file.rdbuf();
  const std::string text = all.str(), fence = "```cpp kernel=" + name + "\n";
  const size_t begin = text.find(fence);
  if (begin == std::string::npos) return "";
  const size_t first = begin + fence.size();
  return text.substr(first, text.find("```", first) - first);
}

// The document's text and then what the planner writes for the chip: the line with types and layout, from `from` on.
std::string with_block(const std::string& source, const std::string& block, const std::string& from) {
  const size_t begin = source.find(from);
  EXPECT_NE(begin, std::string::npos) << source;
  return block + source.substr(begin == std::string::npos ? 0 : begin);
}

struct Example {
  const char* name;
  const char* from; // where the planner's part of the text begins
  int most_lines;   // of the block, comments and includes aside; 0: as it comes
  std::function<Status(const Chip&, const void*, void*, void*, LaunchList&)> plan;
};

constexpr int64_t rows = 3, n = 4097;
void* offset(void* p, int64_t bytes) { return static_cast<char*>(p) + bytes; }

const Example examples[] = {
    {"gelu", "COR_POINTWISE_FLAT", 0,
     [](const Chip& chip, const void* in, void* out, void*, LaunchList& list) {
       pointwise::Call call{};
       for (const pointwise::Op& op : pointwise::ops)
         if (!std::strcmp(op.name, "gelu")) call.op = &op;
       call.compute = call.out[0].dtype = call.in[0].dtype = Dtype::float32;
       call.out[0].data = out;
       call.in[0].data = const_cast<void*>(in);
       return pointwise::plan_dense(chip, call, rows * n, list);
     }},
    {"softmax", "#include \"lang/rows_simt", 15,
     [](const Chip& chip, const void* in, void* out, void*, LaunchList& list) {
       return softmax::plan(chip, {false, in, Dtype::float32, out, Dtype::float32, rows, n, 1}, list);
     }},
    {"cumsum", "using In", 15,
     [](const Chip& chip, const void* in, void* out, void*, LaunchList& list) {
       return scan::plan(chip, {scan::Kind::sum, in, Dtype::float32, out, Dtype::float32, rows, n, 1}, list);
     }},
};

} // namespace
} // namespace corundum::test
