#include "torch/user_call.h"

#include <ATen/ExpandUtils.h>
#include <ATen/Functions.h>
#include <ATen/TensorIterator.h>
#include <ATen/native/Resize.h>
#include <ATen/native/TypeProperties.h>
#include <c10/core/DefaultDtype.h>
#include <c10/core/DynamicCast.h>

#include "torch/devices.h"
#include "torch/record.h"
#include "torch/tensors.h"

namespace corundum::user {

namespace {

using at::ScalarType;
using at::Tensor;

void require(const TensorCall& call, const Status& status) {
  TORCH_CHECK_NOT_IMPLEMENTED(status.ok(), call.definition->name, ": ", status.reason());
}

void check_kind(const Definition& d, size_t i, ScalarType type) {
  const TensorArgument& argument = d.tensors[i];
  const bool is_integral = c10::isIntegralType(type, /*includeBool=*/true);
  const char* wanted = nullptr;
  if (argument.takes == Takes::boolean && type != at::kBool) wanted = "bool";
  if (argument.takes == Takes::integer && !is_integral) wanted = "an integral dtype";
  if (argument.takes == Takes::floating && d.promotion != Promotion::int_to_float && !c10::isFloatingType(type))
    wanted = "a floating point dtype";
  TORCH_CHECK_TYPE(wanted == nullptr, d.name, ": expected ", wanted, " for '", argument.name, "', got ", type);
  TORCH_CHECK_NOT_IMPLEMENTED(codegen::program_takes(dtype_of(type)), d.name, ": '", argument.name, "' has dtype ", type,
                              ", which user-defined operators do not take");
}

// What a call is about once its tensors have been looked at.
struct Prepared {
  Call call;
  Target target;
  ScalarType common;
  corundum::Scalar values[Program::max_inputs]; // of 0-dim CPU tensors beside tensors of another device
};

ScalarType type_of_output(const Definition& d, int output, ScalarType common) {
  const Dtype dtype = d.output_dtypes[static_cast<size_t>(output)];
  if (dtype == Dtype::invalid) return common;
  for (int8_t type = 0; type < static_cast<int8_t>(ScalarType::NumOptions); ++type)
    if (dtype_of(static_cast<ScalarType>(type)) == dtype) return static_cast<ScalarType>(type);
  return ScalarType::Undefined;
}

corundum::Scalar number_of(const at::Scalar& number) {
  return number.isFloatingPoint() ? corundum::Scalar::of(number.toDouble()) : corundum::Scalar::of(number.toLong());
}

corundum::Scalar read_number(const Tensor& t) {
  if (c10::isFloatingType(t.scalar_type()))
    return corundum::Scalar::of(c10::fetch_and_cast<double>(t.scalar_type(), t.const_data_ptr()));
  return corundum::Scalar::of(c10::fetch_and_cast<int64_t>(t.scalar_type(), t.const_data_ptr()));
}

// TensorIterator with outputs from our own allocation, as ATen's structured kernels have it. Of several outputs that are to be made
// it sees the first: it would give the others strides for the first one's dtype. They are made like that one.
class Iterator final : public at::TensorIteratorBase {
 public:
  Iterator(const TensorCall& call, const Target& target, ScalarType common, std::vector<Tensor>& outputs)
      : target_(target), outputs_(outputs) {
    at::TensorIteratorConfig config;
    config.set_check_mem_overlap(true).check_all_same_dtype(false).allow_cpu_scalars(true).resize_outputs(true);
    for (size_t o = 0; o < outputs.size(); ++o) {
      types_.push_back(type_of_output(*call.definition, static_cast<int>(o), common));
      if (o == 0 || outputs[0].defined()) config.add_output(outputs[o]);
    }
    for (const Tensor& t : call.tensors) config.add_const_input(t);
    config.declare_static_dtype(types_[0]);
    build(config);
    for (size_t o = 1; o < outputs.size(); ++o)
      if (!outputs[o].defined()) outputs[o] = allocate_strided(target, outputs[0].sizes(), outputs[0].strides(), types_[o]);
  }

  const Tensor& maybe_get_output(int64_t i) override { return outputs_[static_cast<size_t>(i)]; }

#if __has_include(<ATen/core/Dimname.h>) // later releases have no named tensors
  void set_output_raw_strided(int64_t i, at::IntArrayRef sizes, at::IntArrayRef strides, at::TensorOptions options,
                              at::DimnameList names) override {
    give(static_cast<size_t>(i), sizes, strides, options);
    at::TensorIteratorBase::set_output_raw_strided(i, sizes, strides, options, names);
  }
#else
  void set_output_raw_strided(int64_t i, at::IntArrayRef sizes, at::IntArrayRef strides, at::TensorOptions options) override {
    give(static_cast<size_t>(i), sizes, strides, options);
    at::TensorIteratorBase::set_output_raw_strided(i, sizes, strides, options);
  }
#endif

 private:
  void give(size_t i, at::IntArrayRef sizes, at::IntArrayRef strides, const at::TensorOptions& options) {
    Tensor& out = outputs_[i];
    if (!out.defined()) {
      out = strides.empty() ? allocate(target_, sizes, types_[i], options.memory_format_opt())
                            : allocate_strided(target_, sizes, strides, types_[i]);
      return;
    }
    if (!at::native::resize_output(out, sizes)) return;
    if (!strides.empty())
      out.as_strided_(sizes, strides);
    else if (options.memory_format_opt())
      out.unsafeGetTensorImpl()->empty_tensor_restride(*options.memory_format_opt());
  }

  const Target& target_;
  std::vector<Tensor>& outputs_;
  std::vector<ScalarType> types_;
};

void check_outputs(const TensorCall& call, ScalarType common, c10::Device device, const std::vector<Tensor>& outputs) {
  for (size_t o = 0; o < outputs.size(); ++o) {
    const Tensor& out = outputs[o];
    if (!out.defined()) continue;
    const ScalarType type = type_of_output(*call.definition, static_cast<int>(o), common);
    TORCH_CHECK(out.device() == device, call.definition->name, ": expected the output on ", device, ", but it is on ",
                out.device());
    TORCH_CHECK(c10::canCast(type, out.scalar_type()), "result type ", type, " can't be cast to the desired output type ",
                out.scalar_type());
  }
}

// The device of the call: of the first tensor that is no mere number.
const Tensor& lead_of(const TensorCall& call) {
  for (const Tensor& t : call.tensors)
    if (t.dim() != 0 || !t.is_cpu()) return t;
  return call.tensors[0];
}

void run_on(const TensorCall& call, Prepared& p, std::vector<Tensor>& outputs) {
  const Definition& d = *call.definition;
  const DeviceScope device(p.target);
  const bool is_made = !outputs[0].defined();
  const int seen = is_made ? 1 : d.outputs(); // outputs that the iterator has
  Iterator iterator(call, p.target, p.common, outputs);
  std::vector<at::DimVector> strides(outputs.size());
  const bool is_meta = p.target.device == nullptr; // where the iterator leaves pointers unset
  Call& c = p.call;
  c.program = d.program;
  c.common = dtype_of(p.common);
  c.rank = iterator.ndim();
  c.shape = iterator.shape().data();
  for (int o = 0; o < d.outputs() + static_cast<int>(call.tensors.size()); ++o) {
    Operand& operand = c.operands[o];
    const int i = o - d.outputs();
    const Tensor& t = i < 0 ? outputs[static_cast<size_t>(o)] : call.tensors[static_cast<size_t>(i)];
    operand.dtype = dtype_of(t.scalar_type());
    if (i >= 0 && t.is_cpu() && !p.target.where.is_cpu()) {
      p.values[i] = read_number(t);
      operand.scalar = &p.values[i];
      continue;
    }
    if (i >= 0 || o < seen) {
      const int at = i >= 0 ? seen + i : o;
      operand.data = is_meta ? nullptr : iterator.data_ptr(at);
      operand.strides = iterator.strides(at).data();
      continue;
    }
    operand.data = is_meta ? nullptr : t.mutable_data_ptr();
    at::DimVector& own = strides[static_cast<size_t>(o)];
    own = at::DimVector(iterator.strides(0));
    for (int64_t& s : own) s = s / outputs[0].element_size() * t.element_size();
    operand.strides = own.data();
  }
  for (size_t i = 0; i < call.numbers.size(); ++i) c.numbers[i] = number_of(call.numbers[i]);
  LaunchList list;
  require(call, plan(*p.target.chip, c, list));
  require(call, launch(p.target, list));
}

bool is_symbolic(const TensorCall& call) {
  for (const Tensor& t : call.tensors)
    if (t.unsafeGetTensorImpl()->has_symbolic_sizes_strides()) return true;
  return false;
}

c10::SymDimVector broadcast(const TensorCall& call) {
  c10::SymDimVector sizes;
  for (const Tensor& t : call.tensors) sizes = at::infer_size_symdimvector(sizes, t.sym_sizes());
  return sizes;
}

// Dimensions of the result from the one with the smallest stride to the one with the largest, as TensorIterator orders them.
std::vector<int64_t> order_of_strides(const TensorCall& call, const c10::SymDimVector& sizes) {
  const auto rank = static_cast<int64_t>(sizes.size());
  const auto goes_below = [&](int64_t a, int64_t b) { // 1: a is inside of b, -1: outside, 0: no tensor knows
    for (const Tensor& t : call.tensors) {
      const int64_t shift = rank - t.dim();
      if (a < shift || b < shift) continue;
      const c10::SymInt stride_a = t.sym_size(a - shift) == 1 && sizes[a] != 1 ? c10::SymInt(0) : t.sym_stride(a - shift);
      const c10::SymInt stride_b = t.sym_size(b - shift) == 1 && sizes[b] != 1 ? c10::SymInt(0) : t.sym_stride(b - shift);
      if (stride_a == 0 || stride_b == 0) continue;
      if (stride_a < stride_b) return 1;
      if (stride_b < stride_a || sizes[a] > sizes[b]) return -1;
    }
    return 0;
  };
  std::vector<int64_t> order;
  for (int64_t d = rank - 1; d >= 0; --d) order.push_back(d);
  for (int64_t i = 1; i < rank; ++i) { // insertion, which skips what is ambiguous
    int64_t at = i;
    for (int64_t j = i - 1; j >= 0; --j) {
      const int below = goes_below(order[static_cast<size_t>(at)], order[static_cast<size_t>(j)]);
      if (below < 0) break;
      if (below == 0) continue;
      std::swap(order[static_cast<size_t>(at)], order[static_cast<size_t>(j)]);
      at = j;
    }
  }
  return order;
}

Tensor empty_symbolic(const TensorCall& call, const c10::SymDimVector& sizes, ScalarType type) {
  c10::SymDimVector strides(sizes.size());
  c10::SymInt next = 1;
  for (const int64_t d : order_of_strides(call, sizes)) {
    strides[static_cast<size_t>(d)] = next;
    next = next * sizes[static_cast<size_t>(d)].max(1);
  }
  return at::empty_strided_symint(sizes, strides, call.tensors[0].options().dtype(type).device(at::kMeta));
}

} // namespace

ScalarType common_type(const TensorCall& call) {
  const Definition& d = *call.definition;
  at::native::ResultTypeState state;
  ScalarType first = ScalarType::Undefined;
  for (size_t i = 0; i < d.tensors.size(); ++i) {
    const Tensor& t = call.tensors[i];
    TORCH_CHECK(t.defined(), d.name, ": '", d.tensors[i].name, "' is no tensor");
    check_kind(d, i, t.scalar_type());
    if (d.tensors[i].takes == Takes::boolean || d.promotion == Promotion::fixed) continue;
    if (first == ScalarType::Undefined) first = t.scalar_type();
    TORCH_CHECK_TYPE(d.promotion != Promotion::none || t.scalar_type() == first, d.name, ": expected '", d.tensors[i].name,
                     "' to have dtype ", first, " as the tensors before it, got ", t.scalar_type());
    state = at::native::update_result_type_state(t, state);
  }
  for (size_t i = 0; i < d.numbers.size(); ++i) {
    TORCH_CHECK_NOT_IMPLEMENTED(!call.numbers[i].isComplex(), d.name, ": '", d.numbers[i].name, "' is a complex number");
    if (d.promotion == Promotion::standard || d.promotion == Promotion::int_to_float)
      state = at::native::update_result_type_state(call.numbers[i], state);
  }
  if (d.promotion == Promotion::fixed) return ScalarType::Undefined;
  ScalarType common = at::native::result_type(state);
  if (common == ScalarType::Undefined) common = at::kBool; // conditions alone
  if (d.promotion == Promotion::int_to_float && c10::isIntegralType(common, true))
    common = c10::typeMetaToScalarType(c10::get_default_dtype());
  return common;
}

void run(const TensorCall& call, std::vector<Tensor>& outputs) {
  Prepared p;
  p.common = common_type(call);
  const Tensor& lead = lead_of(call);
  for (const Tensor& t : call.tensors) TORCH_CHECK_NOT_IMPLEMENTED(is_plain(t), call.definition->name, ": ", not_plain);
  check_outputs(call, p.common, lead.device(), outputs);
  require(call, find_target(lead.device(), &p.target));
  run_on(call, p, outputs);
  record::served("corundum");
}

void run_meta(const TensorCall& call, std::vector<Tensor>& outputs) {
  const ScalarType common = common_type(call);
  if (is_symbolic(call)) {
    const c10::SymDimVector sizes = broadcast(call);
    for (size_t o = 0; o < outputs.size(); ++o)
      if (!outputs[o].defined())
        outputs[o] = empty_symbolic(call, sizes, type_of_output(*call.definition, static_cast<int>(o), common));
    return;
  }
  check_outputs(call, common, lead_of(call).device(), outputs);
  Target target;
  target.where = c10::Device(c10::kMeta);
  target.key = c10::DispatchKey::Meta;
  target.allocator = c10::GetAllocator(c10::kMeta);
  Iterator(call, target, common, outputs);
}

} // namespace corundum::user
