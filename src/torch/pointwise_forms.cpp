#include "torch/pointwise_forms.h"

namespace corundum::pointwise {

std::string dtype_text(const Op& op) {
  std::string text;
  if (op.signature == Signature::copy) text += "float8_e4m3fn float8_e5m2 ";
  if (op.dtypes & set_bool) text += "bool ";
  if (op.dtypes & set_int) text += "uint8 int8 int16 int32 int64 ";
  if (op.dtypes & set_unsigned) text += "uint16 uint32 uint64 ";
  if (op.dtypes & set_half) text += "float16 bfloat16 ";
  if (op.dtypes & set_float) text += "float32 float64 ";
  if (op.dtypes & set_complex) text += "complex64 complex128 ";
  text.pop_back();
  return text;
}

void declare_first(const Op& op, std::initializer_list<std::string> names, Overload::Bind bind) {
  for (const std::string& name : names) {
    const OverloadKind kind = kind_of(name);
    if (kind == OverloadKind::none) continue;
    if (kind == OverloadKind::composite) return; // a kernel at a backend key would stop it and cut its gradients
    Form* form = new Form;
    form->op = &op;
    form->declare(name, "pointwise", dtype_text(op), bind);
    return;
  }
}

} // namespace corundum::pointwise
