#pragma once
// The kernel language: all that a kernel text needs, but for the skeletons (lang/pointwise.h, lang/rows.h).
#include "lang/index.h"
#include "lang/maths.h"
#include "lang/types.h"
#include "lang/vec.h"
