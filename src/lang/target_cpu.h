#pragma once
// Primitives of host processors: a block is a loop, and the compiler turns loops over tiles into vectors.
#include "lang/target_host.h"

#define COR_SIMT 0

namespace cor {

struct Target {
#if defined(__AVX512F__)
  static constexpr int vector_bytes = 64;
#elif defined(__AVX__)
  static constexpr int vector_bytes = 32;
#else
  static constexpr int vector_bytes = 16;
#endif
  static constexpr bool has_f16_atomic_add = false, has_bf16_atomic_add = false, has_atomic_numbers = false;
  static constexpr int swap_bytes = 1; // the smallest element of compare_and_swap
};

[[noreturn]] COR_FN void device_assert_failed() { __builtin_trap(); }

// Stores a vector past the caches; its address is a multiple of its size. Seen by other threads after stream_fence().
template <class V>
COR_FN void stream_store(V* p, V v) {
#if defined(__clang__)
  __builtin_nontemporal_store(v, p);
#elif defined(__AVX__)
  asm("vmovntdq %1, %0" : "=m"(*p) : "v"(v));
#else
  *p = v;
#endif
}
COR_FN void stream_fence() {
#if defined(__x86_64__)
  asm volatile("sfence" ::: "memory");
#endif
}

// Gives the value before. What a thread wrote before its addition is seen by the threads whose additions come later.
COR_FN unsigned atomic_add(unsigned* p, unsigned v) { return __atomic_fetch_add(p, v, __ATOMIC_ACQ_REL); }
template <class T>
COR_FN T load_relaxed(const T* p) {
  return __atomic_load_n(p, __ATOMIC_RELAXED);
}
template <class T>
COR_FN T compare_and_swap(T* p, T expected, T v) {
  __atomic_compare_exchange_n(p, &expected, v, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
  return expected;
}

} // namespace cor
