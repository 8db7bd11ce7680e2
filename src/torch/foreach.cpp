// Overloads over lists of tensors: each row names a row of the pointwise table and the ways in which its arguments come.
#include <ATen/native/ForeachUtils.h>

#include <string_view>

#include "core/args.h"
#include "ops/pointwise/foreach.h"
#include "torch/lists.h"
#include "torch/pointwise_call.h"

namespace corundum::pointwise {

namespace {

using at::Tensor, at::TensorList;
using Numbers = at::ArrayRef<at::Scalar>;

// Which overloads there are. All have an in-place form of the same arguments.
enum class Forms : uint8_t {
  unary,         // f
  binary,        // f.Scalar, f.List, f.ScalarList
  binary_tensor, // and f.Tensor: one number in memory
  binary_alpha,  // f.List with `Scalar alpha`
  binary_alphas, // and f.Tensor with it
  ternary_value, // f.Scalar, f.ScalarList of three lists, with a factor
  lerp,          // f.List of three lists
  lerp_weight,   // f.Scalar, f.ScalarList of two and a weight
};

struct Row {
  const char* name; // without _foreach_
  const char* op;   // of the pointwise table
  int inputs;       // of its row
  Forms forms;
};
constexpr Row rows[] = {
    {"add", "add", 2, Forms::binary_alphas},
    {"sub", "sub", 2, Forms::binary_alpha},
    {"mul", "mul", 2, Forms::binary_tensor},
    {"div", "div", 2, Forms::binary_tensor},
    {"clamp_max", "clamp_max", 2, Forms::binary},
    {"clamp_min", "clamp_min", 2, Forms::binary},
    {"maximum", "clamp_min", 2, Forms::binary},
    {"minimum", "clamp_max", 2, Forms::binary},
    {"addcmul", "addcmul", 3, Forms::ternary_value},
    {"addcdiv", "addcdiv", 3, Forms::ternary_value},
    {"lerp", "lerp", 3, Forms::lerp},
    {"lerp", "lerp", 2, Forms::lerp_weight},
};
// Forms::unary, of the names of their rows.
constexpr const char* unary[] = {"abs",   "neg",   "acos",    "asin", "atan",   "ceil", "cos",   "cosh",  "erf",  "erfc",
                                 "exp",   "expm1", "floor",   "frac", "lgamma", "log",  "log10", "log1p", "log2", "reciprocal",
                                 "round", "rsqrt", "sigmoid", "sign", "sin",    "sinh", "sqrt",  "tan",   "tanh", "trunc"};

// A row that the table lacks does not compile.
constexpr const Op& op_of(std::string_view name, int inputs) {
  for (const Op& op : ops)
    if (name == op.name && op.inputs == inputs) return op;
  throw "no such row";
}
static_assert([] {
  for (const Row& row : rows) op_of(row.op, row.inputs);
  for (const char* name : unary) op_of(name, 1);
  return true;
}());

// What a call gives to the expression.
struct Arguments {
  c10::SmallVector<TensorList, 3> lists;
  From from[5] = {};
  at::Scalar shared[5];            // where From::shared
  Numbers own;                     // where From::own
  const Tensor* pointer = nullptr; // where From::pointer

  void list(int argument, TensorList tensors) {
    from[argument] = From::list;
    lists.push_back(tensors);
  }
  void number(int argument, const at::Scalar& value) {
    from[argument] = From::shared;
    shared[argument] = value;
  }
  void numbers(int argument, Numbers values) {
    from[argument] = From::own;
    own = values;
  }
};
enum Argument { x, y, z, s0 };

// Numbers that leave the dtype as it is, as ATen's way over lists asks.
Status check_number(const at::Scalar& number, at::ScalarType dtype) {
  if (number.isComplex()) return Status::refuse("complex numbers are not covered");
  if (c10::isFloatingType(dtype)) return {};
  if (number.isFloatingPoint()) return Status::refuse("a number changes the dtype of a list");
  return fits(number, dtype) ? Status() : Status::refuse("the number does not fit the tensor's dtype");
}

Status slot(const at::Scalar& number, at::ScalarType dtype, uint64_t* to) {
  CORUNDUM_TRY(check_number(number, dtype));
  *to = slot_of(to_scalar(number), dtype_of(dtype));
  return {};
}

Status check_dtype(const Op& op, at::ScalarType dtype) {
  const bool known = (c10::isFloatingType(dtype) && !c10::isFloat8Type(dtype)) ||
                     (c10::isIntegralType(dtype, false) && !c10::isBarebonesUnsignedType(dtype));
  if (!known || !is_covered(op, dtype)) return Status::refuse("dtype not covered");
  return {};
}

// ATen's kernels keep a dense tensor's strides; one by one, they would be those of TensorIterator, the same for a contiguous
// tensor.
Status make_results(const Target& target, TensorList like, std::vector<Tensor>* results) {
  for (const Tensor& t : like)
    if (!target.follows_cuda() && std::count(t.sizes().begin(), t.sizes().end(), 1) != 0 && !has_canonical_strides(t))
      return Status::refuse("a result whose strides are not plain");
  results->reserve(like.size());
  for (const Tensor& t : like)
    results->push_back(target.follows_cuda() || !t.is_contiguous()
                           ? allocate_strided(target, t.sizes(), t.strides(), t.scalar_type())
                           : allocate(target, t.sizes(), t.scalar_type()));
  return {};
}

ListItems items_of(TensorList out, const Arguments& a, at::ScalarType dtype, Status* status) {
  ListItems items(out.size());
  for (size_t i = 0; i < out.size(); ++i) {
    ListItem& item = items[i];
    item.n = out[i].numel();
    uint64_t* column = item.column;
    *column++ = address_of(out[i].mutable_data_ptr());
    for (const TensorList list : a.lists) *column++ = address_of(read_pointer(list[i]));
    if (!a.own.empty())
      if (Status s = slot(a.own.size() == 1 ? a.own[0] : a.own[i], dtype, column); !s) *status = s;
  }
  return items;
}

// `results` are made where the call is not in place.
Status run(const Op& op, const Arguments& a, std::vector<Tensor>* results) {
  CORUNDUM_TRY(check_lists(a.lists, true));
  const TensorList self = a.lists[0];
  const at::ScalarType dtype = self[0].scalar_type();
  CORUNDUM_TRY(check_dtype(op, dtype));
  ForeachCall call{&op, 0, dtype_of(dtype), dtype_of(dtype)};
  std::copy_n(a.from, 5, call.from);
  for (int i = 0; i < 5; ++i)
    if (a.from[i] == From::shared) CORUNDUM_TRY(slot(a.shared[i], dtype, &call.head[i]));
  if (!a.own.empty() && a.own.size() != self.size()) return Status::refuse("the lists have different lengths");
  for (const at::Scalar& number : a.own) CORUNDUM_TRY(check_number(number, dtype));
  Target target;
  CORUNDUM_TRY(find_target(self[0].device(), &target));
  if (a.pointer != nullptr) {
    const Tensor& t = *a.pointer;
    if (!is_plain(t) || t.dim() != 0 || t.scalar_type() != dtype || t.device() != self[0].device())
      return Status::refuse("the number in a tensor has dimensions, another dtype or another device");
    for (const Tensor& written : self)
      if (results == nullptr && !is_disjoint(written, t)) return Status::refuse("the output overlaps the input");
    call.head[y] = address_of(read_pointer(t));
  }
  // On a GPU the order counts no more in ATen's kernels.
  if (results == nullptr && !target.follows_cuda() && order_counts(a.lists, 1))
    return Status::refuse("tensors of a list share memory");
  const DeviceScope device(target);
  if (results != nullptr) CORUNDUM_TRY(make_results(target, self, results));
  Status status;
  const ListItems items = items_of(results != nullptr ? TensorList(*results) : self, a, dtype, &status);
  CORUNDUM_TRY(status);
  call.items = items.data();
  call.count = items.size();
  std::optional<ListLaunches> launches;
  CORUNDUM_TRY(plan(*target.chip, call, &launches));
  return launch_all(target, *launches);
}

// --- how arguments come ---------------------------------------------------------------------------------------------------------

struct Nothing {
  static Status bind(const Op&, Arguments&) { return {}; }
};
// The other operand is a number, of all or of each; a factor of the row's is 1.
struct Number {
  static Status bind(const Op& op, Arguments& a, const at::Scalar& value) {
    a.number(y, value);
    if (op.scalars != 0) a.number(s0, 1);
    return {};
  }
};
struct NumberEach {
  static Status bind(const Op& op, Arguments& a, Numbers values) {
    a.numbers(y, values);
    if (op.scalars != 0) a.number(s0, 1);
    return {};
  }
};
struct List {
  static Status bind(const Op&, Arguments& a, TensorList other) {
    a.list(y, other);
    return {};
  }
};
struct ListAlpha {
  static Status bind(const Op&, Arguments& a, TensorList other, const at::Scalar& alpha) {
    a.list(y, other);
    a.number(s0, alpha);
    return {};
  }
};
struct InMemory {
  static Status bind(const Op&, Arguments& a, const Tensor& other) {
    if (other.dim() == 0 && other.is_cpu() && !a.lists[0][0].is_cpu() && !is_planning()) {
      a.number(y, other.item());
    } else {
      a.from[y] = From::pointer;
      a.pointer = &other;
    }
    return {};
  }
};
struct InMemoryAlpha {
  static Status bind(const Op& op, Arguments& a, const Tensor& other, const at::Scalar& alpha) {
    a.number(s0, alpha);
    return InMemory::bind(op, a, other);
  }
};

// Three lists, and a factor of all or of each; or a weight.
struct ListsFactor {
  static Status bind(const Op&, Arguments& a, TensorList first, TensorList second, const at::Scalar& factor) {
    a.list(y, first);
    a.list(z, second);
    a.number(s0, factor);
    return {};
  }
};
struct ListsFactorEach {
  static Status bind(const Op&, Arguments& a, TensorList first, TensorList second, Numbers factors) {
    a.list(y, first);
    a.list(z, second);
    a.numbers(s0, factors);
    return {};
  }
};
struct Lists {
  static Status bind(const Op&, Arguments& a, TensorList ends, TensorList weights) {
    a.list(y, ends);
    a.list(z, weights);
    return {};
  }
};
struct ListWeight {
  static Status bind(const Op&, Arguments& a, TensorList ends, const at::Scalar& weight) {
    a.list(y, ends);
    a.number(s0, weight);
    return {};
  }
};
struct ListWeightEach {
  static Status bind(const Op&, Arguments& a, TensorList ends, Numbers weights) {
    a.list(y, ends);
    a.numbers(s0, weights);
    return {};
  }
};

// An overload of a row. It lives for ever.
struct Form : Overload {
  const Op* op;
};

// One instance serves all rows whose arguments come in one way.
template <class Binding, class... Rest>
struct ListForms {
  static Status attempt(const Op& op, TensorList self, std::vector<Tensor>* results, Rest... rest) {
    Arguments a;
    a.list(x, self);
    CORUNDUM_TRY(Binding::bind(op, a, rest...));
    return run(op, a, results);
  }
  struct New {
    const Form* form;
    std::vector<Tensor> operator()(c10::DispatchKeySet keys, TensorList self, Rest... rest) const {
      using Results = std::vector<Tensor>;
      if (!form->on()) return fall_back<Results, TensorList, Rest...>(*form, keys, switched_off, self, rest...);
      Results results;
      const Status done = attempt(*form->op, self, &results, rest...);
      if (!done.ok()) return fall_back<Results, TensorList, Rest...>(*form, keys, done.reason(), self, rest...);
      record::served(own_kernel);
      return results;
    }
  };
  struct Self {
    const Form* form;
    void operator()(c10::DispatchKeySet keys, TensorList self, Rest... rest) const {
      if (!form->on()) return fall_back<void, TensorList, Rest...>(*form, keys, switched_off, self, rest...);
      const Status done = attempt(*form->op, self, nullptr, rest...);
      if (!done.ok()) return fall_back<void, TensorList, Rest...>(*form, keys, done.reason(), self, rest...);
      record::served(own_kernel);
    }
  };
  template <class Function>
  static void bind(torch::Library& library, Overload& self) {
    library.impl(self.name(), Function{static_cast<const Form*>(&self)});
  }

  static void declare(const Row& row, const char* overload) {
    const Op& op = op_of(row.op, row.inputs);
    const bool whole = op.dtypes & set_int && op.promotion != Promotion::int_to_float;
    const std::string name = std::string("_foreach_") + row.name,
                      dtypes = std::string(whole ? "uint8 int8 int16 int32 int64 " : "") + "float16 bfloat16 float32 float64";
    for (const bool in_place : {false, true}) {
      Form* form = new Form;
      form->op = &op;
      form->declare(name + (in_place ? "_" : "") + overload, "foreach", dtypes, in_place ? &bind<Self> : &bind<New>);
    }
  }
};

void declare_binary(const Row& row) {
  ListForms<Number, const at::Scalar&>::declare(row, ".Scalar");
  ListForms<NumberEach, Numbers>::declare(row, ".ScalarList");
  if (row.forms == Forms::binary || row.forms == Forms::binary_tensor) ListForms<List, TensorList>::declare(row, ".List");
  if (row.forms == Forms::binary_tensor) ListForms<InMemory, const Tensor&>::declare(row, ".Tensor");
  if (row.forms == Forms::binary_alpha || row.forms == Forms::binary_alphas)
    ListForms<ListAlpha, TensorList, const at::Scalar&>::declare(row, ".List");
  if (row.forms == Forms::binary_alphas) ListForms<InMemoryAlpha, const Tensor&, const at::Scalar&>::declare(row, ".Tensor");
}

void declare_row(const Row& row) {
  switch (row.forms) {
    case Forms::unary:
      return ListForms<Nothing>::declare(row, "");
    case Forms::ternary_value:
      ListForms<ListsFactor, TensorList, TensorList, const at::Scalar&>::declare(row, ".Scalar");
      return ListForms<ListsFactorEach, TensorList, TensorList, Numbers>::declare(row, ".ScalarList");
    case Forms::lerp:
      return ListForms<Lists, TensorList, TensorList>::declare(row, ".List");
    case Forms::lerp_weight:
      ListForms<ListWeight, TensorList, const at::Scalar&>::declare(row, ".Scalar");
      return ListForms<ListWeightEach, TensorList, Numbers>::declare(row, ".ScalarList");
    default:
      return declare_binary(row);
  }
}

// --- copies and zeros -----------------------------------------------------------------------------------------------------------

Overload copy, zero;

// Moved elements of 16 bytes are two of 8.
void halve_elements(Dtype* dtype, ListItems& items) {
  if (size_of(*dtype) != 16) return;
  *dtype = Dtype::int64;
  for (ListItem& item : items) item.n *= 2;
}

Status require_dtype_of_aten(TensorList list) {
  if (list[0].is_cuda() && c10::isBarebonesUnsignedType(list[0].scalar_type()))
    return Status::refuse("ATen has not this dtype on a GPU");
  return {};
}

Status run_copy(TensorList self, TensorList from, bool) {
  CORUNDUM_TRY(check_lists({self, from}, false));
  CORUNDUM_TRY(require_dtype_of_aten(self));
  CORUNDUM_TRY(require_dtype_of_aten(from));
  const at::ScalarType to = self[0].scalar_type(), dtype = from[0].scalar_type();
  constexpr const Op& op = op_of("copy_", 1);
  if (to != dtype) {
    CORUNDUM_TRY(check_dtype(op, to));
    CORUNDUM_TRY(check_dtype(op, dtype));
  } else if (dtype_of(to) == Dtype::invalid) {
    return Status::refuse("dtype not covered");
  }
  Target target;
  CORUNDUM_TRY(find_target(self[0].device(), &target));
  if (order_counts({self, from}, 1)) return Status::refuse("tensors of a list share memory");
  const DeviceScope device(target);
  Arguments a;
  a.list(x, from);
  Status status;
  ListItems items = items_of(self, a, to, &status);
  Dtype read = dtype_of(dtype), written = dtype_of(to);
  if (read == written) {
    halve_elements(&read, items);
    written = read;
  }
  std::optional<ListLaunches> launches;
  CORUNDUM_TRY(plan(*target.chip, {&op, 0, read, written, {From::list}, {}, items.data(), items.size()}, &launches));
  return launch_all(target, *launches);
}

Status run_zero(TensorList self) {
  CORUNDUM_TRY(check_lists(self, true));
  CORUNDUM_TRY(require_dtype_of_aten(self));
  constexpr const Op& op = op_of("zero_", 1);
  Dtype dtype = dtype_of(self[0].scalar_type());
  if (dtype == Dtype::invalid) return Status::refuse("dtype not covered");
  Target target;
  CORUNDUM_TRY(find_target(self[0].device(), &target));
  const DeviceScope device(target);
  Status status;
  ListItems items = items_of(self, {}, at::kByte, &status);
  halve_elements(&dtype, items);
  std::optional<ListLaunches> launches;
  const ForeachCall call{&op, 0, dtype, dtype, {From::none, From::none, From::none, From::shared}, {}, items.data(), items.size()};
  CORUNDUM_TRY(plan(*target.chip, call, &launches));
  return launch_all(target, *launches);
}

const bool declared = [] {
  for (const Row& row : rows) declare_row(row);
  for (const char* name : unary) declare_row({name, name, 1, Forms::unary});
  constexpr const char* every =
      "bool uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 bfloat16 float32 float64 complex64 complex128";
  copy.declare("_foreach_copy_", "foreach", every, &WritingLists<copy, &run_copy>::bind);
  zero.declare("_foreach_zero_", "foreach", every, &WritingLists<zero, &run_zero>::bind);
  return true;
}();

} // namespace

} // namespace corundum::pointwise
