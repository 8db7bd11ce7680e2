#include "codegen/expression.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace corundum::codegen {
namespace {

enum class Takes : uint8_t { numbers, floats };
enum class Gives : uint8_t { number, condition };

struct Function {
  std::string_view name;
  int arguments;
  Takes takes;
  Gives gives;
  std::string_view kernel_name; // empty: the same. With a $: the whole call, where $ is the argument
};
constexpr Takes numbers = Takes::numbers, floats = Takes::floats;
constexpr Gives number = Gives::number, condition = Gives::condition;
constexpr Function functions[] = {
    {"abs", 1, numbers, number, ""},
    {"acos", 1, floats, number, ""},
    {"acosh", 1, floats, number, ""},
    {"asin", 1, floats, number, ""},
    {"asinh", 1, floats, number, ""},
    {"atan", 1, floats, number, ""},
    {"atan2", 2, floats, number, ""},
    {"atanh", 1, floats, number, ""},
    {"cbrt", 1, floats, number, ""},
    {"ceil", 1, floats, number, "expression::ceil"},
    {"clamp", 3, numbers, number, "expression::clamp"},
    {"copysign", 2, floats, number, ""},
    {"cos", 1, floats, number, ""},
    {"cosh", 1, floats, number, ""},
    {"digamma", 1, floats, number, ""},
    {"div_floor", 2, numbers, number, ""},
    {"div_trunc", 2, numbers, number, ""},
    {"erf", 1, floats, number, ""},
    {"erfc", 1, floats, number, ""},
    {"erfinv", 1, floats, number, ""},
    {"exp", 1, floats, number, ""},
    {"exp2", 1, floats, number, ""},
    {"expm1", 1, floats, number, ""},
    {"floor", 1, floats, number, "native::floor"},
    {"fmod", 2, floats, number, ""},
    {"gelu_erf", 1, floats, number, ""},
    {"gelu_erf_derivative", 1, floats, number, ""},
    {"gelu_tanh", 1, floats, number, ""},
    {"gelu_tanh_derivative", 1, floats, number, ""},
    {"hypot", 2, floats, number, ""},
    {"isfinite", 1, floats, condition, "expression::isfinite"},
    {"isinf", 1, floats, condition, "expression::isinf"},
    {"isnan", 1, floats, condition, "expression::isnan"},
    {"lgamma", 1, floats, number, ""},
    {"log", 1, floats, number, ""},
    {"log10", 1, floats, number, ""},
    {"log1p", 1, floats, number, ""},
    {"log2", 1, floats, number, ""},
    {"max", 2, numbers, number, "maximum"},
    {"maximum", 2, numbers, number, ""},
    {"min", 2, numbers, number, "minimum"},
    {"minimum", 2, numbers, number, ""},
    {"normal_cdf", 1, floats, number, ""},
    {"pow", 2, floats, number, ""},
    {"reciprocal", 1, floats, number, "expression::reciprocal"},
    {"remainder", 2, numbers, number, ""},
    {"round", 1, floats, number, "native::rint"},
    {"rsqrt", 1, floats, number, ""},
    {"sigmoid", 1, floats, number, "expression::logistic(exp(-$))"},
    {"sign", 1, numbers, number, "expression::sign"},
    {"sin", 1, floats, number, ""},
    {"sinh", 1, floats, number, ""},
    {"sqrt", 1, floats, number, ""},
    {"tan", 1, floats, number, ""},
    {"tanh", 1, floats, number, ""},
    {"trunc", 1, floats, number, "native::trunc"},
};

constexpr size_t longest = 4096; // characters
constexpr int deepest = 100;     // brackets, signs and conditionals within each other

struct Level {
  std::vector<std::string_view> operators;
  bool gives_condition; // of numbers: comparisons, && and ||
};
// From what binds least to what binds most.
const Level levels[] = {{{"||"}, true},
                        {{"&&"}, true},
                        {{"|"}, false},
                        {{"^"}, false},
                        {{"&"}, false},
                        {{"==", "!="}, true},
                        {{"<=", ">=", "<", ">"}, true},
                        {{"+", "-"}, false},
                        {{"*", "/"}, false}};
constexpr int level_count = static_cast<int>(std::size(levels));

bool begins_name(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool in_name(char c) { return begins_name(c) || std::isdigit(static_cast<unsigned char>(c)); }
bool is_bitwise(std::string_view op) { return op == "&" || op == "|" || op == "^" || op == "~"; }

// The name that differs least, where that is not much.
std::string nearest(std::string_view name, const std::vector<ExpressionName>& names) {
  std::string best;
  size_t best_distance = 3;
  const auto look = [&](std::string_view other) {
    size_t row[64], n = std::min<size_t>(other.size(), 63);
    for (size_t j = 0; j <= n; ++j) row[j] = j;
    for (size_t i = 1; i <= name.size(); ++i) {
      size_t diagonal = std::exchange(row[0], i);
      for (size_t j = 1; j <= n; ++j) {
        const size_t changed = diagonal + (name[i - 1] != other[j - 1]);
        diagonal = row[j];
        row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
      }
    }
    if (row[n] < std::min(best_distance, name.size())) {
      best_distance = row[n];
      best = other;
    }
  };
  for (const ExpressionName& n : names) look(n.name);
  for (const Function& f : functions) look(f.name);
  return best.empty() ? "" : "; did you mean '" + best + "'?";
}

} // namespace

void fail_at(std::string_view where, std::string_view text, size_t position, const std::string& message) {
  constexpr size_t before = 60, after = 40;
  const size_t begin = position > before ? position - before : 0, end = std::min(text.size(), position + after);
  std::string line = begin > 0 ? "..." : "", caret(line.size(), ' ');
  for (size_t i = begin; i < end; ++i) line += std::isprint(static_cast<unsigned char>(text[i])) ? text[i] : ' ';
  if (end < text.size()) line += "...";
  caret.append(position - begin, ' ');
  throw ExpressionError(std::string(where) + ", character " + std::to_string(position + 1) + ": " + message + "\n  " + line +
                        "\n  " + caret + "^");
}

class Parser {
 public:
  using Kind = Expression::Kind;
  using Node = Expression::Node;

  Parser(Expression& result, std::string_view where, std::string_view text, const std::vector<ExpressionName>& names)
      : result_(result), where_(where), text_(text), names_(names) {}

  void run() {
    if (text_.size() > longest) fail(longest, "an expression has at most " + std::to_string(longest) + " characters");
    result_.root_ = conditional();
    skip_blanks();
    if (at_ < text_.size()) fail(at_, unexpected());
  }

 private:
  [[noreturn]] void fail(size_t position, const std::string& message) const { fail_at(where_, text_, position, message); }

  std::string unexpected() const {
    const char c = text_[at_];
    if (c == '%') return "there is no operator %; write remainder(x, y) or fmod(x, y)";
    if (c == '=') return "there is no assignment; == compares";
    if (text_.substr(at_, 2) == "<<" || text_.substr(at_, 2) == ">>") return "there are no shifts";
    if (c == ')') return "this bracket closes nothing";
    if (begins_name(c) || std::isdigit(static_cast<unsigned char>(c)) || c == '(' || c == '.') return "an operator is missing here";
    if (std::isprint(static_cast<unsigned char>(c))) return std::string("'") + c + "' is not allowed in an expression";
    return "this character is not allowed in an expression";
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c, size_t opened) {
    if (take(c)) return;
    if (at_ >= text_.size()) fail(opened, std::string("'") + c + "' is missing at the end, which belongs here");
    fail(at_, unexpected());
  }

  int add(Node node) {
    result_.nodes_.push_back(std::move(node));
    return static_cast<int>(result_.nodes_.size()) - 1;
  }
  bool is_bool(int node) const { return result_.nodes_[node].is_bool; }

  int conditional() {
    struct Depth {
      int& depth;
      ~Depth() { --depth; }
    } const scope{depth_};
    if (++depth_ > deepest) fail(at_, "more than " + std::to_string(deepest) + " levels within each other");
    const int condition = binary(0);
    skip_blanks();
    const size_t question = at_;
    if (!take('?')) return condition;
    const int yes = conditional();
    expect(':', question);
    const int no = conditional();
    return add({Kind::conditional, is_bool(yes) && is_bool(no), 0, "?:", {condition, yes, no}});
  }

  // The operator of this level that stands here, and no longer one's beginning.
  std::string_view operator_of(int level) const {
    for (std::string_view op : levels[level].operators) {
      if (text_.substr(at_, op.size()) != op) continue;
      const char next = at_ + op.size() < text_.size() ? text_[at_ + op.size()] : ' ';
      const bool is_longer = (op == "|" && next == '|') || (op == "&" && next == '&') || (op == "<" && next == '<') ||
                             (op == ">" && next == '>') || next == '=';
      if (!is_longer) return op;
    }
    return {};
  }

  int binary(int level) {
    if (level == level_count) return unary();
    int left = binary(level + 1);
    for (;;) {
      skip_blanks();
      const std::string_view op = operator_of(level);
      if (op.empty()) return left;
      at_ += op.size();
      const int right = binary(level + 1);
      const bool of_conditions = is_bool(left) && is_bool(right);
      if (is_bitwise(op) && !of_conditions) result_.needs_integers_ = true;
      left = add(
          {Kind::binary, levels[level].gives_condition || (is_bitwise(op) && of_conditions), 0, std::string(op), {left, right}});
    }
  }

  int unary() {
    struct Depth {
      int& depth;
      ~Depth() { --depth; }
    } const scope{depth_};
    if (++depth_ > deepest) fail(at_, "more than " + std::to_string(deepest) + " levels within each other");
    skip_blanks();
    for (const char op : {'-', '+', '!', '~'}) {
      if (!take(op)) continue;
      const int operand = unary();
      if (op == '+') return operand;
      if (op == '~' && !is_bool(operand)) result_.needs_integers_ = true;
      const bool gives_condition = op == '!' || (op == '~' && is_bool(operand));
      return add({Kind::unary, gives_condition, 0, gives_condition ? "!" : std::string(1, op), {operand}});
    }
    return primary();
  }

  int primary() {
    skip_blanks();
    if (at_ >= text_.size()) fail(at_, text_.empty() ? "the expression is empty" : "the expression ends too early");
    const size_t start = at_;
    const char c = text_[at_];
    if (take('(')) {
      const int inner = conditional();
      expect(')', start);
      return inner;
    }
    if (std::isdigit(static_cast<unsigned char>(c)) || c == '.') return number();
    if (begins_name(c)) return name();
    fail(at_, c == ')' || c == ',' || c == ':' || c == '?' || c == '*' || c == '/' || c == '<' || c == '>' || c == '=' ||
                      c == '&' || c == '|' || c == '^'
                  ? std::string("a number, a name or a bracket is missing before '") + c + "'"
                  : unexpected());
  }

  size_t digits() {
    const size_t start = at_;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_]))) ++at_;
    return at_ - start;
  }
  int number() {
    const size_t start = at_;
    bool is_whole = true;
    size_t count = digits();
    if (at_ < text_.size() && text_[at_] == '.') {
      is_whole = false;
      ++at_;
      count += digits();
    }
    if (count == 0) fail(start, "a number has at least one digit");
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      is_whole = false;
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (digits() == 0) fail(start, "the exponent of this number has no digits");
    }
    if (at_ < text_.size() && in_name(text_[at_])) fail(at_, "a number ends here; an operator is missing");
    std::string text(text_.substr(start, at_ - start));
    if (text.size() > 64 || !std::isfinite(std::strtod(text.c_str(), nullptr))) fail(start, "this number is too large");
    if (is_whole) { // leading zeros would make it octal
      text.erase(0, std::min(text.find_first_not_of('0'), text.size() - 1));
      if (text.size() > 18) is_whole = false, text += "."; // beyond an int64
    }
    if (!is_whole) result_.needs_floats_ = true;
    return add({Kind::number, false, 0, std::move(text), {}});
  }

  int name() {
    const size_t start = at_;
    while (at_ < text_.size() && in_name(text_[at_])) ++at_;
    const std::string_view word = text_.substr(start, at_ - start);
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '(') return call(word, start);
    for (size_t i = 0; i < names_.size(); ++i)
      if (names_[i].name == word) return add({Kind::name, names_[i].is_bool, static_cast<int>(i), "", {}});
    for (const Function& f : functions)
      if (f.name == word) fail(start, "the function '" + std::string(word) + "' wants its arguments in brackets");
    fail(start, "there is no argument '" + std::string(word) + "'" + nearest(word, names_));
  }

  int call(std::string_view word, size_t start) {
    const size_t opened = at_++;
    std::vector<int> arguments;
    if (!take(')')) {
      do arguments.push_back(conditional());
      while (take(','));
      expect(')', opened);
    }
    const auto check = [&](size_t wanted) {
      if (arguments.size() != wanted)
        fail(start, "'" + std::string(word) + "' takes " + std::to_string(wanted) + (wanted == 1 ? " argument" : " arguments") +
                        ", not " + std::to_string(arguments.size()));
    };
    if (word == "where") {
      check(3);
      return add({Kind::conditional, is_bool(arguments[1]) && is_bool(arguments[2]), 0, "?:", std::move(arguments)});
    }
    for (size_t i = 0; i < std::size(functions); ++i) {
      const Function& f = functions[i];
      if (f.name != word) continue;
      check(static_cast<size_t>(f.arguments));
      if (f.takes == Takes::floats) result_.needs_floats_ = true;
      return add({Kind::call, f.gives == Gives::condition, static_cast<int>(i), "", std::move(arguments)});
    }
    fail(start, "there is no function '" + std::string(word) + "'" + nearest(word, {}));
  }

  Expression& result_;
  std::string_view where_, text_;
  const std::vector<ExpressionName>& names_;
  size_t at_ = 0;
  int depth_ = 0;
};

Expression::Expression(std::string_view where, std::string_view text, const std::vector<ExpressionName>& names) {
  Parser(*this, where, text, names).run();
}

std::string Expression::kernel_text(const std::string& type, bool integral, const std::function<std::string(int)>& text_of) const {
  const std::function<std::string(int)> text = [&](int at) -> std::string {
    const Node& n = nodes_[at];
    // A condition among numbers is 0 or 1 of their type.
    const auto as_number = [&](int child) { return nodes_[child].is_bool ? type + "(" + text(child) + ")" : text(child); };
    switch (n.kind) {
      case Kind::number:
        return type + "(" + n.text + (integral || n.text.find_first_of(".eE") != std::string::npos ? ")" : ".)");
      case Kind::name:
        return text_of(n.which);
      case Kind::unary:
        return n.is_bool ? "!" + text(n.children[0]) : "(" + n.text + as_number(n.children[0]) + ")";
      case Kind::conditional: {
        const auto branch = [&](int child) { return n.is_bool ? text(child) : as_number(child); };
        return "(" + text(n.children[0]) + " ? " + branch(n.children[1]) + " : " + branch(n.children[2]) + ")";
      }
      case Kind::call: {
        const Function& f = functions[n.which];
        std::string list;
        for (int child : n.children) list += (list.empty() ? "" : ", ") + as_number(child);
        if (const size_t at = f.kernel_name.find('$'); at != std::string_view::npos)
          return std::string(f.kernel_name.substr(0, at)) + list + std::string(f.kernel_name.substr(at + 1));
        return std::string(f.kernel_name.empty() ? f.name : f.kernel_name) + "(" + list + ")";
      }
      case Kind::binary: {
        const int left = n.children[0], right = n.children[1];
        if (n.text == "/" && integral) return "div_trunc(" + as_number(left) + ", " + as_number(right) + ")"; // never traps
        const bool of_conditions = n.text == "&&" || n.text == "||" || (is_bitwise(n.text) && n.is_bool);
        if (of_conditions) return "(" + text(left) + " " + n.text + " " + text(right) + ")";
        return "(" + as_number(left) + " " + n.text + " " + as_number(right) + ")";
      }
    }
    return "";
  };
  return text(root_);
}

std::string Expression::canonical() const {
  return kernel_text("C", true, [](int i) { return std::string("$") + std::to_string(i); });
}

bool Expression::uses(int name) const {
  return std::any_of(nodes_.begin(), nodes_.end(), [&](const Node& n) { return n.kind == Kind::name && n.which == name; });
}

std::vector<std::string> expression_functions() {
  std::vector<std::string> list;
  for (const Function& f : functions)
    list.push_back(std::string(f.name) + (f.arguments == 1 ? "(x)" : f.arguments == 2 ? "(x, y)" : "(x, low, high)"));
  list.push_back("where(condition, x, y)");
  return list;
}

bool is_free_name(std::string_view name) {
  static constexpr std::string_view taken[] = {"grad",   "result", "out",  "self", "where", "float",  "int", "bool",
                                               "number", "scalar", "None", "True", "False", "and",    "or",  "not",
                                               "if",     "else",   "for",  "in",   "is",    "lambda", "def", "return",
                                               "class",  "import", "from", "pass", "with",  "while",  "as",  "del"};
  if (name.empty() || name.size() > 64 || !begins_name(name[0]) || !std::all_of(name.begin(), name.end(), in_name)) return false;
  if (std::any_of(std::begin(functions), std::end(functions), [&](const Function& f) { return f.name == name; })) return false;
  return std::find(std::begin(taken), std::end(taken), name) == std::end(taken);
}

} // namespace corundum::codegen
