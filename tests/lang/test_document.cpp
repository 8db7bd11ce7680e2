// The five kernels of docs/kernel-language.md: each text there is compiled in place of the operator's own, on the CPU and on the
// emulators, and gives the same bits.
#include <cstring>
#include <fstream>
#include <functional>
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

// The document's text in place of the operator's own header, or of all that stands before the entry point.
std::string with_block(const std::string& source, const std::string& block) {
  const size_t own = source.find("#include \"ops/");
  if (own == std::string::npos) return block + source.substr(source.rfind("\nCOR_") + 1);
  return source.substr(0, own) + block + source.substr(source.find('\n', own) + 1);
}

// Without comments, includes and empty lines.
int lines_of(const std::string& block) {
  std::istringstream in(block);
  int count = 0;
  for (std::string line; std::getline(in, line);)
    count += !line.empty() && line[0] != '#' && line.find_first_not_of(' ') != line.find("//");
  return count;
}

struct Example {
  const char* name;
  int most_lines; // of operator text
  Status (*plan)(const Chip& chip, void* in, void* out, void* index, LaunchList& list);
};

constexpr int64_t rows = 3, n = 4097, k = 50;
const Example examples[] = {
    {"gelu", 60,
     [](const Chip& chip, void* in, void* out, void*, LaunchList& list) {
       pointwise::Call call{};
       for (const pointwise::Op& op : pointwise::ops)
         if (!std::strcmp(op.name, "gelu")) call.op = &op;
       call.compute = call.out[0].dtype = call.in[0].dtype = Dtype::float32;
       call.out[0].data = out;
       call.in[0].data = in;
       return pointwise::plan_dense(chip, call, rows * n, list);
     }},
    {"softmax", 15,
     [](const Chip& chip, void* in, void* out, void*, LaunchList& list) {
       return softmax::plan(chip, {false, in, Dtype::float32, out, Dtype::float32, rows, n, 1}, list);
     }},
    {"cumsum", 15,
     [](const Chip& chip, void* in, void* out, void*, LaunchList& list) {
       return scan::plan(chip, {scan::Kind::sum, in, Dtype::float32, out, Dtype::float32, rows, n, 1}, list);
     }},
    {"topk", 60,
     [](const Chip& chip, void* in, void* out, void* index, LaunchList& list) {
       return topk::plan(chip, {in, Dtype::float32, rows, n, k, true, out, static_cast<int64_t*>(index)}, list);
     }},
    {"transpose", 10,
     [](const Chip& chip, void* in, void* out, void*, LaunchList& list) {
       const int64_t shape[] = {rows * 17, 241}, unit[] = {4, rows * 17 * 4}, row[] = {241 * 4, 4}; // 17 * 241 = 4097
       return copy::plan_transpose(chip, {4, 2, shape, in, row, out, unit}, list) ? Status() : Status::refuse("no transpose");
     }},
};

class Document : public EachTarget {
 protected:
  // What the launches of a plan leave in the outputs; `edit` changes their texts.
  std::pair<std::vector<float>, std::vector<int64_t>> results(const Example& example,
                                                              const std::function<void(std::string*)>& edit) {
    std::vector<float> x(rows * n);
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>((i * 7919) % 5003) / 500 - 5;
    Guarded<float> in(x.size()), out(x.size());
    Guarded<int64_t> index(rows * k);
    std::memcpy(in.data(), x.data(), x.size() * sizeof(float));
    LaunchList list;
    const Status planned = example.plan(chip(), in.data(), out.data(), index.data(), list);
    EXPECT_TRUE(planned) << planned.reason();
    const Status ran = run_list(chip(), list, edit);
    EXPECT_TRUE(ran) << ran.reason();
    EXPECT_TRUE(in.intact() && out.intact() && index.intact());
    return {{out.data(), out.data() + x.size()}, {index.data(), index.data() + rows * k}};
  }
};

TEST_P(Document, ItsFiveKernelsAreTheOperatorsOwn) {
  for (const Example& example : examples) {
    SCOPED_TRACE(example.name);
    const std::string block = block_of(example.name);
    ASSERT_NE(block, "") << "docs/kernel-language.md has no block ```cpp kernel=" << example.name;
    EXPECT_LE(lines_of(block), example.most_lines);
    const auto own = results(example, [](std::string*) {});
    const auto documented = results(example, [&](std::string* text) { *text = with_block(*text, block); });
    EXPECT_EQ(std::memcmp(own.first.data(), documented.first.data(), own.first.size() * sizeof(float)), 0);
    EXPECT_EQ(own.second, documented.second);
  }
}

FOR_EACH_TARGET_AND_EMULATOR(Document);

} // namespace
} // namespace corundum::test
