#pragma once
// The lowering of lang/lists.h to loops that vectorise: a tile is a stretch of one tensor.
namespace cor {

// `count` elements from `at` on, their values in `x` when they are of 16 bits: GCC finds no vector form for arithmetic that it has
// narrowed to them.
template <class Body>
COR_FN void run_stretch(const ListPointers<Body>& p, i64 at, i64 count, Body& body) {
  using Value = typename Body::Value;
  constexpr int lists = Body::lists;
  if constexpr (sizeof(typename Body::Out) == 2 || sizeof(typename Body::In) == 2) {
    constexpr int step = 256;
    Value x[lists][step];
    for (i64 done = 0; done < count; done += step) {
      const int size = static_cast<int>(count - done < step ? count - done : step);
      for (int l = 0; l < lists; ++l)
        if (is_read<Body>(l))
          for (int k = 0; k < size; ++k) x[l][k] = convert<Value>(p.in(l)[at + done + k]);
#pragma GCC ivdep
      for (int k = 0; k < size; ++k) {
        Value v[lists];
        for (int l = 0; l < lists; ++l) v[l] = x[l][k];
        body(v);
        for (int l = 0; l < lists; ++l)
          if (is_written<Body>(l)) x[l][k] = v[l];
      }
      for (int l = 0; l < lists; ++l)
        if (is_written<Body>(l))
#pragma GCC ivdep
          for (int k = 0; k < size; ++k) p.out(l)[at + done + k] = convert<typename Body::Out>(x[l][k]);
    }
  } else {
#pragma GCC ivdep
    for (i64 k = at; k < at + count; ++k) {
      Value v[lists];
      for (int l = 0; l < lists; ++l)
        if (is_read<Body>(l)) v[l] = convert<Value>(p.in(l)[k]);
      body(v);
      for (int l = 0; l < lists; ++l)
        if (is_written<Body>(l)) p.out(l)[k] = convert<typename Body::Out>(v[l]);
    }
  }
}

template <class Body, i64 Tile, class Args>
static void run_lists(const Args& a, i64 first, i64 last) {
  int tensor = tensor_of(a, static_cast<u32>(first));
  for (i64 block = first; block < last; ++block) {
    while (tensor + 1 < static_cast<int>(a.tensors) && a.first[tensor + 1] <= block) ++tensor;
    const i64 begin = (block - a.first[tensor]) * Tile, left = a.n[tensor] - begin;
    Body body(a, tensor);
    if (body.idle()) continue;
    run_stretch(ListPointers<Body>(a, tensor), begin, left < Tile ? left : Tile, body);
    body.finish();
  }
}

} // namespace cor

#define COR_LISTS(entry, Body, Args, Tile)                                        \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void*) { \
    cor::run_lists<Body, Tile>(*static_cast<const Args*>(args), first, last);     \
  }
