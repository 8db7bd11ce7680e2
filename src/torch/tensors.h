#pragma once
// What our functions ask of torch's tensors.
#include <ATen/core/Tensor.h>

#include "core/dtype.h"
#include "core/status.h"
#include "core/view.h"

namespace corundum {

// Dtype::invalid for what has no counterpart (quantized, sub-byte).
inline Dtype dtype_of(at::ScalarType type) {
  switch (type) {
    case at::kBool:
      return Dtype::boolean;
    case at::kByte:
      return Dtype::uint8;
    case at::kChar:
      return Dtype::int8;
    case at::kShort:
      return Dtype::int16;
    case at::kInt:
      return Dtype::int32;
    case at::kLong:
      return Dtype::int64;
    case at::kUInt16:
      return Dtype::uint16;
    case at::kUInt32:
      return Dtype::uint32;
    case at::kUInt64:
      return Dtype::uint64;
    case at::kHalf:
      return Dtype::float16;
    case at::kBFloat16:
      return Dtype::bfloat16;
    case at::kFloat:
      return Dtype::float32;
    case at::kDouble:
      return Dtype::float64;
    case at::kComplexFloat:
      return Dtype::complex64;
    case at::kComplexDouble:
      return Dtype::complex128;
    case at::kFloat8_e4m3fn:
      return Dtype::float8_e4m3fn;
    case at::kFloat8_e5m2:
      return Dtype::float8_e5m2;
    default:
      return Dtype::invalid;
  }
}

// The key bits that a strided tensor with memory of its own may have. Everything else (sparse, nested, quantized, MKL-DNN, named,
// Python subclasses, functorch wrappers, lazy conjugate and negative bits, zero tensors) is the previous kernel's business.
inline const uint64_t plain_key_bits =
    (c10::DispatchKeySet({c10::DispatchKey::CPU, c10::DispatchKey::CUDA, c10::DispatchKey::PrivateUse1, c10::DispatchKey::Meta,
                          c10::DispatchKey::ADInplaceOrView}) |
     c10::autograd_dispatch_keyset | c10::autocast_dispatch_keyset)
        .raw_repr();

inline bool is_plain(const at::Tensor& t) {
  const uint64_t bits = t.unsafeGetTensorImpl()->key_set().raw_repr();
  return bits != 0 && (bits & ~plain_key_bits) == 0;
}

inline constexpr const char* not_plain =
    "a tensor is sparse, named, nested, quantized, a subclass, or has a conjugate or negative bit";
inline constexpr const char* on_two_devices = "the tensors are on different devices";

template <class... Tensors>
Status require_plain(const at::Tensor& first, const Tensors&... others) {
  if (!is_plain(first) || !(is_plain(others) && ...)) return Status::refuse(not_plain);
  if (!((others.device() == first.device()) && ...)) return Status::refuse(on_two_devices);
  return {};
}

inline View view_of(const at::Tensor& t, void* data) {
  return {data, dtype_of(t.scalar_type()), static_cast<int>(t.dim()), t.sizes().data(), t.strides().data()};
}

// Inputs are never written: const_data_ptr keeps copy-on-write tensors shared.
inline void* read_pointer(const at::Tensor& t) { return const_cast<void*>(t.const_data_ptr()); }

// Whether `t` may be written while `other` is read or written: no memory in common.
bool is_disjoint(const at::Tensor& t, const at::Tensor& other);

} // namespace corundum

#define CORUNDUM_CONCAT_(a, b) a##b
#define CORUNDUM_CONCAT(a, b) CORUNDUM_CONCAT_(a, b)
// Hands a refusal on to the caller.
#define CORUNDUM_TRY(expression)                                                                                          \
  if (const ::corundum::Status CORUNDUM_CONCAT(tried_, __LINE__) = (expression); !CORUNDUM_CONCAT(tried_, __LINE__).ok()) \
  return CORUNDUM_CONCAT(tried_, __LINE__)
