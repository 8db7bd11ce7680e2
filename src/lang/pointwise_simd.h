#pragma once
// The lowering of pointwise kernels to loops that vectorise.
namespace cor {

// A run of elements along dimension 0.
template <class O>
struct Run {
  using V = typename O::V;
  const typename O::S* p;
  V value;
  i64 stride;
  COR_FN void begin(const u64* slot, i64 offset, i64 stride0) {
    stride = stride0;
    if constexpr (O::kind == Kind::scalar)
      value = number<V>(slot);
    else
      p = reinterpret_cast<const typename O::S*>(*slot) + offset;
    if constexpr (O::kind == Kind::broadcast) value = convert<V>(p[0]);
  }
  COR_FN V at(i64 k) const {
    if constexpr (O::kind == Kind::contiguous)
      return convert<V>(p[k]);
    else if constexpr (O::kind == Kind::scalar || O::kind == Kind::broadcast)
      return value;
    else
      return convert<V>(p[k * stride]);
  }
};

// Offsets and strides are those of the outputs, then of the inputs.
template <class B, bool UnitOut>
COR_FN void run_pointwise(const PointwiseHead<B>& h, const i64* off, const i64* stride, i64 count) {
  const Scalars<B> s(h);
  typename B::template Each<Run> in;
  in.visit([&](auto& run, int i)
               __attribute__((always_inline)) { run.begin(h.in + i * B::slots, off[B::outputs + i], stride[B::outputs + i]); });
  if constexpr (same<typename B::Out0, Verdict>) {
    for (i64 k = 0; k < count;) {
      if (is_settled(h.out[0])) return;
      const i64 end = count - k < 4096 ? count : k + 4096;
      u32 differ = 0;
      for (; k < end; ++k) differ |= !in.at(k, s);
      if (differ) settle(h.out[0]);
    }
  } else if constexpr (B::outputs > 1) {
    void* out[B::outputs];
    i64 step[B::outputs];
    for (int o = 0; o < B::outputs; ++o) out[o] = h.out[o], step[o] = UnitOut ? 1 : stride[o];
#pragma GCC ivdep
    for (i64 k = 0; k < count; ++k) {
      const auto r = in.at(k, s);
      B::each_output([&](auto member, auto type, int o) __attribute__((always_inline)) {
        using Out = typename decltype(type)::type;
        static_cast<Out*>(out[o])[off[o] + k * step[o]] = convert<Out>(r.*member);
      });
    }
  } else {
    auto* out = static_cast<typename B::Out0*>(h.out[0]) + off[0];
    if constexpr (UnitOut && sizeof(typename B::Out0) == 2) {
      constexpr int step = 256;
      i64 k = 0;
      for (; k + step <= count; k += step)
        put_run<step>(
            out + k, step, [&](int i) __attribute__((always_inline)) { return in.at(k + i, s); });
      put_run<step>(
          out + k, static_cast<int>(count - k), [&](int i) __attribute__((always_inline)) { return in.at(k + i, s); });
    } else {
#pragma GCC ivdep
      for (i64 k = 0; k < count; ++k) out[UnitOut ? k : k * stride[0]] = convert<typename B::Out0>(in.at(k, s));
    }
  }
}

template <class B, i64 Block>
static void pointwise_flat(const PointwiseHead<B>& h, i64 first, i64 last) {
  constexpr int operands = B::outputs + B::inputs;
  const i64 begin = first * Block, end = last * Block < h.n ? last * Block : h.n;
  i64 off[operands], stride[operands];
  for (int o = 0; o < operands; ++o) off[o] = B::broadcasts >> o & 1 ? 0 : begin, stride[o] = 1;
  run_pointwise<B, true>(h, off, stride, end - begin);
}

// Blocks are stretches of dimension 0 of at most Block elements; what dimensions above them are left is counted by an odometer.
template <class B, int Rank, bool UnitOut, i64 Block>
static void pointwise_rows(const PointwiseArgs<B, Rank>& a, i64 first, i64 last) {
  constexpr int operands = B::outputs + B::inputs;
  const i64 size0 = a.shape.dims[0].size, pieces = (size0 + Block - 1) / Block;
  i64 row = first / pieces, piece = first % pieces;
  i64 index[Rank] = {}, off[operands] = {};
  for (int d = 1; d < Rank; ++d) {
    index[d] = row % a.shape.dims[d].size;
    row /= a.shape.dims[d].size;
    for (int o = 0; o < operands; ++o) off[o] += index[d] * a.stride[d][o];
  }
  for (i64 b = first; b < last; ++b) {
    const i64 begin = piece * Block, count = size0 - begin < Block ? size0 - begin : Block;
    i64 here[operands];
    for (int o = 0; o < operands; ++o) here[o] = off[o] + begin * a.stride[0][o];
    run_pointwise<B, UnitOut>(a.head, here, a.stride[0], count);
    if (++piece < pieces) continue;
    piece = 0;
    for (int d = 1; d < Rank; ++d) {
      for (int o = 0; o < operands; ++o) off[o] += a.stride[d][o];
      if (++index[d] < a.shape.dims[d].size) break;
      for (int o = 0; o < operands; ++o) off[o] -= index[d] * a.stride[d][o];
      index[d] = 0;
    }
  }
}

} // namespace cor

#define COR_POINTWISE_FLAT(entry, B, Block)                                                       \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void*) {                 \
    cor::pointwise_flat<B, Block>(*static_cast<const cor::PointwiseHead<B>*>(args), first, last); \
  }
#define COR_POINTWISE(entry, B, Rank, UnitOut, Block)                                           \
  extern "C" void entry(const void* args, cor::i64 first, cor::i64 last, void*) {               \
    using Args = cor::PointwiseArgs<B, Rank>;                                                   \
    cor::pointwise_rows<B, Rank, UnitOut, Block>(*static_cast<const Args*>(args), first, last); \
  }
