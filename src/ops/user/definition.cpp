#include "ops/user/definition.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>

namespace corundum::user {
namespace {

using codegen::Expression;
using codegen::ExpressionName;
using codegen::fail_at;

[[noreturn]] void fail(const std::string& message) { throw std::invalid_argument(message); }

// Reads "float x, float y, *, scalar alpha = 1".
class ArgumentParser {
 public:
  ArgumentParser(Definition& result, const std::string& where, const std::string& text)
      : result_(result), where_(where + ": arguments"), text_(text) {}

  void run() {
    bool after_star = false;
    do {
      skip_blanks();
      const size_t start = at_;
      if (at_ < text_.size() && text_[at_] == '*') {
        if (std::exchange(after_star, true)) fail_at(where_, text_, start, "there is one * at most");
        ++at_;
        continue;
      }
      const std::string kind = word("a kind of argument (float, int, number, bool, scalar)");
      if (kind == "scalar")
        number();
      else
        tensor(kind, start, after_star);
    } while (take(','));
    if (at_ < text_.size()) fail_at(where_, text_, at_, "a comma is missing here");
    if (result_.tensors.empty()) fail_at(where_, text_, 0, "an operator takes at least one tensor");
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string word(const char* wanted) {
    skip_blanks();
    const size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_')) ++at_;
    if (at_ == start) fail_at(where_, text_, start, std::string(wanted) + " is missing here");
    return text_.substr(start, at_ - start);
  }
  std::string name() {
    skip_blanks();
    const size_t start = at_;
    std::string name = word("a name");
    if (!codegen::is_free_name(name)) fail_at(where_, text_, start, "'" + name + "' cannot be the name of an argument");
    const auto same = [&](const auto& other) { return other.name == name; };
    if (std::any_of(result_.tensors.begin(), result_.tensors.end(), same) ||
        std::any_of(result_.numbers.begin(), result_.numbers.end(), same))
      fail_at(where_, text_, start, "there are two arguments '" + name + "'");
    return name;
  }
  void tensor(const std::string& kind, size_t start, bool after_star) {
    static const std::pair<const char*, Takes> kinds[] = {
        {"float", Takes::floating}, {"int", Takes::integer}, {"number", Takes::number}, {"bool", Takes::boolean}};
    const auto found = std::find_if(std::begin(kinds), std::end(kinds), [&](const auto& k) { return kind == k.first; });
    if (found == std::end(kinds))
      fail_at(where_, text_, start, "there is no kind '" + kind + "'; tensors are float, int, number or bool, numbers are scalar");
    if (after_star || !result_.numbers.empty()) fail_at(where_, text_, start, "tensors come before numbers");
    result_.tensors.push_back({name(), found->second});
  }
  void number() {
    NumberArgument argument{name(), ""};
    if (take('=')) {
      skip_blanks();
      const size_t start = at_;
      const bool negative = take('-');
      const std::string where = where_;
      const size_t end = std::min(text_.find(',', at_), text_.size());
      std::string value = text_.substr(at_, end - at_);
      value.erase(0, std::min(value.find_first_not_of(" \t\n"), value.size()));
      value.erase(value.find_last_not_of(" \t\n") + 1);
      // What an expression takes as a number, alone.
      if (value.empty() || !(std::isdigit(static_cast<unsigned char>(value[0])) || value[0] == '.') ||
          (value.find_first_of("+-*/?(") != std::string::npos && value.find_first_of("eE") == std::string::npos))
        fail_at(where_, text_, start, "a number is missing here");
      try {
        Expression(where, value, {});
      } catch (const codegen::ExpressionError&) {
        fail_at(where_, text_, start, "'" + value + "' is not a number");
      }
      argument.standard = (negative ? "-" : "") + value;
      at_ = end;
    }
    result_.numbers.push_back(std::move(argument));
  }

  Definition& result_;
  std::string where_;
  const std::string& text_;
  size_t at_ = 0;
};

bool is_identifier(std::string_view s) {
  return !s.empty() && s.size() <= 64 && !std::isdigit(static_cast<unsigned char>(s[0])) &&
         std::all_of(s.begin(), s.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; });
}

void check_name(const std::string& name) {
  const size_t colons = name.find("::");
  if (colons == std::string::npos || !is_identifier(name.substr(0, colons)) || !is_identifier(name.substr(colons + 2)))
    fail("'" + name + "' is not a name of an operator, such as mine::silu_mul");
  for (const char* reserved : {"aten", "prim", "prims"})
    if (name.substr(0, colons) == reserved) fail(name + ": the namespace '" + reserved + "' belongs to torch");
  if (name.back() == '_') fail(name + ": a name that ends in _ is the in-place form's");
}

std::string entry_name(const std::string& name) {
  std::string s = name;
  return s.erase(s.find("::"), 1).replace(s.find(":"), 1, 1, '_');
}

std::vector<ExpressionName> names_of(const Definition& d) {
  std::vector<ExpressionName> names;
  for (const TensorArgument& t : d.tensors) names.push_back({t.name, t.takes == Takes::boolean});
  for (const NumberArgument& n : d.numbers) names.push_back({n.name});
  return names;
}

// What the expressions need of the dtypes, against what the arguments are.
Promotion choose_promotion(const Definition& d, const std::string& wish, const std::vector<Program::Step>& steps) {
  const auto any = [&](Takes takes) {
    return std::any_of(d.tensors.begin(), d.tensors.end(), [&](const TensorArgument& t) { return t.takes == takes; });
  };
  const bool needs_floats = std::any_of(steps.begin(), steps.end(), [](const auto& s) { return s.value.needs_floats(); });
  const bool needs_integers = std::any_of(steps.begin(), steps.end(), [](const auto& s) { return s.value.needs_integers(); });
  if (needs_integers && (needs_floats || any(Takes::floating) || any(Takes::number)))
    fail(d.name + ": & | ^ ~ of numbers need int arguments and nothing that is a float");
  if (wish == "int_to_float" || (wish.empty() && (needs_floats || any(Takes::floating)))) {
    if (needs_integers) fail(d.name + ": & | ^ ~ of numbers have no meaning after promotion to floats");
    return Promotion::int_to_float;
  }
  if (!wish.empty() && wish != "standard" && wish != "always_bool" && wish != "none")
    fail(d.name + ": there is no promotion '" + wish + "'; there are standard, int_to_float, always_bool and none");
  if (needs_floats && (any(Takes::number) || any(Takes::integer)) && !any(Takes::floating))
    fail(d.name + ": the expression computes floats; use promotion \"int_to_float\", or float arguments");
  return wish == "none" ? Promotion::none : Promotion::standard;
}

void choose_outputs(Definition& d, const DefinitionText& text, const std::vector<Program::Step>& steps) {
  if (!text.outputs.empty() && text.outputs.size() != steps.size())
    fail(d.name + ": " + std::to_string(steps.size()) + " expressions, but " + std::to_string(text.outputs.size()) + " outputs");
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::string wish = text.outputs.empty() ? (text.promotion == "always_bool" ? "bool" : "") : text.outputs[i];
    if (wish != "" && wish != "same" && wish != "bool") fail(d.name + ": an output is \"same\" or \"bool\", not \"" + wish + "\"");
    const bool is_bool = wish == "bool" || (wish.empty() && steps[i].value.is_bool());
    d.output_dtypes.push_back(is_bool ? Dtype::boolean : Dtype::invalid);
  }
}

bool gives_bool(const Definition& d, int output) { return d.output_dtypes[static_cast<size_t>(output)] == Dtype::boolean; }

std::string numbered(const char* name, int i, int of) { return of == 1 ? name : name + std::to_string(i); }

// The derivatives of `inputs` as an operator. Its tensors are those that the expressions name.
Backward differentiate(const Definition& d, const std::vector<std::pair<int, std::string>>& derivatives, const std::string& name) {
  struct Source {
    From from;
    int index;
    ExpressionName name;
    Takes takes;
  };
  std::vector<Source> sources;
  for (int o = 0; o < d.outputs(); ++o)
    if (!gives_bool(d, o)) sources.push_back({From::gradient, o, {numbered("grad", o, d.outputs())}, Takes::number});
  for (size_t i = 0; i < d.tensors.size(); ++i)
    sources.push_back(
        {From::tensor, static_cast<int>(i), {d.tensors[i].name, d.tensors[i].takes == Takes::boolean}, d.tensors[i].takes});
  for (int o = 0; o < d.outputs(); ++o) {
    const bool is_bool = gives_bool(d, o);
    sources.push_back({From::result, o, {numbered("result", o, d.outputs()), is_bool}, is_bool ? Takes::boolean : Takes::number});
  }
  std::vector<ExpressionName> all, names;
  for (const Source& s : sources) all.push_back(s.name);
  for (const NumberArgument& n : d.numbers) all.push_back({n.name});

  Backward b;
  auto made = std::make_shared<Definition>();
  made->name = name;
  made->numbers = d.numbers;
  made->promotion = Promotion::int_to_float;
  std::vector<bool> used(sources.size());
  const auto where = [&](int input) { return d.name + ": derivative of " + d.tensors[static_cast<size_t>(input)].name; };
  for (const auto& [input, text] : derivatives) {
    const Expression e(where(input), text, all);
    if (e.needs_integers()) fail(where(input) + ": & | ^ ~ of numbers have no meaning for floats");
    for (size_t s = 0; s < sources.size(); ++s) used[s] = used[s] || e.uses(static_cast<int>(s));
  }
  // A derivative of constants still has its gradient's shape.
  if (std::none_of(used.begin(), used.end(), [](bool u) { return u; })) used[0] = true;
  for (size_t s = 0; s < sources.size(); ++s) {
    if (!used[s]) continue;
    b.tensors.push_back({sources[s].from, sources[s].index});
    made->tensors.push_back({sources[s].name.name, sources[s].takes == Takes::boolean ? Takes::boolean : Takes::number});
    names.push_back(sources[s].name);
  }
  for (const NumberArgument& n : d.numbers) names.push_back({n.name});
  Program program;
  program.name = entry_name(name);
  program.numbers = static_cast<int>(d.numbers.size());
  program.outputs = static_cast<int>(derivatives.size());
  for (const TensorArgument& t : made->tensors) program.is_bool.push_back(t.takes == Takes::boolean);
  for (const auto& [input, text] : derivatives) {
    program.steps.push_back({Expression(where(input), text, names)});
    b.inputs.push_back(input);
    made->output_dtypes.push_back(Dtype::invalid);
  }
  made->program = &keep(std::move(program));
  b.definition = std::move(made);
  return b;
}

void add_backward(Definition& d, const DefinitionText& text) {
  std::vector<std::pair<int, std::string>> derivatives;
  for (const auto& [name, expression] : text.derivative) {
    const auto found =
        std::find_if(d.tensors.begin(), d.tensors.end(), [&, n = name](const TensorArgument& t) { return t.name == n; });
    if (found == d.tensors.end()) fail(d.name + ": derivative: there is no tensor argument '" + name + "'");
    if (found->takes == Takes::boolean || found->takes == Takes::integer)
      fail(d.name + ": derivative: '" + name + "' is no float and has none");
    derivatives.push_back({static_cast<int>(found - d.tensors.begin()), expression});
  }
  if (derivatives.empty()) return;
  if (std::all_of(d.output_dtypes.begin(), d.output_dtypes.end(), [](Dtype t) { return t == Dtype::boolean; }))
    fail(d.name + ": derivative: outputs of dtype bool have none");
  if (derivatives.size() > static_cast<size_t>(Program::max_outputs))
    fail(d.name + ": derivative: of at most " + std::to_string(Program::max_outputs) + " inputs");
  std::sort(derivatives.begin(), derivatives.end());
  d.backward.push_back(differentiate(d, derivatives, d.name + "_backward"));
  if (derivatives.size() > 1)
    for (const auto& one : derivatives)
      d.backward.push_back(differentiate(d, {one}, d.name + "_backward_" + d.tensors[static_cast<size_t>(one.first)].name));
}

} // namespace

std::string Definition::identity() const {
  std::string s = name + "(";
  for (const TensorArgument& t : tensors) s += std::to_string(static_cast<int>(t.takes)) + " " + t.name + ", ";
  for (const NumberArgument& n : numbers) s += n.name + "=" + n.standard + ", ";
  s += ") " + std::to_string(static_cast<int>(promotion)) + " ";
  for (const Dtype dtype : output_dtypes) s += std::string(info(dtype).name) + " ";
  s += program->identity();
  for (const Backward& b : backward) s += std::string("\n") + b.definition->identity();
  return s;
}

std::shared_ptr<const Definition> define(const DefinitionText& text) {
  auto d = std::make_shared<Definition>();
  d->name = text.name;
  check_name(text.name);
  ArgumentParser(*d, text.name, text.arguments).run();
  const std::vector<ExpressionName> names = names_of(*d);
  Program program;
  program.name = entry_name(text.name);
  for (const TensorArgument& t : d->tensors) program.is_bool.push_back(t.takes == Takes::boolean);
  program.numbers = static_cast<int>(d->numbers.size());
  for (size_t i = 0; i < text.expressions.size(); ++i)
    program.steps.push_back(
        {Expression(text.name + ": " + numbered("expression", static_cast<int>(i), static_cast<int>(text.expressions.size())),
                    text.expressions[i], names)});
  program.outputs = static_cast<int>(program.steps.size());
  d->promotion = choose_promotion(*d, text.promotion, program.steps);
  choose_outputs(*d, text, program.steps);
  d->program = &keep(std::move(program));
  add_backward(*d, text);
  return d;
}

std::shared_ptr<const Definition> define(const TraceText& text) {
  auto d = std::make_shared<Definition>();
  d->name = text.name;
  check_name(text.name);
  Program program;
  program.name = entry_name(text.name);
  program.is_bool = text.is_bool;
  program.numbers = text.numbers;
  program.number_dtype = text.number_dtype;
  program.outputs = static_cast<int>(text.outputs.size());
  for (size_t i = 0; i < text.is_bool.size(); ++i)
    d->tensors.push_back({std::string("x") + std::to_string(i), text.is_bool[i] ? Takes::boolean : Takes::number});
  for (int i = 0; i < text.numbers; ++i) d->numbers.push_back({std::string("s") + std::to_string(i), ""});
  std::vector<ExpressionName> names = names_of(*d);
  for (const TraceText::Step& step : text.steps) {
    const std::string name = std::string("t") + std::to_string(program.steps.size());
    program.steps.push_back({Expression(text.name + ": step " + name, step.expression, names), step.dtype, step.rounds});
    names.push_back({name, program.steps.back().value.is_bool()});
  }
  if (program.steps.size() < text.outputs.size()) fail(text.name + ": fewer steps than results");
  d->promotion = Promotion::fixed;
  d->output_dtypes = text.outputs;
  d->program = &keep(std::move(program));
  if (text.backward) d->backward.push_back({text.inputs, text.tensors, define(*text.backward)});
  return d;
}

} // namespace corundum::user
