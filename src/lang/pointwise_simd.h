#pragma once
// The lowering of pointwise kernels to loops that vectorise.
namespace cor {

// A run of `count` elements along dimension 0.
template <class O>
struct Run {
  const typename O::S* p;
  typename O::V value;
  i64 stride;
  COR_FN Run(u64 slot, i64 offset, i64 stride0) : p(nullptr), value(), stride(stride0) {
    if constexpr (O::kind == Kind::scalar)
      value = slot_value<typename O::V>(slot);
    else
      p = reinterpret_cast<const typename O::S*>(slot) + offset;
    if constexpr (O::kind == Kind::broadcast) value = convert<typename O::V>(p[0]);
  }
  COR_FN typename O::V at(i64 k) const {
    if constexpr (O::kind == Kind::contiguous)
      return convert<typename O::V>(p[k]);
    else if constexpr (O::kind == Kind::scalar || O::kind == Kind::broadcast)
      return value;
    else
      return convert<typename O::V>(p[k * stride]);
  }
};

template <class B, bool UnitOut>
COR_FN void run_pointwise(const PointwiseHead& h, const i64 (&off)[4], const i64 (&stride)[4], i64 count) {
  const Scalars<B> s(h);
  auto* out = static_cast<typename B::Out*>(h.out) + off[0];
  const Run<typename B::In0> x(h.in[0], off[1], stride[1]);
  const Run<typename B::In1> y(h.in[1], off[2], stride[2]);
  const Run<typename B::In2> z(h.in[2], off[3], stride[3]);
  const auto value = [&](i64 k) __attribute__((always_inline)) { return B::apply(x.at(k), y.at(k), z.at(k), s.s0, s.s1); };
  if constexpr (UnitOut && sizeof(typename B::Out) == 2) {
    constexpr int step = 256;
    i64 k = 0;
    for (; k + step <= count; k += step)
      put_run<step>(
          out + k, step, [&](int i) __attribute__((always_inline)) { return value(k + i); });
    put_run<step>(
        out + k, static_cast<int>(count - k), [&](int i) __attribute__((always_inline)) { return value(k + i); });
  } else {
#pragma GCC ivdep
    for (i64 k = 0; k < count; ++k) out[UnitOut ? k : k * stride[0]] = convert<typename B::Out>(value(k));
  }
}

template <class B, i64 Block>
static void pointwise_flat(const PointwiseFlatArgs& a, i64 first, i64 last) {
  const i64 begin = first * Block, end = last * Block < a.head.n ? last * Block : a.head.n;
  const auto at = [&](Kind k) { return k == Kind::broadcast ? i64(0) : begin; };
  const i64 off[4] = {begin, at(B::In0::kind), at(B::In1::kind), at(B::In2::kind)}, stride[4] = {1, 1, 1, 1};
  run_pointwise<B, true>(a.head, off, stride, end - begin);
}

// Blocks are stretches of dimension 0 of at most Block elements; what dimensions above them are left is counted by an odometer.
template <class B, int Rank, bool UnitOut, i64 Block>
static void pointwise_rows(const PointwiseArgs<Rank, B::operands>& a, i64 first, i64 last) {
  const i64 size0 = a.shape.dims[0].size, pieces = (size0 + Block - 1) / Block;
  i64 stride[4] = {1, 1, 1, 1};
  for (int o = 0; o < B::operands; ++o) stride[o] = a.stride[0][o];
  i64 row = first / pieces, piece = first % pieces;
  i64 index[Rank] = {}, off[4] = {};
  for (int d = 1; d < Rank; ++d) {
    index[d] = row % a.shape.dims[d].size;
    row /= a.shape.dims[d].size;
    for (int o = 0; o < B::operands; ++o) off[o] += index[d] * a.stride[d][o];
  }
  for (i64 b = first; b < last; ++b) {
    const i64 begin = piece * Block, count = size0 - begin < Block ? size0 - begin : Block;
    i64 here[4];
    for (int o = 0; o < 4; ++o) here[o] = off[o] + (o < B::operands ? begin * stride[o] : 0);
    run_pointwise<B, UnitOut>(a.head, here, stride, count);
    if (++piece < pieces) continue;
    piece = 0;
    for (int d = 1; d < Rank; ++d) {
      for (int o = 0; o < B::operands; ++o) off[o] += a.stride[d][o];
      if (++index[d] < a.shape.dims[d].size) break;
      for (int o = 0; o < B::operands; ++o) off[o] -= index[d] * a.stride[d][o];
      index[d] = 0;
    }
  }
}

} // namespace cor

#define COR_POINTWISE_FLAT(entry, B, Block)                                                        \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void*) {                  \
    cor::pointwise_flat<B, Block>(*static_cast<const cor::PointwiseFlatArgs*>(args), first, last); \
  }
#define COR_POINTWISE(entry, B, Rank, UnitOut, Block)                                           \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void*) {               \
    using Args = cor::PointwiseArgs<Rank, B::operands>;                                         \
    cor::pointwise_rows<B, Rank, UnitOut, Block>(*static_cast<const Args*>(args), first, last); \
  }
