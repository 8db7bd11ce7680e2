#include "codegen/pointwise.h"

#include <cctype>
#include <set>
#include <string_view>

namespace corundum::codegen {
namespace {

// Which part of lang/maths/ defines the functions that an expression may name.
struct MathsPart {
  const char* header;
  std::initializer_list<std::string_view> functions;
};
const MathsPart maths_parts[] = {
    {"divide", {"fmod", "remainder", "div_trunc", "div_floor"}},
    {"erf", {"erf", "erfc", "normal_cdf", "gelu_erf", "gelu_erf_derivative"}},
    {"erfinv", {"erfinv"}},
    {"exp", {"exp", "exp2", "expm1", "exp_nonpositive"}},
    {"gamma", {"lgamma", "digamma"}},
    {"hyperbolic", {"sinh", "cosh"}},
    {"inverse_hyperbolic", {"asinh", "acosh", "atanh"}},
    {"inverse_trig", {"asin", "acos", "atan", "atan2"}},
    {"log", {"log", "log1p", "log2", "log10"}},
    {"pow", {"pow"}},
    {"roots", {"cbrt", "hypot"}},
    {"tanh", {"tanh", "gelu_tanh", "gelu_tanh_derivative"}},
    {"trig", {"sin", "cos", "tan"}},
};

const char* kind_name(Kind kind) {
  static const char* const names[] = {"contiguous", "broadcast", "scalar", "strided", "transposed"};
  return names[static_cast<int>(kind)];
}

std::string body(const PointwiseText& t) {
  static const char* const names[] = {"x", "y", "z"};
  std::string s = "namespace cor {\nstruct Body {\n  using Out = " + t.out + ";\n  using Scalar = " + t.scalar +
                  ";\n  using Common = " + t.common + ";\n";
  std::string parameters;
  for (int i = 0; i < 3; ++i) {
    const PointwiseInput& in = t.inputs[i];
    const bool there = i < t.input_count;
    s += "  using In" + std::to_string(i) + " = ";
    s +=
        there ? "cor::Operand<" + in.stored + ", " + in.value + ", cor::Kind::" + kind_name(in.kind) + ">;\n" : "cor::NoOperand;\n";
    parameters += (there ? in.value + " " + names[i] : std::string("int")) + ", ";
  }
  s += "  static constexpr int operands = " + std::to_string(1 + t.input_count) + ";\n";
  s += "  static COR_FN auto apply(" + parameters + "Scalar s0, Scalar s1) {\n    return " + t.expression + ";\n  }\n};\n}\n";
  return s;
}

} // namespace

std::string maths_includes(std::string_view expression) {
  const auto in_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  std::set<std::string_view> names;
  for (size_t i = 0; i < expression.size();) {
    size_t end = i;
    while (end < expression.size() && in_name(expression[end])) ++end;
    if (end > i) names.insert(expression.substr(i, end - i));
    i = end + 1;
  }
  std::string lines;
  for (const MathsPart& part : maths_parts)
    for (std::string_view function : part.functions)
      if (names.count(function)) {
        lines += std::string("#include \"lang/maths/") + part.header + ".h\"\n";
        break;
      }
  return lines;
}

std::string pointwise_text(const PointwiseText& t, const Chip& chip) {
  std::string s = t.layout == Layout::tiled ? "#include \"lang/pointwise_tiled.h\"\n" : "#include \"lang/pointwise.h\"\n";
  s += maths_includes(t.expression) + body(t);
  const auto list = [&](std::initializer_list<int64_t> numbers) {
    std::string r = "(" + t.entry + ", cor::Body";
    for (int64_t n : numbers) r += ", " + std::to_string(n);
    return r + ")\n";
  };
  if (chip.simt) {
    switch (t.layout) {
      case Layout::flat:
        return s + "COR_POINTWISE_FLAT" + list({t.threads, t.vector, t.unroll});
      case Layout::indexed:
        return s + "COR_POINTWISE" + list({t.rank, t.wide, t.threads, t.vector, t.unroll});
      case Layout::tiled:
        return s + "COR_POINTWISE_TILED" + list({t.rank, t.wide, t.threads, t.vector});
    }
  }
  switch (t.layout) {
    case Layout::flat:
      return s + "COR_POINTWISE_FLAT" + list({simd_block});
    case Layout::indexed:
      return s + "COR_POINTWISE" + list({t.rank, t.unit_out, simd_block});
    case Layout::tiled:
      return s + "COR_POINTWISE_TILED" + list({t.rank, t.vector});
  }
  return s;
}

} // namespace corundum::codegen
