#pragma once
// Loads that run ahead: while a block computes on one stage, the stages after it are being filled.
//
//   pipeline<Stages, Stage>(block, steps, load, compute)
//     load(stage, step)     starts the copies of a step; all lanes, no barrier
//     compute(stage)        uses what load() put there
//
// A Stage is a struct of tiles in shared memory: it has a constructor from its address, and derives from StageOf<bytes>. On GPUs
// Stages of them lie in the arena, copies are asynchronous, and one barrier a step separates filling from use; after the last step
// the arena is free again. On CPUs load and compute follow each other on one stage at the start of the scratch.
#include "lang/types.h"

namespace cor {

// What pipeline() asks of a stage. Lag: how many steps compute() may leave under way; settle<Left>() waits for all but `Left`.
// A stage whose tiles a copy engine brings says how many bytes those are in `bulk`, and is made of its address and the barrier that
// counts them; it has functions for that (MappedStage of lang/dot_mma.h).
template <int Bytes, int Lag = 0>
struct StageOf {
  static constexpr int bytes = Bytes, lag = Lag, bulk = 0;
#if COR_SIMT
  static COR_FN char* arena() { return shared_arena(); }
#endif
  template <int Left>
  static COR_FN void settle() {}
};

#if COR_SIMT

// The arena as a ring of stages.
template <int Stages, class Stage, class Load>
struct Ring {
  // With one step ahead of a lagging computation ptxas splits the loop, and then finishes each wgmma before the next.
  static_assert(Stages >= 2 + 2 * Stage::lag, "one stage is computed on, `lag` are being finished, more are being filled");
  static constexpr int ahead = Stages - 1 - Stage::lag;
  static constexpr int head = Stage::bulk ? 1024 : 0; // the barriers stand before the stages
  char* const arena;
  const i64 steps;
  Load load;
  i64 next = 0;          // step to load
  int fill = 0, use = 0; // stages
  unsigned parity = 0;   // of the barrier of stage `use`

  COR_FN Ring(i64 n, Load l) : arena(Stage::arena()), steps(n), load(l) {
    if constexpr (Stage::bulk > 0) {
      if (thread_id() == 0)
        for (int s = 0; s < Stages; ++s) Stage::bulk_init(full(s));
      barrier();
    }
  }
  COR_FN u64* full(int stage) const { return reinterpret_cast<u64*>(arena) + stage; }
  COR_FN Stage at(int stage) const {
    char* const p = arena + head + stage * Stage::bytes;
    if constexpr (Stage::bulk > 0)
      return Stage(p, full(stage));
    else
      return Stage(p);
  }
  COR_FN void start() {
    if (next < steps) {
      Stage s = at(fill);
      if constexpr (Stage::bulk > 0)
        if (thread_id() == 0) Stage::bulk_expect(full(fill));
      load(s, next);
    }
    async_commit();
    ++next;
    fill = fill + 1 == Stages ? 0 : fill + 1;
  }
  COR_FN void wait() {
    async_wait<ahead - 1>();
    if constexpr (Stage::bulk > 0) Stage::bulk_wait(full(use), parity);
    Stage::template settle<Stage::lag>();
    barrier();
  }
  COR_FN void advance() {
    if (++use < Stages) return;
    use = 0;
    parity ^= 1;
  }
};

template <int Stages, class Stage, class Block, class Load, class Compute>
COR_FN void pipeline(Block&, i64 steps, Load load, Compute compute) {
  Ring<Stages, Stage, Load> ring(steps, load);
#pragma unroll 1
  for (int s = 0; s < ring.ahead; ++s) ring.start();
#pragma unroll 1
  for (i64 step = 0; step < steps; ++step) {
    ring.wait();
    // What computes by itself starts first; what the lanes compute follows the copies that it hides.
    if constexpr (Stage::lag == 0) ring.start();
    compute(ring.at(ring.use));
    if constexpr (Stage::lag > 0) ring.start();
    ring.advance();
  }
  Stage::template settle<0>();
  barrier();
}

#else

template <int Stages, class Stage, class Block, class Load, class Compute>
COR_FN void pipeline(Block& block, i64 steps, Load load, Compute compute) {
  for (i64 step = 0; step < steps; ++step) {
    Stage stage(block.scratch);
    load(stage, step);
    compute(stage);
  }
}

#endif

} // namespace cor
