#pragma once
// Order among the blocks of one launch.
//
//   ticket(block, counter)            this block's number in the order in which blocks start; `counter` begins at 0
//   last_block(block, counter)        true in the block that comes last; it sees what all others wrote. `counter` begins at 0
//   look_back<Monoid>(block, order, place, state)
//                                     what the places before this one hold, combined in their order
//
// look_back waits for earlier places, so places are the numbers of blocks where these start in order, and tickets elsewhere: their
// blocks have started. It reads in a tree over fixed windows
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

// Zeroed words for `places` places in sequence, with a state a column each: those of places, of windows, of windows of windows.
struct LookBack {
  u64* words;
  i64 places;
  // That of one of several sequences in a workspace, whose first 128 bytes hold the counter of tickets. The host counts the words
  // by the same sum (look_back_words in ops/scan/plan.cpp).
  template <class State, class Block>
  static COR_FN LookBack of(void* workspace, i64 places, i64 sequence) {
    const i64 windows = (places + 31) / 32, all = places + windows + (windows + 31) / 32;
    return {static_cast<u64*>(workspace) + 16 + sequence * all * Block::columns * ((sizeof(State) + 3) / 4), places};
  }
};
inline constexpr int look_back_window = 32;

// A state on its way between blocks. To ask is not to wait, so that several are under way at once.
template <class State>
struct Parcel {
  static constexpr int words = (sizeof(State) + 3) / 4;
  union U {
    u32 w[words];
    State s;
    COR_FN U() {}
  };
  const u64* from;
  u64 word[words];
  COR_FN void ask(const u64* all, i64 index, bool wanted) {
    from = wanted ? all + index * words : nullptr;
#pragma unroll
    for (int i = 0; i < words; ++i) word[i] = from ? load_relaxed(from + i) : 0;
  }
  COR_FN State wait(State otherwise) {
    U u;
    u.s = otherwise;
    if (from) {
#pragma unroll
      for (int i = 0; i < words; ++i) {
        for (; word[i] >> 32 == 0; word[i] = load_relaxed(from + i)) spin();
        u.w[i] = static_cast<u32>(word[i]);
      }
    }
    return u.s;
  }
  static COR_FN void send(u64* all, i64 index, State state) {
    U u;
    u.s = state;
#pragma unroll
    for (int i = 0; i < words; ++i) store_relaxed(all + index * words + i, u64{1} << 32 | u.w[i]);
  }
};

// The fold over lanes for look_back: those that count are in the first warp if there is one column.
template <class Monoid, class Block>
COR_FN typename Monoid::State fold_window(Block& block, typename Monoid::State s) {
  if constexpr (Block::columns == 1)
    return shuffle(scan_warp<Monoid, Block>(s), Target::warp_size - 1);
  else
    return fold_lanes<Monoid>(block, s);
}

// One column: by the first warp. Several: by all lanes, of which those of a column take neighbouring places.
template <class Monoid, class Block>
COR_FN typename Monoid::State look_at_windows(Block& block, const LookBack& order, i64 place, typename Monoid::State state) {
  using State = typename Monoid::State;
  using Mail = Parcel<State>;
  constexpr int window = look_back_window, columns = Block::columns, words = columns * Mail::words;
  constexpr int lanes = columns == 1 ? window : Block::threads / columns, share = (window + lanes - 1) / lanes;
  const i64 windows = (order.places + window - 1) / window;
  u64 *const blocks = order.words, *const inner = blocks + order.places * words, *const outer = inner + windows * words;
  const int column = Block::column(), along = Block::along();
  const int in_window = static_cast<int>(place % window), in_outer = static_cast<int>(place / window % window);
  const i64 first = place - in_window, first_window = place / window - in_outer, before = place / (window * window) - 1;
  wait_for_launch_before(); // which zeroed the words
  if (along == 0) Mail::send(blocks, place * columns + column, state);

  Mail near[share], middle[share], far;
#pragma unroll
  for (int i = 0; i < share; ++i) {
    const int at = along * share + i;
    near[i].ask(blocks, (first + at) * columns + column, at < in_window);
    middle[i].ask(inner, (first_window + at) * columns + column, at < in_outer);
  }
  far.ask(outer, before * columns + column, before >= 0);
  State own = near[0].wait(Monoid::identity());
#pragma unroll
  for (int i = 1; i < share; ++i) own = Monoid::combine(own, near[i].wait(Monoid::identity()));
  own = fold_window<Monoid>(block, own);
  const bool ends = in_window == window - 1 && along == 0;
  if (ends) Mail::send(inner, place / window * columns + column, Monoid::combine(own, state));
  State upto = middle[0].wait(Monoid::identity());
#pragma unroll
  for (int i = 1; i < share; ++i) upto = Monoid::combine(upto, middle[i].wait(Monoid::identity()));
  upto = Monoid::combine(fold_window<Monoid>(block, upto), own);
  upto = Monoid::combine(far.wait(Monoid::identity()), upto);
  if (ends && in_outer == window - 1) Mail::send(outer, (before + 1) * columns + column, Monoid::combine(upto, state));
  return upto;
}

// `state` is what this place holds (the same in all lanes of a column). Every place of the sequence takes part.
template <class Monoid, class Block>
COR_FN typename Monoid::State look_back(Block& block, const LookBack& order, i64 place, typename Monoid::State state) {
  if constexpr (Block::columns == 1) {
    using Told = typename Monoid::State[2];
    COR_SHARED(told, Told);
    auto& now = told[block.parity]; // as in across_warps
    block.parity ^= 1;
    if (Block::warp() == 0) {
      const auto before = look_at_windows<Monoid>(block, order, place, state);
      if (Block::lane() == 0) now = before;
    }
    barrier();
    return now;
  } else {
    return look_at_windows<Monoid>(block, order, place, state);
  }
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
