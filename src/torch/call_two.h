#pragma once
// out= overloads with two results, beside those of torch/call.h:
//   Status attempt(arguments..., at::Tensor&, at::Tensor&)
#include "torch/call.h"

namespace corundum {

template <Overload& overload, auto attempt>
struct WritingTwo;

template <Overload& overload, class... Args, Status (*attempt)(Args...)>
struct WritingTwo<overload, attempt> {
  using Results = std::tuple<at::Tensor&, at::Tensor&>;

  static Results call(c10::DispatchKeySet keys, Args... args) {
    if (!overload.on()) [[unlikely]]
      return fall_back<Results, Args...>(overload, keys, switched_off, args...);
    const Status done = attempt(args...);
    if (!done.ok()) [[unlikely]]
      return fall_back<Results, Args...>(overload, keys, done.reason(), args...);
    record::served(own_kernel);
    const std::tuple<Args...> all(args...);
    return {std::get<sizeof...(Args) - 2>(all), std::get<sizeof...(Args) - 1>(all)};
  }
  static void bind(torch::Library& library, Overload& self) { library.impl(self.name(), TORCH_FN(call)); }
};

} // namespace corundum
