#pragma once
// The functions of a GPU's own library, which go by the same names on all of them; the target's header states their errors.
namespace cor {

#define COR_NATIVE(name)                              \
  COR_FN float name(float x) { return ::name##f(x); } \
  COR_FN double name(double x) { return ::name(x); }
#define COR_NATIVE_2(name)                                        \
  COR_FN float name(float x, float y) { return ::name##f(x, y); } \
  COR_FN double name(double x, double y) { return ::name(x, y); }
namespace native {
COR_NATIVE(exp)
COR_NATIVE(exp2)
COR_NATIVE(expm1)
COR_NATIVE(log)
COR_NATIVE(log1p)
COR_NATIVE(log2)
COR_NATIVE(log10)
COR_NATIVE(sin)
COR_NATIVE(cos)
COR_NATIVE(tan)
COR_NATIVE(asin)
COR_NATIVE(acos)
COR_NATIVE(atan)
COR_NATIVE(sinh)
COR_NATIVE(cosh)
COR_NATIVE(tanh)
COR_NATIVE(asinh)
COR_NATIVE(acosh)
COR_NATIVE(atanh)
COR_NATIVE(erf)
COR_NATIVE(erfc)
COR_NATIVE(erfinv)
COR_NATIVE(lgamma)
COR_NATIVE(sqrt)
COR_NATIVE(rsqrt)
COR_NATIVE(cbrt)
COR_NATIVE(floor)
COR_NATIVE(trunc)
COR_NATIVE(rint)
COR_NATIVE_2(pow)
COR_NATIVE_2(atan2)
COR_NATIVE_2(hypot)
COR_NATIVE_2(fmod)
} // namespace native
#undef COR_NATIVE
#undef COR_NATIVE_2

} // namespace cor
