#pragma once
// User-defined pointwise operators: from what the user wrote to programs, without torch.
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ops/user/user.h"

namespace corundum::user {

// As the user writes it.
struct DefinitionText {
  std::string name;                                            // "mine::silu_mul"
  std::string arguments;                                       // "float x, float y, *, scalar alpha = 1"
  std::vector<std::string> expressions;                        // one an output
  std::string promotion;                                       // "", "standard", "int_to_float", "always_bool", "none"
  std::vector<std::string> outputs;                            // "same" or "bool", one an output; none: as the expressions are
  std::vector<std::pair<std::string, std::string>> derivative; // of an input: over all arguments, grad and result
};

enum class Takes : uint8_t { floating, integer, number, boolean };
struct TensorArgument {
  std::string name;
  Takes takes;
};
struct NumberArgument {
  std::string name;
  std::string standard; // the default as schemas write it, or empty
};
// As torch names the rules. `none`: all tensors but conditions have one dtype.
// `fixed`: the definition was made for the dtypes of its calls, and names those of its results.
enum class Promotion : uint8_t { standard, int_to_float, none, fixed };

struct Definition;
// The derivatives of some inputs, an operator itself. Where its tensors come from:
enum class From : uint8_t { gradient, tensor, result };
struct Backward {
  std::vector<int> inputs;                   // whose derivatives its outputs are
  std::vector<std::pair<From, int>> tensors; // of the gradients of outputs, the arguments, the results
  std::shared_ptr<const Definition> definition;
};

struct Definition {
  std::string name;
  std::vector<TensorArgument> tensors;
  std::vector<NumberArgument> numbers;
  Promotion promotion = Promotion::standard;
  std::vector<Dtype> output_dtypes; // invalid: the dtype in which the inputs meet
  const Program* program = nullptr;
  // All inputs that have a derivative at once, then, if they are several, each by itself. Empty: no gradient.
  std::vector<Backward> backward;

  int outputs() const { return static_cast<int>(output_dtypes.size()); }
  std::string identity() const; // the same for the same definition
};

// Throws std::invalid_argument, whose message points at the place.
std::shared_ptr<const Definition> define(const DefinitionText& text);

// A traced function: steps whose dtypes are known. Expressions name the tensors x0, x1, ..., the numbers s0, s1, ... and the steps
// before their own, t0, t1, ...; the last steps are the results.
struct TraceText {
  struct Step {
    std::string expression;
    Dtype dtype;
    bool rounds;
  };
  std::string name;
  std::vector<bool> is_bool; // of each tensor
  int numbers = 0;
  Dtype number_dtype = Dtype::float32;
  std::vector<Step> steps;
  std::vector<Dtype> outputs;
  // Its gradient, if it has one: a trace whose results are the derivatives of `inputs` (see Backward).
  std::shared_ptr<const TraceText> backward;
  std::vector<int> inputs;
  std::vector<std::pair<From, int>> tensors;
};
std::shared_ptr<const Definition> define(const TraceText& text);

} // namespace corundum::user
