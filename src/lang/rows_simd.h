#pragma once
// The lowering of row kernels to loops that vectorise: a block is a stretch of rows, a chunk a stretch of one row (or of the
// columns of one step).
namespace cor {

template <class T>
struct Stretch {
  const T* p;
  COR_FN T at(int k) const { return p[k]; }
};

template <class T>
struct Buffer {
  using node_tag = NodeTag;
  using value_type = T;
  T* p;
  const T* now;
  template <class Pass>
  COR_FN void fetch(const Pass&, i64 c) {
    now = p + c * Pass::width;
  }
  COR_FN T at(int k) const { return now[k]; }
};

// Width: elements a chunk; several vector registers, so that a fold has independent chains.
template <int Width, bool Resident>
struct RowPass {
  static constexpr int width = Width, columns = 1;
  static constexpr bool across_columns = false;
  static constexpr bool resident = Resident;
  template <class T>
  using Chunk = Stretch<T>;
  i64 n;
  const i64 row;
  char* scratch;

  COR_FN RowPass(const RowsHead& h, i64 unit, void* arena) : n(h.n), row(unit), scratch(static_cast<char*>(arena)) {}
  static COR_FN i64 units(const RowsHead& h) { return h.outer; }
  template <class T>
  COR_FN void align_to(const T*) {}
  template <class T>
  COR_FN void align_to_row(const T*) {}
  COR_FN void shorten(i64 left) { n = left < n ? left : n; }
  COR_FN i64 offset() const { return row * n; }
  COR_FN i64 chunk_count() const { return (n + Width - 1) / Width; }
  COR_FN i64 element(i64 c) const { return c * Width; }
  COR_FN int count(i64 c) const { return n - c * Width < Width ? static_cast<int>(n - c * Width) : Width; }
  template <class T>
  COR_FN Stretch<T> fetch(const T* p, i64 c) const {
    return {p + c * Width};
  }
  template <class T>
  COR_FN T* at(T* p, i64 c) const {
    return p + c * Width;
  }
  COR_FN i64 fold_unit() const { return row; }
  COR_FN i64 first_column() const { return 0; }
  COR_FN i64 fold_index() const { return row; }
  COR_FN int fold_count() const { return 1; }
};

template <int Width, bool Resident>
struct ColumnPass {
  static constexpr int width = Width, columns = Width;
  static constexpr bool across_columns = true;
  static constexpr bool resident = Resident;
  template <class T>
  using Chunk = Stretch<T>;
  i64 n;
  const i64 inner;
  i64 o, column;
  char* scratch;

  COR_FN ColumnPass(const RowsHead& h, i64 unit, void* arena) : n(h.n), inner(h.inner), scratch(static_cast<char*>(arena)) {
    const i64 across = (inner + Width - 1) / Width;
    o = unit / across;
    column = unit % across * Width;
  }
  static COR_FN i64 units(const RowsHead& h) { return h.outer * ((h.inner + Width - 1) / Width); }
  template <class T>
  COR_FN void align_to(const T*) {}
  template <class T>
  COR_FN void align_to_row(const T*) {}
  COR_FN void shorten(i64 left) { n = left < n ? left : n; }
  COR_FN i64 offset() const { return o * n * inner + column; }
  COR_FN i64 chunk_count() const { return n; }
  COR_FN i64 element(i64 c) const { return c; }
  COR_FN int count(i64) const { return inner - column < Width ? static_cast<int>(inner - column) : Width; }
  template <class T>
  COR_FN Stretch<T> fetch(const T* p, i64 c) const {
    return {p + c * inner};
  }
  template <class T>
  COR_FN Stretch<T> fetch_at(const T* p, i64) const {
    return {p};
  }
  template <class T>
  COR_FN T* at(T* p, i64 c) const {
    return p + c * inner;
  }
  COR_FN i64 fold_unit() const { return o; }
  COR_FN i64 first_column() const { return column; }
  COR_FN i64 fold_index() const { return o * inner + column; }
  COR_FN int fold_count() const { return count(0); }
};

// Calls f(c, count) for each chunk; the count is a constant in all but ragged chunks.
template <class Pass, class F>
COR_FN void for_chunks(const Pass& pass, F f) {
  const i64 chunks = pass.chunk_count();
  for (i64 c = 0; c < chunks; ++c) {
    const int count = pass.count(c);
    if (count == Pass::width)
      f(c, Pass::width);
    else
      f(c, count);
  }
}

// Folds what `value(c, count, visit)` hands over: visit(k, v) for each element of chunk c.
template <class Monoid, class Pass, class F>
COR_FN auto fold_chunks(Pass& pass, F each) {
  using State = typename Monoid::State;
  Folded<State, Pass::width> s;
  for (int k = 0; k < Pass::width; ++k) s.v[k] = Monoid::identity();
  for_chunks(
      pass, [&](i64 c, int count) __attribute__((always_inline)) {
        each(
            c, count, [&](int k, auto v) __attribute__((always_inline)) { s.v[k] = Monoid::combine(s.v[k], Monoid::of(v)); });
      });
  if constexpr (Pass::columns == 1) {
    for (int half = Pass::width / 2; half > 0; half /= 2)
      for (int k = 0; k < half; ++k) s.v[k] = Monoid::combine(s.v[k], s.v[k + half]);
    return Folded<State, 1>{{s.v[0]}};
  } else {
    return s;
  }
}

template <class Monoid, class Pass, class Node>
COR_FN auto fold(Pass& pass, Node node) {
  return fold_chunks<Monoid>(
      pass, [&](i64 c, int count, auto visit) __attribute__((always_inline)) {
        node.fetch(pass, c);
        for (int k = 0; k < count; ++k) visit(k, node.at(k));
      });
}

template <class V, class T>
inline constexpr bool in_memory = false;
template <class T>
inline constexpr bool in_memory<T, Loaded<T, T, Stretch<T>>> = true;

template <class Pass, class Node>
inline constexpr bool is_buffered = Pass::resident && !in_memory<typename Node::value_type, Node>;

// Room for a value of every element.
template <class T, class Pass>
COR_FN T* take_buffer(Pass& pass) {
  T* buffer = reinterpret_cast<T*>(pass.scratch);
  pass.scratch += pass.chunk_count() * Pass::width * sizeof(T);
  return buffer;
}

template <class Pass, class Node>
COR_FN auto keep(Pass& pass, Node node) {
  using T = typename Node::value_type;
  if constexpr (is_buffered<Pass, Node>) {
    T* buffer = take_buffer<T>(pass);
    for_chunks(
        pass, [&](i64 c, int count) __attribute__((always_inline)) {
          node.fetch(pass, c);
          T* p = buffer + c * Pass::width;
#pragma GCC ivdep
          for (int k = 0; k < count; ++k) p[k] = node.at(k);
        });
    return Buffer<T>{buffer, buffer};
  } else {
    return node;
  }
}

// keep() and fold() in one walk.
template <class Monoid, class Pass, class Node>
COR_FN auto keep_and_fold(Pass& pass, Node node) {
  using T = typename Node::value_type;
  if constexpr (is_buffered<Pass, Node>) {
    T* buffer = take_buffer<T>(pass);
    const auto folded = fold_chunks<Monoid>(
        pass, [&](i64 c, int count, auto visit) __attribute__((always_inline)) {
          node.fetch(pass, c);
          T* p = buffer + c * Pass::width;
#pragma GCC ivdep
          for (int k = 0; k < count; ++k) {
            const T v = node.at(k);
            p[k] = v;
            visit(k, v);
          }
        });
    return KeptAndFolded<Buffer<T>, decltype(folded)>{{buffer, buffer}, folded};
  } else {
    const auto folded = fold<Monoid>(pass, node);
    return KeptAndFolded<Node, decltype(folded)>{node, folded};
  }
}

template <class Pass, class T, class Node>
COR_FN void store(Pass& pass, T* tensor, Node node) {
  T* first = tensor + pass.offset();
  for_chunks(
      pass, [&](i64 c, int count) __attribute__((always_inline)) {
        node.fetch(pass, c);
        put_run<Pass::width>(
            pass.at(first, c), count, [&](int k) __attribute__((always_inline)) { return node.at(k); });
      });
}

// Writes one value a fold; `first` is where this pass's first fold goes.
template <class Pass, class T, class V, int Columns>
COR_FN void put_folded(Pass& pass, T* first, const Folded<V, Columns>& folded) {
  for (int k = 0; k < pass.fold_count(); ++k) first[k] = convert<T>(folded.v[k]);
}
// The same into a contiguous [outer, inner] tensor.
template <class Pass, class T, class V, int Columns>
COR_FN void store_folded(Pass& pass, T* tensor, const Folded<V, Columns>& folded) {
  put_folded(pass, tensor + pass.fold_index(), folded);
}

} // namespace cor

// A block is UnitsPerBlock units (rows, or groups of columns) of the pass.
#define COR_ROWS(entry, Pass, Args, body, UnitsPerBlock)                                                               \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void* scratch) {                              \
    const Args& a = *static_cast<const Args*>(args);                                                                   \
    const cor::i64 units = Pass::units(a.head), end = last * (UnitsPerBlock) < units ? last * (UnitsPerBlock) : units; \
    for (cor::i64 unit = first * (UnitsPerBlock); unit < end; ++unit) {                                                \
      Pass pass(a.head, unit, scratch);                                                                                \
      body(pass, a);                                                                                                   \
    }                                                                                                                  \
  }
