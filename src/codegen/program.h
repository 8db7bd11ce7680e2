#pragma once
// A pointwise computation that came at run time: expressions, step by step. It becomes kernel text once the dtypes of a call are
// known.
#include <cstdint>
#include <string>
#include <vector>

#include "codegen/expression.h"
#include "codegen/pointwise.h"
#include "core/dtype.h"

namespace corundum::codegen {

struct Program {
  static constexpr int max_inputs = 8, max_outputs = 4, max_numbers = 8;

  // Expressions name the inputs, then the numbers, then the steps before their own. Dtype::invalid is the dtype in which a call's
  // inputs meet.
  struct Step {
    Expression value;
    Dtype dtype = Dtype::invalid;
    bool rounds = false; // to `dtype`; otherwise 16-bit floats stay f32, and small integers i32, from step to step
  };
  std::string name;          // of the operator
  std::vector<bool> is_bool; // of each input: a condition, which no promotion changes
  int numbers = 0;
  Dtype number_dtype = Dtype::invalid;
  std::vector<Step> steps;
  int outputs = 1; // the last steps

  int inputs() const { return static_cast<int>(is_bool.size()); }
  uint64_t digest = 0; // of identity(), once the program is kept (ops/user)
  // The same text for the same computation under the same name, whenever and wherever it was made.
  std::string identity() const;
};

uint64_t digest_of(const std::string& identity);

// The dtypes that programs take and give: bool, 8 to 64-bit integers with a sign and uint8, 16 to 64-bit floats.
bool program_takes(Dtype dtype);
// In which a number of `dtype` is computed: int32, int64, float32 or float64.
Dtype computed_in(Dtype dtype);

// Fills in what of the text depends on the program: statements, expression and the types. `stored` are the inputs' dtypes as they
// lie in memory, then the outputs'.
void write_program(const Program& program, Dtype common, const std::vector<Dtype>& stored, PointwiseText* text);

} // namespace corundum::codegen
