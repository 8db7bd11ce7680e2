// Gradients of user-defined operators: the expressions that the user gave are operators themselves, and run when autograd asks.
#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/autograd/variable.h>

#include "torch/user_operator.h"

namespace corundum::user {

namespace {

using at::Tensor;
using torch::autograd::Node;
using torch::autograd::SavedVariable;
using torch::autograd::variable_list;
using torch::jit::Stack;

class BackwardNode final : public Node {
 public:
  BackwardNode(const Operator& op, std::vector<at::Scalar> numbers) : op_(op), numbers_(std::move(numbers)) {}
  std::string name() const override { return op_.definition->name + "Backward"; }

  // Keeps what the expressions name. `results` are this node's own.
  void save(const std::vector<Tensor>& tensors, const std::vector<Tensor>& results) {
    saved_tensors_.resize(tensors.size());
    saved_results_.resize(results.size());
    for (const auto& [from, index] : op_.definition->backward[0].tensors) {
      const auto i = static_cast<size_t>(index);
      if (from == From::tensor) saved_tensors_[i] = SavedVariable(tensors[i], /*is_output=*/false);
      if (from == From::result) saved_results_[i] = SavedVariable(results[i], /*is_output=*/true);
    }
  }

  variable_list apply(variable_list&& gradients) override {
    variable_list answers(op_.definition->tensors.size());
    if (std::none_of(gradients.begin(), gradients.end(), [](const Tensor& g) { return g.defined(); })) return answers;
    std::vector<int> wanted;
    for (const int i : op_.definition->backward[0].inputs)
      if (task_should_compute_output(static_cast<size_t>(i))) wanted.push_back(i);
    if (wanted.empty()) return answers;
    size_t which = 0; // all at once, or the one that is asked for
    if (wanted.size() == 1)
      for (size_t b = 0; b < op_.backward.size(); ++b)
        if (op_.definition->backward[b].inputs == wanted) which = b;
    const Backward& b = op_.definition->backward[which];
    Stack stack;
    for (const auto& [from, index] : b.tensors) stack.emplace_back(tensor_of(from, static_cast<size_t>(index), gradients));
    for (const at::Scalar& n : numbers_) stack.emplace_back(n);
    op_.backward[which]->handle().callBoxed(stack);
    for (size_t o = 0; o < b.inputs.size(); ++o) answers[static_cast<size_t>(b.inputs[o])] = stack[o].toTensor();
    return answers;
  }

  void release_variables() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (SavedVariable& s : saved_tensors_) s.reset_data();
    for (SavedVariable& s : saved_results_) s.reset_data();
  }

 private:
  Tensor tensor_of(From from, size_t i, const variable_list& gradients) {
    if (from == From::tensor) return saved_tensors_[i].unpack();
    if (from == From::result) return saved_results_[i].unpack(shared_from_this());
    // Nobody asked for this output: its gradient is 0, whatever the others are.
    return gradients[i].defined() ? gradients[i] : input_metadata(i).zeros_like();
  }

  const Operator& op_;
  std::vector<at::Scalar> numbers_;
  std::vector<SavedVariable> saved_tensors_, saved_results_;
};

bool any_requires_gradient(const std::vector<Tensor>& tensors) {
  if (!at::GradMode::is_enabled()) return false;
  for (const Tensor& t : tensors)
    if (t.requires_grad()) return true;
  return false;
}

void redispatch(const c10::OperatorHandle& handle, c10::DispatchKeySet keys, Stack* stack) {
  at::AutoDispatchBelowAutograd guard;
  handle.redispatchBoxed(keys & c10::after_autograd_keyset, stack);
}

class FunctionalAutograd final : public c10::OperatorKernel {
 public:
  explicit FunctionalAutograd(const Operator& op) : op_(op) {}
  void operator()(const c10::OperatorHandle& handle, c10::DispatchKeySet keys, Stack* stack) {
    const TensorCall call = arguments_of(op_, *stack);
    for (const Tensor& t : call.tensors)
      TORCH_CHECK_NOT_IMPLEMENTED(!torch::autograd::isFwGradDefined(t), op_.definition->name, ": has no forward-mode derivative");
    bool has_gradient = false;
    if (any_requires_gradient(call.tensors))
      for (const int i : op_.definition->backward[0].inputs)
        has_gradient = has_gradient || call.tensors[static_cast<size_t>(i)].requires_grad();
    if (!has_gradient) return redispatch(handle, keys, stack);
    const std::shared_ptr<BackwardNode> node(new BackwardNode(op_, call.numbers), torch::autograd::deleteNode);
    node->set_next_edges(torch::autograd::collect_next_edges(call.tensors));
    redispatch(handle, keys, stack);
    std::vector<Tensor> results;
    const int outputs = op_.definition->outputs();
    for (int o = 0; o < outputs; ++o) results.push_back(stack->end()[o - outputs].toTensor());
    for (const Tensor& r : results) {
      if (torch::autograd::isDifferentiableType(r.scalar_type()))
        torch::autograd::set_history(r, node);
      else
        node->add_input_metadata(Node::undefined_input());
    }
    node->save(call.tensors, results);
  }

 private:
  const Operator& op_;
};

// In place: what the functional form gives, which has a gradient, is copied. out= has none, as in torch.
class WritingAutograd final : public c10::OperatorKernel {
 public:
  explicit WritingAutograd(const Operator& op) : op_(op) {}
  void operator()(const c10::OperatorHandle& handle, c10::DispatchKeySet keys, Stack* stack) {
    TensorCall call = arguments_of(op_, *stack);
    std::vector<Tensor> looked_at = call.tensors;
    const int outputs = op_.form == Form::output ? op_.definition->outputs() : 0;
    for (int o = 0; o < outputs; ++o) looked_at.push_back(stack->end()[o - outputs].toTensor());
    if (!any_requires_gradient(looked_at)) return redispatch(handle, keys, stack);
    TORCH_CHECK(
        op_.form == Form::in_place, op_.definition->name,
        "(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad.");
    const Tensor self = call.tensors[0];
    call.tensors[0] = self.clone(); // the derivative may want what is about to be written
    Stack functional;
    for (Tensor& t : call.tensors) functional.emplace_back(std::move(t));
    for (at::Scalar& n : call.numbers) functional.emplace_back(std::move(n));
    op_.functional->handle().callBoxed(functional);
    self.copy_(functional[0].toTensor());
    torch::jit::drop(*stack, handle.schema().arguments().size());
  }

 private:
  const Operator& op_;
};

} // namespace

torch::CppFunction autograd_kernel(const Operator& op) {
  if (op.form != Form::functional) return torch::CppFunction::makeFromBoxedFunctor(std::make_unique<WritingAutograd>(op));
  if (op.definition->backward.empty()) return torch::autograd::autogradNotImplementedFallback();
  return torch::CppFunction::makeFromBoxedFunctor(std::make_unique<FunctionalAutograd>(op));
}

} // namespace corundum::user
