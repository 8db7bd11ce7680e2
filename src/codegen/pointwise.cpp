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
    {"airy", {"airy_ai"}},
    {"bessel", {"bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "spherical_bessel_j0"}},
    {"close", {"is_close", "is_close_or_nan"}},
    {"divide", {"fmod", "remainder", "div_trunc", "div_floor"}},
    {"erf", {"erf", "erfc", "normal_cdf", "gelu_erf", "gelu_erf_derivative"}},
    {"erfinv", {"erfinv"}},
    {"expression", {"expression"}}, // the namespace
    {"exp", {"exp", "exp2", "expm1", "exp_nonpositive"}},
    {"gamma", {"lgamma", "digamma"}},
    {"hyperbolic", {"sinh", "cosh"}},
    {"igamma", {"igamma", "igammac"}},
    {"integers", {"bitwise_not", "shift_left", "shift_right", "power"}},
    {"inverse_hyperbolic", {"asinh", "acosh", "atanh"}},
    {"inverse_trig", {"asin", "acos", "atan", "atan2"}},
    {"lerp", {"lerp"}},
    {"log", {"log", "log1p", "log2", "log10"}},
    {"logarithms", {"xlogy", "xlog1py", "entr", "logit", "logaddexp", "logaddexp2"}},
    {"mish", {"mish_backward"}},
    {"modified_bessel",
     {"modified_bessel_i0", "modified_bessel_i1", "i0e", "i1e", "modified_bessel_k0", "modified_bessel_k1",
      "scaled_modified_bessel_k0", "scaled_modified_bessel_k1"}},
    {"normal", {"erfcx", "log_ndtr", "ndtri"}},
    {"numbers", {"heaviside", "round_after", "round_before", "next_after", "gcd", "lcm"}},
    {"polynomials",
     {"chebyshev_polynomial_t", "chebyshev_polynomial_u", "chebyshev_polynomial_v", "chebyshev_polynomial_w",
      "shifted_chebyshev_polynomial_t", "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v",
      "shifted_chebyshev_polynomial_w", "hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l",
      "legendre_polynomial_p"}},
    {"pow", {"pow"}},
    {"roots", {"cbrt", "hypot"}},
    {"rounding",
     {"floor", "ceil", "trunc", "round_even", "frac", "is_nan", "is_inf", "is_positive_inf", "is_negative_inf", "is_finite_number",
      "signbit", "sign", "angle", "conj", "inverse", "fmax", "fmin", "nan_to_num"}},
    {"sigmoid", {"sigmoid"}},
    {"tanh", {"tanh", "gelu_tanh", "gelu_tanh_derivative"}},
    {"trig", {"sin", "cos", "tan"}},
    {"zeta", {"zeta", "trigamma", "sinc"}},
};

const char* kind_name(Kind kind) {
  static const char* const names[] = {"contiguous", "broadcast", "scalar", "strided", "transposed"};
  return names[static_cast<int>(kind)];
}

// The parts of a Body that name each input: "f(x, 0); f(y, 1); " and the like.
std::string for_inputs(const PointwiseText& t, std::string (*part)(const std::string& name, const std::string& index),
                       const char* between = " ") {
  std::string s;
  for (size_t i = 0; i < t.inputs.size(); ++i) s += (i ? between : "") + part(input_name(static_cast<int>(i)), std::to_string(i));
  return s;
}

// struct Each: one P of each input.
std::string each(const PointwiseText& t) {
  using Text = const std::string&;
  std::string numbers;
  for (int i = 0; i < t.scalars; ++i) numbers += ", s.v[" + std::to_string(i) + "]";
  std::string s = "  template <template <class> class P>\n  struct Each {\n    ";
  s += for_inputs(t, [](Text name, Text i) { return "P<In" + i + "> " + name + ";"; });
  s += "\n    template <class F>\n    COR_FN void visit(F f) {\n      ";
  s += for_inputs(t, [](Text name, Text i) { return "f(" + name + ", " + i + ");"; });
  if (t.layout == Layout::tiled) {
    s += "\n    }\n    template <class Other, class F>\n    COR_FN void visit_beside(Other& other, F f) {\n      ";
    s += for_inputs(t, [](Text name, Text i) { return "f(" + name + ", other." + name + ", " + i + ");"; });
  }
  s += "\n    }\n    template <class I, class S>\n    COR_FN auto at(I i, const S& s) const {\n      return apply(";
  s += for_inputs(
      t, [](Text name, Text) { return name + ".at(i)"; }, ", ");
  return s + numbers + ");\n    }\n  };\n";
}

// The types of the outputs, and the struct of several results.
std::string outputs(const PointwiseText& t) {
  std::string types, members, visits;
  for (size_t o = 0; o < t.outputs.size(); ++o) {
    const std::string i = std::to_string(o);
    types += "  using Out" + i + " = " + t.outputs[o].stored + ";\n";
    members += "    " + t.outputs[o].value + " r" + i + ";\n";
    visits += "    f(&Results::r" + i + ", Type<Out" + i + ">(), " + i + ");\n";
  }
  if (t.outputs.size() == 1) return types;
  return types + "  struct Results {\n" + members + "  };\n  template <class F>\n  static COR_FN void each_output(F f) {\n" +
         visits + "  }\n";
}

std::string body(const PointwiseText& t) {
  const std::string count = std::to_string(t.outputs.size());
  std::string s =
      "namespace cor {\nstruct Body {\n  using Scalar = " + t.scalar + ";\n  using Common = " + t.common + ";\n" + outputs(t);
  std::string parameters;
  unsigned broadcasts = t.verdict ? 1 : 0;
  for (size_t i = 0; i < t.inputs.size(); ++i) {
    const PointwiseInput& in = t.inputs[i];
    s += "  using In" + std::to_string(i) + " = Operand<" + in.stored + ", " + in.value + ", Kind::" + kind_name(in.kind) + ">;\n";
    parameters += (i ? ", " : "") + in.value + " " + input_name(static_cast<int>(i));
    if (in.kind == Kind::broadcast) broadcasts |= 1u << (i + t.outputs.size());
  }
  for (int i = 0; i < t.scalars; ++i) parameters += ", Scalar s" + std::to_string(i);
  s += "  static constexpr int outputs = " + count + ", inputs = " + std::to_string(t.inputs.size()) +
       ", scalars = " + std::to_string(t.scalars) + ", slots = " + std::to_string(t.slots) + ";\n";
  s += "  static constexpr unsigned broadcasts = " + std::to_string(broadcasts) + ";\n";
  const bool one = t.outputs.size() == 1;
  s += std::string("  static COR_FN ") + (one ? "auto" : "Results") + " apply(" + parameters + ") {\n" + t.statements +
       "    return " + (one ? "" : "{") + t.expression + (one ? "" : "}") + ";\n  }\n";
  return s + each(t) + "};\n}\n";
}

} // namespace

std::string input_name(int index) {
  static const char* const names[] = {"x", "y", "z", "w"};
  return index < 4 ? names[index] : std::string("x") + std::to_string(index);
}

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
  if (t.complex && t.expression.find('(') != std::string::npos) s += "#include \"lang/maths/complex.h\"\n";
  s += maths_includes(t.statements + t.expression) + body(t);
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
        return s + "COR_POINTWISE_TILED" + list({t.rank, t.wide, t.threads, t.vector, t.unroll});
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
