#pragma once
// Softmax over the reduced dimension: exp(x - max) / sum, or x - max - log(sum).
#include "lang/maths/exp.h"
#include "lang/maths/log.h"
#include "lang/rows.h"

struct SoftmaxArgs {
  cor::RowsHead head;
  const void* in;
  void* out;
};

template <class In, class Out, class C, bool Log, class Pass>
COR_FN void softmax(Pass& pass, const SoftmaxArgs& a) {
  pass.align_to(static_cast<const In*>(a.in));
  auto [x, most] = cor::keep_and_fold<cor::Larger<C>>(pass, cor::load<C>(pass, static_cast<const In*>(a.in)));
  auto shifted = x - most;
  auto e = keep(pass, exp_nonpositive(shifted));
  auto sum = cor::fold<cor::Sum<C>>(pass, e);
  if constexpr (Log)
    cor::store(pass, static_cast<Out*>(a.out), shifted - log(sum));
  else
    cor::store(pass, static_cast<Out*>(a.out), e * (C(1) / sum));
}
