#pragma once
// Primitives of the emulator: the lowering to lanes, run on a host processor. Each lane is a fiber of src/backends/emulator, which
// also looks at every access to memory: with -fsanitize=thread the compiler calls the __tsan_* functions below before each one.
#include "lang/target_host.h"

#define COR_SIMT 1

// The emulator's functions; its loader fills these pointers by name. `place` is a code address, for reports. An operation that may
// wait for another lane's is one that loops are made of: turning in them for ever is reported.
#define COR_EMULATED __attribute__((visibility("default")))
extern "C" {
COR_EMULATED int (*corundum_emulator_thread_id)();
COR_EMULATED unsigned (*corundum_emulator_block_id)();
COR_EMULATED unsigned (*corundum_emulator_block_count)();
COR_EMULATED unsigned (*corundum_emulator_cluster_rank)();
COR_EMULATED void (*corundum_emulator_barrier)(void* place);
COR_EMULATED void (*corundum_emulator_warp_barrier)(void* place);
COR_EMULATED void (*corundum_emulator_cluster_barrier)(void* place);
COR_EMULATED unsigned (*corundum_emulator_shuffle)(unsigned value, int lane, void* place);
COR_EMULATED void (*corundum_emulator_ballot)(bool set, unsigned long long* mask, void* place);
COR_EMULATED char* (*corundum_emulator_shared)(unsigned offset);
COR_EMULATED char* (*corundum_emulator_arena)();
COR_EMULATED void* (*corundum_emulator_in_block)(void* shared, unsigned rank, void* place);
COR_EMULATED void (*corundum_emulator_atomic)(const void* p, unsigned bytes, bool may_wait, void* place);
COR_EMULATED void (*corundum_emulator_release)(const void* p, unsigned bytes, void* place);
COR_EMULATED void (*corundum_emulator_async_copy)(void* shared, const void* global, unsigned bytes, unsigned zeros, void* place);
COR_EMULATED void (*corundum_emulator_async_commit)();
COR_EMULATED void (*corundum_emulator_async_wait)(int left, void* place);
COR_EMULATED void (*corundum_emulator_assert_failed)(void* place);
// Shared variables, as the object's initialisers lay them out: offset and size. Between two lies a zone that nobody may touch.
COR_EMULATED unsigned corundum_emulator_variables[64][2];
COR_EMULATED unsigned corundum_emulator_variable_count;

#if defined(__SANITIZE_THREAD__)
#define COR_UNSEEN __attribute__((no_sanitize("thread")))
static void corundum_unseen(void*, unsigned long, bool, void*) {}
// Initialisers run before the loader comes by.
COR_EMULATED void (*corundum_emulator_access)(void* p, unsigned long bytes, bool write, void* place) = corundum_unseen;
#define COR_SEE(name, bytes, write) \
  COR_UNSEEN void name(void* p) { corundum_emulator_access(p, bytes, write, __builtin_return_address(0)); }
#define COR_SEE_BYTES(name, write) \
  COR_UNSEEN void name(void* p, unsigned long bytes) { corundum_emulator_access(p, bytes, write, __builtin_return_address(0)); }
COR_SEE(__tsan_read1, 1, false)
COR_SEE(__tsan_read2, 2, false)
COR_SEE(__tsan_read4, 4, false)
COR_SEE(__tsan_read8, 8, false)
COR_SEE(__tsan_read16, 16, false)
COR_SEE(__tsan_write1, 1, true)
COR_SEE(__tsan_write2, 2, true)
COR_SEE(__tsan_write4, 4, true)
COR_SEE(__tsan_write8, 8, true)
COR_SEE(__tsan_write16, 16, true)
COR_SEE_BYTES(__tsan_read_range, false)
COR_SEE_BYTES(__tsan_write_range, true)
#undef COR_SEE
#undef COR_SEE_BYTES
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
#else
#define COR_UNSEEN
#endif
}

// A primitive: a call of its own, so that its return address is the place in the kernel.
#define COR_PRIMITIVE COR_UNSEEN __attribute__((noinline)) inline
#define COR_PLACE __builtin_return_address(0)

#define COR_KERNEL(entry, Threads, ...)                                                                    \
  static COR_FN void entry##_of_a_lane(const __VA_ARGS__& a);                                              \
  extern "C" {                                                                                             \
  COR_EMULATED unsigned entry##_threads = Threads;                                                         \
  COR_EMULATED void entry(const void* args) { entry##_of_a_lane(*static_cast<const __VA_ARGS__*>(args)); } \
  }                                                                                                        \
  static COR_FN void entry##_of_a_lane(const __VA_ARGS__& a)
#define COR_SHARED(name, ...) \
  struct name##_variable;     \
  auto& name = cor::emulated_variable<__VA_ARGS__, name##_variable>()

namespace cor {

struct Target {
  static constexpr int warp_size = COR_EMULATED_WARP;
  static constexpr bool has_clusters = true;
  static constexpr bool has_f16_atomic_add = false, has_bf16_atomic_add = false, has_atomic_numbers = true;
  static constexpr int swap_bytes = 2;
  static constexpr bool blocks_start_in_order = false; // of their numbers
};

COR_PRIMITIVE __attribute__((const)) int thread_id() { return corundum_emulator_thread_id(); }
COR_PRIMITIVE __attribute__((const)) unsigned block_id() { return corundum_emulator_block_id(); }
COR_PRIMITIVE __attribute__((const)) unsigned block_count() { return corundum_emulator_block_count(); }
COR_PRIMITIVE void barrier() { corundum_emulator_barrier(COR_PLACE); }
COR_PRIMITIVE void warp_barrier() { corundum_emulator_warp_barrier(COR_PLACE); }
COR_PRIMITIVE void device_assert_failed() { corundum_emulator_assert_failed(COR_PLACE); }

COR_UNSEEN inline unsigned place_variable(unsigned size, unsigned alignment) {
  constexpr unsigned zone = 32;
  const unsigned number = corundum_emulator_variable_count;
  if (number == 64) __builtin_trap();
  const unsigned end = number ? corundum_emulator_variables[number - 1][0] + corundum_emulator_variables[number - 1][1] + zone : 0;
  const unsigned offset = (end + alignment - 1) / alignment * alignment;
  corundum_emulator_variables[number][0] = offset;
  corundum_emulator_variables[number][1] = size;
  corundum_emulator_variable_count = number + 1;
  return offset;
}
// One offset a declaration, as the local type `Where` tells them apart.
template <class T, class Where>
struct SharedVariable {
  static unsigned offset;
};
template <class T, class Where>
unsigned SharedVariable<T, Where>::offset = place_variable(sizeof(T), alignof(T));
template <class T, class Where>
COR_PRIMITIVE __attribute__((const)) T& emulated_variable() {
  return *reinterpret_cast<T*>(corundum_emulator_shared(SharedVariable<T, Where>::offset));
}
COR_PRIMITIVE __attribute__((const)) char* shared_arena() { return corundum_emulator_arena(); }

COR_PRIMITIVE unsigned shuffle_xor_word(unsigned value, int mask) {
  return corundum_emulator_shuffle(value, (corundum_emulator_thread_id() % Target::warp_size) ^ mask, COR_PLACE);
}
COR_PRIMITIVE unsigned shuffle_word(unsigned value, int lane) { return corundum_emulator_shuffle(value, lane, COR_PLACE); }

#if COR_EMULATED_WARP > 64
using LaneMask = unsigned __int128;
COR_FN int count_bits(LaneMask v) {
  return count_bits(static_cast<unsigned long long>(v)) + count_bits(static_cast<unsigned long long>(v >> 64));
}
COR_FN int leading_zeros(LaneMask v) {
  const auto high = static_cast<unsigned long long>(v >> 64);
  return high ? leading_zeros(high) : 64 + leading_zeros(static_cast<unsigned long long>(v));
}
COR_FN int lowest_bit(LaneMask v) {
  const auto low = static_cast<unsigned long long>(v), high = static_cast<unsigned long long>(v >> 64);
  return low ? lowest_bit(low) : high ? 64 + lowest_bit(high) : -1;
}
#else
using LaneMask = unsigned long long;
#endif
COR_PRIMITIVE LaneMask ballot(bool set) {
  unsigned long long mask[2];
  corundum_emulator_ballot(set, mask, COR_PLACE);
#if COR_EMULATED_WARP > 64
  return static_cast<LaneMask>(mask[1]) << 64 | mask[0];
#else
  return mask[0];
#endif
}
COR_FN LaneMask lanes_below(int lane) { return (LaneMask{1} << lane) - 1; }

// Lanes take turns only inside primitives, so that plain accesses are atomic once the emulator has been told of them.
#define COR_ATOMIC(name, T, after)                            \
  COR_PRIMITIVE T name(T* p, T v) {                           \
    corundum_emulator_atomic(p, sizeof(T), false, COR_PLACE); \
    const T before = *p;                                      \
    *p = after;                                               \
    return before;                                            \
  }
COR_ATOMIC(atomic_add, unsigned, before + v)
COR_ATOMIC(atomic_add, unsigned long long, before + v)
COR_ATOMIC(atomic_add, float, before + v)
COR_ATOMIC(atomic_add, double, before + v)
COR_ATOMIC(atomic_exchange, unsigned, v)
COR_ATOMIC(atomic_min, int, v < before ? v : before)
COR_ATOMIC(atomic_min, long long, v < before ? v : before)
COR_ATOMIC(atomic_max, int, v > before ? v : before)
COR_ATOMIC(atomic_max, long long, v > before ? v : before)
#undef COR_ATOMIC
// Counted in shared memory, between barriers. A template, so that the variable is there only in kernels that ask.
template <int = 0>
COR_FN int barrier_count(bool set) {
  COR_SHARED(count, unsigned);
  barrier();
  if (thread_id() == 0) count = 0;
  barrier();
  if (set) atomic_add(&count, 1u);
  barrier();
  return static_cast<int>(count);
}
#define COR_SWAP(T)                                          \
  COR_PRIMITIVE T compare_and_swap(T* p, T expected, T v) {  \
    corundum_emulator_atomic(p, sizeof(T), true, COR_PLACE); \
    const T before = *p;                                     \
    if (before == expected) *p = v;                          \
    return before;                                           \
  }
COR_SWAP(unsigned short)
COR_SWAP(unsigned)
COR_SWAP(unsigned long long)
#undef COR_SWAP
#define COR_ORDERED(T)                                       \
  COR_PRIMITIVE T load_acquire(const T* p) {                 \
    corundum_emulator_atomic(p, sizeof(T), true, COR_PLACE); \
    return *p;                                               \
  }                                                          \
  COR_PRIMITIVE void store_release(T* p, T v) {              \
    corundum_emulator_release(p, sizeof(T), COR_PLACE);      \
    *p = v;                                                  \
  }
COR_ORDERED(unsigned)
COR_ORDERED(unsigned long long)
#undef COR_ORDERED
#define COR_RELAXED(T)                                       \
  COR_PRIMITIVE T load_relaxed(const T* p) {                 \
    corundum_emulator_atomic(p, sizeof(T), true, COR_PLACE); \
    return *p;                                               \
  }
COR_RELAXED(unsigned short)
COR_RELAXED(unsigned)
COR_RELAXED(unsigned long long)
#undef COR_RELAXED
COR_PRIMITIVE void store_relaxed(unsigned long long* p, unsigned long long v) {
  corundum_emulator_release(p, sizeof *p, COR_PLACE);
  *p = v;
}
// Launches begin when the one before has ended.
COR_FN void let_next_launch_start() {}
COR_FN void wait_for_launch_before() {}
COR_FN void spin() {}
COR_FN void fence() {}

COR_PRIMITIVE __attribute__((const)) unsigned cluster_rank() { return corundum_emulator_cluster_rank(); }
COR_PRIMITIVE void cluster_barrier() { corundum_emulator_cluster_barrier(COR_PLACE); }
template <class T>
COR_PRIMITIVE T* in_block(T* shared, unsigned rank) {
  return static_cast<T*>(corundum_emulator_in_block(shared, rank, COR_PLACE));
}

COR_FN void store16(void* global, const unsigned (&w)[4]) { __builtin_memcpy(global, w, 16); }
COR_PRIMITIVE void async_copy16(void* shared, const void* global, int bytes = 16) {
  corundum_emulator_async_copy(shared, global, static_cast<unsigned>(bytes), static_cast<unsigned>(16 - bytes), COR_PLACE);
}
COR_PRIMITIVE void async_commit() { corundum_emulator_async_commit(); }
template <int Left>
COR_PRIMITIVE void async_wait() {
  corundum_emulator_async_wait(Left, COR_PLACE);
}

} // namespace cor
