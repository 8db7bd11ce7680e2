#pragma once
// The ATen overloads that are ours. A family declares its own, as static objects; nothing here knows any of them.
//
//   static Overload overload;                                              // constant-initialised: its address is all a call needs
//   overload.declare("tanh", "tanh", "f16 bf16 f32 f64", &Functional<overload, &try_tanh>::bind);
//
// Registering is rare and needs that no operator runs; switching (`on`) is an atomic that every call reads.
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "torch/devices.h"
#include "torch/record.h"

namespace corundum {

class Overload {
 public:
  // Registers the overload's function, under its name, with a library that stands for one dispatch key.
  using Bind = void (*)(torch::Library& library, Overload& self);

  constexpr Overload() = default;
  // Enters the overload in the list, at static initialisation. `dtypes` are torch's names, separated by blanks; all texts live
  // for ever, `family` by itself.
  void declare(std::string_view name, const char* family, std::string_view dtypes, Bind bind);

  // The same of an overload that ATen makes of others above autograd, and whose result has no gradient: ours then stands at the
  // autograd keys, too. Bind's function leaves the call to the composite where somebody watches operators (is_watched).
  void declare_over_composite(std::string_view name, const char* family, std::string_view dtypes, Bind bind) {
    declare(name, family, dtypes, bind);
    over_composite_ = true;
  }

  bool on() const { return on_.load(std::memory_order_relaxed); }
  const char* name() const { return name_; }
  const char* family() const { return family_; }
  const char* dtypes() const { return dtypes_; }
  bool registered() const { return registered_; }

  // The kernel that was there before ours, for the key that `keys` resolves to. Throws NotImplementedError when there was none.
  const c10::KernelFunction& previous(c10::DispatchKeySet keys, const char* reason) const;
  const c10::OperatorHandle& handle() const { return *handle_; }
  // A fallback while a plan is made computes nothing: it is an error that says why.
  void refuse_in_plan(const char* reason) const;

 private:
  friend class Registry;
  const char* name_ = nullptr;
  const char* family_ = nullptr;
  const char* dtypes_ = nullptr;
  Bind bind_ = nullptr;
  std::atomic<bool> on_{false};
  bool registered_ = false;
  bool selected_ = false;
  bool over_composite_ = false;
  c10::OperatorHandle* handle_ = nullptr;
  c10::KernelFunction* previous_[slot_count] = {};
};

// Whether a mode or a tracer of this thread sees each operator that is called: it must see the parts of a composite, as without us.
bool is_watched();

// Overloads that ATen makes of others: covered through these, and never registered.
struct Composite {
  const char* overload;
  std::vector<const char*> via;
};
const std::vector<Composite>& composites();

struct OverloadInfo {
  std::string overload, family, dtypes;
  std::vector<std::string> backends, via;
  bool enabled;
};

// nullopt for `only` means everything, an empty list nothing. Names are "add.Tensor", or "add" for all overloads of add; a
// composite's name stands for its parts. An unknown name is a std::invalid_argument that suggests the nearest.
struct Selection {
  std::optional<std::vector<std::string>> only;
  std::vector<std::string> exclude;
};

// Both answer how many overloads they touched.
int enable(const Selection& selection);
int disable();
// Masks nest; the innermost counts. They hold for the whole process.
uint64_t push_mask(const Selection& selection);
void pop_mask(uint64_t token);

std::vector<OverloadInfo> list_overloads();
// What ATen knows of an overload.
enum class OverloadKind { none, composite, kernel };
OverloadKind kind_of(const std::string& overload);
// Whether ATen has no kernel of its own for an overload ("clone", "softmax.int") and makes it of others.
bool is_composite(const std::string& overload);

} // namespace corundum
