#pragma once
// Primitives of AMD's GPUs with wavefronts of 64 lanes (gfx906, gfx90a). hipRTC brings the runtime's functions along.
#define COR_SIMT 1

namespace cor {

struct Target {
  static constexpr int warp_size = 64;
  static constexpr bool has_clusters = false;
  static constexpr bool has_f16_atomic_add = false, has_bf16_atomic_add = false;
  static constexpr bool has_atomic_numbers = true;     // add of 4 and 8 bytes, min and max of integers
  static constexpr int swap_bytes = 2;                 // the smallest element of compare_and_swap
  static constexpr bool blocks_start_in_order = false; // of their numbers
};

// An entry point of `Threads` threads a block; its body follows and reads the argument struct `a`, of type __VA_ARGS__.
#define COR_KERNEL(entry, Threads, ...) extern "C" __global__ __launch_bounds__(Threads) void entry(const __VA_ARGS__ a)
// A variable of the block's shared memory, of a type without constructor (an array type wants a name: `using`).
#define COR_SHARED(name, ...) __shared__ __VA_ARGS__ name

COR_FN int thread_id() { return static_cast<int>(threadIdx.x); }
COR_FN unsigned block_id() { return blockIdx.x; }
COR_FN unsigned block_count() { return gridDim.x; }
COR_FN void barrier() { __syncthreads(); }
// Lanes of a wavefront run in step: this orders what they wrote and read.
COR_FN void warp_barrier() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "wavefront");
  __builtin_amdgcn_wave_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "wavefront");
}
// The launch's shared_bytes: dynamic shared memory, aligned to 128 bytes.
COR_FN char* shared_arena() {
  extern __shared__ __attribute__((aligned(128))) char corundum_arena[];
  return corundum_arena;
}
[[noreturn]] COR_FN void device_assert_failed() { __builtin_trap(); }

COR_FN int lane_of_wave() { return static_cast<int>(__builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0))); }
// The word of lane `lane`; all lanes of the warp take part.
COR_FN unsigned shuffle_word(unsigned value, int lane) {
  return static_cast<unsigned>(__builtin_amdgcn_ds_bpermute(lane << 2, static_cast<int>(value)));
}
// The word of the lane whose number differs by the bits of `mask`; all lanes of the warp take part.
COR_FN unsigned shuffle_xor_word(unsigned value, int mask) { return shuffle_word(value, lane_of_wave() ^ mask); }
// One bit a lane of the warp.
using LaneMask = unsigned long long;
// The lanes that say so; all lanes of the warp take part.
COR_FN LaneMask ballot(bool set) { return ::__ballot(set); }
// The mask of the lanes before `lane`.
COR_FN LaneMask lanes_below(int lane) { return (LaneMask{1} << lane) - 1; }

// Four bytes of the eight of (low, high): nibble k of `selector` says which one is byte k of the result.
COR_FN unsigned byte_permute(unsigned low, unsigned high, unsigned selector) {
  const unsigned bytes = (selector & 7) | (selector & 0x70) << 4 | (selector & 0x700) << 8 | (selector & 0x7000) << 12;
  return __builtin_amdgcn_perm(high, low, bytes);
}

// Atomic operations on global or shared memory, relaxed, seen by the whole device. Each gives the value before. What the hardware
// lacks, the compiler makes of compare-and-swap.
template <class T>
COR_FN T atomic_add_native(T* p, T v) {
  return __hip_atomic_fetch_add(p, v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}
COR_FN unsigned atomic_add(unsigned* p, unsigned v) { return atomic_add_native(p, v); }
COR_FN unsigned long long atomic_add(unsigned long long* p, unsigned long long v) { return atomic_add_native(p, v); }
COR_FN float atomic_add(float* p, float v) { return atomic_add_native(p, v); }
COR_FN double atomic_add(double* p, double v) { return atomic_add_native(p, v); }
// A barrier that says in how many lanes of the block `set` holds; counted in shared memory, between barriers.
COR_FN int barrier_count(bool set) {
  COR_SHARED(count, unsigned);
  barrier();
  if (thread_id() == 0) count = 0;
  barrier();
  if (set) atomic_add(&count, 1u);
  barrier();
  return static_cast<int>(count);
}
template <class T>
COR_FN void atomic_min(T* p, T v) {
  __hip_atomic_fetch_min(p, v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}
template <class T>
COR_FN void atomic_max(T* p, T v) {
  __hip_atomic_fetch_max(p, v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}
COR_FN unsigned atomic_exchange(unsigned* p, unsigned v) {
  return __hip_atomic_exchange(p, v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}
template <class T>
COR_FN T compare_and_swap_native(T* p, T expected, T v) {
  __hip_atomic_compare_exchange_strong(p, &expected, v, __ATOMIC_RELAXED, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  return expected;
}
COR_FN unsigned compare_and_swap(unsigned* p, unsigned expected, unsigned v) { return compare_and_swap_native(p, expected, v); }
COR_FN unsigned long long compare_and_swap(unsigned long long* p, unsigned long long expected, unsigned long long v) {
  return compare_and_swap_native(p, expected, v);
}
COR_FN unsigned short compare_and_swap(unsigned short* p, unsigned short expected, unsigned short v) {
  return compare_and_swap_native(p, expected, v);
}
// What a block wrote before a release is seen by the block that has read the released value.
COR_FN unsigned load_acquire(const unsigned* p) { return __hip_atomic_load(p, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_AGENT); }
COR_FN unsigned long long load_acquire(const unsigned long long* p) {
  return __hip_atomic_load(p, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_AGENT);
}
COR_FN void store_release(unsigned* p, unsigned v) { __hip_atomic_store(p, v, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_AGENT); }
COR_FN void store_release(unsigned long long* p, unsigned long long v) {
  __hip_atomic_store(p, v, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_AGENT);
}
// One access that other blocks' accesses do not split; it orders nothing.
template <class T>
COR_FN T load_relaxed(const T* p) {
  return __hip_atomic_load(p, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}
COR_FN void store_relaxed(unsigned long long* p, unsigned long long v) {
  __hip_atomic_store(p, v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}
// Launches begin when the one before has ended.
COR_FN void let_next_launch_start() {}
COR_FN void wait_for_launch_before() {}
// Inside a loop that waits for another block.
COR_FN void spin() { __builtin_amdgcn_s_sleep(1); }
COR_FN void fence() { __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, "agent"); }

// Reads and writes a value, at an address that is a multiple of its alignment, in accesses of up to 16 bytes. As vectors, since the
// compiler takes copies of structs apart and does not always put them together again.
typedef unsigned Word16 __attribute__((ext_vector_type(4)));
template <class T>
COR_FN T load_whole(const T* p) {
  if constexpr (sizeof(T) == 16)
    return __builtin_bit_cast(T, *reinterpret_cast<const Word16*>(p));
  else
    return *p;
}
template <class T>
COR_FN void store_whole(T* p, const T& v) {
  if constexpr (sizeof(T) == 16)
    *reinterpret_cast<Word16*>(p) = __builtin_bit_cast(Word16, v);
  else
    *p = v;
}

// Clusters: one block each.
COR_FN unsigned cluster_rank() { return 0; }
COR_FN void cluster_barrier() { barrier(); }
template <class T>
COR_FN T* in_block(T* shared, unsigned) {
  return shared;
}

COR_FN void store16(void* global, const unsigned (&w)[4]) { *static_cast<Word16*>(global) = Word16{w[0], w[1], w[2], w[3]}; }

// 16 bytes from global to shared memory, at once; `bytes` of them, the rest zeros. Both addresses are multiples of 16.
COR_FN void async_copy16(void* shared, const void* global, int bytes = 16) {
  struct alignas(16) Piece {
    unsigned char v[16];
  };
  if (bytes == 16) {
    *static_cast<Piece*>(shared) = *static_cast<const Piece*>(global);
    return;
  }
#pragma unroll 1
  for (int k = 0; k < 16; ++k)
    static_cast<unsigned char*>(shared)[k] = k < bytes ? static_cast<const unsigned char*>(global)[k] : 0;
}
// Nothing is ever under way; a barrier shows the copies to all.
COR_FN void async_commit() {}
template <int Left>
COR_FN void async_wait() {}

// 16-bit floats in hardware; one rounding, to nearest even.
COR_FN float half_to_float(unsigned short h) { return static_cast<float>(__builtin_bit_cast(_Float16, h)); }
COR_FN unsigned short float_to_half(float f) { return __builtin_bit_cast(unsigned short, static_cast<_Float16>(f)); }

// 1/x; worst error 1 ulp (v_rcp_f32). Denormals count as 0.
COR_FN float reciprocal_fast(float x) { return __builtin_amdgcn_rcpf(x); }
// 2^x; worst error 1 ulp, denormal results are 0 (AMD's instruction set documents, v_exp_f32).
COR_FN float exp2_fast(float x) { return __builtin_exp2f(x); }

// The sine and the cosine of x by the hardware's approximation; of pi times x.
COR_FN void sincos_fast(float x, float* sine, float* cosine) {
  *sine = ::__sinf(x);
  *cosine = ::__cosf(x);
}
COR_FN void sincos_pi(double x, double* sine, double* cosine) { ::sincospi(x, sine, cosine); }
// e^x, the natural logarithm and the tangent by the hardware's approximations, which ATen's random numbers are made with.
COR_FN float exp_fast(float x) { return ::__expf(x); }
COR_FN float log_fast(float x) { return ::__logf(x); }
COR_FN float tan_fast(float x) { return ::__tanf(x); }

// The larger and the smaller number; NaN if either is.
COR_FN float maximum(float a, float b) {
  const float r = __builtin_fmaxf(a, b);
  return __builtin_isunordered(a, b) ? bits_to_float(0x7fc00000u) : r;
}
COR_FN float minimum(float a, float b) {
  const float r = __builtin_fminf(a, b);
  return __builtin_isunordered(a, b) ? bits_to_float(0x7fc00000u) : r;
}

COR_FN float larger(float a, float b) { return __builtin_fmaxf(a, b); }

COR_FN float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
COR_FN double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
COR_FN double exact_fma(double a, double b, double c) { return __builtin_fma(a, b, c); } // rounded once

// The device library's functions (ocml), which keep the bounds of the OpenCL specification (7.4, relative error as ULPs) or better.
#define COR_NATIVE_MATHS 1

} // namespace cor
