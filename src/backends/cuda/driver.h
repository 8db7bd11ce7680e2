#pragma once
// The part of NVIDIA's driver that we call, declared here so that no CUDA header is needed to build, and opened at run time.
#include <cstddef>
#include <string>

namespace corundum::cuda {

// Opaque handles and numbers as in the driver's documentation; 0 is success.
using Result = int;
using Context = void*;
using Library = void*;
using Kernel = void*;
using Stream = void*;

enum DeviceAttribute : int {
  device_max_threads = 1,
  device_warp_size = 10,
  device_multiprocessors = 16,
  device_l2_bytes = 38,
  device_capability_major = 75,
  device_capability_minor = 76,
  device_shared_bytes_optin = 97,
};
enum FunctionAttribute : int {
  function_max_threads = 0,
  function_static_shared_bytes = 1,
  function_max_dynamic_shared_bytes = 8,
  function_large_clusters = 14
};

// CUlaunchAttribute: which, and room for the values of the largest kind.
struct LaunchAttribute {
  int id;
  int padding;
  unsigned value[3];
  unsigned rest[13];
};
static_assert(sizeof(LaunchAttribute) == 72);
constexpr int launch_attribute_cluster = 4, launch_attribute_early = 6; // a cluster's three numbers; a number that says yes

// CUlaunchConfig
struct LaunchConfig {
  unsigned grid[3], block[3];
  unsigned shared_bytes;
  Stream stream;
  const LaunchAttribute* attributes;
  unsigned attribute_count;
};

struct Driver {
  Result (*init)(unsigned);
  Result (*error_name)(Result, const char**);
  Result (*version)(int*);
  Result (*device_count)(int*);
  Result (*device_get)(int* device, int ordinal);
  Result (*device_name)(char*, int, int device);
  Result (*device_attribute)(int*, DeviceAttribute, int device);
  Result (*primary_retain)(Context*, int device);
  Result (*context_get)(Context*);
  Result (*context_set)(Context);
  Result (*context_device)(int* device);
  Result (*context_synchronize)();
  Result (*exchange_capture_mode)(int*);
  Result (*library_load)(Library*, const void* code, int*, void**, unsigned, int*, void**, unsigned);
  Result (*library_kernel)(Kernel*, Library, const char*);
  Result (*kernel_attribute)(int*, FunctionAttribute, Kernel, int device);
  Result (*kernel_set_attribute)(FunctionAttribute, int, Kernel, int device);
  Result (*launch)(const LaunchConfig*, Kernel, void** parameters, void** extra);

  std::string name_of(Result error) const;
};

// nullptr when there is no usable driver, and then `why` says so. Opened and initialised once.
const Driver* driver(std::string* why = nullptr);

} // namespace corundum::cuda
