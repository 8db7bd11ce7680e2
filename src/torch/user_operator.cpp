#include "torch/user_operator.h"

#include <ATen/core/LegacyTypeDispatch.h>

#include <map>
#include <mutex>
#include <stdexcept>

#include "torch/prefetch.h"

namespace corundum::user {

namespace {

using at::Tensor;
using c10::DispatchKey;
using torch::jit::Stack;

constexpr DispatchKey device_keys[] = {DispatchKey::CPU, DispatchKey::CUDA, DispatchKey::PrivateUse1};

std::vector<Tensor> outputs_of(const Operator& op, const Stack& stack) {
  const Definition& d = *op.definition;
  std::vector<Tensor> outputs(static_cast<size_t>(d.outputs()));
  if (op.form == Form::in_place) outputs[0] = stack.end()[-static_cast<int64_t>(d.tensors.size() + d.numbers.size())].toTensor();
  if (op.form == Form::output)
    for (size_t o = 0; o < outputs.size(); ++o) outputs[o] = stack.end()[-static_cast<int64_t>(outputs.size() - o)].toTensor();
  return outputs;
}

// The function at the keys of devices and, with `shapes_alone`, at Meta.
class Kernel final : public c10::OperatorKernel {
 public:
  Kernel(const Operator& op, bool shapes_alone) : op_(op), run_(shapes_alone ? &run_meta : &run) {}
  void operator()(const c10::OperatorHandle& handle, c10::DispatchKeySet, Stack* stack) {
    const TensorCall call = arguments_of(op_, *stack);
    std::vector<Tensor> outputs = outputs_of(op_, *stack);
    run_(call, outputs);
    torch::jit::drop(*stack, handle.schema().arguments().size());
    if (op_.form != Form::functional) return; // results are arguments: the schema returns nothing
    for (Tensor& out : outputs) stack->emplace_back(std::move(out));
  }

 private:
  const Operator& op_;
  void (*run_)(const TensorCall&, std::vector<Tensor>&);
};

// What was written counts as written, for autograd.
class CountVersion final : public c10::OperatorKernel {
 public:
  explicit CountVersion(const Operator& op) : op_(op) {}
  void operator()(const c10::OperatorHandle& handle, c10::DispatchKeySet keys, Stack* stack) {
    const std::vector<Tensor> outputs = outputs_of(op_, *stack);
    {
      at::AutoDispatchBelowADInplaceOrView guard;
      handle.redispatchBoxed(keys & c10::after_ADInplaceOrView_keyset, stack);
    }
    for (const Tensor& out : outputs)
      if (!out.is_inference()) out.unsafeGetTensorImpl()->bump_version();
  }

 private:
  const Operator& op_;
};

std::string schema_of(const Operator& op) {
  const Definition& d = *op.definition;
  std::string s = d.name + (op.form == Form::in_place ? "_" : op.form == Form::output ? ".out" : "") + "(", keywords;
  for (size_t i = 0; i < d.tensors.size(); ++i)
    s += std::string(i ? ", " : "") + (i == 0 && op.form == Form::in_place ? "Tensor(a!) " : "Tensor ") + d.tensors[i].name;
  for (const NumberArgument& n : d.numbers) keywords += ", Scalar " + n.name + (n.standard.empty() ? "" : "=" + n.standard);
  if (op.form == Form::output)
    for (int o = 0; o < d.outputs(); ++o)
      keywords += std::string(", Tensor(") + static_cast<char>('a' + o) + "!) out" + (d.outputs() > 1 ? std::to_string(o) : "");
  if (!keywords.empty()) s += ", *" + keywords;
  s += ") -> ";
  if (op.form != Form::functional) return s + "()";
  if (d.outputs() == 1) return s + "Tensor";
  for (int o = 0; o < d.outputs(); ++o) s += o ? ", Tensor" : "(Tensor";
  return s + ")";
}

struct Registered {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<const Definition>> definitions;
  std::vector<std::unique_ptr<torch::Library>> libraries;
  std::vector<std::unique_ptr<Operator>> operators;
};
// Leaked: at process exit the dispatcher may be gone before us.
Registered& registered() {
  static auto* all = new Registered;
  return *all;
}

const Operator* add_form(Registered& all, torch::Library& library, const std::shared_ptr<const Definition>& d, Form form,
                         const Operator* functional, std::vector<const Operator*> backward) {
  using torch::CppFunction;
  all.operators.push_back(std::make_unique<Operator>(Operator{d, form, std::move(backward), functional}));
  Operator& op = *all.operators.back();
  if (functional == nullptr) op.functional = &op;
  library.def(schema_of(op).c_str(), {at::Tag::pt2_compliant_tag});
  const std::string name = op.handle().operator_name().name + (form == Form::output ? ".out" : "");
  const auto add = [&](DispatchKey key, CppFunction function) {
    library.impl(name.c_str(), torch::dispatch(key, std::move(function)));
  };
  for (const DispatchKey key : device_keys) add(key, CppFunction::makeFromBoxedFunctor(std::make_unique<Kernel>(op, false)));
  add(DispatchKey::Meta, CppFunction::makeFromBoxedFunctor(std::make_unique<Kernel>(op, true)));
  if (form != Form::functional)
    add(DispatchKey::ADInplaceOrView, CppFunction::makeFromBoxedFunctor(std::make_unique<CountVersion>(op)));
  add(DispatchKey::Autograd, autograd_kernel(op));
  add(DispatchKey::FuncTorchBatched, batching_rule(op));
  return &op;
}

const Operator* add_forms(Registered& all, const std::shared_ptr<const Definition>& d) {
  const std::string space = d->name.substr(0, d->name.find("::"));
  if (c10::Dispatcher::singleton().findSchema({d->name, ""}))
    throw std::invalid_argument(d->name + ": another library has defined an operator of this name");
  std::vector<const Operator*> backward;
  for (const Backward& b : d->backward) backward.push_back(add_forms(all, b.definition));
  auto library = std::make_unique<torch::Library>(torch::Library::FRAGMENT, space, std::nullopt, __FILE__, __LINE__);
  const Operator* functional = add_form(all, *library, d, Form::functional, nullptr, std::move(backward));
  if (d->outputs() == 1) add_form(all, *library, d, Form::in_place, functional, {});
  add_form(all, *library, d, Form::output, functional, {});
  all.libraries.push_back(std::move(library));
  all.definitions.emplace(d->name, d);
  return functional;
}

std::shared_ptr<const Definition> enter(const std::shared_ptr<const Definition>& d) {
  Registered& all = registered();
  std::lock_guard lock(all.mutex);
  if (const auto found = all.definitions.find(d->name); found != all.definitions.end()) {
    if (found->second->identity() == d->identity()) return found->second;
    throw std::invalid_argument(d->name + ": is defined already, in another way");
  }
  add_forms(all, d);
  prefetch_again();
  return d;
}

} // namespace

c10::OperatorHandle Operator::handle() const {
  const std::string& name = definition->name;
  return c10::Dispatcher::singleton().findSchemaOrThrow((form == Form::in_place ? name + "_" : name).c_str(),
                                                        form == Form::output ? "out" : "");
}

TensorCall arguments_of(const Operator& op, const Stack& stack) {
  const Definition& d = *op.definition;
  const size_t outputs = op.form == Form::output ? static_cast<size_t>(d.outputs()) : 0;
  auto at = stack.end() - static_cast<int64_t>(d.tensors.size() + d.numbers.size() + outputs);
  TensorCall call{&d, {}, {}};
  for (size_t i = 0; i < d.tensors.size(); ++i) call.tensors.push_back((at++)->toTensor());
  for (size_t i = 0; i < d.numbers.size(); ++i) call.numbers.push_back((at++)->toScalar());
  return call;
}

std::shared_ptr<const Definition> define_operator(const DefinitionText& text) { return enter(define(text)); }
std::shared_ptr<const Definition> define_operator(const TraceText& text) { return enter(define(text)); }

std::shared_ptr<const Definition> find_operator(const std::string& name) {
  Registered& all = registered();
  std::lock_guard lock(all.mutex);
  const auto found = all.definitions.find(name);
  return found == all.definitions.end() ? nullptr : found->second;
}

std::vector<std::string> operator_names() {
  Registered& all = registered();
  std::lock_guard lock(all.mutex);
  std::vector<std::string> names;
  for (const auto& [name, definition] : all.definitions) names.push_back(name);
  return names;
}

} // namespace corundum::user
