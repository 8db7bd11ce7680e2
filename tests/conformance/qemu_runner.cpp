// Runs kernels of AArch64 under qemu-aarch64 for tests/conformance/qemu.cpp, with which it shares a file of memory, mapped at the
// same address on both sides.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "qemu_protocol.h"

using namespace corundum::test;

int main(int count, char** argument) {
  const int file = count > 1 ? open(argument[1], O_RDWR) : -1;
  void* arena = mmap(arena_address, arena_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, file, 0);
  if (arena != arena_address) return perror("the shared memory cannot be mapped"), 1;
  dlopen("libm.so.6", RTLD_NOW | RTLD_GLOBAL); // kernels do not name it
  for (Order order; read(0, &order, sizeof order) == sizeof order;) {
    void* library = dlopen(order.path, RTLD_NOW | RTLD_LOCAL);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
    using Entry = void (*)(const void* args, long first, long last, void* scratch);
    const Entry entry = reinterpret_cast<Entry>(dlsym(library, order.entry));
    if (!entry) return fprintf(stderr, "no entry %s\n", order.entry), 1;
    void* scratch = aligned_alloc(64, (order.scratch_bytes + 64) / 64 * 64);
    entry(reinterpret_cast<const void*>(order.args), order.first, order.last, scratch);
    free(scratch);
    if (write(1, "k", 1) != 1) return 1;
  }
  return 0;
}
