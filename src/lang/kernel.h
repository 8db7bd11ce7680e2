#pragma once
// The kernel language: all that a kernel text needs.
#if defined(__CUDACC__) || defined(__CUDACC_RTC__)
#include "lang/target_cuda.h"
#else
#include "lang/target_cpu.h"
#endif
#include "lang/index.h"
#include "lang/maths.h"
#include "lang/tile.h"
#include "lang/types.h"
