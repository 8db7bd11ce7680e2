#pragma once
// Expressions that users write, checked before they become kernel text: arithmetic, comparison, ?:, calls of known functions, names
// and numbers. Nothing else gets through, so that an expression can neither declare, include nor call what it should not.
//
//   conditional := or ['?' expression ':' conditional]
//   or          := and {'||' and},  and := bits {'&&' bits},  bits := equality {('&' | '|' | '^') equality}, C's precedence
//   equality    := order {('==' | '!=') order},  order := sum {('<' | '<=' | '>' | '>=') sum}
//   sum         := product {('+' | '-') product},  product := unary {('*' | '/') unary}
//   unary       := {'-' | '+' | '!' | '~'} primary
//   primary     := number | name | function '(' expression {',' expression} ')' | '(' expression ')'
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace corundum::codegen {

// The message points at the place: what is wrong, the expression, and a caret below it.
struct ExpressionError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};
// `text` with a caret below `position`, after "where, character n: message". Long texts are cut around the place.
[[noreturn]] void fail_at(std::string_view where, std::string_view text, size_t position, const std::string& message);

// A name that an expression may use.
struct ExpressionName {
  std::string name;
  bool is_bool = false; // a condition; otherwise a number
};

class Expression {
 public:
  // `where` begins the message of an error: "silu: expression". Throws ExpressionError.
  Expression(std::string_view where, std::string_view text, const std::vector<ExpressionName>& names);

  // The C++ text, of type `type` ("float", "cor::i32", ...) or bool. `integral` says which of these the type is. `text_of` gives
  // the kernel's text for name number i of the constructor's list: of that type, or bool.
  std::string kernel_text(const std::string& type, bool integral, const std::function<std::string(int)>& text_of) const;
  // The same expression always gives the same text, whatever its blanks and the names were.
  std::string canonical() const;

  bool is_bool() const { return nodes_[root_].is_bool; } // its value is a condition
  bool needs_floats() const { return needs_floats_; }    // a function or a number in it has no meaning for integers
  bool needs_integers() const { return needs_integers_; }
  bool uses(int name) const;

 private:
  friend class Parser;
  enum class Kind : uint8_t { number, name, unary, binary, conditional, call };
  struct Node {
    Kind kind;
    bool is_bool = false;
    int which = 0;    // name, function
    std::string text; // number, operator
    std::vector<int> children;
  };
  std::vector<Node> nodes_;
  int root_ = 0;
  bool needs_floats_ = false, needs_integers_ = false;
};

// The functions that expressions may call, for messages and the documentation: "exp(x)", "pow(x, y)", ...
std::vector<std::string> expression_functions();

// Whether a text is a name as C++ and Python have them, and no word that either of them or a kernel's text reserves.
bool is_free_name(std::string_view name);

} // namespace corundum::codegen
