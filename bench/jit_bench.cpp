// What a kernel costs before it runs: cold compile, from disk to ready, lookup. One line a number; see docs for the bars.
// Usage: jit_bench [repetitions]. CORUNDUM_NVRTC names libnvrtc.so where the loader does not find it.
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "core/chip.h"
#include "jit/build.h"
#include "jit/cache.h"
#include "jit/runtime.h"
#include "ops/layer_norm/layer_norm.h"
#include "ops/pointwise/pointwise.h"
#include "ops/softmax/softmax.h"

namespace {

using namespace corundum;
using Clock = std::chrono::steady_clock;

double microseconds(Clock::time_point from) { return std::chrono::duration<double, std::micro>(Clock::now() - from).count(); }

// Of this process and the children that it waited for. On a busy machine it says more than the clock on the wall.
double processor_ms() {
  double ms = 0;
  for (int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage;
    getrusage(who, &usage);
    for (const timeval& t : {usage.ru_utime, usage.ru_stime})
      ms += static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  }
  return ms;
}

double median(std::vector<double> v) {
  if (v.empty()) return 0;
  std::nth_element(v.begin(), v.begin() + static_cast<long>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

// The first launch of `op` over dense float32 tensors.
LaunchList plan_of(const Chip& chip, const pointwise::Op& op, float* data) {
  pointwise::Call call{};
  call.op = &op;
  call.compute = Dtype::float32;
  call.out[0].data = data;
  for (int i = 0; i < op.inputs; ++i) {
    call.in[i].data = data;
    if (op.own >> i & 1 && op.signature != pointwise::Signature::copy) call.in[i].dtype = Dtype::boolean;
  }
  for (auto& s : call.scalars) s = Scalar::of(1.0);
  LaunchList list;
  if (Status s = pointwise::plan_dense(chip, call, 64, list); !s) std::printf("%s: %s\n", op.name, s.reason());
  return list;
}

std::vector<KernelKey> keys_of(const Chip& chip) {
  static float data[64];
  std::vector<KernelKey> keys;
  for (const pointwise::Op& op : pointwise::ops) {
    if (!(op.dtypes & pointwise::set_float)) continue;
    const LaunchList list = plan_of(chip, op, data);
    for (uint32_t i = 0; i < list.size(); ++i)
      if (std::find(keys.begin(), keys.end(), list[i].key) == keys.end()) keys.push_back(list[i].key);
  }
  return keys;
}

// Softmax and layer_norm of 4096 columns, float32 and bfloat16.
std::vector<KernelKey> row_keys_of(const Chip& chip) {
  void* const aligned = reinterpret_cast<void*>(uintptr_t{1} << 20); // plans look at the address only
  std::vector<KernelKey> keys;
  for (Dtype dtype : {Dtype::float32, Dtype::bfloat16}) {
    LaunchList list;
    Status s = softmax::plan(chip, {false, aligned, dtype, aligned, dtype, 4096, 4096, 1}, list);
    layer_norm::Call call{};
    call.dtype = call.param_dtype = dtype;
    call.stat_dtype = Dtype::float32;
    call.rows = call.n = 4096;
    call.in = call.weight = call.bias = call.out = call.mean = call.rstd = aligned;
    call.has_weight = call.has_bias = true;
    call.eps = 1e-5;
    if (s) s = layer_norm::plan(chip, call, list);
    if (!s) std::printf("row kernels: %s\n", s.reason());
    for (uint32_t i = 0; i < list.size(); ++i) keys.push_back(list[i].key);
  }
  return keys;
}

// The compiler alone, one kernel after the other.
void cold_compile(const char* target, const char* what, const std::vector<KernelKey>& keys, int repetitions) {
  const Chip& chip = *known_chip(target);
  const Backend& table = *backend(chip.backend);
  std::string why;
  const std::string identity = table.compiler_identity(chip, &why);
  if (identity.empty()) {
    std::printf("%-28s not measured: %s\n", target, why.c_str());
    return;
  }
  std::vector<double> times, processor;
  size_t text_bytes = 0;
  for (int r = 0; r < repetitions; ++r) {
    for (const KernelKey& key : keys) {
      Recipe recipe;
      std::vector<uint8_t> binary;
      std::string log;
      bool interrupted = false;
      if (Status s = make_recipe(table, chip, key, &recipe); !s) std::printf("%s\n", s.reason());
      const double before = processor_ms();
      const auto start = Clock::now();
      if (Status s = table.compile({&chip, recipe.entry, recipe.text}, &binary, &log, &interrupted); !s)
        std::printf("%s: %s\n%s\n", recipe.name.c_str(), s.reason(), log.c_str());
      times.push_back(microseconds(start) / 1000);
      processor.push_back(processor_ms() - before);
      text_bytes = std::max(text_bytes, recipe.text.size());
    }
  }
  const auto [least, most] = std::minmax_element(times.begin(), times.end());
  std::printf(
      "cold compile %-8s %-9s median %6.1f ms, %6.1f ms of processor time  (%.1f to %.1f ms, %zu compiles, text up to %zu KB; "
      "%s)\n",
      target, what, median(times), median(processor), *least, *most, times.size(), text_bytes / 1024, identity.c_str());
}

// Key to ready function with a full disk cache, in processes that start with nothing in memory.
void from_disk(int repetitions) {
  std::vector<double> times, firsts;
  for (int r = 0; r <= repetitions; ++r) { // the first one fills the cache
    int channel[2];
    if (pipe(channel) != 0) return;
    if (fork() == 0) {
      Device& d = *device(*backend("cpu"), 0);
      std::string why;
      const auto first = Clock::now();
      d.backend().compiler_identity(d.chip(), &why); // once a process: asks the compiler for its version
      const double asked = microseconds(first);
      if (write(channel[1], &asked, sizeof asked) < 0) _exit(1);
      for (const KernelKey& key : keys_of(d.chip())) {
        const Function* f = nullptr;
        const auto start = Clock::now();
        const bool ok = d.obtain(key, &f).ok();
        const double us = microseconds(start);
        if (!ok || write(channel[1], &us, sizeof us) < 0) _exit(1);
      }
      _exit(runtime_counters().compiled && r ? 1 : 0);
    }
    close(channel[1]);
    double us;
    for (bool first = true; read(channel[0], &us, sizeof us) == sizeof us; first = false)
      if (r) (first ? firsts : times).push_back(us);
    close(channel[0]);
    int status;
    wait(&status);
    if (status != 0) std::printf("from disk: a child failed\n");
  }
  std::printf("from disk to ready     median %6.0f us  (%zu kernels; besides, once a process: %.0f us to identify the compiler)\n",
              median(times), times.size(), median(firsts));
}

void lookup() {
  Device& d = *device(*backend("cpu"), 0);
  const std::vector<KernelKey> keys = keys_of(d.chip());
  const Function* f = nullptr;
  for (const KernelKey& key : keys)
    if (Status s = d.obtain(key, &f); !s) std::printf("%s\n", s.reason());
  constexpr int rounds = 2'000'000;
  size_t found = 0;
  auto start = Clock::now();
  for (int i = 0; i < rounds; ++i) found += d.find(keys[static_cast<size_t>(i) % keys.size()]) != nullptr;
  std::printf("lookup                 %6.1f ns  (%zu keys%s)\n", microseconds(start) * 1000 / rounds, keys.size(),
              found == rounds ? "" : ", some not found");

  static float data[64];
  start = Clock::now();
  for (int i = 0; i < rounds / 10; ++i) {
    const LaunchList list = plan_of(d.chip(), pointwise::ops[0], data);
    if (!run(d, list, nullptr)) return;
  }
  std::printf("plan, lookup and launch %5.1f ns  (add of 64 floats on the cpu backend, its work included)\n",
              microseconds(start) * 1000 / (rounds / 10));
}

} // namespace

int main(int argc, char** argv) {
  const int repetitions = argc > 1 ? std::max(1, std::atoi(argv[1])) : 3;
  char directory[] = "/tmp/corundum-bench-XXXXXX";
  if (!mkdtemp(directory)) return 1;
  setenv("CORUNDUM_CACHE_DIR", directory, 1);
  from_disk(10); // forks, so before this process has threads or locks of its own
  for (const char* target : {"avx2", "avx512", "sm_90"}) {
    cold_compile(target, "pointwise", keys_of(*known_chip(target)), repetitions);
    cold_compile(target, "rows", row_keys_of(*known_chip(target)), repetitions);
  }
  lookup();
  cache_prune(0);
  const std::string remove = std::string("rm -rf ") + directory;
  return std::system(remove.c_str());
}
