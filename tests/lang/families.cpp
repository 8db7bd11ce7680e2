#include "lang/families.h"

#include <cstring>

#include "ops/copy/copy.h"
#include "ops/embedding/embedding.h"
#include "ops/layer_norm/layer_norm.h"
#include "ops/pointwise/pointwise.h"
#include "ops/random/random.h"
#include "ops/reduce/reduce.h"
#include "ops/scan/scan.h"
#include "ops/softmax/softmax.h"

namespace corundum::test {
namespace {

void* const aligned = reinterpret_cast<void*>(uintptr_t{1} << 20); // plans look at the address only

pointwise::Call pointwise_call(const char* name, Dtype dtype, pointwise::Signature signature) {
  pointwise::Call call{};
  for (const pointwise::Op& op : pointwise::ops)
    if (!std::strcmp(op.name, name) && op.signature == signature) call.op = &op;
  call.compute = call.out[0].dtype = dtype;
  call.out[0].data = aligned;
  for (auto& in : call.in) in.data = aligned, in.dtype = dtype;
  for (Scalar& s : call.scalars) s = Scalar::of(1.0);
  return call;
}

// f(x) or f(x, y) over dense tensors.
template <pointwise::Signature Signature, Dtype D, int Flag = 0>
Status dense(const char* name, const Chip& chip, LaunchList& list) {
  pointwise::Call call = pointwise_call(name, D, Signature);
  call.flag = Flag;
  if (Signature == pointwise::Signature::comparison) call.out[0].dtype = Dtype::boolean;
  if (Signature == pointwise::Signature::where) call.in[0].dtype = Dtype::boolean;
  return pointwise::plan_dense(chip, call, int64_t{1} << 24, list);
}

template <Dtype From, Dtype To>
Status copy(const Chip& chip, LaunchList& list) {
  pointwise::Call call = pointwise_call("copy_", To, pointwise::Signature::copy);
  call.in[0].dtype = From;
  return pointwise::plan_dense(chip, call, int64_t{1} << 24, list);
}

// x + y over [4096, 4096], with the strides of y in elements, the fastest dimension first.
template <Dtype D>
Status add_strided(const Chip& chip, LaunchList& list, int64_t y0, int64_t y1) {
  const auto size = static_cast<int64_t>(size_of(D));
  const int64_t shape[] = {4096, 4096}, dense[] = {size, 4096 * size}, other[] = {y0 * size, y1 * size};
  pointwise::Call call = pointwise_call("add", D, pointwise::Signature::binary_alpha);
  call.rank = 2;
  call.shape = shape;
  call.out[0].strides = call.in[0].strides = dense;
  call.in[1].strides = other;
  return pointwise::plan(chip, call, list);
}

template <Dtype D>
Status softmax_of(const Chip& chip, LaunchList& list, int64_t outer, int64_t n, int64_t inner, bool log = false) {
  return softmax::plan(chip, {log, aligned, D, aligned, D, outer, n, inner}, list);
}

template <Dtype D>
Status layer_norm_of(const Chip& chip, LaunchList& list, int64_t n) {
  layer_norm::Call call{};
  call.dtype = call.param_dtype = D;
  call.stat_dtype = Dtype::float32;
  call.rows = 4096;
  call.n = n;
  call.in = call.weight = call.bias = call.out = call.mean = call.rstd = aligned;
  call.has_weight = call.has_bias = true;
  call.eps = 1e-5;
  return layer_norm::plan(chip, call, list);
}

// Over the dimensions of `reduced` of a contiguous [rows, columns].
template <Dtype D, Dtype Out = D>
Status reduce_of(const Chip& chip, LaunchList& list, reduce::Kind kind, uint64_t reduced, int64_t rows, int64_t columns) {
  const int64_t sizes[] = {rows, columns}, strides[] = {columns, 1};
  const int64_t left[] = {reduced & 1 ? 1 : rows, reduced & 2 ? 1 : columns}, out_strides[] = {left[1], 1};
  return reduce::plan(chip, {kind, {aligned, D, 2, sizes, strides}, reduced, {aligned, Out, 2, left, out_strides}}, list);
}

template <Dtype D>
Status cumsum_of(const Chip& chip, LaunchList& list, int64_t outer, int64_t n, int64_t inner) {
  return scan::plan(chip, {scan::Kind::sum, aligned, D, aligned, D, outer, n, inner}, list);
}

template <size_t Size>
Status embedding_of(const Chip& chip, LaunchList& list, int64_t n) {
  return embedding::plan(chip, {aligned, 50000, n, n, Size, aligned, Dtype::int64, 4096, aligned}, list);
}

template <int Size>
Status transpose_of(const Chip& chip, LaunchList& list) {
  const int64_t shape[] = {4096, 4096}, unit[] = {Size, 4096 * Size}, row[] = {4096 * Size, Size};
  const bool planned = copy::plan_transpose(chip, {Size, 2, shape, aligned, row, aligned, unit}, list);
  return planned ? Status() : Status::refuse("no transpose");
}

template <Dtype D>
Status random_of(const Chip& chip, LaunchList& list, random::Kind kind) {
  return random::plan_fill(chip, {{kind}, D, aligned, int64_t{1} << 24}, {}, list);
}
template <Dtype D>
Status random_strided(const Chip& chip, LaunchList& list) {
  const int64_t sizes[] = {1024, 1024}, strides[] = {2 * static_cast<int64_t>(size_of(D)), 8192 * static_cast<int64_t>(size_of(D))};
  return random::plan_fill(chip, {{random::Kind::normal}, D, aligned, int64_t{1} << 20, 2, sizes, strides}, {}, list);
}
template <Dtype D>
Status dropout_of(const Chip& chip, LaunchList& list, int64_t n, int vector) {
  return random::plan_dropout(chip, {D, aligned, aligned, aligned, n, 0.5, vector}, {}, list);
}

using pointwise::Signature;
constexpr Dtype f32 = Dtype::float32, bf16 = Dtype::bfloat16, f16 = Dtype::float16, f64 = Dtype::float64, i64 = Dtype::int64;

#define CASE(name, wide_loads, wide_stores, ...)                                                      \
  {                                                                                                   \
    name, [](const Chip& c, LaunchList& l) -> Status { return __VA_ARGS__; }, wide_loads, wide_stores \
  }

} // namespace

const std::vector<FamilyCase>& family_cases() {
  static const std::vector<FamilyCase> cases = {
      CASE("add f32", true, true, dense<Signature::binary_alpha, f32>("add", c, l)),
      CASE("add bf16", true, true, dense<Signature::binary_alpha, bf16>("add", c, l)),
      CASE("gelu f32", true, true, dense<Signature::unary_approximate, f32>("gelu", c, l)),
      CASE("gelu tanh f16", true, true, dense<Signature::unary_approximate, f16, 1>("gelu", c, l)),
      CASE("gelu_backward bf16", true, true, dense<Signature::backward_approximate, bf16>("gelu_backward", c, l)),
      CASE("tanh f64", true, true, dense<Signature::unary, f64>("tanh", c, l)),
      CASE("div floor i64", true, true, dense<Signature::binary_rounding, i64, 1>("div", c, l)),
      CASE("div floor f32", true, true, dense<Signature::binary_rounding, f32, 1>("div", c, l)),
      CASE("clamp bf16", true, true, dense<Signature::clamp, bf16>("clamp", c, l)),
      CASE("eq f32", true, false, dense<Signature::comparison, f32>("eq", c, l)),
      CASE("where f16", true, true, dense<Signature::where, f16>("where", c, l)),
      CASE("fill f32", false, true, dense<Signature::fill, f32>("fill_", c, l)),
      CASE("copy f32 to bf16", true, false, copy<f32, bf16>(c, l)),
      CASE("copy f16 to f32", false, true, copy<f16, f32>(c, l)),
      CASE("copy complex128", true, true, copy<Dtype::complex128, Dtype::complex128>(c, l)),
      CASE("add of a row f32", true, true, add_strided<f32>(c, l, 1, 0)),
      CASE("add of a column bf16", true, true, add_strided<bf16>(c, l, 0, 1)),
      CASE("add of every second f32", false, false, add_strided<f32>(c, l, 2, 8192)),
      CASE("add of a transpose f32", false, false, add_strided<f32>(c, l, 4096, 1)),
      CASE("add of a transpose bf16", false, false, add_strided<bf16>(c, l, 4096, 1)),
      CASE("softmax of 32 f32", true, true, softmax_of<f32>(c, l, 65536, 32, 1)),
      CASE("softmax of 1000 bf16", true, true, softmax_of<bf16>(c, l, 4096, 1000, 1)),
      CASE("softmax of 4097 f32", true, true, softmax_of<f32>(c, l, 4096, 4097, 1)),
      CASE("softmax of 4096 f32", true, true, softmax_of<f32>(c, l, 4096, 4096, 1)),
      CASE("log_softmax of 4096 bf16", true, true, softmax_of<bf16>(c, l, 4096, 4096, 1, true)),
      CASE("softmax of 131072 f32", true, true, softmax_of<f32>(c, l, 64, 131072, 1)),
      CASE("softmax of columns f32", true, true, softmax_of<f32>(c, l, 1, 4096, 4096)),
      CASE("layer_norm of 768 bf16", true, true, layer_norm_of<bf16>(c, l, 768)),
      CASE("layer_norm of 4096 f32", true, true, layer_norm_of<f32>(c, l, 4096)),
      CASE("layer_norm of 65536 f32", true, true, layer_norm_of<f32>(c, l, 65536)),
      CASE("sum of rows f32", true, false, reduce_of<f32>(c, l, reduce::Kind::sum, 2, 4096, 4096)),
      CASE("sum of columns bf16", false, false, reduce_of<bf16>(c, l, reduce::Kind::sum, 1, 4096, 4096)),
      CASE("sum of all f32", true, false, reduce_of<f32>(c, l, reduce::Kind::sum, 3, 8192, 8192)),
      CASE("sum of rows i64", true, false, reduce_of<i64>(c, l, reduce::Kind::sum, 2, 4096, 4096)),
      CASE("mean of odd rows f16", true, false, reduce_of<f16>(c, l, reduce::Kind::mean, 2, 4096, 4095)),
      CASE("norm_p of rows f64", true, false, reduce_of<f64>(c, l, reduce::Kind::norm_p, 2, 4096, 4096)),
      CASE("transpose of 1 byte", true, true, transpose_of<1>(c, l)),
      CASE("transpose of 2 bytes", true, true, transpose_of<2>(c, l)),
      CASE("transpose of 4 bytes", true, true, transpose_of<4>(c, l)),
      CASE("transpose of 8 bytes", true, true, transpose_of<8>(c, l)),
      CASE("transpose of 16 bytes", true, true, transpose_of<16>(c, l)),
      CASE("cumsum of rows f32", true, true, cumsum_of<f32>(c, l, 4096, 4096, 1)),
      CASE("cumsum of short rows bf16", true, true, cumsum_of<bf16>(c, l, 4096, 100, 1)),
      CASE("cumsum of one row f32", true, true, cumsum_of<f32>(c, l, 1, int64_t{1} << 26, 1)),
      CASE("cumsum of columns f32", true, true, cumsum_of<f32>(c, l, 64, 1024, 1024)),
      CASE("cumsum of 32 columns i64", true, true, cumsum_of<i64>(c, l, 1, int64_t{1} << 20, 32)),
      CASE("uniform f32", false, true, random_of<f32>(c, l, random::Kind::uniform)),
      CASE("normal bf16", false, false, random_of<bf16>(c, l, random::Kind::normal)),
      CASE("exponential f32", false, true, random_of<f32>(c, l, random::Kind::exponential)),
      {"cauchy f64", [](const Chip& c, LaunchList& l) { return random_of<f64>(c, l, random::Kind::cauchy); }, false, true, true},
      CASE("log_normal f32", false, true, random_of<f32>(c, l, random::Kind::log_normal)),
      CASE("geometric i64", false, true, random_of<i64>(c, l, random::Kind::geometric)),
      CASE("integers i64", false, true, random_of<i64>(c, l, random::Kind::integers)),
      CASE("wide integers i64", false, true, random_of<i64>(c, l, random::Kind::wide_integers)),
      CASE("any integer f32", false, false, random_of<f32>(c, l, random::Kind::any_integer)),
      CASE("strided normal f32", false, false, random_strided<f32>(c, l)),
      CASE("dropout f32", false, true, dropout_of<f32>(c, l, int64_t{1} << 24, 4)),
      CASE("dropout bf16", false, true, dropout_of<bf16>(c, l, int64_t{1} << 24, 8)),
      CASE("dropout of an odd length f16", false, false, dropout_of<f16>(c, l, (int64_t{1} << 24) + 1, 1)),
      // On sm_100 a register waits in local memory while ptxas's function divides 64 bits.
      {"embedding of 1024 of 2 bytes", [](const Chip& c, LaunchList& l) { return embedding_of<2>(c, l, 1024); }, true, true, true},
      CASE("embedding of 1023 of 4 bytes", false, false, embedding_of<4>(c, l, 1023)),
      CASE("fmod i64", false, false, dense<Signature::binary_dividing, i64>("fmod", c, l)), // by functions that divide 64 bits
  };
  return cases;
}

} // namespace corundum::test
