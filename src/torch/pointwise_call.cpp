#include "torch/pointwise_call.h"

#include <ATen/Dispatch.h>
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

// The part of a DtypeSet that a dtype belongs to; 0 for complex, 8-bit floats and the wider unsigned integers.
uint8_t set_of(at::ScalarType type) {
  switch (type) {
    case at::kBool:
      return set_bool;
    case at::kByte:
    case at::kChar:
    case at::kShort:
    case at::kInt:
    case at::kLong:
      return set_int;
    case at::kHalf:
    case at::kBFloat16:
      return set_half;
    case at::kFloat:
    case at::kDouble:
      return set_float;
    default:
      return 0;
  }
}

bool is_common(at::ScalarType type) { return set_of(type) != 0; }

// bool < integral < floating < complex, the order in which torch promotes.
int category(at::ScalarType type) {
  if (c10::isComplexType(type)) return 3;
  if (c10::isFloatingType(type)) return 2;
  return type == at::kBool ? 0 : 1;
}

// The value of a 0-dim CPU tensor.
Status read_scalar(const at::Tensor& t, corundum::Scalar* scalar) {
  const void* data = t.const_data_ptr();
  const at::ScalarType type = t.scalar_type();
  if (!is_common(type)) return Status::refuse("a number's dtype is not covered");
  if (c10::isFloatingType(type))
    *scalar = corundum::Scalar::of(c10::fetch_and_cast<double>(type, data));
  else
    *scalar = corundum::Scalar::of(c10::fetch_and_cast<int64_t>(type, data));
  return {};
}

// What a call is about once its tensors have been looked at.
struct Prepared {
  Call call;
  Target target;
  at::ScalarType compute, result;
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
    CORUNDUM_TRY(read_scalar(t, &p.values[i]));
  }
  return {};
}

at::ScalarType promoted(const TensorCall& call) {
  at::native::ResultTypeState state;
  for (int i = 0; i < call.inputs; ++i) state = at::native::update_result_type_state(*call.in[i], state);
  return at::native::result_type(state);
}

// torch.result_type, without looking further where all agree or a number is of no higher kind.
at::ScalarType common_type(const TensorCall& call, const Prepared& p) {
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

Status find_types(const TensorCall& call, Prepared& p) {
  at::ScalarType compute = call.compute;
  if (call.moves_bits) {
    if (dtype_of(compute) == Dtype::invalid) return Status::refuse("dtype not covered");
    p.compute = p.result = compute;
    p.call.compute = dtype_of(compute);
    return {};
  }
  if (compute == at::ScalarType::Undefined) {
    if (call.rules.same_dtypes)
      for (int i = 1; i < call.inputs; ++i)
        if (call.in[i]->scalar_type() != call.in[0]->scalar_type()) return Status::refuse("the tensors have different dtypes");
    compute = common_type(call, p);
    if (call.op->promotion == Promotion::int_to_float && category(compute) < 2)
      compute = c10::typeMetaToScalarType(c10::get_default_dtype());
  }
  if (!is_covered(*call.op, compute)) return Status::refuse("dtype not covered");
  for (int i = 0; i < call.inputs; ++i)
    if (!is_common(call.in[i]->scalar_type())) return Status::refuse("dtype not covered");
  p.compute = compute;
  p.result = call.op->promotion == Promotion::always_bool ? at::kBool : compute;
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

Status check_output(const TensorCall& call, const Prepared& p, const at::Tensor& out) {
  if (!is_plain(out)) return Status::refuse(not_plain);
  if (out.device() != p.lead->device()) return Status::refuse(on_two_devices);
  if (call.moves_bits && !(is_aligned(out) && is_aligned(*call.in[0]))) return Status::refuse("an address is not a multiple of 16");
  if (out.scalar_type() == p.result) return {};
  if (!is_common(out.scalar_type())) return Status::refuse("dtype not covered");
  if (!call.rules.casts_output || !c10::canCast(p.result, out.scalar_type()))
    return Status::refuse("the result cannot be cast to the output's dtype");
  return {};
}

enum class Layout { none, contiguous, channels_last, dense };

template <class Test>
bool all_tensors(const TensorCall& call, const Prepared& p, const at::Tensor& out, Test test) {
  for (int i = 0; i < call.inputs; ++i)
    if (!p.is_number[i] && !test(*call.in[i])) return false;
  return !out.defined() || test(out);
}

// Beside a number TensorIterator sorts dimensions by stride: the result is contiguous only where no stride of a one is unusual.
bool has_canonical_strides(const at::Tensor& t) {
  int64_t expected = 1;
  for (int64_t d = t.dim() - 1; d >= 0; --d) {
    if (t.stride(d) != expected) return false;
    expected *= std::max<int64_t>(t.size(d), 1);
  }
  return true;
}

// The one layout that all tensors have, which is also the result's, in the order in which TensorIterator looks for it.
Layout common_layout(const TensorCall& call, const Prepared& p, const at::Tensor& out) {
  const at::Tensor& lead = *p.lead;
  const bool same_sizes =
      all_tensors(call, p, out, [&](const at::Tensor& t) { return &t == &lead || t.sizes().equals(lead.sizes()); });
  if (!same_sizes) return Layout::none;
  bool has_number = false;
  for (int i = 0; i < call.inputs; ++i) has_number = has_number || p.is_number[i];
  const bool decides = !out.defined() && has_number;
  if (all_tensors(call, p, out, [](const at::Tensor& t) { return t.is_contiguous(); }))
    return !decides || has_canonical_strides(lead) ? Layout::contiguous : Layout::none;
  if (decides) return Layout::none;
  if (all_tensors(call, p, out, [](const at::Tensor& t) { return t.is_contiguous(at::MemoryFormat::ChannelsLast); }))
    return Layout::channels_last;
  const auto is_as_lead = [&](const at::Tensor& t) {
    return t.is_non_overlapping_and_dense() && t.strides().equals(lead.strides());
  };
  return all_tensors(call, p, out, is_as_lead) ? Layout::dense : Layout::none;
}

// An output that shares memory with an input it is not: TensorIterator decides whether that is an error.
bool may_overlap(const TensorCall& call, const Prepared& p, const at::Tensor& out) {
  for (int i = 0; i < call.inputs; ++i)
    if (!p.is_number[i] && !call.in[i]->is_same(out) && !is_disjoint(out, *call.in[i])) return true;
  return false;
}

void fill_operand(Operand& operand, void* data, at::ScalarType type) {
  operand.data = data;
  operand.dtype = dtype_of(type);
}

Status run_dense(const TensorCall& call, Prepared& p, Layout layout, at::Tensor& out) {
  const DeviceScope device(p.target);
  at::Tensor made;
  if (!out.defined()) {
    if (layout == Layout::contiguous)
      made = allocate(p.target, p.lead->sizes(), p.result);
    else if (layout == Layout::channels_last)
      made = allocate(p.target, p.lead->sizes(), p.result, at::MemoryFormat::ChannelsLast);
    else
      made = allocate_strided(p.target, p.lead->sizes(), p.lead->strides(), p.result);
  }
  const at::Tensor& target = out.defined() ? out : made;
  fill_operand(p.call.out, target.mutable_data_ptr(), target.scalar_type());
  for (int i = 0; i < call.inputs; ++i) {
    if (!p.is_number[i]) fill_operand(p.call.in[i], read_pointer(*call.in[i]), call.in[i]->scalar_type());
  }
  LaunchList list;
  CORUNDUM_TRY(plan_dense(*p.target.chip, p.call, target.numel(), list));
  CORUNDUM_TRY(launch(p.target, list));
  if (!out.defined()) out = std::move(made);
  return {};
}

// TensorIterator with outputs from our own allocation, as ATen's structured kernels have it.
class Iterator final : public at::TensorIteratorBase {
 public:
  Iterator(const Target& target, at::ScalarType result, const at::Tensor& out) : target_(target), result_(result), out_(out) {}

  const at::Tensor& maybe_get_output(int64_t) override { return out_; }

#if __has_include(<ATen/core/Dimname.h>) // later releases have no named tensors
  void set_output_raw_strided(int64_t index, at::IntArrayRef sizes, at::IntArrayRef strides, at::TensorOptions options,
                              at::DimnameList names) override {
    give_output(sizes, strides, options);
    at::TensorIteratorBase::set_output_raw_strided(index, sizes, strides, options, names);
  }
#else
  void set_output_raw_strided(int64_t index, at::IntArrayRef sizes, at::IntArrayRef strides, at::TensorOptions options) override {
    give_output(sizes, strides, options);
    at::TensorIteratorBase::set_output_raw_strided(index, sizes, strides, options);
  }
#endif

 private:
  void give_output(at::IntArrayRef sizes, at::IntArrayRef strides, const at::TensorOptions& options) {
    if (out_.defined())
      resize(sizes, strides, options);
    else if (strides.empty())
      out_ = allocate(target_, sizes, result_, options.memory_format_opt());
    else
      out_ = allocate_strided(target_, sizes, strides, result_);
  }
  void resize(at::IntArrayRef sizes, at::IntArrayRef strides, const at::TensorOptions& options) {
    if (!at::native::resize_output(out_, sizes)) return;
    if (!strides.empty())
      out_.as_strided_(sizes, strides);
    else if (options.memory_format_opt())
      out_.unsafeGetTensorImpl()->empty_tensor_restride(*options.memory_format_opt());
  }

  const Target& target_;
  at::ScalarType result_;
  at::Tensor out_;
};

// Promotion has been done: the iterator is told the dtypes, since left to itself it converts CPU inputs into temporaries.
void build(Iterator& iterator, const TensorCall& call, at::ScalarType result, const at::Tensor& out) {
  at::TensorIteratorConfig config;
  config.set_check_mem_overlap(true)
      .check_all_same_dtype(false)
      .allow_cpu_scalars(call.rules.cpu_scalars)
      .resize_outputs(call.rules.resizes_output)
      .declare_static_dtype(result)
      .add_output(out);
  for (int i = 0; i < call.inputs; ++i) config.add_const_input(*call.in[i]);
  iterator.build(config);
}

// Permuted bits have kernels of their own.
bool plan_transpose(const Chip& chip, const Call& c, LaunchList& list) {
  return copy::plan_transpose(
      chip, {size_of(c.out.dtype), c.rank, c.shape, c.in[0].data, c.in[0].strides, c.out.data, c.out.strides}, list);
}

Status run_iterator(const TensorCall& call, Prepared& p, at::Tensor& out) {
  const DeviceScope device(p.target);
  Iterator iterator(p.target, p.result, out);
  build(iterator, call, p.result, out);
  Call& c = p.call;
  c.rank = iterator.ndim();
  c.shape = iterator.shape().data();
  // The iterator leaves pointers unset on the meta device, where null is right.
  const bool is_meta = p.target.device == nullptr;
  const at::Tensor& result = iterator.maybe_get_output(0);
  fill_operand(c.out, is_meta ? nullptr : iterator.data_ptr(0), result.scalar_type());
  c.out.strides = iterator.strides(0).data();
  for (int i = 0; i < call.inputs; ++i) {
    if (p.is_number[i]) continue;
    fill_operand(c.in[i], is_meta ? nullptr : iterator.data_ptr(i + 1), call.in[i]->scalar_type());
    c.in[i].strides = iterator.strides(i + 1).data();
  }
  LaunchList list;
  if (!call.moves_bits || !plan_transpose(*p.target.chip, c, list)) CORUNDUM_TRY(plan(*p.target.chip, c, list));
  CORUNDUM_TRY(launch(p.target, list));
  if (!out.defined()) out = result;
  return {};
}

} // namespace

Status run(const TensorCall& call, at::Tensor& out) {
  Prepared p;
  CORUNDUM_TRY(sort_inputs(call, p));
  CORUNDUM_TRY(find_types(call, p));
  if (out.defined()) CORUNDUM_TRY(check_output(call, p, out));
  CORUNDUM_TRY(find_target(p.lead->device(), &p.target));
  p.call.op = call.op;
  p.call.flag = call.flag;
  p.call.scalars[0] = call.scalars[0];
  p.call.scalars[1] = call.scalars[1];
  for (int i = 0; i < call.inputs; ++i) {
    if (!p.is_number[i]) continue;
    if (call.op->promotion == Promotion::always_bool) p.values[i] = as_held(p.values[i], p.compute);
    p.call.in[i].scalar = &p.values[i];
    p.call.in[i].dtype = dtype_of(call.in[i]->scalar_type());
  }
  const Layout layout = common_layout(call, p, out);
  if (layout == Layout::none || (out.defined() && may_overlap(call, p, out))) return run_iterator(call, p, out);
  return run_dense(call, p, layout, out);
}

bool is_covered(const Op& op, at::ScalarType type) { return (op.dtypes & set_of(type)) != 0; }

Status to_scalar(const at::Scalar& number, corundum::Scalar* scalar) {
  if (number.isComplex()) return Status::refuse("complex numbers are not covered");
  *scalar = number.isFloatingPoint() ? corundum::Scalar::of(number.toDouble()) : corundum::Scalar::of(number.toLong());
  return {};
}

bool fits(const at::Scalar& number, at::ScalarType dtype) {
  if (dtype == at::kBool) return true; // any number is zero or not
  return AT_DISPATCH_SWITCH(dtype, "corundum::fits", AT_DISPATCH_CASE_ALL_TYPES_AND3(at::kBool, at::kHalf, at::kBFloat16, [&] {
                              if (number.isFloatingPoint()) return !c10::overflows<scalar_t, double>(number.toDouble());
                              return !c10::overflows<scalar_t, int64_t>(number.toLong());
                            }));
}

} // namespace corundum::pointwise
