#include "torch/pointwise_call.h"

#include <ATen/Dispatch.h>
#include <ATen/ScalarOps.h>
#include <ATen/TensorIterator.h>
#include <ATen/native/Resize.h>
#include <ATen/native/TypeProperties.h>
#include <c10/core/DefaultDtype.h>
#include <c10/core/DynamicCast.h>

#include <algorithm>

#include "ops/copy/copy.h"
#include "torch/devices.h"
#include "torch/tensors.h"

namespace corundum::pointwise {

namespace {

// Dtypes that kernels convert from and to.
bool is_common(at::ScalarType type, const Op& op) {
  const uint8_t set = set_of(dtype_of(type));
  return (set & (set_every | (op.dtypes & set_unsigned))) != 0;
}

bool is_own(const Op& op, int input) { return op.own >> input & 1; }

// The value of a 0-dim CPU tensor.
Status read_scalar(const at::Tensor& t, const Op& op, corundum::Scalar* scalar) {
  const void* data = t.const_data_ptr();
  const at::ScalarType type = t.scalar_type();
  if (!is_common(type, op)) return Status::refuse("a number's dtype is not covered");
  if (c10::isComplexType(type)) {
    const auto z = c10::fetch_and_cast<c10::complex<double>>(type, data);
    *scalar = corundum::Scalar::of(z.real(), z.imag());
  } else if (c10::isFloatingType(type)) {
    *scalar = corundum::Scalar::of(c10::fetch_and_cast<double>(type, data));
  } else {
    *scalar = corundum::Scalar::of(c10::fetch_and_cast<int64_t>(type, data));
  }
  return {};
}

// What a call is about once its tensors have been looked at.
struct Prepared {
  Call call;
  Target target;
  at::ScalarType compute, result[max_outputs];
  at::Tensor* const* out;
  const at::Tensor* lead = nullptr;    // the first input that is no number
  corundum::Scalar values[max_inputs]; // of the inputs that are
  bool is_number[max_inputs] = {};
};

// Which inputs are numbers (0-dim CPU tensors beside a tensor with memory that counts), and the device of the others.
Status sort_inputs(const TensorCall& call, Prepared& p) {
  for (int i = 0; i < call.inputs; ++i) {
    const at::Tensor& t = *call.in[i];
    if (!is_plain(t)) [[unlikely]]
      return Status::refuse(not_plain);
    if (p.lead == nullptr && (t.dim() != 0 || !t.is_cpu())) p.lead = &t;
  }
  if (p.lead == nullptr) {
    p.lead = call.in[0];
    return {};
  }
  const c10::Device device = p.lead->device();
  for (int i = 0; i < call.inputs; ++i) {
    const at::Tensor& t = *call.in[i];
    if (t.device() == device && !(t.dim() == 0 && device.is_cpu())) continue;
    if (t.dim() != 0 || !t.is_cpu() || (!call.rules.cpu_scalars && !device.is_cpu())) return Status::refuse(on_two_devices);
    p.is_number[i] = true;
    CORUNDUM_TRY(read_scalar(t, *call.op, &p.values[i]));
  }
  return {};
}

at::ScalarType promoted(const TensorCall& call) {
  at::native::ResultTypeState state;
  for (int i = 0; i < call.inputs; ++i)
    if (!is_own(*call.op, i)) state = at::native::update_result_type_state(*call.in[i], state);
  return at::native::result_type(state);
}

// torch.result_type, without looking further where all agree or a number is of no higher kind.
at::ScalarType common_type(const TensorCall& call, const Prepared& p) {
  if (call.op->own) return promoted(call);
  const at::ScalarType type = p.lead->scalar_type();
  for (int i = 0; i < call.inputs; ++i) {
    const at::Tensor& t = *call.in[i];
    if (t.scalar_type() == type && !p.is_number[i]) continue;
    const bool yields = p.is_number[i] && (p.lead->dim() != 0 || t.unsafeGetTensorImpl()->is_wrapped_number()) &&
                        category(t.scalar_type()) <= category(type);
    if (!yields) return promoted(call);
  }
  return type;
}

// Elements of 16 bytes are moved in one access.
bool is_aligned(const at::Tensor& t) {
  return t.element_size() < 16 || reinterpret_cast<uintptr_t>(t.const_data_ptr()) % t.element_size() == 0;
}

at::ScalarType result_of(Promotion promotion, at::ScalarType compute) {
  if (promotion == Promotion::always_bool) return at::kBool;
  if (promotion == Promotion::complex_to_float || promotion == Promotion::any_to_float) return c10::toRealValueType(compute);
  if (promotion == Promotion::float_to_complex) return c10::toComplexType(compute);
  return compute;
}

// Whether the tensors that take part in promotion are of one dtype.
bool have_same_dtypes(const TensorCall& call) {
  const at::Tensor* first = nullptr;
  for (int i = 0; i < call.inputs; ++i) {
    if (is_own(*call.op, i)) continue;
    if (first == nullptr) first = call.in[i];
    if (call.in[i]->scalar_type() != first->scalar_type()) return false;
  }
  return true;
}

bool on_cpus_alone(const Op& op, at::ScalarType compute) {
  const bool is_half = compute == at::kHalf || compute == at::kBFloat16;
  return (op.traits & half_on_cpus && is_half) || (op.traits & unsigned_on_cpus && c10::isBarebonesUnsignedType(compute));
}

Status find_types(const TensorCall& call, Prepared& p) {
  at::ScalarType compute = call.compute;
  if (call.moves_bits) {
    if (dtype_of(compute) == Dtype::invalid) return Status::refuse("dtype not covered");
    p.compute = p.result[0] = compute;
    p.call.compute = dtype_of(compute);
    return {};
  }
  if (compute == at::ScalarType::Undefined) {
    if (call.rules.same_dtypes && !have_same_dtypes(call)) return Status::refuse("the tensors have different dtypes");
    compute = common_type(call, p);
    const Promotion promotion = call.op->promotion;
    if ((promotion == Promotion::int_to_float || promotion == Promotion::any_to_float) && category(compute) < 2)
      compute = c10::typeMetaToScalarType(c10::get_default_dtype());
  }
  if (!is_covered(*call.op, compute)) return Status::refuse("dtype not covered");
  if (p.lead->is_cuda() && on_cpus_alone(*call.op, compute)) return Status::refuse("dtype not covered");
  for (int i = 0; i < call.inputs; ++i)
    if (!is_common(call.in[i]->scalar_type(), *call.op)) return Status::refuse("dtype not covered");
  p.compute = compute;
  for (int o = 0; o < call.op->outputs; ++o)
    p.result[o] = call.results[o] != at::ScalarType::Undefined ? call.results[o] : result_of(call.op->promotion, compute);
  p.call.compute = dtype_of(compute);
  return {};
}

// A comparison sees a number as a 16-bit tensor would hold it; arithmetic takes it as it is.
corundum::Scalar as_held(const corundum::Scalar& number, at::ScalarType type) {
  const float f = static_cast<float>(number.f);
  if (type == at::kHalf) return corundum::Scalar::of(static_cast<double>(static_cast<at::Half>(f)));
  if (type == at::kBFloat16) return corundum::Scalar::of(static_cast<double>(static_cast<at::BFloat16>(f)));
  return number;
}

Status check_output(const TensorCall& call, const Prepared& p, int o) {
  const at::Tensor& out = *p.out[o];
  if (!is_plain(out)) return Status::refuse(not_plain);
  if (out.device() != p.lead->device()) return Status::refuse(on_two_devices);
  if (call.moves_bits && !(is_aligned(out) && is_aligned(*call.in[0]))) return Status::refuse("an address is not a multiple of 16");
  if (out.scalar_type() == p.result[o]) return {};
  if (!is_common(out.scalar_type(), *call.op)) return Status::refuse("dtype not covered");
  if (!call.rules.casts_output || !c10::canCast(p.result[o], out.scalar_type()))
    return Status::refuse("the result cannot be cast to the output's dtype");
  return {};
}

enum class Layout { none, contiguous, channels_last, dense };

template <class Test>
bool all_tensors(const TensorCall& call, const Prepared& p, Test test) {
  for (int i = 0; i < call.inputs; ++i)
    if (!p.is_number[i] && !test(*call.in[i])) return false;
  for (int o = 0; o < call.op->outputs; ++o)
    if (p.out[o]->defined() && !test(*p.out[o])) return false;
  return true;
}

// The one layout that all tensors have, which is also the result's, in the order in which TensorIterator looks for it.
Layout common_layout(const TensorCall& call, const Prepared& p) {
  const at::Tensor& lead = *p.lead;
  const bool same_sizes = all_tensors(call, p, [&](const at::Tensor& t) { return &t == &lead || t.sizes().equals(lead.sizes()); });
  if (!same_sizes) return Layout::none;
  bool has_number = false;
  for (int i = 0; i < call.inputs; ++i) has_number = has_number || p.is_number[i];
  const bool decides = !p.out[0]->defined() && has_number;
  if (all_tensors(call, p, [](const at::Tensor& t) { return t.is_contiguous(); }))
    return !decides || has_canonical_strides(lead) ? Layout::contiguous : Layout::none;
  if (decides) return Layout::none;
  if (all_tensors(call, p, [](const at::Tensor& t) { return t.is_contiguous(at::MemoryFormat::ChannelsLast); }))
    return Layout::channels_last;
  const auto is_as_lead = [&](const at::Tensor& t) {
    return t.is_non_overlapping_and_dense() && t.strides().equals(lead.strides());
  };
  return all_tensors(call, p, is_as_lead) ? Layout::dense : Layout::none;
}

// An output that shares memory with an input it is not, or with another output: TensorIterator decides whether that is an error.
bool may_overlap(const TensorCall& call, const Prepared& p) {
  for (int o = 0; o < call.op->outputs; ++o) {
    const at::Tensor& out = *p.out[o];
    if (!out.defined()) continue;
    for (int i = 0; i < call.inputs; ++i)
      if (!p.is_number[i] && !call.in[i]->is_same(out) && !is_disjoint(out, *call.in[i])) return true;
    for (int other = 0; other < o; ++other)
      if (p.out[other]->defined() && !is_disjoint(out, *p.out[other])) return true;
  }
  return false;
}

void fill_operand(Operand& operand, void* data, at::ScalarType type) {
  operand.data = data;
  operand.dtype = dtype_of(type);
}

at::Tensor make(const Prepared& p, Layout layout, at::ScalarType type) {
  if (layout == Layout::contiguous) return allocate(p.target, p.lead->sizes(), type);
  if (layout == Layout::channels_last) return allocate(p.target, p.lead->sizes(), type, at::MemoryFormat::ChannelsLast);
  return allocate_strided(p.target, p.lead->sizes(), p.lead->strides(), type);
}

Status run_dense(const TensorCall& call, Prepared& p, Layout layout) {
  const DeviceScope device(p.target);
  at::Tensor made[max_outputs];
  for (int o = 0; o < call.op->outputs; ++o) {
    if (!p.out[o]->defined()) made[o] = make(p, layout, p.result[o]);
    const at::Tensor& out = p.out[o]->defined() ? *p.out[o] : made[o];
    fill_operand(p.call.out[o], out.mutable_data_ptr(), out.scalar_type());
  }
  for (int i = 0; i < call.inputs; ++i)
    if (!p.is_number[i]) fill_operand(p.call.in[i], read_pointer(*call.in[i]), call.in[i]->scalar_type());
  LaunchList list;
  CORUNDUM_TRY(plan_dense(*p.target.chip, p.call, p.lead->numel(), list));
  CORUNDUM_TRY(launch(p.target, list));
  for (int o = 0; o < call.op->outputs; ++o)
    if (!p.out[o]->defined()) *p.out[o] = std::move(made[o]);
  return {};
}

// TensorIterator with outputs from our own allocation, as ATen's structured kernels have it.
class Iterator final : public at::TensorIteratorBase {
 public:
  Iterator(const Prepared& p, int outputs) : target_(p.target), result_(p.result) {
    for (int o = 0; o < outputs; ++o) out_[o] = *p.out[o];
  }

  const at::Tensor& maybe_get_output(int64_t index) override { return out_[index]; }

#if __has_include(<ATen/core/Dimname.h>) // later releases have no named tensors
  void set_output_raw_strided(int64_t index, at::IntArrayRef sizes, at::IntArrayRef strides, at::TensorOptions options,
                              at::DimnameList names) override {
    give_output(index, sizes, strides, options);
    at::TensorIteratorBase::set_output_raw_strided(index, sizes, strides, options, names);
  }
#else
  void set_output_raw_strided(int64_t index, at::IntArrayRef sizes, at::IntArrayRef strides, at::TensorOptions options) override {
    give_output(index, sizes, strides, options);
    at::TensorIteratorBase::set_output_raw_strided(index, sizes, strides, options);
  }
#endif

 private:
  void give_output(int64_t index, at::IntArrayRef sizes, at::IntArrayRef strides, const at::TensorOptions& options) {
    at::Tensor& out = out_[index];
    if (out.defined())
      resize(out, sizes, strides, options);
    else if (strides.empty())
      out = allocate(target_, sizes, result_[index], options.memory_format_opt());
    else
      out = allocate_strided(target_, sizes, strides, result_[index]);
  }
  static void resize(at::Tensor& out, at::IntArrayRef sizes, at::IntArrayRef strides, const at::TensorOptions& options) {
    if (!at::native::resize_output(out, sizes)) return;
    if (!strides.empty())
      out.as_strided_(sizes, strides);
    else if (options.memory_format_opt())
      out.unsafeGetTensorImpl()->empty_tensor_restride(*options.memory_format_opt());
  }

  const Target& target_;
  const at::ScalarType* result_;
  at::Tensor out_[max_outputs];
};

// Promotion has been done: the iterator is told the dtypes, since left to itself it converts CPU inputs into temporaries.
void build(Iterator& iterator, const TensorCall& call, const Prepared& p) {
  at::TensorIteratorConfig config;
  config.set_check_mem_overlap(true)
      .check_all_same_dtype(false)
      .allow_cpu_scalars(call.rules.cpu_scalars)
      .resize_outputs(call.rules.resizes_output)
      .declare_static_dtype(p.result[0]);
  for (int o = 0; o < call.op->outputs; ++o) config.add_output(*p.out[o]);
  for (int i = 0; i < call.inputs; ++i) config.add_const_input(*call.in[i]);
  iterator.build(config);
}

// Permuted bits have kernels of their own.
bool plan_transpose(const Chip& chip, const Call& c, LaunchList& list) {
  return copy::plan_transpose(
      chip, {size_of(c.out[0].dtype), c.rank, c.shape, c.in[0].data, c.in[0].strides, c.out[0].data, c.out[0].strides}, list);
}

Status run_iterator(const TensorCall& call, Prepared& p) {
  const DeviceScope device(p.target);
  const int outputs = call.op->outputs;
  Iterator iterator(p, outputs);
  build(iterator, call, p);
  Call& c = p.call;
  c.rank = iterator.ndim();
  c.shape = iterator.shape().data();
  // The iterator leaves pointers unset on the meta device, where null is right.
  const bool is_meta = p.target.device == nullptr;
  for (int o = 0; o < outputs; ++o) {
    fill_operand(c.out[o], is_meta ? nullptr : iterator.data_ptr(o), iterator.maybe_get_output(o).scalar_type());
    c.out[o].strides = iterator.strides(o).data();
  }
  for (int i = 0; i < call.inputs; ++i) {
    if (p.is_number[i]) continue;
    fill_operand(c.in[i], is_meta ? nullptr : iterator.data_ptr(outputs + i), call.in[i]->scalar_type());
    c.in[i].strides = iterator.strides(outputs + i).data();
  }
  LaunchList list;
  if (!call.moves_bits || !plan_transpose(*p.target.chip, c, list)) CORUNDUM_TRY(plan(*p.target.chip, c, list));
  CORUNDUM_TRY(launch(p.target, list));
  for (int o = 0; o < outputs; ++o)
    if (!p.out[o]->defined()) *p.out[o] = iterator.maybe_get_output(o);
  return {};
}

} // namespace

bool has_canonical_strides(const at::Tensor& t) {
  int64_t expected = 1;
  for (int64_t d = t.dim() - 1; d >= 0; --d) {
    if (t.stride(d) != expected) return false;
    expected *= std::max<int64_t>(t.size(d), 1);
  }
  return true;
}

int category(at::ScalarType type) {
  if (c10::isComplexType(type)) return 3;
  if (c10::isFloatingType(type)) return 2;
  return type == at::kBool ? 0 : 1;
}

TensorCall call_of(const Op& op, Rules rules, std::initializer_list<const at::Tensor*> inputs) {
  TensorCall call{.op = &op, .rules = rules, .inputs = 0, .in = {}};
  for (const at::Tensor* input : inputs) call.in[call.inputs++] = input;
  return call;
}

Status run(const TensorCall& call, at::Tensor* const* outputs) {
  Prepared p;
  p.out = outputs;
  CORUNDUM_TRY(sort_inputs(call, p));
  CORUNDUM_TRY(find_types(call, p));
  bool any_defined = false;
  for (int o = 0; o < call.op->outputs; ++o) {
    if (!outputs[o]->defined()) continue;
    any_defined = true;
    CORUNDUM_TRY(check_output(call, p, o));
  }
  CORUNDUM_TRY(find_target(p.lead->device(), &p.target));
  p.call.op = call.op;
  p.call.flag = call.flag;
  for (int i = 0; i < call.op->scalars; ++i) p.call.scalars[i] = call.scalars[i];
  for (int i = 0; i < call.inputs; ++i) {
    if (!p.is_number[i]) continue;
    if (call.op->promotion == Promotion::always_bool) p.values[i] = as_held(p.values[i], p.compute);
    p.call.in[i].scalar = &p.values[i];
    p.call.in[i].dtype = dtype_of(call.in[i]->scalar_type());
  }
  const Layout layout = common_layout(call, p);
  if (layout == Layout::none || (any_defined && may_overlap(call, p))) return run_iterator(call, p);
  return run_dense(call, p, layout);
}

Status run_into_new(const TensorCall& call, const at::Tensor& x, at::ScalarType type, Made as, at::Tensor& out) {
  if (out.defined() || (as == Made::like && !x.is_non_overlapping_and_dense())) return run(call, out);
  Target target;
  CORUNDUM_TRY(find_target(x.device(), &target));
  const DeviceScope device(target);
  at::Tensor made = as == Made::like ? allocate_strided(target, x.sizes(), x.strides(), type) : allocate(target, x.sizes(), type);
  CORUNDUM_TRY(run(call, made));
  out = std::move(made);
  return {};
}

Status run_as_made(const TensorCall& call, const at::Tensor& x, at::Tensor& out) {
  const Op& op = *call.op;
  const bool like = op.traits & made_like || (op.traits & whole_made_like && category(x.scalar_type()) < 2);
  if (!like || out.defined() || !is_plain(x)) [[likely]]
    return run(call, out);
  return run_into_new(call, x, op.promotion == Promotion::always_bool ? at::kBool : x.scalar_type(), Made::like, out);
}

bool is_covered(const Op& op, at::ScalarType type) { return (op.dtypes & set_of(dtype_of(type))) != 0; }

corundum::Scalar to_scalar(const at::Scalar& number) {
  if (number.isComplex()) {
    const auto z = number.toComplexDouble();
    return corundum::Scalar::of(z.real(), z.imag());
  }
  return number.isFloatingPoint() ? corundum::Scalar::of(number.toDouble()) : corundum::Scalar::of(number.toLong());
}

bool fits(const at::Scalar& number, at::ScalarType dtype) {
  if (number.isComplex() && !c10::isComplexType(dtype))
    return number.toComplexDouble().imag() == 0 && fits(number.toDouble(), dtype);
  if (dtype == at::kBool) return true; // any number is zero or not
  return AT_DISPATCH_SWITCH(
      dtype, "corundum::fits",
      AT_DISPATCH_CASE_ALL_TYPES_AND_COMPLEX_AND6(at::kBool, at::kHalf, at::kBFloat16, at::kUInt16, at::kUInt32, at::kUInt64, [&] {
        if (number.isComplex()) return !c10::overflows<scalar_t, c10::complex<double>>(number.toComplexDouble());
        if (number.isFloatingPoint()) return !c10::overflows<scalar_t, double>(number.toDouble());
        return !c10::overflows<scalar_t, int64_t>(number.toLong());
      }));
}

at::Tensor wrapped(const at::Scalar& number) {
  at::Tensor t = at::scalar_to_tensor(number);
  t.unsafeGetTensorImpl()->set_wrapped_number(true);
  return t;
}

} // namespace corundum::pointwise
