#pragma once
// All mathematical functions. A kernel text includes the parts that it uses: what is not parsed costs no compile time.
#include "lang/maths/basic.h"
#include "lang/maths/divide.h"
#include "lang/maths/erf.h"
#include "lang/maths/exp.h"
#include "lang/maths/log.h"
#include "lang/maths/tanh.h"
