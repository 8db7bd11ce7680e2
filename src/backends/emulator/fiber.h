#pragma once
// Fibers: functions with a stack of their own that give up control only where they say so. No system call at a switch.
#include <cstddef>

namespace corundum::emulator {

// Memory for one fiber, with a page below it that nobody may touch.
class Stack {
 public:
  explicit Stack(size_t bytes);
  ~Stack();
  Stack(Stack&& other) noexcept;
  Stack(const Stack&) = delete;
  char* low() const { return memory_ + guard; }
  char* high() const { return memory_ + guard + bytes_; }

 private:
  static constexpr size_t guard = 4096;
  char* memory_;
  size_t bytes_;
};

// Where somebody stopped: a stack pointer, below which lie the registers that a call preserves.
using Context = void*;

// A context that will call body(argument), which must not return.
Context prepare(const Stack& stack, void (*body)(void*), void* argument);
// Leaves the caller's context in *from and continues at `to`; returns when somebody switches back.
extern "C" __attribute__((visibility("hidden"))) void corundum_switch(Context* from, Context to);

} // namespace corundum::emulator
