#pragma once
// Pointwise kernels of programs that came at run time: user-defined operators and fused functions. A program is known by its
// digest, which is part of every key, so that caches, packs and the keys that a program remembered mean the same in every process.
#include <cstdint>
#include <memory>

#include "codegen/program.h"
#include "core/chip.h"
#include "core/launch.h"
#include "core/status.h"
#include "core/view.h"

namespace corundum::user {

using codegen::Program;

inline constexpr int max_operands = Program::max_outputs + Program::max_inputs;
inline constexpr int max_rank = 16; // after merging dimensions

// Keeps the program until the process ends, and makes its kernels buildable. Throws std::invalid_argument for one with more inputs,
// outputs or numbers than there is room for. Any thread.
const Program& keep(Program program);

struct Operand {
  void* data = nullptr;
  Dtype dtype = Dtype::float32;     // as stored
  const int64_t* strides = nullptr; // bytes, fastest dimension first as in at::TensorIterator; 0 where broadcast
  const Scalar* scalar = nullptr;   // set: no memory, the value itself (a 0-dim CPU tensor)
};

struct Call {
  const Program* program;
  Dtype common = Dtype::float32; // in which the inputs meet
  int rank = 0;
  const int64_t* shape = nullptr; // fastest dimension first
  Operand operands[max_operands]; // the outputs, then the inputs
  Scalar numbers[Program::max_numbers];
};

// Refuses, with a reason, dtypes that programs do not take. An empty call gives an empty list.
Status plan(const Chip& chip, const Call& call, LaunchList& list);

} // namespace corundum::user
