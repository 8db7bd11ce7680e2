#pragma once
// Layer normalisation over the last dimension of a contiguous [rows, n] view.
#include "core/chip.h"
#include "core/launch.h"
#include "core/status.h"
#include "core/view.h"

namespace corundum::layer_norm {

struct Call {
  int64_t rows, n;
  double eps;
  const void* in;                       // [rows, n]
  const void* weight;                   // [n], where there is one
  const void* bias;                     // [n], where there is one
  void* out;                            // [rows, n], dtype of `in`
  void* mean;                           // [rows], stat_dtype
  void* rstd;                           // [rows], stat_dtype
  Dtype dtype, param_dtype, stat_dtype; // param: of weight and bias
  bool has_weight, has_bias;            // pointers may be null while planning
};

Status plan(const Chip& chip, const Call& call, LaunchList& list);

} // namespace corundum::layer_norm
