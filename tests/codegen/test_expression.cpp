// Users' expressions: what gets through, what does not and where the message points, and what becomes of them.
#include "codegen/expression.h"

#include <gtest/gtest.h>

namespace corundum::codegen {
namespace {

const std::vector<ExpressionName> names = {{"x"}, {"y"}, {"mask", true}, {"alpha"}};

std::string text_of(const std::string& expression, bool integral = false) {
  return Expression("f", expression, names).kernel_text("T", integral, [](int i) { return "v" + std::to_string(i); });
}

// The character that the message names, from 1, and the rest of its first line.
std::pair<int, std::string> error_of(const std::string& expression) {
  try {
    Expression("f", expression, names);
  } catch (const ExpressionError& e) {
    const std::string message = e.what(), head = "f, character ";
    EXPECT_EQ(message.rfind(head, 0), 0u) << message;
    size_t digits = 0;
    const int position = std::stoi(message.substr(head.size()), &digits);
    const size_t end = message.find('\n');
    const size_t last = message.rfind('\n');
    if (expression.size() < 40) { // the caret
      EXPECT_EQ(message.size() - last - 1, static_cast<size_t>(position) + 2) << message;
    }
    return {position, message.substr(head.size() + digits + 2, end - head.size() - digits - 2)};
  }
  return {0, ""};
}

TEST(Expression, BecomesKernelText) {
  EXPECT_EQ(text_of("x+y*alpha"), "(v0 + (v1 * v3))");
  EXPECT_EQ(text_of("(x + y) * 2"), "((v0 + v1) * T(2.))");
  EXPECT_EQ(text_of("x - y - 1e-3"), "((v0 - v1) - T(1e-3))");
  EXPECT_EQ(text_of("-x + +y"), "((-v0) + v1)");
  EXPECT_EQ(text_of("x > 0 ? x : mask"), "((v0 > T(0.)) ? v0 : T(v2))");
  EXPECT_EQ(text_of("x * (y > 1)"), "(v0 * T((v1 > T(1.))))");
  EXPECT_EQ(text_of("!mask && x == y || mask"), "((!v2 && (v0 == v1)) || v2)");
  EXPECT_EQ(text_of("where(mask, x, max(y, 007))"), "(v2 ? v0 : maximum(v1, T(7.)))");
  EXPECT_EQ(text_of("sigmoid(x)"), "expression::logistic(exp(-v0))");
  EXPECT_EQ(text_of("sigmoid(x + y)"), "expression::logistic(exp(-(v0 + v1)))");
  EXPECT_EQ(text_of("x / 3", true), "div_trunc(v0, T(3))");
  EXPECT_EQ(text_of("x & ~3 | 8", true), "((v0 & (~T(3))) | T(8))");
  EXPECT_EQ(text_of("a"
                    "bs(x)"),
            "abs(v0)");
}

TEST(Expression, KnowsWhatItNeeds) {
  const auto parse = [](const char* text) { return Expression("f", text, names); };
  EXPECT_TRUE(parse("exp(x)").needs_floats());
  EXPECT_TRUE(parse("x * 0.5").needs_floats());
  EXPECT_FALSE(parse("x * 2 + max(x, y)").needs_floats());
  EXPECT_TRUE(parse("x & y").needs_integers());
  EXPECT_FALSE(parse("(x > 0) & (y > 0)").needs_integers());
  EXPECT_TRUE(parse("x > 0").is_bool());
  EXPECT_TRUE(parse("mask ? x > 0 : y > 0").is_bool());
  EXPECT_TRUE(parse("isnan(x)").is_bool());
  EXPECT_FALSE(parse("x").is_bool());
  EXPECT_TRUE(parse("x * 2").uses(0));
  EXPECT_FALSE(parse("x * 2").uses(1));
}

TEST(Expression, IsTheSameWhateverItsBlanksAre) {
  EXPECT_EQ(Expression("f", "x+ y *\t2", names).canonical(), Expression("g", " (x) + (y*2)", names).canonical());
  EXPECT_NE(Expression("f", "x + y * 2", names).canonical(), Expression("f", "(x + y) * 2", names).canonical());
  EXPECT_NE(Expression("f", "x + 2", names).canonical(), Expression("f", "x + 2.", names).canonical());
}

TEST(Expression, PointsAtThePlace) {
  using Error = std::pair<int, std::string>;
  EXPECT_EQ(error_of("x / (1 + expp(-x))"), Error(10, "there is no function 'expp'; did you mean 'exp'?"));
  EXPECT_EQ(error_of("x * alhpa"), Error(5, "there is no argument 'alhpa'; did you mean 'alpha'?"));
  EXPECT_EQ(error_of("x * (y + 1"), Error(5, "')' is missing at the end, which belongs here"));
  EXPECT_EQ(error_of("x + y)"), Error(6, "this bracket closes nothing"));
  EXPECT_EQ(error_of("x +"), Error(4, "the expression ends too early"));
  EXPECT_EQ(error_of(""), Error(1, "the expression is empty"));
  EXPECT_EQ(error_of("x + * y"), Error(5, "a number, a name or a bracket is missing before '*'"));
  EXPECT_EQ(error_of("pow(x)"), Error(1, "'pow' takes 2 arguments, not 1"));
  EXPECT_EQ(error_of("exp + 1"), Error(1, "the function 'exp' wants its arguments in brackets"));
  EXPECT_EQ(error_of("2x"), Error(2, "a number ends here; an operator is missing"));
  EXPECT_EQ(error_of("x y"), Error(3, "an operator is missing here"));
  EXPECT_EQ(error_of("x % y").first, 3);
  EXPECT_EQ(error_of("x = y").first, 3);
  EXPECT_EQ(error_of("x << 2").first, 3);
  EXPECT_EQ(error_of("x ? y").first, 3);
  EXPECT_EQ(error_of("1e999"), Error(1, "this number is too large"));
  EXPECT_EQ(error_of("0x10").first, 2);
  EXPECT_EQ(error_of("1.5f").first, 4);
}

// Nothing but the grammar gets into a kernel's text.
TEST(Expression, NothingIsSmuggledIn) {
  for (const char* text : {"x; y",       "x, y",           "x {",      "x } y",     "\"x\"",     "'x'",      "x\\\ny",
                           "#define x",  "x /* y */",      "x // y",   "x[0]",      "x.y",       "x->y",     "cor::exp(x)",
                           "x::y",       "x ? y : asm(x)", "asm(x)",   "system(x)", "sizeof(x)", "(float)x", "x, exp(y)",
                           "x++ + y[0]", "x += y",         "x @ y",    "x $ y",     "x \x01 y",  "\xc3\xa9", "__builtin_trap()",
                           "[&]{}()",    "x <: y",         "new int",  "R\"(x)\"",  "u8",        "return x", "x ? : y",
                           "x <=> y",    "T(x)",           "float(x)", "exp"})
    EXPECT_NE(error_of(text).first, 0) << text;
  // C++ would see more in these than we do.
  EXPECT_EQ(text_of("x---y"), "(v0 - (-(-v1)))");
  EXPECT_EQ(text_of("x+ +y"), "(v0 + v1)");
  EXPECT_EQ(text_of("x / +y"), "(v0 / v1)");
}

TEST(Expression, HasLimits) {
  EXPECT_NE(error_of(std::string(50, '(') + "x" + std::string(50, ')')).first, 1);
  EXPECT_NE(error_of(std::string(2000, '(') + "x" + std::string(2000, ')')).second.find("levels"), std::string::npos);
  EXPECT_NE(error_of(std::string(2000, '-') + "x").second.find("levels"), std::string::npos);
  EXPECT_NE(error_of(std::string(5000, ' ') + "x").second.find("characters"), std::string::npos);
  std::string sum = "x";
  for (int i = 0; i < 1000; ++i) sum += " + y";
  EXPECT_EQ(error_of(sum).first, 0);
}

} // namespace
} // namespace corundum::codegen
