#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/backend.h"
#include "core/chip.h"
#include "core/dtype.h"
#include "core/family.h"
#include "core/status.h"
#include "core/sync.h"

namespace corundum {
namespace {

TEST(DtypeTable, RowsAreInTheOrderOfTheEnum) {
  EXPECT_STREQ(info(Dtype::boolean).name, "bool");
  EXPECT_STREQ(info(Dtype::int64).kernel_type, "long long");
  EXPECT_STREQ(info(Dtype::uint32).short_name, "u32");
  EXPECT_STREQ(info(Dtype::bfloat16).kernel_type, "cor::bf16");
  EXPECT_STREQ(info(Dtype::bfloat16).compute_type, "float");
  EXPECT_STREQ(info(Dtype::float64).compute_type, "double");
  EXPECT_STREQ(info(Dtype::complex128).short_name, "c128");
  EXPECT_STREQ(info(Dtype::float8_e5m2).kernel_type, "cor::f8e5m2");
  EXPECT_EQ(size_of(Dtype::complex128), 16u);
  EXPECT_EQ(size_of(Dtype::float8_e4m3fn), 1u);
  EXPECT_TRUE(is_integral(Dtype::boolean));
  EXPECT_FALSE(is_integral(Dtype::complex64));
  EXPECT_EQ(size_of(Dtype::invalid), 0u);
}

TEST(DtypeTable, NamesAndSizesAgree) {
  for (int i = 0; i < static_cast<int>(Dtype::count); ++i) {
    const DtypeInfo& d = info(static_cast<Dtype>(i));
    const std::string name = d.name;
    const size_t digits = name.find_first_of("0123456789");
    if (digits != std::string::npos) {
      EXPECT_EQ(std::stoi(name.substr(digits)), 8 * d.size) << name;
    }
    EXPECT_FALSE(d.is_floating && d.is_complex) << d.name;
  }
}

TEST(Reasons, AreStoredOncePerText) {
  const char* a = intern("a reason");
  EXPECT_EQ(a, intern(std::string("a ") + "reason"));
  EXPECT_NE(a, intern("another reason"));
  EXPECT_TRUE(Status().ok());
  EXPECT_EQ(Status::refuse(std::string_view("a reason")).reason(), a);
}

TEST(Reasons, FromManyThreads) {
  std::vector<const char*> seen(8);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 1000; ++i) intern("reason " + std::to_string(i));
      seen[t] = intern("reason 500");
    });
  for (std::thread& t : threads) t.join();
  for (const char* s : seen) EXPECT_EQ(s, seen[0]);
}

TEST(Chips, AreFoundByTarget) {
  const Chip* hopper = known_chip("sm_90");
  ASSERT_NE(hopper, nullptr);
  EXPECT_EQ(hopper->multiprocessors, 132u);
  EXPECT_EQ(hopper->shared_bytes, 232448u); // what the device's attribute says
  EXPECT_EQ(hopper->l2_bytes, 60u << 20);
  EXPECT_TRUE(hopper->simt);
  EXPECT_FALSE(known_chip("avx512")->simt);
  EXPECT_EQ(known_chip("avx512")->vector_bytes, 64u);
  EXPECT_EQ(known_chip("sm_9"), nullptr);
  EXPECT_EQ(known_chip(""), nullptr);
}

TEST(Backends, RegistryTakesEachNameOnceAndOnlyThisAbi) {
  static Backend vendor{.name = "a vendor's"};
  static Backend same_name{.name = "a vendor's"};
  static Backend too_new{.abi = Backend::current_abi + 1, .name = "from the future"};
  static Backend nameless{};
  const size_t before = backends().size();
  EXPECT_FALSE(register_backend(&too_new));
  EXPECT_FALSE(register_backend(&nameless));
  EXPECT_TRUE(register_backend(&vendor));
  EXPECT_FALSE(register_backend(&same_name));
  EXPECT_EQ(backends().size(), before + 1);
  EXPECT_EQ(backend("a vendor's"), &vendor);
  EXPECT_EQ(backend("from the future"), nullptr);
  ASSERT_NE(backend("cpu"), nullptr);
  ASSERT_NE(backend("cuda"), nullptr);
}

TEST(Families, AreFoundByIdAndName) {
  for (const char* name : {"pointwise", "reduce", "softmax", "layer_norm", "embedding"}) {
    const Family* f = family(std::string(name));
    ASSERT_NE(f, nullptr) << name;
    EXPECT_EQ(family(f->id()), f);
  }
  EXPECT_EQ(family(uint16_t{0}), nullptr);
  EXPECT_EQ(family(uint16_t{60000}), nullptr);
  EXPECT_EQ(family(std::string("none")), nullptr);
}

TEST(Sync, OnceIsMadeByOneThread) {
  Once<int> once;
  std::atomic<int> made{0}, sum{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      sum += once.get([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return ++made;
      });
    });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(sum, 8);
}

TEST(Sync, OnceThatThrewIsTriedAgain) {
  Once<int> once;
  EXPECT_THROW(once.get([]() -> int { throw std::runtime_error("not now"); }), std::runtime_error);
  EXPECT_EQ(once.get([] { return 5; }), 5);
}

TEST(Sync, FlightPassesToAWaiterWhenItIsNotDone) {
  Flight flight;
  ASSERT_TRUE(flight.claim());
  std::atomic<int> claims{0};
  std::vector<std::thread> waiters;
  for (int t = 0; t < 4; ++t)
    waiters.emplace_back([&] {
      if (flight.claim()) {
        ++claims;
        flight.land(true);
      }
    });
  flight.land(false);
  for (std::thread& t : waiters) t.join();
  EXPECT_EQ(claims, 1);
  EXPECT_TRUE(flight.landed());
}

} // namespace
} // namespace corundum
