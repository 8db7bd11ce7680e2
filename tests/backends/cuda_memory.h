#pragma once
// Memory of a GPU by the driver itself; the backend has no such functions, since torch owns both memory and streams.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstddef>

namespace corundum::test {

// Of the device whose context is current.
struct CudaMemory {
  using Call = int (*)(...);
  static Call function(const char* name) { return reinterpret_cast<Call>(dlsym(dlopen("libcuda.so.1", RTLD_NOW), name)); }
  explicit CudaMemory(size_t bytes) { EXPECT_EQ(function("cuMemAlloc_v2")(&address, bytes), 0); }
  ~CudaMemory() { function("cuMemFree_v2")(address); }
  CudaMemory(const CudaMemory&) = delete;
  void upload(const void* from, size_t bytes) const { EXPECT_EQ(function("cuMemcpyHtoD_v2")(address, from, bytes), 0); }
  void download(void* to, size_t bytes) const { EXPECT_EQ(function("cuMemcpyDtoH_v2")(to, address, bytes), 0); }
  int first() const {
    int value = -1;
    download(&value, sizeof value);
    return value;
  }
  int* pointer() const { return reinterpret_cast<int*>(address); }
  unsigned long long address = 0;
};

} // namespace corundum::test
