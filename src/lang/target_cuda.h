#pragma once
// Primitives of NVIDIA GPUs. With the other target_*.h the only text that knows a target.
#define COR_FN __device__ __forceinline__
#define COR_SIMT 1

namespace cor {

struct Target {
  static constexpr int warp_size = 32;
};

COR_FN int thread_id() { return static_cast<int>(threadIdx.x); }
COR_FN unsigned block_id() { return blockIdx.x; }
COR_FN void barrier() { __syncthreads(); }
[[noreturn]] COR_FN void device_assert_failed() {
  __trap();
  for (;;) {
  }
}

// The word of the lane whose number differs by the bits of `mask`; all lanes of the warp take part.
COR_FN unsigned shuffle_xor_word(unsigned value, int mask) { return __shfl_xor_sync(0xffffffffu, value, mask); }

COR_FN float bits_to_float(unsigned v) { return __uint_as_float(v); }
COR_FN unsigned float_to_bits(float v) { return __float_as_uint(v); }

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

// The device's own functions: expf 1 ulp, erff 2, tanhf 2, logf 1, powf 4 (CUDA C++ Programming Guide, mathematical functions).
#define COR_NATIVE_MATHS 1
namespace native {
COR_FN float exp(float x) { return ::expf(x); }
COR_FN double exp(double x) { return ::exp(x); }
COR_FN float log(float x) { return ::logf(x); }
COR_FN double log(double x) { return ::log(x); }
COR_FN float erf(float x) { return ::erff(x); }
COR_FN double erf(double x) { return ::erf(x); }
COR_FN float tanh(float x) { return ::tanhf(x); }
COR_FN double tanh(double x) { return ::tanh(x); }
COR_FN float pow(float x, float y) { return ::powf(x, y); }
COR_FN double pow(double x, double y) { return ::pow(x, y); }
COR_FN float fmod(float x, float y) { return ::fmodf(x, y); }
COR_FN double fmod(double x, double y) { return ::fmod(x, y); }
COR_FN float sqrt(float x) { return ::sqrtf(x); }
COR_FN double sqrt(double x) { return ::sqrt(x); }
COR_FN float rsqrt(float x) { return ::rsqrtf(x); }
COR_FN double rsqrt(double x) { return ::rsqrt(x); }
COR_FN float floor(float x) { return ::floorf(x); }
COR_FN double floor(double x) { return ::floor(x); }
COR_FN float trunc(float x) { return ::truncf(x); }
COR_FN double trunc(double x) { return ::trunc(x); }
} // namespace native

} // namespace cor
