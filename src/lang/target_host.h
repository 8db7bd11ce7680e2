#pragma once
// What the targets that run on a host processor share: conversions, bits and maths in plain C++ that the compiler vectorises.

extern "C" {
double fmod(double, double);
float sinf(float);
float cosf(float);
float expf(float);
float logf(float);
float tanf(float);
double sin(double);
double cos(double);
}

namespace cor {

// 16-bit floats by integer and float arithmetic that vectorises everywhere; one rounding, to nearest even.
COR_FN float half_to_float(unsigned short h) {
  const unsigned magnitude = (h & 0x7fffu) << 13;
  const float scaled = bits_to_float(magnitude) * bits_to_float((127u + 112u) << 23); // also right for denormals
  const unsigned special = (h & 0x7c00u) == 0x7c00u ? (magnitude | 0x7f800000u) : float_to_bits(scaled);
  return bits_to_float(special | (static_cast<unsigned>(h & 0x8000u) << 16));
}
COR_FN unsigned short float_to_half(float f) {
  const unsigned x = float_to_bits(f);
  const unsigned magnitude = x & 0x7fffffffu;
  // Normal results: rebias, round to nearest even on the 13 bits that go.
  const unsigned rounded = (magnitude - (112u << 23) + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
  // Denormal results: adding 0.5 lets the float unit round at the right place.
  const unsigned tiny = float_to_bits(bits_to_float(magnitude) + 0.5f) - 0x3f000000u;
  unsigned h = magnitude < (113u << 23) ? tiny : rounded;
  h = magnitude >= 0x477ff000u ? 0x7c00u : h; // 65520 and more round to infinity
  h = magnitude > 0x7f800000u ? 0x7e00u : h;
  return static_cast<unsigned short>(h | ((x >> 16) & 0x8000u));
}

// Reads and writes a value, at an address that is a multiple of its alignment, in accesses of up to 16 bytes.
template <class T>
COR_FN T load_whole(const T* p) {
  return *p;
}
template <class T>
COR_FN void store_whole(T* p, const T& v) {
  *p = v;
}

// Four bytes of the eight of (low, high): nibble k of `selector` says which one is byte k of the result.
COR_FN unsigned byte_permute(unsigned low, unsigned high, unsigned selector) {
  const unsigned long long both = static_cast<unsigned long long>(high) << 32 | low;
  unsigned r = 0;
  for (int k = 0; k < 4; ++k) r |= static_cast<unsigned>(both >> (8 * (selector >> 4 * k & 7)) & 255) << 8 * k;
  return r;
}

COR_FN float fma(float a, float b, float c) { return a * b + c; } // contracted by -ffp-contract=fast
COR_FN double fma(double a, double b, double c) { return a * b + c; }
// Rounded once, whatever stands around it: for sums whose rounding error is wanted. A call of libm where the target lacks it.
COR_FN double exact_fma(double a, double b, double c) { return __builtin_fma(a, b, c); }

// The sine and the cosine of x, and of pi times x: what normal random numbers are made with.
COR_FN void sincos_fast(float x, float* sine, float* cosine) {
  *sine = ::sinf(x);
  *cosine = ::cosf(x);
}
COR_FN void sincos_pi(double x, double* sine, double* cosine) {
  *sine = ::sin(x * 3.14159265358979323846);
  *cosine = ::cos(x * 3.14159265358979323846);
}

// For random numbers, as sincos_fast.
COR_FN float exp_fast(float x) { return ::expf(x); }
COR_FN float log_fast(float x) { return ::logf(x); }
COR_FN float tan_fast(float x) { return ::tanf(x); }

// 1/x, correctly rounded.
COR_FN float reciprocal_fast(float x) { return 1 / x; }

// lang/maths/ has its own functions; these are instructions, but for fmod of f64, which has no form that vectorises yet.
#define COR_NATIVE_MATHS 0
namespace native {
COR_FN double fmod(double x, double y) { return ::fmod(x, y); }
COR_FN float sqrt(float x) { return __builtin_sqrtf(x); }
COR_FN double sqrt(double x) { return __builtin_sqrt(x); }
COR_FN float rsqrt(float x) { return 1 / __builtin_sqrtf(x); }
COR_FN double rsqrt(double x) { return 1 / __builtin_sqrt(x); }
COR_FN float floor(float x) { return __builtin_floorf(x); }
COR_FN double floor(double x) { return __builtin_floor(x); }
COR_FN float trunc(float x) { return __builtin_truncf(x); }
COR_FN double trunc(double x) { return __builtin_trunc(x); }
COR_FN float rint(float x) { return __builtin_rintf(x); } // to nearest, ties to even
COR_FN double rint(double x) { return __builtin_rint(x); }
} // namespace native

} // namespace cor
