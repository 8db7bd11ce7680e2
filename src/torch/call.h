#pragma once
// From a family's attempt to a function that the dispatcher can call. An attempt is
//   Status attempt(Result& result, arguments...)     for functional overloads
//   Status attempt(arguments...)                     for in-place and out= ones, whose result is their only `at::Tensor&`
// It either did all the work, or refused with a reason and wrote nothing: then the previously registered kernel gets the call.
#include <ATen/core/Tensor.h>

#include <tuple>
#include <type_traits>

#include "torch/registry.h"

namespace corundum {

inline constexpr const char* switched_off = "switched off";
inline constexpr const char* own_kernel = "corundum";

inline bool is_meta(const at::Tensor& t) { return t.is_meta(); }
inline bool is_meta(const std::optional<at::Tensor>& t) { return t && t->is_meta(); }
template <class T>
bool is_meta(const T&) {
  return false;
}

template <class Result, class... Args>
[[gnu::noinline]] Result fall_back(const Overload& overload, c10::DispatchKeySet keys, const char* reason, Args... args) {
  if (is_planning() && (is_meta(args) || ...)) overload.refuse_in_plan(reason);
  record::fell_back(reason);
  return overload.previous(keys, reason).call<Result, Args...>(overload.handle(), keys, std::forward<Args>(args)...);
}

template <Overload& overload, auto attempt>
struct Functional;

template <Overload& overload, class Result, class... Args, Status (*attempt)(Result&, Args...)>
struct Functional<overload, attempt> {
  static Result call(c10::DispatchKeySet keys, Args... args) {
    if (!overload.on()) [[unlikely]]
      return fall_back<Result, Args...>(overload, keys, switched_off, args...);
    Result result;
    const Status done = attempt(result, args...);
    if (!done.ok()) [[unlikely]]
      return fall_back<Result, Args...>(overload, keys, done.reason(), args...);
    record::served(own_kernel);
    return result;
  }
  static void bind(torch::Library& library, Overload& self) { library.impl(self.name(), TORCH_FN(call)); }
};

template <Overload& overload, auto attempt>
struct Writing;

template <Overload& overload, class... Args, Status (*attempt)(Args...)>
struct Writing<overload, attempt> {
  static_assert((std::is_same_v<Args, at::Tensor&> + ...) == 1, "an in-place or out= overload returns its one at::Tensor&");

  static at::Tensor& call(c10::DispatchKeySet keys, Args... args) {
    if (!overload.on()) [[unlikely]]
      return fall_back<at::Tensor&, Args...>(overload, keys, switched_off, args...);
    const Status done = attempt(args...);
    if (!done.ok()) [[unlikely]]
      return fall_back<at::Tensor&, Args...>(overload, keys, done.reason(), args...);
    record::served(own_kernel);
    return std::get<at::Tensor&>(std::tuple<Args...>(args...));
  }
  static void bind(torch::Library& library, Overload& self) { library.impl(self.name(), TORCH_FN(call)); }
};

} // namespace corundum
