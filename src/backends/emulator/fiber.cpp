#include "backends/emulator/fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>
#include <utility>

namespace corundum::emulator {

Stack::Stack(size_t bytes) : bytes_(bytes) {
  void* memory = mmap(nullptr, guard + bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<char*>(memory);
  mprotect(memory_, guard, PROT_NONE);
}

Stack::~Stack() {
  if (memory_) munmap(memory_, guard + bytes_);
}

Stack::Stack(Stack&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)), bytes_(other.bytes_) {}

#if defined(__x86_64__)

// Preserved by a call (System V ABI): rbx, rbp, r12 to r15. A fiber starts as if it had stopped with its body in rbx and the
// argument in r12.
asm(R"(
.text
.hidden corundum_switch
.globl corundum_switch
.type corundum_switch, @function
corundum_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.hidden corundum_fiber_start
.globl corundum_fiber_start
.type corundum_fiber_start, @function
corundum_fiber_start:
  movq %r12, %rdi
  callq *%rbx
  ud2
)");
constexpr int saved = 7, body_at = 4, argument_at = 3, return_at = 6;

#elif defined(__aarch64__)

// Preserved by a call (AAPCS64): x19 to x30, d8 to d15. The body in x19, the argument in x20.
asm(R"(
.text
.hidden corundum_switch
.globl corundum_switch
.type corundum_switch, %function
corundum_switch:
  sub sp, sp, #160
  stp x19, x20, [sp]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
.hidden corundum_fiber_start
.globl corundum_fiber_start
.type corundum_fiber_start, %function
corundum_fiber_start:
  mov x0, x20
  blr x19
  brk #1
)");
constexpr int saved = 20, body_at = 0, argument_at = 1, return_at = 11;

#else
#error "the emulator wants a corundum_switch for this processor: it saves what a call preserves and changes the stack pointer"
#endif

extern "C" __attribute__((visibility("hidden"))) void corundum_fiber_start();

Context prepare(const Stack& stack, void (*body)(void*), void* argument) {
  // Once the registers are taken off, the stack pointer is a multiple of 16, as a call wants it.
  void** context = reinterpret_cast<void**>(stack.high()) - saved - 2;
  for (int i = 0; i < saved; ++i) context[i] = nullptr;
  context[body_at] = reinterpret_cast<void*>(body);
  context[argument_at] = argument;
  context[return_at] = reinterpret_cast<void*>(&corundum_fiber_start);
  return context;
}

} // namespace corundum::emulator
