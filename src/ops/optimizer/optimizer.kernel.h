#pragma once
// The steps of optimizers, as bodies of lang/lists.h: a tensor is a parameter, its gradient and its state. Formulas as in
// torch/optim (the loops over single tensors); numbers are computed in C, decays and rates come in C from the host.
#include "lang/lists.h"
#include "lang/maths/exp.h"

namespace cor {

// Places in ListsArgs::head. Addresses may be 0.
enum OptimizerHead {
  rate,         // a number
  rate_at,      // address of an f32 that counts instead
  scale_at,     // address of an f32 that gradients are divided by; they are written back
  found_at,     // address of an f32: where it is 1, nothing happens
  sign,         // 1, or -1 to maximize
  weight_decay, // from here on the optimizer's own
  epsilon,
  beta1,
  rest1, // 1 - beta1, as the host has it in double
  log_beta1,
  beta2,
  rest2,
  log_beta2,
  momentum = epsilon, // SGD
  undamped,           // 1 - dampening
  is_nesterov,
  is_first,
  rate_decay = beta1, // Adagrad
};

// What all of them share. `Decays`: a weight decay that belongs to the gradient.
template <class T, class C>
struct OptimizerBody {
  using Out = T;
  using In = T;
  using Value = C;
  C lr, scale, sign_of_gradient, decay;
  bool off;

  template <class Args>
  COR_FN explicit OptimizerBody(const Args& a)
      : lr(number(a, rate)), scale(1), sign_of_gradient(number(a, sign)), decay(number(a, weight_decay)), off(false) {
    if (a.head[rate_at] != 0) lr = C(element(a.head[rate_at]));
    if (a.head[scale_at] != 0) scale = C(element(a.head[scale_at]));
    if (a.head[found_at] != 0) off = element(a.head[found_at]) == 1.f;
  }
  template <class Args>
  static COR_FN C number(const Args& a, int which) {
    return slot_value<C>(a.head[which]);
  }
  static COR_FN float element(u64 address) { return *reinterpret_cast<const float*>(address); }
  COR_FN bool idle() const { return off; }
  COR_FN void finish() const {}
};

// Lists: parameter, gradient, average, average of squares, and with Largest the largest of these. Own number: address of the step.
template <class T, class C, bool Decoupled, bool Largest, bool Scaled>
struct AdamBody : OptimizerBody<T, C> {
  static constexpr int lists = Largest ? 5 : 4;
  static constexpr unsigned reads = Largest ? 31 : 15, writes = reads & ~(Scaled ? 0u : 2u);
  C b1, c1, b2, c2, eps, step_size, correction;

  template <class Args>
  COR_FN AdamBody(const Args& a, int tensor)
      : OptimizerBody<T, C>(a),
        b1(this->number(a, beta1)),
        c1(this->number(a, rest1)),
        b2(this->number(a, beta2)),
        c2(this->number(a, rest2)),
        eps(this->number(a, epsilon)) {
    // 1 - beta^step, without the cancellation that f32 would suffer
    const C step = C(this->element(a.column[lists][tensor]));
    step_size = this->lr / -expm1(step * this->number(a, log_beta1));
    correction = C(1) / sqrt(-expm1(step * this->number(a, log_beta2)));
  }
  COR_FN void operator()(C (&v)[lists]) const {
    C p = v[0], g = v[1];
    if constexpr (Scaled) v[1] = g = g / this->scale;
    g = g * this->sign_of_gradient;
    const C decayed = Decoupled ? p - this->lr * this->decay * p : g + this->decay * p;
    if constexpr (Decoupled)
      p = this->decay != C(0) ? decayed : p;
    else
      g = this->decay != C(0) ? decayed : g;
    v[2] = b1 * v[2] + c1 * g;
    v[3] = b2 * v[3] + c2 * g * g;
    C square = v[3];
    if constexpr (Largest) v[4] = square = v[4] < square ? square : v[4];
    v[0] = p - step_size * v[2] / (sqrt(square) * correction + eps);
  }
};

// Lists: parameter, gradient, and with Momentum the buffer.
template <class T, class C, bool Momentum, bool Scaled>
struct SgdBody : OptimizerBody<T, C> {
  static constexpr int lists = Momentum ? 3 : 2;
  static constexpr unsigned reads = Momentum ? 7 : 3, writes = reads & ~(Scaled ? 0u : 2u);
  C kept, added;
  bool nesterov, first;

  template <class Args>
  COR_FN SgdBody(const Args& a, int)
      : OptimizerBody<T, C>(a),
        kept(this->number(a, momentum)),
        added(this->number(a, undamped)),
        nesterov(a.head[is_nesterov] != 0),
        first(a.head[is_first] != 0) {}
  COR_FN void operator()(C (&v)[lists]) const {
    const C p = v[0];
    C g = v[1];
    if constexpr (Scaled) v[1] = g = g / this->scale;
    g = g * this->sign_of_gradient;
    const C decayed = g + this->decay * p;
    g = this->decay != C(0) ? decayed : g;
    if constexpr (Momentum) {
      const C moved = kept * v[2] + added * g;
      v[2] = first ? g : moved;
      const C ahead = g + kept * v[2];
      g = nesterov ? ahead : v[2];
    }
    v[0] = p - this->lr * g;
  }
};

// Lists: parameter, gradient, sum of squares. Own number: address of the step.
template <class T, class C, bool Scaled>
struct AdagradBody : OptimizerBody<T, C> {
  static constexpr int lists = 3;
  static constexpr unsigned reads = 7, writes = Scaled ? 7 : 5;
  C eps, decayed_rate;

  template <class Args>
  COR_FN AdagradBody(const Args& a, int tensor) : OptimizerBody<T, C>(a), eps(this->number(a, epsilon)) {
    const C step = C(this->element(a.column[lists][tensor]));
    decayed_rate = this->lr / (C(1) + (step - C(1)) * this->number(a, rate_decay));
  }
  COR_FN void operator()(C (&v)[lists]) const {
    C g = v[1];
    if constexpr (Scaled) v[1] = g = g / this->scale;
    g = g * this->sign_of_gradient;
    const C decayed = g + this->decay * v[0];
    g = this->decay != C(0) ? decayed : g;
    v[2] = v[2] + g * g;
    v[0] = v[0] - decayed_rate * g / (sqrt(v[2]) + eps);
  }
};

} // namespace cor
