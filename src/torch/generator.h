#pragma once
// torch's random generators: where a kernel that draws gets its words from. Who serves a call first plans it and makes its kernels
// ready, and then reserves: a generator that has been advanced for a call that falls back would give ATen other numbers.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Generator.h>

#include <algorithm>
#include <iterator>
#include <mutex>
#include <optional>

#include "ops/random/random.h"
#include "torch/devices.h"
#include "torch/tensors.h"

namespace corundum {

// The generator that the user gave, or the default one of the target's device. Refuses where ATen raises an error, and where
// torch's library for this device is not known. While a plan is made there is none: nullptr.
Status find_generator(const Target& target, const std::optional<at::Generator>& given, at::GeneratorImpl** generator);

// GPUs: the state for one kernel, and the generator advanced by `increment` (rounded up to a multiple of 4), as
// CUDAGeneratorImpl::philox_cuda_state gives it: safe while a graph is captured. Takes the generator's mutex.
random::PhiloxState reserve(at::GeneratorImpl& generator, uint64_t increment);

// Makes the kernels of a list ready.
Status prepare(const Target& target, const LaunchList& list);

// GPUs: plans with plan(state, list), makes ready, reserves `increment`, and launches.
template <class Plan>
Status draw(const Target& target, at::GeneratorImpl* generator, uint64_t increment, const Plan& plan) {
  LaunchList list;
  CORUNDUM_TRY(plan(random::PhiloxState(), list));
  if (generator == nullptr) return launch(target, list);
  CORUNDUM_TRY(prepare(target, list));
  LaunchList reserved;
  CORUNDUM_TRY(plan(reserve(*generator, increment), reserved));
  return launch(target, reserved);
}

// CPUs: plans with plan(state of the generator, list) and launches; the generator goes on where the kernel left off. Holds the
// generator's mutex.
template <class Plan>
Status draw_serially(const Target& target, at::GeneratorImpl* generator, const Plan& plan) {
  LaunchList list;
  random::MersenneState state;
  if (generator == nullptr) {
    CORUNDUM_TRY(plan(&state, list));
    return launch(target, list);
  }
  auto& cpu = static_cast<at::CPUGeneratorImpl&>(*generator);
  const std::lock_guard<std::mutex> lock(cpu.mutex_);
  at::mt19937 engine = cpu.engine();
  at::mt19937_data_pod data = engine.data();
  // `left_` counts down to the draw that makes new words, and a fresh engine stands before its first.
  state.used = 625 - data.left_;
  std::copy(data.state_.begin(), data.state_.end(), state.word);
  CORUNDUM_TRY(plan(&state, list));
  CORUNDUM_TRY(launch(target, list));
  std::copy(std::begin(state.word), std::end(state.word), data.state_.begin());
  if (state.used != 625 - data.left_ || data.left_ != 1) data.next_ = static_cast<uint32_t>(state.used);
  data.left_ = 625 - static_cast<int>(state.used);
  engine.set_data(data);
  cpu.set_engine(engine);
  return {};
}

} // namespace corundum
