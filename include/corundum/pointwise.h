#pragma once
// User-defined pointwise operators from C++. In one source file of a library that is linked with libcorundum.so:
//
//   COR_POINTWISE_OPERATOR("mine::silu_mul", "float x, float y, *, scalar alpha = 1", "x / (1 + exp(-x)) * y * alpha");
//
// or, with more to say,
//
//   COR_POINTWISE_OPERATOR(corundum::PointwiseOperator("mine::square", "float x", "x * x").derivative("x", "2 * x * grad"));
//
// defines mine::square, mine::square_ and mine::square.out in torch's dispatcher when the library is loaded, as
// corundum.pointwise() does in Python: docs/user-operators.md says what the texts may be. A text that is none throws
// std::invalid_argument, whose message points at the place; while a library is loaded that ends the process.
#include <stdexcept>
#include <string>
#include <utility>

#include "corundum/corundum.h"

namespace corundum {

class PointwiseOperator {
 public:
  PointwiseOperator(std::string name, std::string arguments, std::string expression)
      : name_(std::move(name)), arguments_(std::move(arguments)), expressions_(quoted(expression)) {}

  // One more result.
  PointwiseOperator& expression(const std::string& text) { return append(expressions_, quoted(text)); }
  // "standard", "int_to_float", "always_bool" or "none".
  PointwiseOperator& promotion(const std::string& rule) {
    promotion_ = rule;
    return *this;
  }
  // Of an input: over all arguments, grad and result.
  PointwiseOperator& derivative(const std::string& input, const std::string& text) {
    return append(derivatives_, quoted(input) + ":" + quoted(text));
  }

  // Throws std::invalid_argument.
  void define() const {
    const std::string arguments = "{\"name\":" + quoted(name_) + ",\"arguments\":" + quoted(arguments_) + ",\"expressions\":[" +
                                  expressions_ + "],\"promotion\":" + quoted(promotion_) + ",\"derivative\":{" + derivatives_ +
                                  "}}";
    char* answer = corundum_call("define", arguments.c_str());
    const std::string text = answer;
    corundum_free(answer);
    if (text.find("\"ok\":true") == std::string::npos) throw std::invalid_argument(text);
  }

 private:
  PointwiseOperator& append(std::string& list, const std::string& item) {
    if (!list.empty()) list += ",";
    list += item;
    return *this;
  }
  static std::string quoted(const std::string& text) {
    static const char digits[] = "0123456789abcdef";
    std::string s = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') s += '\\';
      if (static_cast<unsigned char>(c) >= 32)
        s += c;
      else
        s = s + "\\u00" + digits[c >> 4] + digits[c & 15];
    }
    return s + "\"";
  }

  std::string name_, arguments_, expressions_, promotion_, derivatives_;
};

namespace detail {
struct PointwiseDefinition {
  explicit PointwiseDefinition(const PointwiseOperator& op) { op.define(); }
  PointwiseDefinition(std::string name, std::string arguments, std::string expression) {
    PointwiseOperator(std::move(name), std::move(arguments), std::move(expression)).define();
  }
};
} // namespace detail

} // namespace corundum

#define COR_POINTWISE_JOIN_(a, b) a##b
#define COR_POINTWISE_JOIN(a, b) COR_POINTWISE_JOIN_(a, b)
#define COR_POINTWISE_OPERATOR(...) \
  static const ::corundum::detail::PointwiseDefinition COR_POINTWISE_JOIN(corundum_pointwise_, __LINE__) { __VA_ARGS__ }
