#pragma once
// Philox4x32-10 (Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", 2011), numbered as curand and ATen number it:
// the seed is the key, a thread is a subsequence, an offset counts words.
#include "lang/maths/log.h"
#include "lang/types.h"

namespace cor {

struct Random4 {
  u32 word[4];
};

// Of V counters side by side. A loop of two rounds a pass compiles a tenth faster and runs up to a quarter slower.
template <int V>
COR_FN void philox_rounds(u64 key, Random4 (&counters)[V]) {
  u32 k0 = static_cast<u32>(key), k1 = static_cast<u32>(key >> 32);
#pragma unroll
  for (int round = 0; round < 10; ++round) {
#pragma unroll
    for (int j = 0; j < V; ++j) {
      u32(&c)[4] = counters[j].word;
      const u64 p0 = static_cast<u64>(0xd2511f53u) * c[0], p1 = static_cast<u64>(0xcd9e8d57u) * c[2];
      c[0] = static_cast<u32>(p1 >> 32) ^ c[1] ^ k0;
      c[2] = static_cast<u32>(p0 >> 32) ^ c[3] ^ k1;
      c[1] = static_cast<u32>(p1);
      c[3] = static_cast<u32>(p0);
    }
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
}

// Of V subsequences from `subsequence` on, what curand4 gives after curand_init(seed, subsequence, offset). The offset is a
// multiple of 4, as ATen's generator keeps it; the k-th call after that is at offset + 4 k.
template <int V>
COR_FN void philox4(u64 seed, u64 subsequence, u64 offset, Random4 (&drawn)[V]) {
  const u64 low = offset / 4; // below 2^62, so that nothing carries
#pragma unroll
  for (int j = 0; j < V; ++j) {
    const u64 high = subsequence + j;
    drawn[j] = {{static_cast<u32>(low), static_cast<u32>(low >> 32), static_cast<u32>(high), static_cast<u32>(high >> 32)}};
  }
  philox_rounds(seed, drawn);
}
COR_FN Random4 philox4(u64 seed, u64 subsequence, u64 offset) {
  Random4 drawn[1];
  philox4(seed, subsequence, offset, drawn);
  return drawn[0];
}

// Uniform in (0, 1], as curand_uniform and curand_uniform_double round it.
COR_FN float uniform_float(u32 word) { return fma(static_cast<float>(word), 2.3283064e-10f, 2.3283064e-10f / 2); }
COR_FN double uniform_double(u32 low, u32 high) {
  const u64 z = low ^ (static_cast<u64>(high) << 21);
  return fma(static_cast<double>(z), 1.1102230246251565e-16, 1.1102230246251565e-16 / 2);
}
COR_FN u64 uniform_word(u32 high, u32 low) { return static_cast<u64>(high) << 32 | low; }

// Two normal numbers by Box and Muller, as curand_normal4 and curand_normal2_double make them.
COR_FN void normal_floats(u32 x, u32 y, float* first, float* second) {
  constexpr float turn = 2.3283064e-10f * 6.2831855f;
  const float radius = native::sqrt(-2.0f * log(uniform_float(x)));
  sincos_fast(fma(static_cast<float>(y), turn, turn / 2), first, second);
  *first *= radius;
  *second *= radius;
}
COR_FN void normal_doubles(const Random4& r, double* first, double* second) {
  const double radius = native::sqrt(-2.0 * log(uniform_double(r.word[0], r.word[1])));
  const u64 z = r.word[2] ^ (static_cast<u64>(r.word[3]) << 21);
  sincos_pi(fma(static_cast<double>(z), 2 * 1.1102230246251565e-16, 1.1102230246251565e-16), first, second);
  *first *= radius;
  *second *= radius;
}

// A draw as a value: Count of them come from one Random4.
struct UniformFloats {
  using Value = float;
  static constexpr int count = 4;
  static COR_FN void draw(const Random4& r, float (&v)[4]) {
#pragma unroll
    for (int k = 0; k < 4; ++k) v[k] = uniform_float(r.word[k]);
  }
};
struct UniformDoubles {
  using Value = double;
  static constexpr int count = 2;
  static COR_FN void draw(const Random4& r, double (&v)[2]) {
    v[0] = uniform_double(r.word[0], r.word[1]);
    v[1] = uniform_double(r.word[2], r.word[3]);
  }
};
struct NormalFloats {
  using Value = float;
  static constexpr int count = 4;
  static COR_FN void draw(const Random4& r, float (&v)[4]) {
    normal_floats(r.word[0], r.word[1], &v[0], &v[1]);
    normal_floats(r.word[2], r.word[3], &v[2], &v[3]);
  }
};
struct NormalDoubles {
  using Value = double;
  static constexpr int count = 2;
  static COR_FN void draw(const Random4& r, double (&v)[2]) { normal_doubles(r, &v[0], &v[1]); }
};
struct Words {
  using Value = u32;
  static constexpr int count = 4;
  static COR_FN void draw(const Random4& r, u32 (&v)[4]) {
#pragma unroll
    for (int k = 0; k < 4; ++k) v[k] = r.word[k];
  }
};
struct DoubleWords {
  using Value = u64;
  static constexpr int count = 2;
  static COR_FN void draw(const Random4& r, u64 (&v)[2]) {
    v[0] = uniform_word(r.word[0], r.word[1]);
    v[1] = uniform_word(r.word[2], r.word[3]);
  }
};

// ATen's uniform_ in [from, from + range): what rounds up to the end becomes the beginning.
template <class T>
COR_FN T uniform_in(Compute<T> draw, Compute<T> from, Compute<T> range, Compute<T> to) {
  const T value = convert<T>(fma(draw, range, from));
  return widen(value) == to ? convert<T>(from) : value;
}
// ATen's random_(from, to): the words are u64 where the range is 2^28 and more.
template <class T, class Word>
COR_FN T integer_in(Word draw, u64 range, i64 from) {
  return convert<T>(static_cast<i64>(static_cast<u64>(draw % static_cast<Word>(range)) + static_cast<u64>(from)));
}

} // namespace cor
