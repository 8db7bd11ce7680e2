#pragma once
// Random numbers as ATen draws them: on GPUs from Philox, element by element as ATen's own launch would number them; on CPUs from
// one Mersenne Twister, word after word.
#include "core/chip.h"
#include "core/launch.h"
#include "core/status.h"
#include "core/view.h"

namespace corundum::random {

enum class Kind : uint8_t {
  uniform, // real: from, to - from, to; each as the dtype holds it
  normal,  // real: mean, deviation
  log_normal,
  exponential,   // real: lambda
  cauchy,        // real: median, sigma
  geometric,     // real: the probability
  bernoulli,     // likewise
  integers,      // from + word % range, of a word of 32 bits
  wide_integers, // the same, of 64 bits
  any_integer,   // a word of 64 bits
  count
};

struct Distribution {
  Kind kind;
  double real[3] = {};
  uint64_t range = 0;
  int64_t from = 0;
};

// What ATen's generator hands out, of the same members as at::PhiloxCudaState: numbers, or while a graph is captured the addresses
// of them, and what is added to the offset that is found there.
struct PhiloxState {
  uint64_t seed = 0, offset = 0, later = 0;
  bool captured = false;
};

// ATen's launch: its threads, each a subsequence, and by how much it advances the generator.
struct Policy {
  int64_t threads;
  uint64_t increment;
};
Policy policy(const Chip& chip, int64_t n, int numbers_a_call);
// Numbers that one call of the generator gives to this distribution of this dtype: 4, or 2 of 64 bits.
int numbers_a_call(Kind kind, Dtype dtype);

// The elements of a dense stretch, or of any strides.
struct Fill {
  Distribution distribution;
  Dtype dtype;
  void* out;
  int64_t n;
  int rank = 0;                                       // 0: dense
  const int64_t *sizes = nullptr, *strides = nullptr; // in the order in which ATen counts, the fastest first; strides in bytes
};
Status plan_fill(const Chip& chip, const Fill& fill, const PhiloxState& state, LaunchList& list);

// The generator of CPUs, as cor::MersenneState has it.
struct MersenneState {
  uint32_t word[624];
  int64_t used;
};
// Whether the distribution is served on CPUs: its numbers are made of single words, without a function of libm's.
bool is_serial(Kind kind);
Status plan_serial(const Chip& chip, const Fill& fill, MersenneState* state, LaunchList& list);

// out = in * mask / keep, all contiguous; an element stays with probability `keep`. Elements are drawn by ATen in vectors of
// `vector`, or one by one where that is 1.
struct Dropout {
  Dtype dtype;
  const void* in;
  void *out, *mask;
  int64_t n;
  double keep;
  int vector;
};
Status plan_dropout(const Chip& chip, const Dropout& call, const PhiloxState& state, LaunchList& list);

// A bernoulli number for each probability, contiguous.
struct Chances {
  Dtype dtype, chance_dtype; // float64, or float32
  const void* chances;
  void* out;
  int64_t n;
  int64_t* valid = nullptr; // CPUs: set to 0, with nothing drawn, when a number is no probability
};
inline constexpr uint64_t chances_increment = 10; // what ATen asks for, whatever n is
Status plan_chances(const Chip& chip, const Chances& call, const PhiloxState& state, LaunchList& list);
Status plan_serial_chances(const Chip& chip, const Chances& call, MersenneState* state, LaunchList& list);

// x, or x times a slope of [lower, upper) where x is not above 0; noise is the factor. All contiguous.
struct Rrelu {
  Dtype dtype;
  const void* in;
  void *out, *noise;
  int64_t n;
  double lower, upper;
};
Status plan_rrelu(const Chip& chip, const Rrelu& call, const PhiloxState& state, LaunchList& list);

} // namespace corundum::random
