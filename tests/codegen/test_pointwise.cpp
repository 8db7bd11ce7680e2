// The parts of lang/maths/: each compiles by itself, and an expression that names one of its functions gets it included.
#include "codegen/pointwise.h"

#include <regex>
#include <set>

#include "jit/language.h"
#include "lang/support.h"

namespace corundum::test {
namespace {

constexpr std::string_view folder = "lang/maths/";

std::string text_of(const std::string& expression) {
  codegen::PointwiseText t{};
  t.entry = "entry";
  t.expression = expression;
  t.scalar = t.common = "float";
  t.outputs = {{"float", "float"}};
  t.inputs.assign(2, {"float", "float", codegen::Kind::contiguous});
  t.layout = codegen::Layout::flat;
  return codegen::pointwise_text(t, *known_chip("avx2"));
}

// Functions by the header that makes them for numbers; basic.h is always there.
std::set<std::pair<std::string, std::string>> functions() {
  static const std::regex made(R"((?:COR_FUNCTION|COR_FUNCTION_2|COR_UNARY)\((\w+))");
  std::set<std::pair<std::string, std::string>> found;
  for (int i = 0; i < embedded_file_count; ++i) {
    const std::string name = embedded_files[i].name, text = embedded_files[i].text;
    if (name.rfind(folder, 0) != 0 || name == "lang/maths/basic.h") continue;
    for (std::sregex_iterator it(text.begin(), text.end(), made), end; it != end; ++it) found.insert({(*it)[1], name});
  }
  return found;
}

TEST(PointwiseText, IncludesWhatItsExpressionCalls) {
  EXPECT_GE(functions().size(), 30u);
  for (const auto& [function, header] : functions()) {
    EXPECT_NE(text_of(function + "(x)").find("#include \"" + header + "\""), std::string::npos) << function;
    EXPECT_EQ(text_of("not_" + function + "(x)").find(folder), std::string::npos) << function;
  }
  EXPECT_EQ(text_of("x + y").find(folder), std::string::npos);
}

TEST(PointwiseText, EveryPartStandsAlone) {
  int parts = 0;
  for (int i = 0; i < embedded_file_count; ++i) {
    const std::string name = embedded_files[i].name;
    if (name.rfind(folder, 0) != 0) continue;
    ++parts;
    EXPECT_NO_THROW(compile_text("avx2", "#include \"" + name + "\"\nextern \"C\" void entry(const void*, long, long, void*) {}\n"))
        << name;
  }
  EXPECT_GE(parts, 10);
}

} // namespace
} // namespace corundum::test
