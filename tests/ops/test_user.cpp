// User-defined operators below torch: definitions from texts, and their kernels on processors and on the emulator of GPUs.
#include "ops/user/definition.h"

#include <cmath>

#include "lang/support.h"

namespace corundum::test {
namespace {

using user::define;
using user::Definition;
using user::DefinitionText;

std::string error_of(const DefinitionText& text) {
  try {
    define(text);
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

TEST(UserDefinition, ReadsArguments) {
  const auto d =
      define({"t::a", "float x, number y,bool mask , *, scalar alpha, scalar beta = -1.5e-3", {"mask ? x * alpha : y + beta"}});
  ASSERT_EQ(d->tensors.size(), 3u);
  EXPECT_EQ(d->tensors[2].name, "mask");
  EXPECT_EQ(d->tensors[2].takes, user::Takes::boolean);
  ASSERT_EQ(d->numbers.size(), 2u);
  EXPECT_EQ(d->numbers[0].standard, "");
  EXPECT_EQ(d->numbers[1].standard, "-1.5e-3");
  EXPECT_EQ(d->promotion, user::Promotion::int_to_float);
  EXPECT_EQ(define({"t::b", "number x, number y", {"x * y + 1"}})->promotion, user::Promotion::standard);
  EXPECT_EQ(define({"t::c", "number x", {"x > 0"}})->output_dtypes, std::vector<Dtype>{Dtype::boolean});
}

TEST(UserDefinition, PointsAtThePlace) {
  const auto says = [](const DefinitionText& text, const char* what) {
    const std::string error = error_of(text);
    EXPECT_NE(error.find(what), std::string::npos) << error;
  };
  says({"t::f", "float x, flaot y", {"x"}}, "arguments, character 10: there is no kind 'flaot'");
  says({"t::f", "float x float y", {"x"}}, "arguments, character 9: a comma is missing");
  says({"t::f", "float x, float x", {"x"}}, "arguments, character 16: there are two arguments 'x'");
  says({"t::f", "float exp", {"exp"}}, "'exp' cannot be the name");
  says({"t::f", "float x, *, scalar a = x", {"x"}}, "arguments, character 24: a number is missing");
  says({"t::f", "float x, scalar a, float y", {"x"}}, "tensors come before numbers");
  says({"t::f", "scalar a", {"a"}}, "at least one tensor");
  says({"t::f", "float x", {"x * z"}}, "t::f: expression, character 5: there is no argument 'z'");
  says({"t::f", "float x", {"x", "x +"}}, "t::f: expression1, character 4");
  says({"t::f", "float x", {"x"}, "upwards"}, "there is no promotion 'upwards'");
  says({"t::f", "number x", {"exp(x)"}, "standard"}, "int_to_float");
  says({"t::f", "number x", {"x & 1"}}, "need int arguments");
  says({"t::f", "float x", {"x"}, "", {"same", "bool"}}, "1 expressions, but 2 outputs");
  says({"t::f", "float x", {"x * x"}, "", {}, {{"x", "2 * x * gard"}}},
       "derivative of x, character 9: there is no argument 'gard'");
  says({"t::f", "float x", {"x * x"}, "", {}, {{"y", "grad"}}}, "there is no tensor argument 'y'");
  says({"t::f", "float x", {"x > 0"}, "", {}, {{"x", "grad"}}}, "outputs of dtype bool");
  says({"aten::f", "float x", {"x"}}, "belongs to torch");
  says({"f", "float x", {"x"}}, "is not a name of an operator");
  says({"t::f_", "float x", {"x"}}, "in-place form");
  says({"t::f", "float a, float b, float c, float d, float e, float f, float g, float h, float i", {"a"}}, "1 to 8 tensors, not 9");
}

TEST(UserDefinition, DerivativesTakeWhatTheyName) {
  const auto d =
      define({"t::mul", "float x, float y, float z", {"x * y + z"}, "", {}, {{"x", "grad * y"}, {"y", "grad * x"}, {"z", "grad"}}});
  ASSERT_EQ(d->backward.size(), 4u); // all, and each
  EXPECT_EQ(d->backward[0].inputs, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(d->backward[0].tensors.size(), 3u); // grad, x, y
  EXPECT_EQ(d->backward[1].definition->name, "t::mul_backward_x");
  EXPECT_EQ(d->backward[1].tensors, (std::vector<std::pair<user::From, int>>{{user::From::gradient, 0}, {user::From::tensor, 1}}));
  EXPECT_EQ(d->backward[3].tensors.size(), 1u);
}

// A kernel's identity is what it computes and its name, not when it was defined.
TEST(UserDefinition, DigestIsOfTheText) {
  const auto a = define({"t::same", "float x, float y", {"x*y"}}), b = define({"t::same", "float x, float y", {" ( x * y ) "}});
  EXPECT_EQ(a->program, b->program);
  EXPECT_NE(a->program->digest, define({"t::same", "float x, float y", {"y*x"}})->program->digest);
  EXPECT_NE(a->program->digest, define({"t::other", "float x, float y", {"x*y"}})->program->digest);
}

class UserKernels : public EachTarget {};
FOR_EACH_TARGET_AND_EMULATOR(UserKernels);

// Two results of four inputs, one of them a condition and one broadcast, at lengths where vectors and blocks end, in every layout.
TEST_P(UserKernels, LayoutsAndLengths) {
  const auto d = define({"t::layouts", "float x, float y, bool m, float z, *, scalar alpha", {"m ? x * alpha : y", "x + z > y"}});
  struct Layout {
    int64_t x0, x1; // strides of x; -1: the row's length
    int64_t out0;   // stride of the first result along dimension 0
  };
  for (const int64_t n : {1, 15, 17, 300, 4097})
    for (const Layout& l : {Layout{1, -1, 1}, Layout{2, -2, 1}, Layout{3, 1, 1}, Layout{1, 0, 2}}) {
      SCOPED_TRACE("n = " + std::to_string(n) + ", x0 = " + std::to_string(l.x0) + ", x1 = " + std::to_string(l.x1));
      const int64_t rows = 3, x1 = l.x1 < 0 ? -l.x1 * n : l.x1;
      Guarded<float> x(static_cast<size_t>(2 * rows * n + 8)), out(static_cast<size_t>(rows * n * l.out0));
      Guarded<uint16_t> y(static_cast<size_t>(rows * n));
      Guarded<bool> m(static_cast<size_t>(rows * n)), above(static_cast<size_t>(rows * n));
      Guarded<float> z(static_cast<size_t>(rows));
      for (int64_t i = 0; i < 2 * rows * n + 8; ++i) x.data()[i] = static_cast<float>(i % 37) - 11;
      for (int64_t i = 0; i < rows * n; ++i) y.data()[i] = bfloat_of(static_cast<float>(i % 19)), m.data()[i] = i % 3 == 0;
      for (int64_t i = 0; i < rows; ++i) z.data()[i] = static_cast<float>(i);
      const int64_t shape[] = {n, rows};
      const int64_t s_out[] = {4 * l.out0, 4 * n * l.out0}, s_x[] = {4 * l.x0, 4 * x1}, s_y[] = {2, 2 * n}, s_b[] = {1, n},
                    s_z[] = {0, 4};
      user::Call call{d->program, Dtype::float32, 2, shape};
      call.operands[0] = {out.data(), Dtype::float32, s_out};
      call.operands[1] = {above.data(), Dtype::boolean, s_b};
      call.operands[2] = {x.data(), Dtype::float32, s_x};
      call.operands[3] = {y.data(), Dtype::bfloat16, s_y};
      call.operands[4] = {m.data(), Dtype::boolean, s_b};
      call.operands[5] = {z.data(), Dtype::float32, s_z};
      call.numbers[0] = Scalar::of(0.5);
      LaunchList list;
      const Status planned = plan(chip(), call, list);
      ASSERT_TRUE(planned.ok()) << planned.reason();
      run_plan(target(), list);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t k = 0; k < n; ++k) {
          const float vx = x[static_cast<size_t>(k * l.x0 + r * x1)], vy = from_bfloat(y[static_cast<size_t>(r * n + k)]);
          ASSERT_EQ(out[static_cast<size_t>((r * n + k) * l.out0)], m[static_cast<size_t>(r * n + k)] ? vx * 0.5f : vy)
              << r << " " << k;
          ASSERT_EQ(above[static_cast<size_t>(r * n + k)], vx + static_cast<float>(r) > vy) << r << " " << k;
        }
      ASSERT_TRUE(out.intact() && above.intact());
    }
}

// Numbers of each kind meet in the common dtype, and integers divide without a trap.
TEST_P(UserKernels, Integers) {
  const auto d = define({"t::integers", "int x, int y", {"x / y + (x & 7)"}});
  const int64_t shape[] = {4}, s8[] = {1}, s64[] = {8};
  Guarded<int8_t> x(4);
  Guarded<int64_t> y(4), out(4);
  const int8_t xs[] = {-128, 100, 7, -7};
  const int64_t ys[] = {-1, 0, 2, 2}, want[] = {128, 104, 10, -2};
  for (size_t i = 0; i < 4; ++i) x.data()[i] = xs[i], y.data()[i] = ys[i];
  user::Call call{d->program, Dtype::int64, 1, shape};
  call.operands[0] = {out.data(), Dtype::int64, s64};
  call.operands[1] = {x.data(), Dtype::int8, s8};
  call.operands[2] = {y.data(), Dtype::int64, s64};
  LaunchList list;
  ASSERT_TRUE(plan(chip(), call, list).ok());
  run_plan(target(), list);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(out[i], want[i]) << i;
}

TEST(UserPlan, Refuses) {
  const auto d = define({"t::refuses", "float x", {"x"}});
  const int64_t shape[] = {4}, strides[] = {8};
  user::Call call{d->program, Dtype::float32, 1, shape};
  call.operands[0] = {nullptr, Dtype::complex64, strides};
  call.operands[1] = {nullptr, Dtype::float32, strides};
  LaunchList list;
  EXPECT_STREQ(plan(*known_chip("avx2"), call, list).reason(), "dtype not covered");
}

} // namespace
} // namespace corundum::test
