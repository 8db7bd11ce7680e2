#pragma once
// Primitives of NVIDIA GPUs. With the other target_*.h the only text that knows a target.
#define COR_FN __device__ __forceinline__
// A template that several places call and that is compiled once.
#define COR_ONCE __device__ __noinline__
#define COR_SIMT 1
#define COR_TENSOR_CORES 1

namespace cor {

struct Target {
  static constexpr int warp_size = 32;
#if __CUDA_ARCH__ >= 900
  static constexpr bool has_clusters = true;
#else
  static constexpr bool has_clusters = false;
#endif
#if __CUDA_ARCH__ >= 900
  static constexpr bool has_bf16_atomic_add = true;
#else
  static constexpr bool has_bf16_atomic_add = false;
#endif
  static constexpr bool has_f16_atomic_add = true, has_atomic_numbers = true; // add of 4 and 8 bytes, min and max of integers
  static constexpr int swap_bytes = 2;                                        // the smallest element of compare_and_swap
  static constexpr bool blocks_start_in_order = true; // of their numbers; not documented, and CUB's scan is built on it
};

// An entry point of `Threads` threads a block; its body follows and reads the argument struct `a`, of type __VA_ARGS__.
#define COR_KERNEL(entry, Threads, ...) \
  extern "C" __global__ __launch_bounds__(Threads) void entry(const __grid_constant__ __VA_ARGS__ a)
// A variable of the block's shared memory, of a type without constructor (an array type wants a name: `using`).
#define COR_SHARED(name, ...) __shared__ __VA_ARGS__ name

COR_FN int thread_id() { return static_cast<int>(threadIdx.x); }
COR_FN unsigned block_id() { return blockIdx.x; }
COR_FN unsigned block_count() { return gridDim.x; }
COR_FN void barrier() { __syncthreads(); }
// A barrier that says in how many lanes of the block `set` holds.
COR_FN int barrier_count(bool set) { return __syncthreads_count(set); }
// The lanes of a warp that run the same code wait for each other; what they wrote before is seen after.
COR_FN void warp_barrier() { __syncwarp(); }
// The launch's shared_bytes: dynamic shared memory, aligned to 128 bytes.
COR_FN char* shared_arena() {
  extern __shared__ __align__(128) char corundum_arena[];
  return corundum_arena;
}
[[noreturn]] COR_FN void device_assert_failed() {
  __trap();
  for (;;) {
  }
}

// The word of the lane whose number differs by the bits of `mask`; all lanes of the warp take part.
COR_FN unsigned shuffle_xor_word(unsigned value, int mask) { return __shfl_xor_sync(0xffffffffu, value, mask); }
// The word of lane `lane`; all lanes of the warp take part.
COR_FN unsigned shuffle_word(unsigned value, int lane) { return __shfl_sync(0xffffffffu, value, lane); }
// One bit a lane of the warp. 64 bits serve every GPU; the emulator's warp of 128 has 128.
using LaneMask = unsigned long long;
// The lanes that say so; all lanes of the warp take part.
COR_FN LaneMask ballot(bool set) { return __ballot_sync(0xffffffffu, set); }
// The mask of the lanes before `lane`.
COR_FN LaneMask lanes_below(int lane) { return (LaneMask{1} << lane) - 1; }

// Bits.
COR_FN int count_bits(unsigned v) { return __popc(v); }
COR_FN int count_bits(unsigned long long v) { return __popcll(v); }
COR_FN int leading_zeros(unsigned v) { return __clz(static_cast<int>(v)); }
COR_FN int leading_zeros(unsigned long long v) { return __clzll(static_cast<long long>(v)); }
COR_FN int lowest_bit(unsigned v) { return __ffs(static_cast<int>(v)) - 1; } // -1 when there is none
COR_FN int lowest_bit(unsigned long long v) { return __ffsll(static_cast<long long>(v)) - 1; }

// Four bytes of the eight of (low, high): nibble k of `selector` says which one is byte k of the result.
COR_FN unsigned byte_permute(unsigned low, unsigned high, unsigned selector) { return __byte_perm(low, high, selector); }

// Atomic operations on global or shared memory, relaxed, seen by the whole device. Each gives the value before.
COR_FN unsigned atomic_add(unsigned* p, unsigned v) { return ::atomicAdd(p, v); }
COR_FN unsigned long long atomic_add(unsigned long long* p, unsigned long long v) { return ::atomicAdd(p, v); }
COR_FN float atomic_add(float* p, float v) { return ::atomicAdd(p, v); }
COR_FN double atomic_add(double* p, double v) { return ::atomicAdd(p, v); }
COR_FN void atomic_min(int* p, int v) { ::atomicMin(p, v); }
COR_FN void atomic_min(long long* p, long long v) { ::atomicMin(p, v); }
COR_FN void atomic_max(int* p, int v) { ::atomicMax(p, v); }
COR_FN void atomic_max(long long* p, long long v) { ::atomicMax(p, v); }
// 16-bit floats as bits, where Target::has_... says so. In pairs, to whose other half -0 is added: several times faster than alone.
COR_FN void atomic_add_f16(unsigned short* p, unsigned short v) {
  const unsigned long long at = reinterpret_cast<unsigned long long>(p);
  const unsigned pair = at & 2 ? static_cast<unsigned>(v) << 16 | 0x8000u : 0x80000000u | v;
  asm volatile("red.relaxed.gpu.add.noftz.f16x2 [%0], %1;" ::"l"(at & ~2ull), "r"(pair) : "memory");
}
#if __CUDA_ARCH__ >= 900
COR_FN void atomic_add_bf16(unsigned short* p, unsigned short v) {
  const unsigned long long at = reinterpret_cast<unsigned long long>(p);
  const unsigned pair = at & 2 ? static_cast<unsigned>(v) << 16 | 0x8000u : 0x80000000u | v;
  asm volatile("red.relaxed.gpu.add.noftz.bf16x2 [%0], %1;" ::"l"(at & ~2ull), "r"(pair) : "memory");
}
#endif
COR_FN unsigned atomic_exchange(unsigned* p, unsigned v) { return ::atomicExch(p, v); }
COR_FN unsigned compare_and_swap(unsigned* p, unsigned expected, unsigned v) { return ::atomicCAS(p, expected, v); }
COR_FN unsigned long long compare_and_swap(unsigned long long* p, unsigned long long expected, unsigned long long v) {
  return ::atomicCAS(p, expected, v);
}
COR_FN unsigned short compare_and_swap(unsigned short* p, unsigned short expected, unsigned short v) {
  return ::atomicCAS(p, expected, v);
}
// What a block wrote before a release is seen by the block that has read the released value.
COR_FN unsigned load_acquire(const unsigned* p) {
  unsigned v;
  asm volatile("ld.acquire.gpu.u32 %0, [%1];" : "=r"(v) : "l"(p) : "memory");
  return v;
}
COR_FN unsigned long long load_acquire(const unsigned long long* p) {
  unsigned long long v;
  asm volatile("ld.acquire.gpu.u64 %0, [%1];" : "=l"(v) : "l"(p) : "memory");
  return v;
}
COR_FN void store_release(unsigned* p, unsigned v) { asm volatile("st.release.gpu.u32 [%0], %1;" ::"l"(p), "r"(v) : "memory"); }
COR_FN void store_release(unsigned long long* p, unsigned long long v) {
  asm volatile("st.release.gpu.u64 [%0], %1;" ::"l"(p), "l"(v) : "memory");
}
COR_FN void fence() { __threadfence(); }
// One access that other blocks' accesses do not split; it orders nothing.
COR_FN unsigned short load_relaxed(const unsigned short* p) {
  unsigned short v;
  asm volatile("ld.relaxed.gpu.u16 %0, [%1];" : "=h"(v) : "l"(p) : "memory");
  return v;
}
COR_FN unsigned load_relaxed(const unsigned* p) {
  unsigned v;
  asm volatile("ld.relaxed.gpu.u32 %0, [%1];" : "=r"(v) : "l"(p) : "memory");
  return v;
}
COR_FN unsigned long long load_relaxed(const unsigned long long* p) {
  unsigned long long v;
  asm volatile("ld.relaxed.gpu.u64 %0, [%1];" : "=l"(v) : "l"(p) : "memory");
  return v;
}
COR_FN void store_relaxed(unsigned long long* p, unsigned long long v) {
  asm volatile("st.relaxed.gpu.u64 [%0], %1;" ::"l"(p), "l"(v) : "memory");
}
// Lets the next launch on the stream begin, if it may be early; it waits until all of this one's writes are there to be read.
COR_FN void let_next_launch_start() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
}
COR_FN void wait_for_launch_before() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}
// Inside a loop that waits for another block.
COR_FN void spin() {}

// Reads and writes a value, at an address that is a multiple of its alignment, in accesses of up to 16 bytes.
template <class T>
COR_FN T load_whole(const T* p) {
  return *p;
}
template <class T>
COR_FN void store_whole(T* p, const T& v) {
  *p = v;
}

// Clusters: blocks that can read each other's shared memory. One block where there are none.
COR_FN unsigned cluster_rank() {
  unsigned r = 0;
#if __CUDA_ARCH__ >= 900
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(r));
#endif
  return r;
}
COR_FN void cluster_barrier() {
#if __CUDA_ARCH__ >= 900
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::: "memory");
#else
  barrier();
#endif
}
// The same shared variable in block `rank` of the cluster.
template <class T>
COR_FN T* in_block(T* shared, unsigned rank) {
#if __CUDA_ARCH__ >= 900
  unsigned long long there;
  asm volatile("mapa.u64 %0, %1, %2;" : "=l"(there) : "l"(shared), "r"(rank));
  return reinterpret_cast<T*>(there);
#else
  return shared;
#endif
}

// 16 bytes from global to shared memory, while the lane goes on; `bytes` of them, the rest zeros. Both addresses are multiples
// of 16.
COR_FN void async_copy16(void* shared, const void* global, int bytes = 16) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(static_cast<unsigned>(__cvta_generic_to_shared(shared))),
               "l"(global), "r"(bytes)
               : "memory");
}
// Closes a group of this lane's copies; waits until at most `Left` groups are still under way (then a barrier shows them to all).
COR_FN void async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int Left>
COR_FN void async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Left) : "memory");
}

// 16 bytes to an address of global memory that is a multiple of 16; always one access, whatever stands beside it.
COR_FN void store16(void* global, const unsigned (&w)[4]) {
  asm volatile("st.global.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(__cvta_generic_to_global(global)), "r"(w[0]), "r"(w[1]), "r"(w[2]),
               "r"(w[3])
               : "memory");
}

COR_FN float bits_to_float(unsigned v) { return __uint_as_float(v); }
COR_FN unsigned float_to_bits(float v) { return __float_as_uint(v); }
COR_FN double bits_to_double(unsigned long long v) { return __longlong_as_double(static_cast<long long>(v)); }
COR_FN unsigned long long double_to_bits(double v) { return static_cast<unsigned long long>(__double_as_longlong(v)); }

// 16-bit floats in hardware; one rounding, to nearest even.
COR_FN float half_to_float(unsigned short h) {
  float f;
  asm("cvt.f32.f16 %0, %1;" : "=f"(f) : "h"(h));
  return f;
}
COR_FN unsigned short float_to_half(float f) {
  unsigned short h;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(f));
  return h;
}
COR_FN unsigned short float_to_bfloat(float f) {
  unsigned short h;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(h) : "f"(f));
  return h;
}

// 2^x; worst error 2 ulp on normal results (PTX ISA, ex2.approx).
COR_FN float exp2_fast(float x) {
  float r;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
  return r;
}

// 1/x; worst error 1 ulp (PTX ISA, rcp.approx). Denormals count as 0.
COR_FN float reciprocal_fast(float x) {
  float r;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(x));
  return r;
}
// The sine and the cosine of x by the hardware's approximation, which curand's normal numbers are made with; of pi times x.
COR_FN void sincos_fast(float x, float* sine, float* cosine) { ::__sincosf(x, sine, cosine); }
COR_FN void sincos_pi(double x, double* sine, double* cosine) { ::sincospi(x, sine, cosine); }
// e^x, the natural logarithm and the tangent by the hardware's approximations, which ATen's random numbers are made with.
COR_FN float exp_fast(float x) { return ::__expf(x); }
COR_FN float log_fast(float x) { return ::__logf(x); }
COR_FN float tan_fast(float x) { return ::__tanf(x); }

// The larger and the smaller number; NaN if either is.
COR_FN float maximum(float a, float b) {
  float r;
  asm("max.NaN.f32 %0, %1, %2;" : "=f"(r) : "f"(a), "f"(b));
  return r;
}
COR_FN float minimum(float a, float b) {
  float r;
  asm("min.NaN.f32 %0, %1, %2;" : "=f"(r) : "f"(a), "f"(b));
  return r;
}

COR_FN float larger(float a, float b) { return ::fmaxf(a, b); }

COR_FN float fma(float a, float b, float c) { return ::fmaf(a, b, c); }
COR_FN double fma(double a, double b, double c) { return ::fma(a, b, c); }

COR_FN double exact_fma(double a, double b, double c) { return ::fma(a, b, c); } // rounded once

// The device's own functions, the ones that ATen calls. Worst errors of f32, then f64, in ulp (CUDA C++ Programming Guide,
// mathematical functions): exp 1 1, exp2 2 1, expm1 1 1, log 1 1, log1p 1 1, log2 1 1, log10 2 1, pow 4 2, sin 2 2, cos 2 2, tan 4
// 2, asin 2 2, acos 2 2, atan 2 2, atan2 3 2, sinh 3 2, cosh 2 1, tanh 2 1, asinh 3 3, acosh 4 3, atanh 3 2, erf 2 2, erfc 4 5,
// erfinv 2 5, lgamma 6 4 (more near its zeros at -2.5...), cbrt 1 1, hypot 3 2, rsqrt 2 1; fmod is exact.
#define COR_NATIVE_MATHS 1

} // namespace cor
