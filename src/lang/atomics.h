#pragma once
// Updates of one element that many may want at once, for every dtype. What the target does in one instruction is its own; the rest
// is compare and swap, of the word that holds the element where the target swaps no smaller ones.
#include "lang/types.h"

namespace cor {

// How an element changes; computed in Compute<T>. For bool these are "or" and "and".
struct Add {
  template <class C>
  static COR_FN C apply(C a, C b) {
    return static_cast<C>(a + b);
  }
};
struct Multiply {
  template <class C>
  static COR_FN C apply(C a, C b) {
    return static_cast<C>(a * b);
  }
};
struct Smallest { // NaN if either is
  template <class C>
  static COR_FN C apply(C a, C b) {
    return b < a || b != b ? b : a;
  }
};
struct Largest {
  template <class C>
  static COR_FN C apply(C a, C b) {
    return b > a || b != b ? b : a;
  }
};

template <class Op, class T>
COR_FN T updated(T before, T v) {
  return convert<T>(Op::apply(widen(before), widen(v)));
}

template <int Bytes>
struct WordOf {
  using type = u32;
};
template <>
struct WordOf<1> {
  using type = u8;
};
template <>
struct WordOf<2> {
  using type = u16;
};
template <>
struct WordOf<8> {
  using type = u64;
};

template <class T, class Word>
COR_FN T element_of(Word word, int shift) {
  union {
    typename WordOf<sizeof(T)>::type bits;
    T value;
  } u;
  u.bits = static_cast<typename WordOf<sizeof(T)>::type>(word >> shift);
  return u.value;
}
template <class T, class Word>
COR_FN Word with_element(Word word, int shift, T value) {
  union U {
    T value;
    typename WordOf<sizeof(T)>::type bits;
    COR_FN U() {}
  } u;
  u.value = value;
  const Word mask = static_cast<Word>(static_cast<Word>(static_cast<typename WordOf<sizeof(T)>::type>(-1)) << shift);
  return static_cast<Word>((word & ~mask) | (static_cast<Word>(u.bits) << shift));
}

template <class Op, class T>
COR_FN void update_by_swap(T* p, T v) {
  constexpr int bytes = sizeof(T) < Target::swap_bytes ? Target::swap_bytes : sizeof(T);
  using Word = typename WordOf<bytes>::type;
  const int inside = static_cast<int>(reinterpret_cast<u64>(p) % bytes), shift = 8 * inside;
  Word* word = reinterpret_cast<Word*>(reinterpret_cast<char*>(p) - inside);
  Word seen = load_relaxed(word);
  for (;;) {
    const Word next = with_element(seen, shift, updated<Op>(element_of<T>(seen, shift), v));
    if (next == seen) return;
    const Word before = compare_and_swap(word, seen, next);
    if (before == seen) return;
    seen = before;
  }
}

template <class Op, class T>
inline constexpr bool is_atomic_in_hardware =
    (Target::has_atomic_numbers && (same<T, i32> || same<T, i64> || (is_float<T> && same<Op, Add>)) && !same<Op, Multiply>) ||
    (same<Op, Add> && ((same<T, f16> && Target::has_f16_atomic_add) || (same<T, bf16> && Target::has_bf16_atomic_add)));

// *p = Op(*p, v), whoever else does so at once. The order is not fixed, so sums of floats may differ from run to run. Of elements
// below 4 bytes the aligned word that holds them must be memory of the program's, whatever it is used for.
template <class Op, class T>
COR_FN void atomic_update(T* p, T v) {
  using Word = typename WordOf<sizeof(T)>::type;
  if constexpr (!is_atomic_in_hardware<Op, T>) {
    update_by_swap<Op>(p, v);
  } else if constexpr (same<T, f16>) {
    atomic_add_f16(&p->bits, v.bits);
  } else if constexpr (same<T, bf16>) {
    atomic_add_bf16(&p->bits, v.bits);
  } else if constexpr (is_float<T>) {
    atomic_add(p, v);
  } else if constexpr (same<Op, Add>) {
    atomic_add(reinterpret_cast<Word*>(p), static_cast<Word>(v));
  } else { // most elements change nothing
    const T seen = static_cast<T>(load_relaxed(reinterpret_cast<const Word*>(p)));
    if constexpr (same<Op, Smallest>) {
      if (v < seen) atomic_min(p, v);
    } else {
      if (v > seen) atomic_max(p, v);
    }
  }
}

} // namespace cor
