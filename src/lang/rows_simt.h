#pragma once
// Row kernels on lanes, warps, blocks and clusters: what both pass types share. A pass walks over chunks, Width neighbours that one
// lane handles; loops over chunks stay rolled, since a row that waits in shared memory needs no register of its own.
namespace cor {

// A chunk: of a row, elements [i, i + Width) counted from the aligned-down address of the row's start; of columns, step i of the
// fold. Every element is there. Single: element i alone, beside the chunks of a row; it goes through place 0 of a node's chunk.
template <class Index, bool Single>
struct At {
  static constexpr bool single = Single;
  Index i;
};

template <class State>
COR_FN State shuffle_xor(State value, int mask) {
  if constexpr (same<State, float>) return bits_to_float(shuffle_xor_word(float_to_bits(value), mask));
  constexpr int words = (sizeof(State) + 3) / 4;
  union U {
    u32 w[words];
    State s;
    COR_FN U() {}
  } u;
  u.s = value;
#pragma unroll
  for (int i = 0; i < words; ++i) u.w[i] = shuffle_xor_word(u.w[i], mask);
  return u.s;
}
// Combines the states of `count` neighbouring lanes: all of them get the same bits.
template <class M, class State>
COR_FN State combine_lanes(State s, int count) {
  constexpr int steps = sizeof(State) == 4 ? 8 : 1; // larger ones take more code than a loop costs
#pragma unroll steps
  for (int m = 1; m < count; m *= 2) s = M::combine(s, shuffle_xor(s, m));
  return s;
}

// A row (or a stretch of columns) that waits in shared memory.
template <class V, class T, int Width>
struct Staged {
  using node_tag = NodeTag;
  using value_type = V;
  const T* room;
  Vec<T, Width> now;
  template <class Pass, class At>
  COR_FN void fetch(const Pass& pass, At at) {
    if constexpr (At::single)
      now.v[0] = room[pass.place(at.i)];
    else
      now = load_vec<T, Width>(room + pass.place(at.i));
  }
  COR_FN V at(int k) const { return convert<V>(now.v[k]); }
};

// Keeps what a tensor holds, where the pass has room for it. Anything else stays a recipe: on GPUs arithmetic is cheaper than room.
template <class Pass, class V, class T, class Chunk>
COR_FN auto keep(Pass& pass, const Loaded<V, T, Chunk>& node) {
  if constexpr (Pass::resident)
    return Staged<V, T, Pass::width>{pass.stage(node.p), {}};
  else
    return node;
}
template <class Pass, class Node>
COR_FN Node keep(Pass&, const Node& node) {
  return node;
}

// Moves the node to chunk `at` and adds its elements to the states: one a column, or one in all.
template <class Monoid, class Pass, class Node, class State, class A>
COR_FN void fold_chunk(const Pass& pass, Node& node, State* s, A at) {
  node.fetch(pass, at);
#pragma unroll
  for (int k = 0; k < (A::single ? 1 : Pass::width); ++k)
    s[k % Pass::columns] = Monoid::combine(s[k % Pass::columns], Monoid::of(node.at(k)));
}

// What this lane's elements come to.
template <class Monoid, class Pass, class Node, class State>
COR_FN void fold_lane(Pass& pass, Node node, State* s) {
#pragma unroll
  for (int k = 0; k < Pass::columns; ++k) s[k] = Monoid::identity();
  auto at = pass.first();
  if constexpr (Pass::resident) {
#pragma unroll 1
    for (; at.i < pass.stop; at.i += Pass::step) fold_chunk<Monoid>(pass, node, s, at);
  } else { // several chunks in flight
#pragma unroll 4
    for (; at.i < pass.stop; at.i += Pass::step) fold_chunk<Monoid>(pass, node, s, at);
  }
  if constexpr (Pass::ragged) {
#pragma unroll 1
    for (auto one = pass.first_single(); pass.next_single(one);) fold_chunk<Monoid>(pass, node, s, one.at);
  }
}

template <class Monoid, class Pass, class Node>
COR_FN auto fold(Pass& pass, const Node& node) {
  typename Monoid::State s[Pass::columns];
  fold_lane<Monoid>(pass, node, s);
  pass.template across_lanes<Monoid>(s);
  return pass.template across_warps<Monoid>(s);
}

// keep() and fold(); one walk on targets where that is cheaper.
template <class Monoid, class Pass, class Node>
COR_FN auto keep_and_fold(Pass& pass, const Node& node) {
  const auto kept = keep(pass, node);
  const auto folded = fold<Monoid>(pass, kept);
  return KeptAndFolded<decltype(keep(pass, node)), decltype(fold<Monoid>(pass, kept))>{kept, folded};
}

// Writes a contiguous [outer, n, inner] tensor.
template <class Pass, class T, class Node>
COR_FN void store(Pass& pass, T* tensor, Node node) {
  T* p = tensor + pass.offset();
  if (!pass.active()) return;
#pragma unroll 1
  for (auto at = pass.first(); at.i < pass.stop; at.i += Pass::step) {
    node.fetch(pass, at);
    Vec<T, Pass::width> r;
#pragma unroll
    for (int k = 0; k < Pass::width; ++k) r.v[k] = convert<T>(node.at(k));
    pass.put(p, at, r);
  }
  if constexpr (Pass::ragged) {
#pragma unroll 1
    for (auto one = pass.first_single(); pass.next_single(one);) {
      node.fetch(pass, one.at);
      p[pass.element(one.at)] = convert<T>(node.at(0));
    }
  }
}

// Writes one value a fold; `first` is where this pass's first fold goes.
template <class Pass, class T, class V, int Columns>
COR_FN void put_folded(Pass& pass, T* first, const Folded<V, Columns>& folded) {
  if (!pass.leader()) return;
#pragma unroll
  for (int k = 0; k < Columns; ++k) first[k] = convert<T>(folded.v[k]);
}
// The same into a contiguous [outer, inner] tensor.
template <class Pass, class T, class V, int Columns>
COR_FN void store_folded(Pass& pass, T* tensor, const Folded<V, Columns>& folded) {
  put_folded(pass, tensor + pass.fold_index(), folded);
}

} // namespace cor

#define COR_ROWS(entry, Pass, Args, body)  \
  COR_KERNEL(entry, Pass::threads, Args) { \
    Pass pass(a.head);                     \
    body(pass, a);                         \
  }
