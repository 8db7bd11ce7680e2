#pragma once
// Primitives of host processors: a block is a loop, and the compiler turns loops over tiles into vectors.
#include "lang/target_host.h"

#define COR_SIMT 0

namespace cor {

// Gives the value before. What a thread wrote before its addition is seen by the threads whose additions come later.
COR_FN unsigned atomic_add(unsigned* p, unsigned v) { return __atomic_fetch_add(p, v, __ATOMIC_ACQ_REL); }

} // namespace cor
