// The fused steps of optimizers, and what a gradient scaler does to lists of gradients.
#include "ops/optimizer/optimizer.h"

#include "torch/lists.h"

namespace corundum::optimizer {

namespace {

using at::Tensor, at::TensorList;
using MaybeTensor = std::optional<Tensor>;

constexpr const char* not_one_float = "a number in a tensor is no float32 on the lists' device";

// A tensor that holds one f32 beside `where`.
Status check_number(const Tensor& t, const Tensor& where) {
  if (!is_plain(t) || t.numel() != 1 || t.scalar_type() != at::kFloat || t.device() != where.device())
    return Status::refuse(not_one_float);
  return {};
}
Status optional_number(const MaybeTensor& t, const Tensor& where, const void** at) {
  if (!t || !t->defined()) return {};
  CORUNDUM_TRY(check_number(*t, where));
  *at = read_pointer(*t);
  return {};
}

Status check_dtype(at::ScalarType dtype) {
  if (!c10::isFloatingType(dtype) || c10::isFloat8Type(dtype)) return Status::refuse("dtype not covered");
  return {};
}

struct Step {
  Kind kind;
  Numbers numbers{};
  c10::SmallVector<TensorList, 5> lists;
  TensorList steps;
  const MaybeTensor *grad_scale, *found_inf;
};

Status run(Step& step) {
  CORUNDUM_TRY(check_lists(step.lists, true));
  const TensorList self = step.lists[0];
  CORUNDUM_TRY(check_dtype(self[0].scalar_type()));
  CORUNDUM_TRY(optional_number(*step.grad_scale, self[0], &step.numbers.scale_at));
  CORUNDUM_TRY(optional_number(*step.found_inf, self[0], &step.numbers.found_at));
  if (has_step(step.kind)) {
    if (step.steps.size() != self.size()) return Status::refuse("the lists have different lengths");
    for (const Tensor& t : step.steps) CORUNDUM_TRY(check_number(t, self[0]));
  }
  Target target;
  CORUNDUM_TRY(find_target(self[0].device(), &target));
  const unsigned writes = (1u << step.lists.size()) - 1;
  if (!target.follows_cuda() && order_counts(step.lists, writes)) return Status::refuse("tensors of a list share memory");
  const DeviceScope device(target);
  ListItems items(self.size());
  for (size_t i = 0; i < self.size(); ++i) {
    items[i].n = self[i].numel();
    uint64_t* column = items[i].column;
    for (size_t l = 0; l < step.lists.size(); ++l) {
      const Tensor& t = step.lists[l][i];
      const bool reads = l == 1 && step.numbers.scale_at == nullptr; // gradients
      *column++ = address_of(reads ? read_pointer(t) : t.mutable_data_ptr());
    }
    if (has_step(step.kind)) *column = address_of(read_pointer(step.steps[i]));
  }
  std::optional<ListLaunches> launches;
  const Call call{step.kind, dtype_of(self[0].scalar_type()), step.numbers, items.data(), items.size()};
  CORUNDUM_TRY(plan(*target.chip, call, &launches));
  return launch_all(target, *launches);
}

// A rate in a tensor: on the host its number, elsewhere its address.
Status take_rate(const Tensor& lr, const Tensor& where, Numbers* numbers) {
  if (lr.is_cpu() && lr.numel() == 1 && !is_planning()) {
    numbers->rate = lr.item<double>();
    return {};
  }
  return optional_number(lr, where, &numbers->rate_at);
}
Status take_rate(double lr, const Tensor&, Numbers* numbers) {
  numbers->rate = lr;
  return {};
}

template <bool decoupled, class Rate>
Status adam(TensorList self, TensorList grads, TensorList averages, TensorList squares, TensorList largest, TensorList steps,
            Rate lr, double beta1, double beta2, double weight_decay, double eps, bool amsgrad, bool maximize,
            const MaybeTensor& grad_scale, const MaybeTensor& found_inf) {
  if (self.empty()) return Status::refuse("a list without tensors");
  if (!amsgrad && !largest.empty()) return Status::refuse("a list of largest squares that is not asked for");
  if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)) return Status::refuse("a beta is not between 0 and 1");
  Step step{decoupled ? (amsgrad ? Kind::adamw_largest : Kind::adamw) : (amsgrad ? Kind::adam_largest : Kind::adam)};
  step.numbers = {.weight_decay = weight_decay, .epsilon = eps, .beta1 = beta1, .beta2 = beta2, .maximize = maximize};
  CORUNDUM_TRY(take_rate(lr, self[0], &step.numbers));
  step.lists = {self, grads, averages, squares};
  if (amsgrad) step.lists.push_back(largest);
  step.steps = steps;
  step.grad_scale = &grad_scale;
  step.found_inf = &found_inf;
  return run(step);
}

template <class Rate>
Status sgd(TensorList self, TensorList grads, TensorList buffers, double weight_decay, double momentum, Rate lr, double dampening,
           bool nesterov, bool maximize, bool is_first_step, const MaybeTensor& grad_scale, const MaybeTensor& found_inf) {
  if (self.empty()) return Status::refuse("a list without tensors");
  Step step{buffers.empty() ? Kind::sgd : Kind::sgd_momentum};
  step.numbers = {.weight_decay = weight_decay,
                  .momentum = momentum,
                  .dampening = dampening,
                  .maximize = maximize,
                  .nesterov = nesterov,
                  .first_step = is_first_step};
  CORUNDUM_TRY(take_rate(lr, self[0], &step.numbers));
  step.lists = {self, grads};
  if (!buffers.empty()) step.lists.push_back(buffers);
  step.grad_scale = &grad_scale;
  step.found_inf = &found_inf;
  return run(step);
}

template <class Rate>
Status adagrad(TensorList self, TensorList grads, TensorList sums, TensorList steps, Rate lr, double lr_decay, double weight_decay,
               double eps, bool maximize, const MaybeTensor& grad_scale, const MaybeTensor& found_inf) {
  if (self.empty()) return Status::refuse("a list without tensors");
  Step step{Kind::adagrad};
  step.numbers = {.weight_decay = weight_decay, .epsilon = eps, .rate_decay = lr_decay, .maximize = maximize};
  CORUNDUM_TRY(take_rate(lr, self[0], &step.numbers));
  step.lists = {self, grads, sums};
  step.steps = steps;
  step.grad_scale = &grad_scale;
  step.found_inf = &found_inf;
  return run(step);
}

Status unscale(TensorList self, Tensor& found_inf, const Tensor& inv_scale) {
  CORUNDUM_TRY(check_lists(self, true));
  CORUNDUM_TRY(check_dtype(self[0].scalar_type()));
  CORUNDUM_TRY(check_number(found_inf, self[0]));
  CORUNDUM_TRY(check_number(inv_scale, self[0]));
  if (self[0].is_cuda() && self[0].scalar_type() == at::kBFloat16) return Status::refuse("ATen has not this dtype on a GPU");
  Target target;
  CORUNDUM_TRY(find_target(self[0].device(), &target));
  if (!target.follows_cuda() && order_counts(self, 1)) return Status::refuse("tensors of a list share memory");
  const DeviceScope device(target);
  ListItems items(self.size());
  for (size_t i = 0; i < self.size(); ++i) {
    items[i].n = self[i].numel();
    items[i].column[0] = address_of(self[i].mutable_data_ptr());
  }
  std::optional<ListLaunches> launches;
  CORUNDUM_TRY(plan_unscale(*target.chip, dtype_of(self[0].scalar_type()), read_pointer(inv_scale), found_inf.mutable_data_ptr(),
                            items.data(), items.size(), &launches));
  return launch_all(target, *launches);
}

Status update_scale(Tensor& scale, Tensor& tracker, const Tensor& found_inf, double growth, double backoff, int64_t interval) {
  CORUNDUM_TRY(check_number(scale, scale));
  CORUNDUM_TRY(check_number(found_inf, scale));
  if (!is_plain(tracker) || tracker.numel() != 1 || tracker.scalar_type() != at::kInt || tracker.device() != scale.device())
    return Status::refuse("the growth tracker is no int32 on the scale's device");
  Target target;
  CORUNDUM_TRY(find_target(scale.device(), &target));
  const DeviceScope device(target);
  const ListItem item{1, {address_of(scale.mutable_data_ptr())}};
  std::optional<ListLaunches> launches;
  CORUNDUM_TRY(plan_update(*target.chip, {tracker.mutable_data_ptr(), read_pointer(found_inf), growth, backoff, interval, &item},
                           &launches));
  return launch_all(target, *launches);
}

Overload adam_number, adam_tensor, adamw_number, adamw_tensor, sgd_number, sgd_tensor, adagrad_number, adagrad_tensor, unscaled,
    updated;

// It returns the first of its two tensors that are written.
Tensor& call_update(c10::DispatchKeySet keys, Tensor& scale, Tensor& tracker, const Tensor& found_inf, double growth,
                    double backoff, int64_t interval) {
  const Status done =
      updated.on() ? update_scale(scale, tracker, found_inf, growth, backoff, interval) : Status::refuse(switched_off);
  if (!done.ok()) [[unlikely]]
    return fall_back<Tensor&, Tensor&, Tensor&, const Tensor&, double, double, int64_t>(
        updated, keys, done.reason(), scale, tracker, found_inf, growth, backoff, interval);
  record::served(own_kernel);
  return scale;
}

const bool declared = [] {
  constexpr const char *family = "optimizer", *dtypes = "float16 bfloat16 float32 float64";
  adam_number.declare("_fused_adam_", family, dtypes, &WritingLists<adam_number, &adam<false, double>>::bind);
  adam_tensor.declare("_fused_adam_.tensor_lr", family, dtypes, &WritingLists<adam_tensor, &adam<false, const Tensor&>>::bind);
  adamw_number.declare("_fused_adamw_", family, dtypes, &WritingLists<adamw_number, &adam<true, double>>::bind);
  adamw_tensor.declare("_fused_adamw_.tensor_lr", family, dtypes, &WritingLists<adamw_tensor, &adam<true, const Tensor&>>::bind);
  sgd_number.declare("_fused_sgd_", family, dtypes, &WritingLists<sgd_number, &sgd<double>>::bind);
  sgd_tensor.declare("_fused_sgd_.tensor_lr", family, dtypes, &WritingLists<sgd_tensor, &sgd<const Tensor&>>::bind);
  adagrad_number.declare("_fused_adagrad_", family, dtypes, &WritingLists<adagrad_number, &adagrad<double>>::bind);
  adagrad_tensor.declare("_fused_adagrad_.tensor_lr", family, dtypes, &WritingLists<adagrad_tensor, &adagrad<const Tensor&>>::bind);
  unscaled.declare("_amp_foreach_non_finite_check_and_unscale_", family, dtypes, &WritingLists<unscaled, &unscale>::bind);
  updated.declare("_amp_update_scale_", family, "float32",
                  [](torch::Library& library, Overload& self) { library.impl(self.name(), TORCH_FN(call_update)); });
  return true;
}();

} // namespace

} // namespace corundum::optimizer
