#include "torch/registry.h"

#include <c10/core/impl/LocalDispatchKeySet.h>
#include <c10/util/Exception.h>
#include <array>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>

#include "core/config.h"

namespace corundum {

namespace {

// torch warns once per process that a kernel is overridden; that is what we are for.
class QuietHandler final : public c10::WarningHandler {
  void process(const c10::Warning&) override {}
};

// Keeps SafeKernelFunction's boxed call behind KernelFunction's unboxed one, which does the boxing.
class PreviousKernel final : public c10::OperatorKernel {
 public:
  explicit PreviousKernel(c10::SafeKernelFunction kernel) : kernel_(std::move(kernel)) {}
  void operator()(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack* stack) {
    kernel_.callBoxed(op, keys, stack);
  }

 private:
  c10::SafeKernelFunction kernel_;
};

Slot slot_of(c10::DispatchKeySet keys) {
  switch (keys.highestPriorityTypeId()) {
    case c10::DispatchKey::CUDA:
    case c10::DispatchKey::AutogradCUDA:
      return slot_cuda;
    case c10::DispatchKey::PrivateUse1:
    case c10::DispatchKey::AutogradPrivateUse1:
      return slot_private;
    default:
      return slot_cpu;
  }
}

std::string base_of(const std::string& overload) { return overload.substr(0, overload.find('.')); }

size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({substituted, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::optional<c10::OperatorHandle> find_operator(const std::string& overload) {
  const size_t dot = overload.find('.');
  const std::string suffix = dot == std::string::npos ? "" : overload.substr(dot + 1);
  return c10::Dispatcher::singleton().findSchema({"aten::" + overload.substr(0, dot), suffix});
}

// Made of others above autograd, on some device. (A few have kernels for CPUs and CUDA, and derivatives, all the same.)
bool is_implicit(const c10::OperatorHandle& op) {
  return op.hasKernelForDispatchKey(c10::DispatchKey::CompositeImplicitAutograd) &&
         !op.hasKernelForDispatchKey(c10::DispatchKey::CPU);
}

} // namespace

class Registry {
 public:
  // Leaked, with the libraries in it: at process exit the dispatcher may be gone before us.
  static Registry& get() {
    static auto* registry = new Registry;
    return *registry;
  }

  void add(Overload* overload) { overloads_.push_back(overload); }
  int enable(const Selection& selection);
  int disable();
  uint64_t push_mask(const Selection& selection);
  void pop_mask(uint64_t token);
  std::vector<OverloadInfo> list();

 private:
  std::set<std::string> resolve(const Selection& selection);
  void collect(const std::string& name, const char* role, std::set<std::string>* into);
  [[noreturn]] void unknown(const std::string& name, const char* role);
  bool install(Overload& overload);
  void install_at(Overload& overload, Slot slot);
  void bind_at(Overload& overload, c10::DispatchKey key);
  void apply_masks();

  std::mutex mutex_;
  std::vector<Overload*> overloads_;
  std::vector<std::unique_ptr<torch::Library>> libraries_;
  struct Mask {
    uint64_t token;
    std::set<std::string> names;
  };
  std::vector<Mask> masks_;
  uint64_t next_token_ = 1;
};

void Overload::declare(std::string_view name, const char* family, std::string_view dtypes, Bind bind) {
  name_ = intern(name);
  family_ = family;
  dtypes_ = intern(dtypes);
  bind_ = bind;
  Registry::get().add(this);
}

const c10::KernelFunction& Overload::previous(c10::DispatchKeySet keys, const char* reason) const {
  const c10::KernelFunction* kernel = previous_[slot_of(keys)];
  TORCH_CHECK_NOT_IMPLEMENTED(kernel != nullptr, "aten::", name_, ": Corundum does not cover this call (", reason,
                              "), and no other kernel is registered for ", keys.highestPriorityTypeId());
  return *kernel;
}

void Overload::refuse_in_plan(const char* reason) const { TORCH_CHECK(false, "aten::", name_, " cannot be planned: ", reason); }

void Registry::unknown(const std::string& name, const char* role) {
  std::set<std::string> known;
  for (const Overload* overload : overloads_) known.insert({overload->name(), base_of(overload->name())});
  for (const Composite& composite : composites()) known.insert({composite.overload, base_of(composite.overload)});
  const auto nearest = std::min_element(known.begin(), known.end(), [&](const std::string& a, const std::string& b) {
    return edit_distance(name, a) < edit_distance(name, b);
  });
  throw std::invalid_argument(std::string(role) + ": Corundum has no operator '" + name + "'; did you mean '" + *nearest + "'?");
}

void Registry::collect(const std::string& name, const char* role, std::set<std::string>* into) {
  bool found = false;
  // "gelu" is every overload of gelu, "gelu.default" the one without a name, as in torch.ops.
  auto matches = [&](const std::string& overload) {
    return name == overload || name == base_of(overload) || name == overload + ".default";
  };
  for (const Overload* overload : overloads_) {
    if (!matches(overload->name())) continue;
    into->insert(overload->name());
    found = true;
  }
  for (const Composite& composite : composites()) {
    if (!matches(composite.overload)) continue;
    into->insert(composite.via.begin(), composite.via.end());
    found = true;
  }
  if (!found) unknown(name, role);
}

std::set<std::string> Registry::resolve(const Selection& selection) {
  std::set<std::string> chosen, excluded;
  if (selection.only) {
    for (const std::string& name : *selection.only) collect(name, "only", &chosen);
  } else {
    for (const Overload* overload : overloads_) chosen.insert(overload->name());
  }
  for (const std::string& name : selection.exclude) collect(name, "exclude", &excluded);
  for (const std::string& name : excluded) chosen.erase(name);
  return chosen;
}

void Registry::install_at(Overload& overload, Slot slot) {
  const c10::DispatchKey key = slot_keys[slot];
  const bool has_kernel = overload.handle_->hasComputedKernelForDispatchKey(key);
  // ATen's own error where it has kernels of the device, but none of this operator.
  static const auto served_by_aten = [] { // asked before anything of ours is there
    std::array<bool, slot_count> served{};
    const auto add = find_operator("add.out");
    for (size_t s = 0; s < served.size(); ++s) served[s] = add->hasKernelForDispatchKey(slot_keys[s]);
    return served;
  }();
  if (!has_kernel && served_by_aten[slot]) return;
  if (has_kernel) {
    auto before = std::make_unique<PreviousKernel>(overload.handle_->getComputedKernelForDispatchKey(key));
    overload.previous_[slot] = new c10::KernelFunction(c10::KernelFunction::makeFromBoxedFunctor(std::move(before)));
  }
  bind_at(overload, key);
  if (overload.over_composite_) bind_at(overload, c10::getAutogradKeyFromBackend(c10::toBackendComponent(key)));
}

void Registry::bind_at(Overload& overload, c10::DispatchKey key) {
  auto library = std::make_unique<torch::Library>(torch::Library::IMPL, "aten", key, __FILE__, __LINE__);
  overload.bind_(*library, overload);
  libraries_.push_back(std::move(library));
}

bool Registry::install(Overload& overload) {
  if (overload.registered_) return true;
  auto op = find_operator(overload.name_);
  if (!op) {
    log_line(std::string(overload.name_) + ": this torch has no such operator");
    return false;
  }
  // A kernel at a backend key would stop the composite above it and cut its gradients.
  if (is_implicit(*op) && !overload.over_composite_) {
    log_line(std::string(overload.name_) + ": a composite in this torch, left alone");
    return false;
  }
  overload.handle_ = new c10::OperatorHandle(*op);
  for (int slot = 0; slot < slot_meta; ++slot)
    if (slot_has_backend(static_cast<Slot>(slot))) install_at(overload, static_cast<Slot>(slot));
  overload.registered_ = true;
  return true;
}

int Registry::enable(const Selection& selection) {
  std::lock_guard lock(mutex_);
  const std::set<std::string> chosen = resolve(selection);
  lend_thread_pool();
  QuietHandler quiet;
  c10::WarningUtils::WarningHandlerGuard guard(&quiet);
  int count = 0;
  for (Overload* overload : overloads_) {
    overload->selected_ = chosen.count(overload->name()) != 0 && install(*overload);
    count += overload->selected_;
  }
  apply_masks();
  return count;
}

int Registry::disable() {
  std::lock_guard lock(mutex_);
  int count = 0;
  libraries_.clear();
  for (Overload* overload : overloads_) {
    count += overload->registered_;
    overload->on_.store(false);
    overload->registered_ = overload->selected_ = false;
    for (c10::KernelFunction*& kernel : overload->previous_) {
      delete kernel;
      kernel = nullptr;
    }
    delete overload->handle_;
    overload->handle_ = nullptr;
  }
  return count;
}

void Registry::apply_masks() {
  for (Overload* overload : overloads_) {
    const bool masked = !masks_.empty() && masks_.back().names.count(overload->name()) == 0;
    overload->on_.store(overload->selected_ && !masked, std::memory_order_relaxed);
  }
}

uint64_t Registry::push_mask(const Selection& selection) {
  std::lock_guard lock(mutex_);
  masks_.push_back({next_token_, resolve(selection)});
  apply_masks();
  return next_token_++;
}

void Registry::pop_mask(uint64_t token) {
  std::lock_guard lock(mutex_);
  auto found = std::find_if(masks_.begin(), masks_.end(), [&](const Mask& mask) { return mask.token == token; });
  if (found == masks_.end()) throw std::invalid_argument("use_pop: no mask has token " + std::to_string(token));
  masks_.erase(found);
  apply_masks();
}

std::vector<OverloadInfo> Registry::list() {
  std::lock_guard lock(mutex_);
  std::vector<std::string> backends;
  for (int slot = 0; slot < slot_meta; ++slot)
    if (slot_has_backend(static_cast<Slot>(slot))) backends.push_back(slot_backend(static_cast<Slot>(slot)));
  std::map<std::string, const Overload*> by_name;
  std::vector<OverloadInfo> rows;
  for (const Overload* overload : overloads_) {
    by_name[overload->name()] = overload;
    rows.push_back({overload->name(), overload->family(), overload->dtypes(), backends, {}, overload->on()});
  }
  for (const Composite& composite : composites()) {
    // This torch, or we, have a kernel of its own for it.
    if (!is_composite(composite.overload) || by_name.count(composite.overload)) continue;
    const Overload& leaf = *by_name.at(composite.via.front());
    bool enabled = true;
    for (const char* part : composite.via) enabled = enabled && by_name.at(part)->on();
    rows.push_back(
        {composite.overload, leaf.family(), leaf.dtypes(), backends, {composite.via.begin(), composite.via.end()}, enabled});
  }
  return rows;
}

int enable(const Selection& selection) { return Registry::get().enable(selection); }
int disable() { return Registry::get().disable(); }
uint64_t push_mask(const Selection& selection) { return Registry::get().push_mask(selection); }
void pop_mask(uint64_t token) { Registry::get().pop_mask(token); }
std::vector<OverloadInfo> list_overloads() { return Registry::get().list(); }

bool is_watched() {
  static const c10::DispatchKeySet watchers({c10::DispatchKey::Python, c10::DispatchKey::Tracer, c10::DispatchKey::Functionalize});
  return c10::impl::tls_local_dispatch_key_set().included_.has_any(watchers);
}

OverloadKind kind_of(const std::string& overload) {
  const auto op = find_operator(overload);
  return !op ? OverloadKind::none : is_implicit(*op) ? OverloadKind::composite : OverloadKind::kernel;
}

bool is_composite(const std::string& overload) {
  const auto op = find_operator(overload);
  if (!op) return false;
  using Key = c10::DispatchKey;
  const bool composite = is_implicit(*op) || op->hasKernelForDispatchKey(Key::CompositeExplicitAutograd);
  return composite && !op->hasKernelForDispatchKey(Key::CPU) && !op->hasKernelForDispatchKey(Key::CUDA);
}

} // namespace corundum
