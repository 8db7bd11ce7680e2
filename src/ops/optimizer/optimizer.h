#pragma once
// One step of an optimizer over lists of parameters, gradients and states; and what a gradient scaler does. A few launches a call.
#include <optional>

#include "core/dtype.h"
#include "core/status.h"
#include "ops/lists.h"

namespace corundum::optimizer {

// All of a tensor's lists have the same length and are dense in the same order.
enum class Kind : uint8_t {
  adam,         // parameter, gradient, average, average of squares; own number: address of the step, f32
  adamw,        // the same
  adam_largest, // amsgrad: then the largest average of squares
  adamw_largest,
  sgd,          // parameter, gradient
  sgd_momentum, // then the momentum buffer
  adagrad,      // parameter, gradient, sum of squares; own number: address of the step, f32
};

struct Numbers {
  double rate, weight_decay, epsilon, beta1, beta2, momentum, dampening, rate_decay;
  bool maximize, nesterov, first_step;
  // Device memory, f32, or null: the rate that counts, what gradients are divided by, and whether nothing is to be done (1).
  const void *rate_at, *scale_at, *found_at;
};

struct Call {
  Kind kind;
  Dtype dtype; // of all lists
  Numbers numbers;
  const ListItem* items;
  size_t count;
};

// Lists and own numbers of a kind.
int lists_of(Kind kind);
bool has_step(Kind kind);

Status plan(const Chip& chip, const Call& call, std::optional<ListLaunches>* launches);

// Gradients (one list) times *factor, f32; *found, f32, becomes 1 if one is not finite.
Status plan_unscale(const Chip& chip, Dtype dtype, const void* factor, const void* found, const ListItem* items, size_t count,
                    std::optional<ListLaunches>* launches);

// The scale (one list of one f32), from *found (f32) and *tracker (i32): times `backoff`, or times `growth` at each `interval`-th
// step.
struct ScaleUpdate {
  const void *tracker, *found;
  double growth, backoff;
  int64_t interval;
  const ListItem* scale;
};
Status plan_update(const Chip& chip, const ScaleUpdate& update, std::optional<ListLaunches>* launches);

} // namespace corundum::optimizer
