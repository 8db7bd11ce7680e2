#pragma once
// Softmax over the reduced dimension: exp(x - max) / sum, or x - max - log(sum).
#include "lang/exponentials.h"
#include "lang/maths/log.h"

struct SoftmaxArgs {
  cor::RowsHead head;
  const void* in;
  void* out;
};

template <class In, class Out, class C, bool Log, class Pass>
COR_FN void softmax(Pass& pass, const SoftmaxArgs& a) {
  pass.align_to(static_cast<const In*>(a.in));
  auto [x, e, most, sum] = cor::fold_exponentials<Out>(pass, cor::load<C>(pass, static_cast<const In*>(a.in)));
  if constexpr (Log)
    cor::store(pass, static_cast<Out*>(a.out), x - most - log(sum));
  else
    cor::store(pass, static_cast<Out*>(a.out), e * reciprocal(sum));
}
