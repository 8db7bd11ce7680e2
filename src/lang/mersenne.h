#pragma once
// The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998), as ATen's generator on CPUs walks it: one word after the other.
#include "lang/types.h"

namespace cor {

constexpr int mersenne_words = 624, mersenne_ahead = 397;

struct MersenneState {
  u32 word[mersenne_words];
  i64 used; // of these words; all of them: the next draw makes new ones
};

COR_FN u32 mersenne_mix(u32 high, u32 low, u32 far) {
  const u32 both = (high & 0x80000000u) | (low & 0x7fffffffu);
  return far ^ (both >> 1) ^ ((0u - (low & 1u)) & 0x9908b0dfu);
}

// The next 624 words. A word depends on the one 397 ahead, or 227 back: two loops that vectorise.
COR_FN void mersenne_next(u32 (&w)[mersenne_words]) {
  constexpr int back = mersenne_words - mersenne_ahead;
  for (int k = 0; k < back; ++k) w[k] = mersenne_mix(w[k], w[k + 1], w[k + mersenne_ahead]);
#pragma GCC ivdep
  for (int k = back; k < 2 * back; ++k) w[k] = mersenne_mix(w[k], w[k + 1], w[k - back]);
#pragma GCC ivdep
  for (int k = 2 * back; k < mersenne_words - 1; ++k) w[k] = mersenne_mix(w[k], w[k + 1], w[k - back]);
  w[mersenne_words - 1] = mersenne_mix(w[mersenne_words - 1], w[0], w[mersenne_ahead - 1]);
}

COR_FN u32 mersenne_temper(u32 y) {
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

// The next `count` draws.
COR_FN void mersenne_draw(MersenneState& state, u32* out, int count) {
  while (count > 0) {
    if (state.used == mersenne_words) mersenne_next(state.word), state.used = 0;
    const int left = mersenne_words - static_cast<int>(state.used), take = count < left ? count : left;
    const u32* from = state.word + state.used;
#pragma GCC ivdep
    for (int k = 0; k < take; ++k) out[k] = mersenne_temper(from[k]);
    state.used += take;
    out += take;
    count -= take;
  }
}

} // namespace cor
