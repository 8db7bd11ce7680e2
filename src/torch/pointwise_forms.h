#pragma once
// From a row of the table to its ATen overloads. A signature is a function
//   Status work(const Op& op, Tensor& out, arguments...)
// that does the call, into a new tensor where `out` is undefined, or refuses. Forms<&work> makes of it the functional, in-place
// and out= overloads of any row: one instance serves all rows, so that a row costs no compile time.
#include <initializer_list>
#include <string>
#include <tuple>
#include <utility>

#include "ops/pointwise/table.h"
#include "torch/call.h"
#include "torch/pointwise_call.h"

namespace corundum::pointwise {

using at::Tensor;

inline constexpr Rules arithmetic{.cpu_scalars = true};
inline constexpr Rules strict_output{.casts_output = false};
inline constexpr Rules gradient{.same_dtypes = true};

// An overload of a row. It lives for ever.
struct Form : Overload {
  const Op* op;
};

// torch's names of the dtypes in a set, as `corundum.ops()` lists them.
std::string dtype_text(const Op& op);

// Declares the first of `names` that this torch has, as an overload of `op`; none where it makes all of them of others.
void declare_first(const Op& op, std::initializer_list<std::string> names, Overload::Bind bind);

template <auto work>
struct Forms;

template <class... Args, Status (*work)(const Op&, Tensor&, Args...)>
struct Forms<work> {
  // f(arguments...) -> Tensor
  struct New {
    const Form* form;
    Tensor operator()(c10::DispatchKeySet keys, Args... args) const {
      if (!form->on()) [[unlikely]]
        return fall_back<Tensor, Args...>(*form, keys, switched_off, args...);
      Tensor result;
      const Status done = work(*form->op, result, args...);
      if (!done.ok()) [[unlikely]]
        return fall_back<Tensor, Args...>(*form, keys, done.reason(), args...);
      record::served(own_kernel);
      return result;
    }
  };
  // f_(self, arguments...) -> self
  template <class Self, class... Rest>
  struct Self_ {
    const Form* form;
    Tensor& operator()(c10::DispatchKeySet keys, Tensor& self, Rest... rest) const {
      if (!form->on()) [[unlikely]]
        return fall_back<Tensor&, Tensor&, Rest...>(*form, keys, switched_off, self, rest...);
      const Status done = work(*form->op, self, self, rest...);
      if (!done.ok()) [[unlikely]]
        return fall_back<Tensor&, Tensor&, Rest...>(*form, keys, done.reason(), self, rest...);
      record::served(own_kernel);
      return self;
    }
  };
  // f.out(arguments..., out) -> out
  struct Output {
    const Form* form;
    Tensor& operator()(c10::DispatchKeySet keys, Args... args, Tensor& out) const {
      if (!form->on()) [[unlikely]]
        return fall_back<Tensor&, Args..., Tensor&>(*form, keys, switched_off, args..., out);
      const Status done = work(*form->op, out, args...);
      if (!done.ok()) [[unlikely]]
        return fall_back<Tensor&, Args..., Tensor&>(*form, keys, done.reason(), args..., out);
      record::served(own_kernel);
      return out;
    }
  };

  template <class Function>
  static void bind(torch::Library& library, Overload& self) {
    library.impl(self.name(), Function{static_cast<const Form*>(&self)});
  }

  static void functional(const Op& op, std::initializer_list<std::string> names) { declare_first(op, names, &bind<New>); }
  static void in_place(const Op& op, std::initializer_list<std::string> names) { declare_first(op, names, &bind<Self_<Args...>>); }
  static void output(const Op& op, std::initializer_list<std::string> names) { declare_first(op, names, &bind<Output>); }
  // f, f_ and f.out, or f.overload, f_.overload and f.out
  static void all(const Op& op, const std::string& overload = "", const std::string& out = "out") {
    const std::string name = op.name, suffix = overload.empty() ? "" : "." + overload;
    functional(op, {name + suffix});
    in_place(op, {name + "_" + suffix});
    output(op, {name + "." + out});
  }
  // f and f.grad_input, which hardswish_backward names f.out
  static void backward(const Op& op) {
    functional(op, {op.name});
    output(op, {std::string(op.name) + ".grad_input", std::string(op.name) + ".out"});
  }
};

// Calls declare(row) for every row of a signature. Each file of src/torch/ that registers rows has this in a static object.
template <class Declare>
bool for_rows(Signature signature, Declare declare) {
  for (const Op& op : ops)
    if (op.signature == signature) declare(op);
  return true;
}

} // namespace corundum::pointwise
