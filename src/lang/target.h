#pragma once
// The primitives of the target that this text is compiled for. A text carries each file once, so what several branches need stands
// outside of them.
#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#include "lang/target_cuda.h"
#else
#if defined(__HIP__)
#define COR_FN __device__ __forceinline__
#define COR_ONCE __device__ __attribute__((noinline))
#else
#define COR_FN inline __attribute__((always_inline))
#define COR_ONCE __attribute__((noinline))
#endif
#include "lang/bits.h"
#if defined(__HIP__)
#include "lang/target_hip.h"
#else
#include "lang/target_host.h"
#if defined(COR_EMULATED_WARP)
#include "lang/target_emulator.h"
#else
#include "lang/target_cpu.h"
#endif
#endif
#endif
#if COR_NATIVE_MATHS
#include "lang/native_maths.h"
#endif
