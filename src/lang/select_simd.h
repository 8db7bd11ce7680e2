#pragma once
// Selection by loops.
namespace cor {

// The list's place in the launch's scratch: `capacity` keys and as many numbers, twice: sort() goes to and fro.
template <class Key, class Block>
COR_FN List<Key> list_in(Block& block, int capacity) {
  Key* keys = reinterpret_cast<Key*>(block.scratch);
  return {keys, reinterpret_cast<u32*>(keys + 2 * capacity), capacity};
}

// Moves the k largest to the front, by insertion: for small k nearly every element is turned away by one look.
template <class Key>
COR_FN void insert_largest(const List<Key>& list, int count, int k) {
  for (int i = 1, sorted = 1; i < count; ++i) {
    const Key key = list.key[i];
    const u32 number = list.number[i];
    if (sorted == k && key <= list.key[k - 1]) continue;
    int at = sorted < k ? sorted++ : k - 1;
    for (; at > 0 && key > list.key[at - 1]; --at) list.key[at] = list.key[at - 1], list.number[at] = list.number[at - 1];
    list.key[at] = key;
    list.number[at] = number;
  }
}

// Makes the first k of the list's first `count` the largest, in order; equal keys stay as they are. A byte of the key at a time,
// from the lowest.
template <class Block, class Key>
COR_ONCE void sort(List<Key> list, int count, int k) {
  constexpr int bytes = sizeof(Key);
  if (k <= 64) return insert_largest(list, count, k);
  int starts[bytes][256] = {};
  for (int i = 0; i < count; ++i)
    for (int b = 0; b < bytes; ++b) ++starts[b][list.key[i] >> (8 * b) & 255];
  List<Key> from = list, to{list.key + list.capacity, list.number + list.capacity, list.capacity};
  for (int b = 0; b < bytes; ++b) {
    int* start = starts[b];
    if (start[from.key[0] >> (8 * b) & 255] == count) continue; // all the same
    for (int d = 255, sum = 0; d >= 0; --d) {
      const int here = start[d];
      start[d] = sum;
      sum += here;
    }
    for (int i = 0; i < count; ++i) {
      const int at = start[from.key[i] >> (8 * b) & 255]++;
      to.key[at] = from.key[i];
      to.number[at] = from.number[i];
    }
    const List<Key> other = from;
    from = to, to = other;
  }
  if (from.key == list.key) return;
  for (int i = 0; i < k; ++i) list.key[i] = from.key[i], list.number[i] = from.number[i];
}

// A group is every groups-th element. None, and nothing done, when that would save nothing.
template <class Block, class Keys>
COR_FN Groups bound_by_groups(const Keys& keys, int k, const List<typename Keys::Key>& list, typename Keys::Key* bound) {
  using Key = typename Keys::Key;
  int groups = 64;
  while (groups < 4 * k) groups *= 2;
  if (groups > list.capacity || keys.n / 4 < static_cast<u32>(groups)) return {nullptr, 0};
  Key* __restrict most = list.key;
  for (int g = 0; g < groups; ++g) most[g] = 0, list.number[g] = static_cast<u32>(g);
  for (u32 first = 0; first < keys.n; first += groups) {
    const typename Keys::Element* __restrict p = keys.p + first;
    const int count = keys.n - first < static_cast<u32>(groups) ? static_cast<int>(keys.n - first) : groups;
#pragma GCC ivdep
    for (int g = 0; g < count; ++g) {
      const Key key = keys.of(p[g]);
      most[g] = key > most[g] ? key : most[g];
    }
  }
  sort<Block>(list, groups, k);
  *bound = list.key[k - 1];
  return {list.number, groups};
}

template <class Block, class Keys>
COR_FN Digit find_digit(Block&, const Keys& keys, const DigitPlace<typename Keys::Key>& place, int k) {
  int counts[1 << place.most_bits] = {};
  for (u32 i = 0; i < keys.n; ++i) {
    const auto key = keys.of(keys.p[i]);
    if (!place.bound.admits(key, i)) continue;
    const auto digit = place.digit(key, i);
    if (digit >> place.bits == 0) ++counts[digit];
  }
  int b = (1 << place.most_bits) - 1, above = 0;
  for (; above + counts[b] < k; --b) above += counts[b];
  return {static_cast<u32>(b), above, counts[b]};
}

// Lists what the bound admits, in the order of numbers, and says how much there is, or that it is more than the list can hold.
template <class Block, class Keys>
COR_ONCE int gather(Keys keys, Bound<typename Keys::Key> bound, Groups, List<typename Keys::Key> list) {
  using Key = typename Keys::Key;
  constexpr u32 stretch = 32; // most of them hold nothing: one look at all together
  int found = 0;
  for (u32 first = 0; first < keys.n; first += stretch) {
    const u32 count = keys.n - first < stretch ? keys.n - first : stretch;
    if (count == stretch) {
      Key any = 0;
      for (u32 e = 0; e < stretch; ++e) any |= keys.of(keys.p[first + e]) >= bound.key ? Key(1) : Key(0);
      if (any == 0) continue;
    }
    for (u32 i = first; i < first + count; ++i) {
      const Key key = keys.of(keys.p[i]);
      if (!bound.admits(key, i)) continue;
      if (found == list.capacity) return found + 1;
      list.key[found] = key;
      list.number[found++] = i;
    }
  }
  return found;
}

} // namespace cor
