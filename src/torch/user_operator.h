#pragma once
// User-defined operators in torch's dispatcher: ns::f, ns::f_ and ns::f.out, for every backend, with gradients and batching.
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include <memory>
#include <string>
#include <vector>

#include "torch/user_call.h"

namespace corundum::user {

enum class Form : uint8_t { functional, in_place, output };

// Everything that the functions of one form of one operator share. Lives for ever.
struct Operator {
  std::shared_ptr<const Definition> definition;
  Form form;
  std::vector<const Operator*> backward; // functional forms of Definition::backward
  // The functional form of the same operator.
  const Operator* functional = nullptr;
  c10::OperatorHandle handle() const;
};

// Defines the operator and those of its derivatives. Defining the same again does nothing. Throws std::invalid_argument for a
// text that is none, and for a name that is taken.
std::shared_ptr<const Definition> define_operator(const DefinitionText& text);
std::shared_ptr<const Definition> define_operator(const TraceText& text);
// The definition of a name, or nullptr.
std::shared_ptr<const Definition> find_operator(const std::string& name);

std::vector<std::string> operator_names();

// The arguments of a call on the stack: tensors, numbers, then out=.
TensorCall arguments_of(const Operator& op, const torch::jit::Stack& stack);

// The functions at the keys of autograd and of vmap, for user_operator.cpp to register.
torch::CppFunction autograd_kernel(const Operator& op);
torch::CppFunction batching_rule(const Operator& op);

} // namespace corundum::user
