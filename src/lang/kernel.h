#pragma once
// What nearly every kernel text needs. The rest it names itself: skeletons (lang/pointwise.h, lang/rows.h) and maths (lang/maths/).
#include "lang/index.h"
#include "lang/maths/basic.h"
#include "lang/types.h"
#include "lang/vec.h"
