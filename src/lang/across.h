#pragma once
// Order among the blocks of one launch.
//
//   ticket(block, counter)            this block's number in the order in which blocks start; `counter` begins at 0
//   last_block(block, counter)        true in the block that comes last; it sees what all others wrote. `counter` begins at 0
//   look_back<Monoid>(block, order, place, state)
//                                     what the places before this one hold, combined in their order
//
// look_back waits for earlier places, so places come from tickets: their blocks have started. It reads in a tree over fixed windows
// of 32 blocks, and windows of 32 windows: the association depends on the place alone, hence the same bits on every run, and the
// chain that blocks wait for has a link a 1024 blocks. A state travels as words of 32 bits, each with its flag beside it in one
// 64-bit access: nothing is ordered, and nothing but zeroed memory is asked for.
#include "lang/block.h"

namespace cor {

#if COR_SIMT

// A 32-bit counter in zeroed memory, read by one lane and told to all.
template <class Block>
COR_FN u32 arrive(Block&, u32* counter) {
  COR_SHARED(number, u32);
  barrier(); // the readers of an earlier call are done
  if (thread_id() == 0) number = atomic_add(counter, 1u);
  barrier();
  return number;
}
template <class Block>
COR_FN i64 ticket(Block& block, u32* counter) {
  return arrive(block, counter);
}
template <class Block>
COR_FN bool last_block(Block& block, u32* counter) {
  fence(); // what this lane wrote is out before its block counts
  const bool last = arrive(block, counter) == block.count - 1;
  fence();
  return last;
}

// Zeroed words of look_back for `places` places in sequence, `Columns` states each: those of places, of windows, of windows of
// windows. The host's count is the same (look_back_words in ops/scan/plan.cpp).
struct LookBack {
  u64* words;
  i64 places;
};
inline constexpr int look_back_window = 32;

template <class State>
COR_FN void publish(u64* at, i64 index, State state) {
  constexpr int words = (sizeof(State) + 3) / 4;
  union U {
    u32 w[words];
    State s;
    COR_FN U() {}
  } u;
  u.s = state;
#pragma unroll
  for (int i = 0; i < words; ++i) store_relaxed(at + index * words + i, u64{1} << 32 | u.w[i]);
}
template <class State>
COR_FN State wait_for(const u64* at, i64 index) {
  constexpr int words = (sizeof(State) + 3) / 4;
  union U {
    u32 w[words];
    State s;
    COR_FN U() {}
  } u;
#pragma unroll
  for (int i = 0; i < words; ++i) {
    u64 word;
    while ((word = load_relaxed(at + index * words + i)) >> 32 == 0) spin();
    u.w[i] = static_cast<u32>(word);
  }
  return u.s;
}

// `state` is what this place holds (the same in all lanes of a column). Places of one sequence; every place takes part.
template <class Monoid, class Block>
COR_FN typename Monoid::State look_back(Block& block, const LookBack& order, i64 place, typename Monoid::State state) {
  using State = typename Monoid::State;
  constexpr int window = look_back_window, columns = Block::columns;
  constexpr int words = columns * ((sizeof(State) + 3) / 4);
  static_assert(Block::threads >= window * columns || Block::threads / columns * 8 >= window, "a window is read in a few rounds");
  const i64 windows = (order.places + window - 1) / window;
  u64 *const blocks = order.words, *const inner = blocks + order.places * words, *const outer = inner + windows * words;
  const int column = Block::column(), along = thread_id() / columns;
  const int in_window = static_cast<int>(place % window), in_outer = static_cast<int>(place / window % window);
  const i64 first = place - in_window, first_window = place / window - in_outer, outer_before = place / (window * window) - 1;
  if (along == 0) publish(blocks, place * columns + column, state);

  // In the order of places: the windows of this outer window, then the blocks of this window. A lane takes neighbours.
  constexpr int lanes = Block::threads / columns, share = (window + lanes - 1) / lanes;
  State own = Monoid::identity(), upto = Monoid::identity();
#pragma unroll
  for (int i = 0; i < share; ++i) {
    const int at = along * share + i;
    if (at < in_window) own = Monoid::combine(own, wait_for<State>(blocks, (first + at) * columns + column));
  }
  own = fold_lanes<Monoid>(block, own);
  if (in_window == window - 1 && along == 0) publish(inner, place / window * columns + column, Monoid::combine(own, state));
#pragma unroll
  for (int i = 0; i < share; ++i) {
    const int at = along * share + i;
    if (at < in_outer) upto = Monoid::combine(upto, wait_for<State>(inner, (first_window + at) * columns + column));
  }
  upto = Monoid::combine(fold_lanes<Monoid>(block, upto), own);
  if (outer_before >= 0) upto = Monoid::combine(wait_for<State>(outer, outer_before * columns + column), upto);
  if (in_window == window - 1 && in_outer == window - 1 && along == 0)
    publish(outer, (outer_before + 1) * columns + column, Monoid::combine(upto, state));
  return upto;
}

#else

template <class Block>
COR_FN i64 ticket(Block&, u32* counter) {
  return atomic_add(counter, 1u);
}
template <class Block>
COR_FN bool last_block(Block& block, u32* counter) {
  return atomic_add(counter, 1u) == block.count - 1;
}

#endif

} // namespace cor
