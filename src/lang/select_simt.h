#pragma once
// Selection by the lanes of a block.
namespace cor {

// The list's place in the launch's shared memory: `capacity` keys, then as many numbers.
template <class Key, class Block>
COR_FN List<Key> list_in(Block&, int capacity) {
  Key* keys = reinterpret_cast<Key*>(shared_arena());
  return {keys, reinterpret_cast<u32*>(keys + capacity), capacity};
}

// What a walk over all elements is for.
enum class Visit { maximum, count, list };

template <class Key>
struct VisitArgs {
  Visit what;
  DigitPlace<Key> place; // count: which digit; its bound says which elements are looked at
  List<Key> list;
  bool by_number; // list: all elements, each at its number
  Groups groups;
};
using DigitCounts = u32[1 << DigitPlace<u32>::most_bits];

// All walks are this one function, since each would cost as much to compile: gives the largest key of the lane's elements, counts
// digits of those that the bound admits, or lists these (counts[0] of them) as far as the list can hold them.
template <class Block, class Keys>
COR_ONCE typename Keys::Key visit(Keys keys, VisitArgs<typename Keys::Key> a, u32* counts) {
  using Key = typename Keys::Key;
  Key most = 0;
  u32 last = 0, run = 0; // equal digits in sequence are counted together: all lanes may have the same
  sweep<Block>(keys.p, keys.n, a.groups, [&](const auto& values, u32 first, u32 there) {
    if (a.what == Visit::maximum) {
#pragma unroll
      for (const auto& value : values.v) {
        const Key key = keys.of(value);
        most = key > most ? key : most;
      }
      return;
    }
    u32 admitted = 0, bit = 1;
#pragma unroll
    for (const auto& value : values.v) {
      admitted |= keys.of(value) >= a.place.bound.key ? bit : 0;
      bit *= 2;
    }
    admitted &= there;
#pragma unroll 1
    for (; admitted != 0; admitted &= admitted - 1) {
      const u32 number = first + lowest_bit(admitted);
      const Key key = keys.of(keys.p[number]);
      if (!a.place.bound.admits(key, number)) continue;
      if (a.what == Visit::count) {
        const auto digit = a.place.digit(key, number);
        if (digit >> a.place.bits != 0) continue;
        if (digit != last && run != 0) atomic_add(&counts[last], run), run = 0;
        last = static_cast<u32>(digit);
        ++run;
      } else {
        const u32 at = a.by_number ? number : atomic_add(counts, 1u);
        if (at < static_cast<u32>(a.list.capacity)) a.list.key[at] = key, a.list.number[at] = number;
      }
    }
  });
  if (run != 0) atomic_add(&counts[last], run);
  return most;
}

// A group is what a lane looks at. None, and nothing done, when k of them are too many for a good bound. The bound is the largest
// that k lanes reach, found bit by bit; not much more than k of them are as good.
template <class Block, class Keys>
COR_FN Groups bound_by_groups(const Keys& keys, int k, const List<typename Keys::Key>&, typename Keys::Key* bound) {
  using Key = typename Keys::Key;
  using Lanes = u32[Block::threads];
  COR_SHARED(lanes, Lanes);
  COR_SHARED(count, u32);
  constexpr int per = 16 / sizeof(typename Keys::Element);
  const u32 vectors = keys.n / per, groups = vectors < Block::threads ? vectors : Block::threads;
  if (2 * k > static_cast<int>(groups)) return {nullptr, 0};
  if (thread_id() == 0) count = 0;
  const Key most = visit<Block>(keys, {Visit::maximum}, nullptr);
  Key upto = 0;
  int reached = Block::threads;
#pragma unroll 1
  for (Key bit = Key(Key(1) << (8 * sizeof(Key) - 1)); bit != 0 && reached > k + k / 8; bit /= 2) {
    const int n = barrier_count(most >= Key(upto | bit));
    if (n >= k) upto |= bit, reached = n;
  }
  *bound = upto;
  barrier();
  if (most >= upto) lanes[atomic_add(&count, 1u)] = thread_id();
  barrier();
  return {lanes, static_cast<int>(count)};
}

template <class Block, class Keys>
COR_FN Digit find_digit(Block& block, const Keys& keys, const DigitPlace<typename Keys::Key>& place, int k) {
  constexpr int bins = sizeof(DigitCounts) / 4, share = bins / Block::threads;
  COR_SHARED(counts, DigitCounts);
  COR_SHARED(found, Digit);
  barrier();
#pragma unroll 1
  for (int b = thread_id(); b < bins; b += Block::threads) counts[b] = 0;
  barrier();
  visit<Block>(keys, {Visit::count, place}, counts);
  barrier();
  // Lanes have neighbouring digits, the highest first.
  const int top = bins - 1 - thread_id() * share;
  int mine = 0;
#pragma unroll 1
  for (int i = 0; i < share; ++i) mine += counts[top - i];
  const int upto = scan_warp<Sum<int>, Block>(mine);
  int above = across_warps<Sum<int>>(block, upto).before + upto - mine;
  if (above < k && above + mine >= k) {
    int b = top;
#pragma unroll 1
    for (; above + static_cast<int>(counts[b]) < k; --b) above += counts[b];
    found = {static_cast<u32>(b), above, static_cast<int>(counts[b])};
  }
  barrier();
  return found;
}

// Lists what the bound admits, in any order, and says how much there is; what the list cannot hold is left out.
template <class Block, class Keys>
COR_FN int gather(const Keys& keys, const Bound<typename Keys::Key>& bound, Groups groups, const List<typename Keys::Key>& list) {
  COR_SHARED(count, u32);
  const bool all = bound.key == 0 && bound.late == 0 && keys.n <= static_cast<u32>(list.capacity);
  barrier();
  if (thread_id() == 0) count = all ? keys.n : 0;
  barrier();
  visit<Block>(keys, {Visit::list, {bound}, list, all, groups}, &count);
  barrier();
  return static_cast<int>(count);
}

// Sorts `count` elements, no more than lanes: several lanes find out together how many come before one.
template <class Block, class Key>
COR_FN void sort_by_rank(const List<Key>& list, int count) {
  int team = Target::warp_size;
#pragma unroll 1
  while (team * count > Block::threads) team /= 2;
  const int own = thread_id() / team;
  const bool there = own < count;
  u32 rank = 0;
  if (there)
#pragma unroll 1
    for (int i = thread_id() % team; i < count; i += team) rank += list.is_before(i, own);
#pragma unroll 1
  for (int d = team / 2; d > 0; d /= 2) rank += shuffle_xor_word(rank, d);
  const Key key = there ? list.key[own] : Key(0);
  const u32 number = there ? list.number[own] : 0;
  barrier();
  if (there && thread_id() % team == 0) list.key[rank] = key, list.number[rank] = number;
  barrier();
}

// Sorts the first `count` of the list (all of them, whatever k is). Many: bitonic, with places behind the end that sort last; pairs
// at a distance of a warp's lanes or less stay inside a warp's own part of the list.
template <class Block, class Key>
COR_FN void sort(const List<Key>& list, int count, int) {
  if (count <= Block::threads / 4) return sort_by_rank<Block>(list, count);
  int size = 2;
#pragma unroll 1
  while (size < count) size *= 2;
#pragma unroll 1
  for (int i = count + thread_id(); i < size; i += Block::threads) {
    list.key[i] = 0;
    list.number[i] = ~0u;
  }
  barrier();
#pragma unroll 1
  for (int run = 2, distance = 1; run <= size;) {
#pragma unroll 1
    for (int pair = thread_id(); pair < size / 2; pair += Block::threads) {
      const int low = 2 * pair - (pair & (distance - 1)), high = low + distance;
      if (list.is_before(low, high) == ((low & run) != 0)) {
        const Key key = list.key[low];
        const u32 number = list.number[low];
        list.key[low] = list.key[high], list.number[low] = list.number[high];
        list.key[high] = key, list.number[high] = number;
      }
    }
    const int done = distance;
    if (distance > 1)
      distance /= 2;
    else
      distance = run, run *= 2;
    if (done > Target::warp_size || distance > Target::warp_size)
      barrier();
    else
      warp_barrier();
  }
  barrier();
}

} // namespace cor
