// Overloads over lists of tensors: each row names a row of the pointwise table and the ways in which its arguments come.
#include <ATen/native/ForeachUtils.h>
#include <c10/util/strides.h>

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
    {"tanh", "tanh", 1, Forms::unary},
};

// A row that the table lacks does not compile.
constexpr const Op& op_of(std::string_view name, int inputs) {
  for (const Op& op : ops)
    if (name == op.name && op.inputs == inputs) return op;
  throw "no such row";
}

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

// Whether a dimension of one element has another stride than at::empty would give it.
bool has_own_stride(const Tensor& t) {
  if (std::count(t.sizes().begin(), t.sizes().end(), 1) == 0) return false;
  return t.strides() != c10::IntArrayRef(c10::contiguous_strides(t.sizes()));
}

// ATen's kernels keep a dense tensor's strides; one by one, they would be those of TensorIterator, the same for a contiguous
// tensor.
Status make_results(const Target& target, TensorList like, std::vector<Tensor>* results) {
  for (const Tensor& t : like)
    if (!target.follows_cuda() && has_own_stride(t)) return Status::refuse("a result whose strides are not plain");
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

template <int row, class Binding, class... Rest>
struct ListForms {
  inline static Overload functional, in_place;
  static constexpr const Op& op = op_of(rows[row].op, rows[row].inputs);

  static Status to_new(std::vector<Tensor>& results, TensorList self, Rest... rest) {
    Arguments a;
    a.list(x, self);
    CORUNDUM_TRY(Binding::bind(op, a, rest...));
    return run(op, a, &results);
  }
  static Status to_self(TensorList self, Rest... rest) {
    Arguments a;
    a.list(x, self);
    CORUNDUM_TRY(Binding::bind(op, a, rest...));
    return run(op, a, nullptr);
  }

  static void declare(const std::string& overload) {
    const bool whole = op.dtypes & set_int && op.promotion != Promotion::int_to_float;
    const std::string name = std::string("_foreach_") + rows[row].name,
                      dtypes = std::string(whole ? "uint8 int8 int16 int32 int64 " : "") + "float16 bfloat16 float32 float64";
    functional.declare(name + overload, "foreach", dtypes, &Functional<functional, &to_new>::bind);
    in_place.declare(name + "_" + overload, "foreach", dtypes, &WritingLists<in_place, &to_self>::bind);
  }
};

template <int row>
void declare_row() {
  constexpr Forms forms = rows[row].forms;
  if constexpr (forms == Forms::unary) {
    ListForms<row, Nothing>::declare("");
  } else {
    ListForms<row, Number, const at::Scalar&>::declare(".Scalar");
    ListForms<row, NumberEach, Numbers>::declare(".ScalarList");
    if constexpr (forms == Forms::binary || forms == Forms::binary_tensor) ListForms<row, List, TensorList>::declare(".List");
    if constexpr (forms == Forms::binary_tensor) ListForms<row, InMemory, const Tensor&>::declare(".Tensor");
    if constexpr (forms == Forms::binary_alpha || forms == Forms::binary_alphas)
      ListForms<row, ListAlpha, TensorList, const at::Scalar&>::declare(".List");
    if constexpr (forms == Forms::binary_alphas)
      ListForms<row, InMemoryAlpha, const Tensor&, const at::Scalar&>::declare(".Tensor");
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

Status run_copy(TensorList self, TensorList from, bool) {
  CORUNDUM_TRY(check_lists({self, from}, false));
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

const bool declared = []<int... row>(std::integer_sequence<int, row...>) {
  (declare_row<row>(), ...);
  constexpr const char* every =
      "bool uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 bfloat16 float32 float64 complex64 complex128";
  copy.declare("_foreach_copy_", "foreach", every, &WritingLists<copy, &run_copy>::bind);
  zero.declare("_foreach_zero_", "foreach", every, &WritingLists<zero, &run_zero>::bind);
  return true;
}
(std::make_integer_sequence<int, static_cast<int>(std::size(rows))>());

} // namespace

} // namespace corundum::pointwise
