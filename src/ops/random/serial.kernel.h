#pragma once
// ATen's distributions on CPUs: one word after the other from one Mersenne Twister, so one block does all. What is drawn comes
// first, into an array; making numbers of it is a loop of vectors. T is the stored type, A the type that is computed with.
#include "lang/mersenne.h"
#include "lang/vec.h"

struct SerialArgs {
  cor::MersenneState* state;
  cor::i64 n;
  void* out;
  const void* in; // probabilities
  cor::u64 p[3];
  cor::i64* valid; // whether all probabilities are between 0 and 1; otherwise nothing was drawn
};

// A draw of f32 uses the lowest bits of a word, as many as the stored type's numbers have; one of f64 53 bits of two words.
template <class T>
struct Digits;
template <>
struct Digits<cor::f16> {
  static constexpr int value = 11;
};
template <>
struct Digits<cor::bf16> {
  static constexpr int value = 8;
};
template <>
struct Digits<float> {
  static constexpr int value = 24;
};
template <class T>
COR_FN float unit_number(cor::u32 w) {
  constexpr cor::u32 numbers = 1u << Digits<T>::value;
  return static_cast<float>(static_cast<int>(w & (numbers - 1))) * (1.0f / numbers);
}
template <class T>
COR_FN double unit_number(cor::u64 w) {
  return static_cast<double>(static_cast<cor::i64>(w & ((cor::u64(1) << 53) - 1))) * (1.0 / (cor::u64(1) << 53));
}

template <bool Wide>
struct SerialWord {
  using type = cor::u32;
};
template <>
struct SerialWord<true> {
  using type = cor::u64;
};

// p: from, to - from; as the stored type holds them.
template <class T, class A>
struct SerialUniform {
  using Word = typename SerialWord<cor::same<A, double>>::type;
  A from, range;
  COR_FN explicit SerialUniform(const SerialArgs& a) : from(cor::slot_value<A>(a.p[0])), range(cor::slot_value<A>(a.p[1])) {}
  COR_FN A operator()(Word w, cor::i64) const { return cor::fma(unit_number<T>(w), range, from); }
};
// p: how many integers there are, and the first one. A is the word that is drawn.
template <class T, class A>
struct SerialIntegers {
  using Word = A;
  A range;
  cor::u64 from;
  COR_FN explicit SerialIntegers(const SerialArgs& a) : range(static_cast<A>(a.p[0])), from(a.p[1]) {}
  COR_FN cor::i64 operator()(Word w, cor::i64) const { return static_cast<cor::i64>(w % range + from); }
};
template <class T, class A>
struct SerialAnyInteger {
  using Word = cor::u64;
  COR_FN explicit SerialAnyInteger(const SerialArgs&) {}
  COR_FN cor::i64 operator()(Word w, cor::i64) const { return static_cast<cor::i64>(w); }
};
// p: the probability, always f64.
template <class T, class A>
struct SerialBernoulli {
  using Word = cor::u64;
  double probability;
  COR_FN explicit SerialBernoulli(const SerialArgs& a) : probability(cor::slot_value<double>(a.p[0])) {}
  COR_FN A operator()(Word w, cor::i64) const { return unit_number<double>(w) < probability ? A(1) : A(0); }
};
// A probability an element, of type A.
template <class T, class A>
struct SerialChances {
  using Word = typename SerialWord<cor::same<A, double>>::type;
  const A* p;
  COR_FN explicit SerialChances(const SerialArgs& a) : p(static_cast<const A*>(a.in)) {}
  COR_FN A operator()(Word w, cor::i64 e) const { return unit_number<A>(w) < p[e] ? A(1) : A(0); }
};

template <class A>
static bool are_probabilities(const A* p, cor::i64 n) {
  int outside = 0;
  for (cor::i64 k = 0; k < n; ++k) outside |= !(p[k] >= A(0)) | !(p[k] <= A(1));
  return outside == 0;
}

template <class T, class Distribution>
static void fill_serially(const SerialArgs& a) {
  using Word = typename Distribution::Word;
  constexpr int step = 312, words = sizeof(Word) / 4;
  const Distribution make(a);
  cor::MersenneState& state = *a.state;
  cor::u32 drawn[step * words];
  for (cor::i64 first = 0; first < a.n; first += step) {
    const int count = a.n - first < step ? static_cast<int>(a.n - first) : step;
    cor::mersenne_draw(state, drawn, count * words);
    const auto word = [&](int k) __attribute__((always_inline)) {
      if constexpr (words == 1)
        return drawn[k];
      else
        return static_cast<cor::u64>(drawn[2 * k]) << 32 | drawn[2 * k + 1];
    };
    cor::put_run<step>(
        static_cast<T*>(a.out) + first, count, [&](int k) __attribute__((always_inline)) { return make(word(k), first + k); });
  }
}

#define COR_FILL_SERIALLY(entry, T, ...)                                  \
  extern "C" void entry(const void* args, cor::i64, cor::i64, void*) {    \
    fill_serially<T, __VA_ARGS__>(*static_cast<const SerialArgs*>(args)); \
  }
#define COR_CHANCES_SERIALLY(entry, T, P)                              \
  extern "C" void entry(const void* args, cor::i64, cor::i64, void*) { \
    const SerialArgs& a = *static_cast<const SerialArgs*>(args);       \
    *a.valid = are_probabilities(static_cast<const P*>(a.in), a.n);    \
    if (*a.valid) fill_serially<T, SerialChances<T, P>>(a);            \
  }
