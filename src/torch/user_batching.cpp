// torch.vmap over user-defined operators: the batch becomes the first dimension of every tensor that has one.
#include <ATen/WrapDimUtils.h>
#include <ATen/functorch/PlumbingHelper.h>

#include "torch/user_operator.h"

namespace corundum::user {

namespace {

using at::Tensor;
using torch::jit::Stack;

class Batching final : public c10::OperatorKernel {
 public:
  explicit Batching(const Operator& op) : op_(op) {}

  void operator()(const c10::OperatorHandle& handle, c10::DispatchKeySet, Stack* stack) {
    const c10::impl::ExcludeDispatchKeyGuard guard(c10::DispatchKey::FuncTorchBatched);
    const auto layer = at::functorch::maybeCurrentDynamicLayer();
    TORCH_INTERNAL_ASSERT(layer.has_value());
    const int64_t level = layer->layerId();
    const size_t count = handle.schema().arguments().size();
    const int64_t first = static_cast<int64_t>(stack->size() - count);
    const int64_t rank = logical_rank(*stack, first, level);
    bool reads_batch = false;
    for (size_t i = 0; i < count; ++i) {
      c10::IValue& value = (*stack)[static_cast<size_t>(first) + i];
      if (!value.isTensor()) continue;
      const auto [tensor, batch] = at::functorch::unwrapTensorAtLevel(value.toTensor(), level);
      const bool is_written = handle.schema().arguments()[i].alias_info() != nullptr;
      reads_batch = reads_batch || (batch && !is_written);
      TORCH_CHECK(batch || !is_written || !any_batched(*stack, first, level), op_.definition->name,
                  ": vmap: a tensor without the batch dimension cannot be written by a call whose other arguments have it");
      value = is_written && !batch ? tensor : with_batch_first(tensor, batch, rank, is_written);
    }
    handle.callBoxed(stack);
    if (op_.form != Form::functional) return;
    for (int o = 1; o <= op_.definition->outputs(); ++o) {
      c10::IValue& value = stack->end()[-o];
      value = at::functorch::makeBatched(value.toTensor(), 0, level);
    }
  }

 private:
  // Dimensions that the user sees, at most, of any argument.
  static int64_t logical_rank(const Stack& stack, int64_t first, int64_t level) {
    int64_t rank = 0;
    for (size_t i = static_cast<size_t>(first); i < stack.size(); ++i) {
      if (!stack[i].isTensor()) continue;
      const auto [tensor, batch] = at::functorch::unwrapTensorAtLevel(stack[i].toTensor(), level);
      rank = std::max(rank, tensor.dim() - (batch ? 1 : 0));
    }
    return rank;
  }
  static bool any_batched(const Stack& stack, int64_t first, int64_t level) {
    for (size_t i = static_cast<size_t>(first); i < stack.size(); ++i)
      if (stack[i].isTensor() && at::functorch::isBatchedAtLevel(stack[i].toTensor(), level)) return true;
    return false;
  }
  // [batch, 1, ..., the tensor's own]: broadcasting then aligns what the user sees.
  static Tensor with_batch_first(const Tensor& tensor, std::optional<int64_t> batch, int64_t rank, bool is_written) {
    if (!batch) return tensor;
    Tensor t = tensor.movedim(*batch, 0);
    TORCH_CHECK(!is_written || t.dim() - 1 == rank, "output with shape ", t.sizes().slice(1), " doesn't match the broadcast shape");
    while (t.dim() - 1 < rank) t = t.unsqueeze(1);
    return t;
  }

  const Operator& op_;
};

} // namespace

torch::CppFunction batching_rule(const Operator& op) {
  return torch::CppFunction::makeFromBoxedFunctor(std::make_unique<Batching>(op));
}

} // namespace corundum::user
