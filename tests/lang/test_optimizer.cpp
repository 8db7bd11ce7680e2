// Steps of optimizers against their formulas in double precision.
#include <cmath>

#include "lang/support.h"
#include "ops/optimizer/optimizer.h"

namespace corundum::test {
namespace {

using optimizer::Kind;

class Optimizer : public EachTarget {
 protected:
  void run(std::optional<ListLaunches>& launches) {
    for (LaunchList list; launches->next(list); list = LaunchList()) run_plan(target(), list);
  }
  void step(Kind kind, const optimizer::Numbers& numbers, const ListItem& item) {
    std::optional<ListLaunches> launches;
    const Status s = optimizer::plan(chip(), {kind, Dtype::float32, numbers, &item, 1}, &launches);
    ASSERT_TRUE(s.ok()) << s.reason();
    run(launches);
  }
};

constexpr size_t n = 2000;
struct Tensors {
  Guarded<float> p{n}, g{n}, m{n}, v{n}, most{n};
  Tensors() {
    for (size_t k = 0; k < n; ++k) {
      const auto x = static_cast<float>(k);
      p.data()[k] = std::sin(x), g.data()[k] = std::cos(3 * x), m.data()[k] = 0.1f * std::sin(5 * x);
      v.data()[k] = 0.01f * std::abs(std::cos(7 * x)), most.data()[k] = 0.005f;
    }
  }
  ListItem item(int lists, const float* number = nullptr) {
    ListItem i{n, {}};
    float* const all[] = {p.data(), g.data(), m.data(), v.data(), most.data()};
    for (int l = 0; l < lists; ++l) i.column[l] = reinterpret_cast<uint64_t>(all[l]);
    i.column[lists] = reinterpret_cast<uint64_t>(number);
    return i;
  }
  bool intact() const { return p.intact() && g.intact() && m.intact() && v.intact() && most.intact(); }
};

// A sum may cancel: its terms are below 0.2.
void expect_near(Guarded<float>& ours, size_t k, double exact) { ASSERT_NEAR(ours[k], exact, 4e-7 * std::abs(exact) + 3e-8) << k; }

TEST_P(Optimizer, Adam) {
  for (const Kind kind : {Kind::adam, Kind::adamw, Kind::adamw_largest}) {
    Tensors t, was;
    const float step_count = 1, scale = 4;
    optimizer::Numbers numbers{.rate = 1e-2, .weight_decay = 0.1, .epsilon = 1e-8, .beta1 = 0.9, .beta2 = 0.999, .maximize = true};
    numbers.scale_at = &scale;
    step(kind, numbers, t.item(optimizer::lists_of(kind), &step_count));
    for (size_t k = 0; k < n; ++k) {
      double p = was.p[k], g = was.g[k] / 4.;
      expect_near(t.g, k, g); // written back, unscaled
      g = -g;
      if (kind == Kind::adam)
        g += 0.1 * p;
      else
        p -= 1e-2 * 0.1 * p;
      const double m = 0.9 * was.m[k] + 0.1 * g, v = 0.999 * was.v[k] + 0.001 * g * g;
      const double most = kind == Kind::adamw_largest ? std::max<double>(was.most[k], v) : v;
      expect_near(t.m, k, m);
      expect_near(t.v, k, v);
      if (kind == Kind::adamw_largest) expect_near(t.most, k, most);
      ASSERT_NEAR(t.p[k], p - 1e-2 / (1 - 0.9) * m / (std::sqrt(most) / std::sqrt(1 - 0.999) + 1e-8), 1e-6) << k;
    }
    EXPECT_TRUE(t.intact());
  }
}

TEST_P(Optimizer, NothingHappensWhereAGradientWasNotFinite) {
  Tensors t, was;
  const float found = 1, rate = 0.5f;
  optimizer::Numbers numbers{};
  numbers.found_at = &found;
  numbers.rate_at = &rate;
  step(Kind::sgd, numbers, t.item(2));
  for (size_t k = 0; k < n; ++k) ASSERT_EQ(t.p[k], was.p[k]);
  numbers.found_at = nullptr;
  step(Kind::sgd, numbers, t.item(2));
  for (size_t k = 0; k < n; ++k) expect_near(t.p, k, double(was.p[k]) - 0.5 * double(was.g[k]));
}

TEST_P(Optimizer, SgdWithMomentum) {
  for (const bool first : {true, false}) {
    Tensors t, was;
    step(Kind::sgd_momentum,
         {.rate = 0.1, .weight_decay = 0.01, .momentum = 0.9, .dampening = 0.2, .nesterov = true, .first_step = first}, t.item(3));
    for (size_t k = 0; k < n; ++k) {
      const double g = was.g[k] + 0.01 * was.p[k], moved = first ? g : 0.9 * was.m[k] + 0.8 * g;
      ASSERT_NEAR(t.m[k], moved, 4e-7) << k;
      ASSERT_NEAR(t.p[k], was.p[k] - 0.1 * (g + 0.9 * moved), 4e-7) << k;
    }
  }
}

TEST_P(Optimizer, Adagrad) {
  Tensors t, was;
  const float step_count = 11;
  ListItem item = t.item(3, &step_count);
  item.column[2] = reinterpret_cast<uint64_t>(t.v.data());
  step(Kind::adagrad, {.rate = 0.1, .weight_decay = 0, .epsilon = 1e-10, .rate_decay = 0.02}, item);
  for (size_t k = 0; k < n; ++k) {
    const double g = was.g[k], sum = was.v[k] + g * g;
    expect_near(t.v, k, sum);
    ASSERT_NEAR(t.p[k], was.p[k] - 0.1 / 1.2 * g / (std::sqrt(sum) + 1e-10), 4e-7) << k;
  }
}

TEST_P(Optimizer, ScalesOfGradients) {
  Tensors t, was;
  const float factor = 0.25f;
  float found = 0, scale = 1024;
  int tracker = 1;
  const ListItem gradients{n, {reinterpret_cast<uint64_t>(t.g.data())}}, one{1, {reinterpret_cast<uint64_t>(&scale)}};
  std::optional<ListLaunches> launches;
  const auto unscale = [&] {
    ASSERT_TRUE(optimizer::plan_unscale(chip(), Dtype::float32, &factor, &found, &gradients, 1, &launches).ok());
    run(launches);
  };
  const auto update = [&] {
    ASSERT_TRUE(optimizer::plan_update(chip(), {&tracker, &found, 2, 0.5, 2, &one}, &launches).ok());
    run(launches);
  };
  unscale();
  for (size_t k = 0; k < n; ++k) ASSERT_EQ(t.g[k], 0.25f * was.g[k]);
  EXPECT_EQ(found, 0);
  update(); // the second step in a row
  EXPECT_EQ(scale, 2048);
  EXPECT_EQ(tracker, 0);
  t.g.data()[n - 1] = -INFINITY;
  unscale();
  EXPECT_EQ(found, 1);
  update();
  EXPECT_EQ(scale, 1024);
  EXPECT_EQ(tracker, 0);
  found = 0, tracker = 1, scale = 3e38f; // never to infinity
  update();
  EXPECT_EQ(scale, 3e38f);
  EXPECT_EQ(tracker, 0);
}

FOR_EACH_TARGET_AND_EMULATOR(Optimizer);

} // namespace
} // namespace corundum::test
