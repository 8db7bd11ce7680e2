#pragma once
// The part of ROCm 5's HIP runtime that we call, declared here so that no header of AMD's is needed to build, and opened at run
// time.
#include <cstddef>
#include <string>

namespace corundum::hip {

// Opaque handles and numbers as in HIP's documentation; 0 is success.
using Result = int;
using Module = void*;
using Kernel = void*;
using Stream = void*;

enum FunctionAttribute : int { function_max_threads = 0, function_static_shared_bytes = 1 };

// hipDeviceProp_t of ROCm 5, as far as we read it; it is 792 bytes long.
struct DeviceProperties {
  char name[256];
  size_t global_bytes, shared_bytes;
  int registers, warp_size, max_threads, max_dims[3], max_grid[3], clock, memory_clock, memory_width;
  size_t constant_bytes;
  int major, minor, multiprocessors, l2_bytes, threads_a_multiprocessor, compute_mode, clock_instruction, features, concurrent,
      pci_domain, pci_bus, pci_device;
  size_t shared_bytes_a_multiprocessor;
  int multi_gpu_board, maps_host_memory, gcn_number;
  char arch[256]; // "gfx90a:sramecc+:xnack-"
  char rest[1024];
};
static_assert(offsetof(DeviceProperties, arch) == 396);

struct Driver {
  Result (*init)(unsigned);
  const char* (*error_name)(Result);
  Result (*version)(int*);
  Result (*device_count)(int*);
  Result (*device_properties)(DeviceProperties*, int device);
  Result (*device_get)(int* device); // the calling thread's
  Result (*device_set)(int device);
  Result (*device_synchronize)();
  Result (*exchange_capture_mode)(int*);
  Result (*module_load)(Module*, const void* code);
  Result (*module_kernel)(Kernel*, Module, const char*);
  Result (*kernel_attribute)(int*, FunctionAttribute, Kernel);
  Result (*launch)(Kernel, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z,
                   unsigned shared_bytes, Stream, void** parameters, void** extra);
};

// nullptr when there is no usable runtime, and then `why` says so. Opened and initialised once.
const Driver* driver(std::string* why = nullptr);

} // namespace corundum::hip
