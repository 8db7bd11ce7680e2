#pragma once
// Closeness as ATen has it: each step of 16-bit numbers is rounded to 16 bits.
#include "lang/maths/rounding.h"

namespace cor {

// |x - y| <= absolute + |relative y|, or equality; x - y must be finite.
template <class Common, class T>
COR_FN bool is_close(T x, T y, T relative, T absolute) {
  const T difference = abs(round_to<Common>(x - y));
  const T allowed = round_to<Common>(absolute + abs(round_to<Common>(relative * y)));
  return (x == y) | (is_finite_number(difference) & (difference <= allowed));
}
// The same where both are NaN.
template <class Common, class T>
COR_FN bool is_close_or_nan(T x, T y, T relative, T absolute) {
  return is_close<Common>(x, y, relative, absolute) | (is_nan(x) & is_nan(y));
}

} // namespace cor
