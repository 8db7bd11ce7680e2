#pragma once
// The primitives of the target that this text is compiled for.
#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#include "lang/target_cuda.h"
#else
#include "lang/target_host.h" // here, since a text carries each file once: not inside one of the branches
#if defined(COR_EMULATED_WARP)
#include "lang/target_emulator.h"
#else
#include "lang/target_cpu.h"
#endif
#endif
