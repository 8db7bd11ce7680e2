#pragma once
// The k largest of a sequence, by its keys: one block, any length, the same answer on every run.
//
//   Keys<T> keys{p, n, flip}       a sequence seen as unsigned keys (lang/ordered.h); `flip` is all ones to select the smallest
//   select(block, keys, k, list)   list.number[0..k) are the numbers of the k largest, in their order; equal keys in the order of
//                                  their numbers. `list` lies in scratch (list_in); k is at most n and at most its capacity
//
// A lower bound comes from the maxima of groups: what k of them reach, k elements reach, and seldom many more. What
// is not below the bound is gathered and sorted. Where too much is left - many equal elements, large k - the bound is raised digit
// by digit, through the key and then through the number, until the list can hold what is at or above it.
#include "lang/block.h"
#include "lang/ordered.h"
#include "lang/sweep.h"
#include "lang/tile.h"

namespace cor {

template <class T>
struct Keys {
  using Key = Ordered<T>;
  using Element = T;
  const T* p;
  u32 n;
  Key flip;
  COR_FN Key of(T value) const { return ordered_bits(value) ^ flip; }
};

// Keys and numbers of the elements that may be among the k largest.
template <class Key>
struct List {
  Key* key;
  u32* number;
  int capacity; // a power of two
  COR_FN bool is_before(int a, int b) const { return key[a] > key[b] || (key[a] == key[b] && number[a] < number[b]); }
};

// The elements at or above a bound: of those whose key equals the bound's, the ones whose number is at most ~late.
template <class Key>
struct Bound {
  Key key;
  u32 late;
  COR_FN bool admits(Key k, u32 number) const { return k > key || (k == key && ~number >= late); }
};

template <class Key>
struct WordOf {
  using type = u32;
};
template <>
struct WordOf<u64> {
  using type = u64;
};

// A digit of the elements at or above a bound: `bits` of them from bit `left`, of the key, or of ~number where the key is the
// bound's.
template <class Key>
struct DigitPlace {
  using Word = typename WordOf<Key>::type; // holds a key or a number
  static constexpr int most_bits = 11;

  Bound<Key> bound; // its own bits end where the digit begins
  bool of_number;
  int left, bits;
  // 1 << bits, at least, for what is beyond all that begins as the bound does.
  COR_FN Word digit(Key key, u32 number) const {
    const Word above_key = static_cast<Word>(key) - bound.key, above_number = static_cast<u32>(~number - bound.late);
    return (!of_number ? above_key : above_key != 0 ? ~Word(0) : above_number) >> left;
  }
};
// The digit in which the k-th from the top lies, how many are above it, how many have it.
struct Digit {
  u32 value;
  int above, here;
};

} // namespace cor

#if COR_SIMT
#include "lang/select_simt.h"
#else
#include "lang/select_simd.h"
#endif

namespace cor {

// The lowest bound that at least k and at most `capacity` elements reach, as far as digits of the key and then of ~number tell.
template <class Block, class Keys>
COR_FN Bound<typename Keys::Key> raise_bound(Block& block, const Keys& keys, int k, int capacity) {
  using Key = typename Keys::Key;
  DigitPlace<Key> place{{0, 0}, false, 8 * sizeof(Key), 0};
  int above = 0, admitted = capacity + 1;
#pragma unroll 1
  while (admitted > capacity && (place.left > 0 || !place.of_number)) {
    if (place.left == 0) place.left = 32, place.of_number = true;
    place.bits = place.left < place.most_bits ? place.left : place.most_bits;
    place.left -= place.bits;
    const Digit d = find_digit(block, keys, place, k - above);
    if (place.of_number)
      place.bound.late |= d.value << place.left;
    else
      place.bound.key |= static_cast<Key>(d.value) << place.left;
    above += d.above;
    admitted = above + d.here;
  }
  return place.bound;
}

template <class Block, class Keys>
COR_FN void select(Block& block, const Keys& keys, int k, const List<typename Keys::Key>& list) {
  Bound<typename Keys::Key> bound{0, 0};
  Groups groups = bound_by_groups<Block>(keys, k, list, &bound.key);
  bool raised = groups.count == 0 && keys.n > static_cast<u32>(list.capacity);
  int found;
#pragma unroll 1
  for (;; raised = true) {
    if (raised) bound = raise_bound(block, keys, k, list.capacity), groups.count = 0;
    found = gather<Block>(keys, bound, groups, list);
    if (found <= list.capacity) break;
  }
  sort<Block>(list, found, k);
}

} // namespace cor
