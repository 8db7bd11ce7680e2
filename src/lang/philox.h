#pragma once
// Philox4x32-10 (Salmon and others, "Parallel random numbers: as easy as 1, 2, 3", 2011), numbered as curand and ATen number it:
// the seed is the key, a thread is a subsequence, an offset counts words.
#include "lang/maths/log.h"
#include "lang/types.h"

namespace cor {

struct Random4 {
  u32 word[4];
};

COR_FN Random4 philox_rounds(u64 key, u32 c0, u32 c1, u32 c2, u32 c3) {
  u32 k0 = static_cast<u32>(key), k1 = static_cast<u32>(key >> 32);
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const u64 p0 = static_cast<u64>(0xd2511f53u) * c0, p1 = static_cast<u64>(0xcd9e8d57u) * c2;
    c0 = static_cast<u32>(p1 >> 32) ^ c1 ^ k0;
    c2 = static_cast<u32>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<u32>(p1);
    c3 = static_cast<u32>(p0);
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  return {{c0, c1, c2, c3}};
}

// What curand4 gives after curand_init(seed, subsequence, offset). The offset is a multiple of 4, as ATen's generator keeps it;
// the k-th call after that is at offset + 4 k.
COR_FN Random4 philox4(u64 seed, u64 subsequence, u64 offset) {
  const u64 low = offset / 4, high = subsequence; // below 2^62, so that nothing carries
  return philox_rounds(seed, static_cast<u32>(low), static_cast<u32>(low >> 32), static_cast<u32>(high),
                       static_cast<u32>(high >> 32));
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
  return static_cast<T>(static_cast<i64>(draw % static_cast<Word>(range)) + from);
}

// Which draws belong to which elements. ATen's kernels give each of `threads` threads a subsequence. One call of the generator
// serves elements `threads` apart (uniform_, normal_, random_, ...), or neighbours (dropout of contiguous tensors).
struct DrawArgs {
  u64 seed, offset;
  i64 n, threads; // threads: 256 x the blocks of ATen's launch
};
enum class Served { apart, neighbours };

// put(element, value) for all elements of subsequence `thread`.
template <class Draw, Served S, class Put>
COR_FN void draw_elements(const DrawArgs& d, i64 thread, Put put) {
  constexpr bool apart = S == Served::apart;
  const i64 step = apart ? d.threads : 1;
  u64 offset = d.offset;
  for (i64 first = apart ? thread : thread * Draw::count; first < d.n; first += Draw::count * d.threads, offset += 4) {
    typename Draw::Value v[Draw::count];
    Draw::draw(philox4(d.seed, static_cast<u64>(thread), offset), v);
#pragma unroll
    for (int k = 0; k < Draw::count; ++k)
      if (first + k * step < d.n) put(first + k * step, v[k]);
  }
}

} // namespace cor

// A kernel that draws: Args has a member `draws` (DrawArgs); Body::put(a, element, value) writes an element. Blocks are of 256
// threads, as many as ATen launches.
#if COR_SIMT
#define COR_DRAWS(entry, Args, Draw, S, Body)                                                                 \
  COR_KERNEL(entry, 256, Args) {                                                                              \
    cor::draw_elements<Draw, S>(a.draws, static_cast<cor::i64>(cor::block_id()) * 256 + cor::thread_id(),     \
                                [&](cor::i64 element, typename Draw::Value v) { Body::put(a, element, v); }); \
  }
#else
#define COR_DRAWS(entry, Args, Draw, S, Body)                                                                                    \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void*) {                                                \
    const Args& a = *static_cast<const Args*>(args);                                                                             \
    for (cor::i64 thread = first * 256; thread < last * 256; ++thread)                                                           \
      cor::draw_elements<Draw, S>(a.draws, thread, [&](cor::i64 element, typename Draw::Value v) { Body::put(a, element, v); }); \
  }
#endif
