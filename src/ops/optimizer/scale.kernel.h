#pragma once
// What a gradient scaler asks for, as bodies of lang/lists.h. Addresses are of f32, the tracker's of i32.
#include "lang/lists.h"

namespace cor {

// A gradient times head[0]'s number; head[1]'s becomes 1 if one was not finite.
template <class T, class C>
struct UnscaleBody {
  using Out = T;
  using In = T;
  using Value = C;
  static constexpr int lists = 1;
  static constexpr unsigned reads = 1, writes = 1;
  float factor;
  float* found;
  int wrong = 0;

  template <class Args>
  COR_FN UnscaleBody(const Args& a, int)
      : factor(*reinterpret_cast<const float*>(a.head[0])), found(reinterpret_cast<float*>(a.head[1])) {}
  COR_FN bool idle() const { return false; }
  COR_FN void operator()(C (&v)[1]) {
    wrong |= v[0] - v[0] != C(0);
    v[0] = factor == 1.f ? v[0] : v[0] * C(factor);
  }
  COR_FN void finish() const {
    if (wrong) *found = 1.f;
  }
};

// The scale after a step: smaller if a gradient was not finite (head[1]), larger after `head[4]` steps in a row, which the tracker
// (head[0]) counts. head[2] and head[3] are the factors, f64.
struct UpdateScaleBody {
  using Out = float;
  using In = float;
  using Value = float;
  static constexpr int lists = 1;
  static constexpr unsigned reads = 1, writes = 1;
  i32* tracker;
  bool shrinks;
  double growth, backoff;
  i64 interval;

  template <class Args>
  COR_FN UpdateScaleBody(const Args& a, int)
      : tracker(reinterpret_cast<i32*>(a.head[0])),
        shrinks(*reinterpret_cast<const float*>(a.head[1]) != 0.f),
        growth(slot_value<double>(a.head[2])),
        backoff(slot_value<double>(a.head[3])),
        interval(static_cast<i64>(a.head[4])) {}
  COR_FN bool idle() const { return false; }
  COR_FN void operator()(float (&v)[1]) const {
    const i32 steps = shrinks ? 0 : *tracker + 1;
    const bool grows = !shrinks && steps == interval;
    if (shrinks) v[0] = static_cast<float>(v[0] * backoff);
    const float larger = static_cast<float>(v[0] * growth);
    if (grows && larger - larger == 0.f) v[0] = larger; // not beyond what f32 holds
    *tracker = grows ? 0 : steps;
  }
  COR_FN void finish() const {}
};

} // namespace cor
