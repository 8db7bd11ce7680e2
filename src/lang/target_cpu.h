#pragma once
// Primitives of host processors: a block is a loop, and the compiler turns loops over tiles into vectors.
#include "lang/target_host.h"

#define COR_SIMT 0
