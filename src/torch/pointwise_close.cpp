// Whether numbers are equal, close or finite: one kernel a call, where ATen composes six to eight.
#include <ATen/ExpandUtils.h>
#include <c10/core/DefaultDtype.h>

#include <algorithm>
#include <numeric>

#include "torch/pointwise_forms.h"
#include "torch/tensors.h"

namespace corundum::pointwise {

namespace {

// --- isclose and isfinite: ATen's are composites, of results without gradient ---------------------------------------------------

constexpr const char* watched = "a mode or a tracer sees each operator";

template <auto work>
struct OverComposite;

template <class... Args, Status (*work)(const Op&, Tensor&, Args...)>
struct OverComposite<work> {
  struct New {
    const Form* form;
    Tensor operator()(c10::DispatchKeySet keys, Args... args) const {
      if (!form->on() || is_watched()) [[unlikely]]
        return fall_back<Tensor, Args...>(*form, keys, form->on() ? watched : switched_off, args...);
      return typename Forms<work>::New{form}(keys, args...);
    }
  };
  static void declare(const Op& op) {
    Form* form = new Form;
    form->op = &op;
    form->declare_over_composite(op.name, "pointwise", dtype_text(op), &Forms<work>::template bind<New>);
  }
};

Status is_finite(const Op& op, Tensor& out, const Tensor& x) { return run_as_made(call_of(op, {}, {&x}), x, out); }

// How closeness is asked for: which expression of the row, its numbers, and the dtype to compute in.
struct Closeness {
  uint8_t flag;
  corundum::Scalar relative, absolute;
  at::ScalarType compute;
};

Status closeness_of(const Tensor& x, const Tensor& y, double relative, double absolute, bool equal_nan, Closeness* close) {
  CORUNDUM_TRY(require_plain(x, y));
  const at::ScalarType type = x.scalar_type();
  if (type != y.scalar_type()) return Status::refuse("the tensors have different dtypes");
  if (!is_covered(row("isclose", Signature::named), type)) return Status::refuse("dtype not covered");
  if (!(relative >= 0) || !(absolute >= 0)) return Status::refuse("a tolerance is below 0");
  const bool exactly = relative == 0 && absolute == 0, integral = category(type) < 2;
  close->flag = static_cast<uint8_t>(2 * exactly + (equal_nan && !integral));
  // ATen's fails, which finds the NaN of both in the first one's shape.
  if (close->flag & 1 && !at::is_expandable_to(y.sizes(), x.sizes()))
    return Status::refuse("a first tensor that broadcasts beside equal NaN");
  close->relative = corundum::Scalar::of(relative);
  close->absolute = corundum::Scalar::of(absolute);
  close->compute = integral && !exactly ? c10::typeMetaToScalarType(c10::get_default_dtype()) : type;
  return {};
}

Status is_close(const Op& op, Tensor& out, const Tensor& x, const Tensor& y, double relative, double absolute, bool equal_nan) {
  Closeness close;
  CORUNDUM_TRY(closeness_of(x, y, relative, absolute, equal_nan, &close));
  TensorCall call = call_of(op, arithmetic, {&x, &y});
  call.flag = close.flag;
  call.compute = close.compute;
  call.scalars[0] = close.relative;
  call.scalars[1] = close.absolute;
  return run(call, out);
}

// --- allclose and equal: a word of memory that an element may set ---------------------------------------------------------------

// Both tensors in one order of dimensions, the fastest of the first one first; strides in bytes.
struct Walk {
  c10::SmallVector<int64_t, 8> shape, strides[2];

  Walk(const Tensor& x, const Tensor& y) {
    c10::SmallVector<int64_t, 8> order(x.dim());
    std::iota(order.rbegin(), order.rend(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return x.stride(a) < x.stride(b); });
    for (const int64_t d : order) {
      shape.push_back(x.size(d));
      strides[0].push_back(x.stride(d) * x.element_size());
      strides[1].push_back(y.stride(d) * y.element_size());
    }
  }
};

Status plan_verdict(const Target& target, Call& call, const Tensor& x, const Tensor& y, LaunchList& list) {
  const Tensor* const tensors[] = {&x, &y};
  for (int i = 0; i < 2; ++i) {
    call.in[i].data = read_pointer(*tensors[i]);
    call.in[i].dtype = dtype_of(tensors[i]->scalar_type());
  }
  if (x.strides().equals(y.strides()) && x.is_non_overlapping_and_dense()) return plan_dense(*target.chip, call, x.numel(), list);
  const Walk walk(x, y);
  call.rank = static_cast<int>(walk.shape.size());
  call.shape = walk.shape.data();
  for (int i = 0; i < 2; ++i) call.in[i].strides = walk.strides[i].data();
  return plan(*target.chip, call, list);
}

// The word is read on the host, as ATen does.
Status ask(const Op& op, const Closeness& how, const Tensor& x, const Tensor& y, bool* answer) {
  *answer = true;
  if (x.numel() == 0) return {};
  Target target;
  CORUNDUM_TRY(find_target(x.device(), &target));
  const DeviceScope device(target);
  Tensor word = allocate(target, {1}, at::kInt);
  TensorCall clear = call_of(row("zero_", Signature::zero), {.resizes_output = false}, {&word});
  clear.compute = at::kInt;
  CORUNDUM_TRY(run(clear, word));
  Call call{.op = &op, .flag = how.flag, .compute = dtype_of(how.compute)};
  call.scalars[0] = how.relative;
  call.scalars[1] = how.absolute;
  call.out[0].data = word.mutable_data_ptr();
  call.out[0].dtype = Dtype::boolean;
  LaunchList list;
  CORUNDUM_TRY(plan_verdict(target, call, x, y, list));
  CORUNDUM_TRY(launch(target, list));
  if (target.device != nullptr) *answer = word.item<int>() == 0; // nothing is computed while a plan is made
  return {};
}

Status all_close(bool& answer, const Tensor& x, const Tensor& y, double relative, double absolute, bool equal_nan) {
  Closeness close;
  CORUNDUM_TRY(closeness_of(x, y, relative, absolute, equal_nan, &close));
  if (!at::are_expandable(x.sizes(), y.sizes())) return Status::refuse("the tensors do not broadcast");
  const at::DimVector shape = at::infer_size_dimvector(x.sizes(), y.sizes());
  return ask(row("allclose", Signature::verdict), close, x.expand(shape), y.expand(shape), &answer);
}

Status all_equal(bool& answer, const Tensor& x, const Tensor& y) {
  constexpr const Op& op = row("equal", Signature::verdict);
  CORUNDUM_TRY(require_plain(x, y));
  if (x.scalar_type() != y.scalar_type()) return Status::refuse("the tensors have different dtypes");
  if (!is_covered(op, x.scalar_type())) return Status::refuse("dtype not covered");
  answer = x.sizes().equals(y.sizes());
  if (!answer || (x.is_same(y) && category(x.scalar_type()) < 2)) return {};
  return ask(op, {.flag = 0, .compute = x.scalar_type()}, x, y, &answer);
}

Overload allclose, equal;

const bool declared = [] {
  OverComposite<&is_finite>::declare(row("isfinite", Signature::unary));
  OverComposite<&is_close>::declare(row("isclose", Signature::named));
  constexpr const Op &closeness = row("allclose", Signature::verdict), &equality = row("equal", Signature::verdict);
  allclose.declare(closeness.name, "pointwise", dtype_text(closeness), &Functional<allclose, &all_close>::bind);
  equal.declare(equality.name, "pointwise", dtype_text(equality), &Functional<equal, &all_equal>::bind);
  return true;
}();

} // namespace

} // namespace corundum::pointwise
