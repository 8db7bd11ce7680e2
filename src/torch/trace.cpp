#include "torch/trace.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <c10/core/ScalarType.h>
#include <c10/core/impl/TorchDispatchModeTLS.h>

#include <algorithm>
#include <sstream>

#include "core/family.h"

namespace corundum::trace {

std::atomic<int> tracers{0};

namespace {

using Json = nlohmann::json;

bool is_unreal(const at::Tensor& t) {
  return t.defined() && (t.is_meta() || t.unsafeGetTensorImpl()->key_set().has_any(c10::python_ks));
}

bool holds_unreal(const c10::IValue& value) {
  if (value.isTensor()) return is_unreal(value.toTensor());
  if (!value.isTensorList()) return false;
  for (const at::Tensor& t : value.toTensorVector())
    if (is_unreal(t)) return true;
  return false;
}

Json describe(const at::Tensor& t) {
  if (!t.defined()) return nullptr;
  std::string dtype = c10::getDtypeNames(t.scalar_type()).first;
  Json found = {{"dtype", std::move(dtype)}, {"device", t.device().str()}};
  if (t.layout() != c10::kStrided || t.is_nested()) {
    found["layout"] = (std::ostringstream() << t.layout()).str();
    return found;
  }
  found["shape"] = t.sizes().vec();
  found["stride"] = t.strides().vec();
  return found;
}

Json describe(const c10::IValue& value) {
  if (value.isNone()) return nullptr;
  if (value.isTensor()) return describe(value.toTensor());
  if (value.isTensorList() || value.isOptionalTensorList() || value.isTuple()) {
    Json list = Json::array();
    const auto items = value.isTuple() ? value.toTupleRef().elements().vec() : value.toListRef().vec();
    for (const c10::IValue& item : items) list.push_back(describe(item));
    return list;
  }
  if (value.isBool()) return value.toBool();
  if (value.isInt()) return value.toInt();
  if (value.isIntList()) return value.toIntVector();
  return (std::ostringstream() << value).str();
}

const char* word(Source source) {
  switch (source) {
    case Source::pack:
      return "pack";
    case Source::disk:
      return "disk";
    default:
      return "compiled";
  }
}

Json describe(const Device& device, const Launch& l, bool was_ready) {
  const Family& owner = *family(l.key.family);
  Json found = {{"kernel", owner.describe(l.key)},
                {"symbol", owner.source(l.key, device.chip()).entry},
                {"grid", {l.grid[0], l.grid[1], l.grid[2]}},
                {"threads", l.threads},
                {"shared_bytes", l.shared_bytes},
                {"cluster", l.cluster},
                {"target", device.chip().target}};
  if (const auto made = device.made(l.key)) {
    found["from"] = word(made->source);
    found["made_us"] = made->us;
  }
  found["state"] = was_ready ? "memory" : found["from"];
  return found;
}

} // namespace

bool is_shadow(const at::RecordFunction& fn) {
  if (c10::impl::TorchDispatchModeTLS::any_modes_set()) return true;
  return std::any_of(fn.inputs().begin(), fn.inputs().end(), holds_unreal);
}

bool made_shadow(const at::RecordFunction& fn) { return std::any_of(fn.outputs().begin(), fn.outputs().end(), holds_unreal); }

nlohmann::json inputs_of(const at::RecordFunction& fn) {
  Json list = Json::array();
  for (const c10::IValue& value : fn.inputs()) list.push_back(describe(value));
  return list;
}

nlohmann::json outputs_of(const at::RecordFunction& fn) {
  Json list = Json::array();
  for (const c10::IValue& value : fn.outputs()) list.push_back(describe(value));
  return list;
}

Status run_traced(Device& device, const LaunchList& list, void* stream) {
  bool was_ready[LaunchList::max_launches];
  for (uint32_t i = 0; i < list.size(); ++i) was_ready[i] = device.find(list[i].key) != nullptr;
  Status s = run(device, list, stream);
  if (!s) return s;
  for (uint32_t i = 0; i < list.size(); ++i) launched(describe(device, list[i], was_ready[i]));
  return s;
}

} // namespace corundum::trace
