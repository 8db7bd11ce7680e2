#pragma once
// Element types, named as PyTorch names them.
#include <cstddef>
#include <cstdint>

namespace corundum {

enum class Dtype : uint8_t {
  boolean,
  uint8,
  int8,
  int16,
  int32,
  int64,
  uint16,
  uint32,
  uint64,
  float16,
  bfloat16,
  float32,
  float64,
  complex64,
  complex128,
  float8_e4m3fn,
  float8_e5m2,
  count,
  invalid = 255
};

struct DtypeInfo {
  const char* name;         // PyTorch's name: "float32"
  const char* short_name;   // for kernel names and keys: "f32"
  const char* kernel_type;  // the type in kernel text
  const char* compute_type; // the type that arithmetic is done in (16-bit floats compute in f32)
  uint8_t size;             // bytes
  bool is_floating;
  bool is_complex;
};

const DtypeInfo& info(Dtype dtype);
inline size_t size_of(Dtype dtype) { return info(dtype).size; }
inline bool is_floating(Dtype dtype) { return info(dtype).is_floating; }
inline bool is_complex(Dtype dtype) { return info(dtype).is_complex; }
inline bool is_integral(Dtype dtype) { return !is_floating(dtype) && !is_complex(dtype); } // bool counts

} // namespace corundum
