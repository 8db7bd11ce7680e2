#include "torch/record.h"

#include <ATen/record_function.h>

#include <chrono>
#include <mutex>
#include <stdexcept>

namespace corundum::record {

std::atomic<int> recorders{0};

namespace {

using Clock = std::chrono::steady_clock;

// One aten call in progress. RecordFunction keeps it from the call's start to its end.
struct Frame final : at::ObserverContext {
  std::string overload;
  Clock::time_point began;
  const char* implementation = nullptr;
  const char* reason = nullptr;
  Frame* outer = nullptr;
  bool passed_on = false; // a transform or a mode (vmap) called the same overload again, a level lower: one call, not two
};

thread_local Frame* current = nullptr;

struct Recorders {
  std::mutex mutex;
  uint64_t next = 1;
  std::map<uint64_t, std::map<std::string, CallStats>> open;
  at::CallbackHandle callback = at::INVALID_CALLBACK_HANDLE;
};

// Leaked: calls may still end while the process exits.
Recorders& state() {
  static auto* recorders = new Recorders;
  return *recorders;
}

std::string overload_of(const at::RecordFunction& fn) {
  std::string name = fn.name();
  if (name.rfind("aten::", 0) == 0) name.erase(0, 6);
  const char* overload = fn.overload_name();
  if (overload != nullptr && *overload != '\0') name.append(".").append(overload);
  return name;
}

std::unique_ptr<at::ObserverContext> call_starts(const at::RecordFunction& fn) {
  // Only calls that came through the dispatcher have an operator name; user annotations do not.
  if (recorders.load(std::memory_order_relaxed) == 0 || !fn.operator_name()) return nullptr;
  auto frame = std::make_unique<Frame>();
  frame->overload = overload_of(fn);
  frame->outer = current;
  frame->began = Clock::now();
  current = frame.get();
  return frame;
}

void add(CallStats& stats, const Frame& frame, double us) {
  stats.count += 1;
  stats.total_us += us;
  if (frame.reason != nullptr)
    stats.fell_back[frame.reason] += 1;
  else if (frame.implementation != nullptr)
    stats.served[frame.implementation] += 1;
}

void call_ends(const at::RecordFunction&, at::ObserverContext* context) {
  auto* frame = static_cast<Frame*>(context);
  if (frame == nullptr) return;
  const double us = std::chrono::duration<double, std::micro>(Clock::now() - frame->began).count();
  current = frame->outer;
  if (current != nullptr && current->overload == frame->overload) current->passed_on = true;
  if (frame->passed_on && frame->implementation == nullptr && frame->reason == nullptr) return;
  Recorders& all = state();
  std::lock_guard lock(all.mutex);
  for (auto& [token, calls] : all.open) add(calls[frame->overload], *frame, us);
}

} // namespace

void mark(const char* implementation, const char* reason) {
  if (current == nullptr) return;
  current->implementation = implementation;
  current->reason = reason;
}

uint64_t start() {
  Recorders& all = state();
  std::lock_guard lock(all.mutex);
  if (all.open.empty()) {
    recorders.store(1, std::memory_order_relaxed);
    all.callback = at::addGlobalCallback(at::RecordFunctionCallback(call_starts, call_ends).scopes({at::RecordScope::FUNCTION}));
  }
  all.open.emplace(all.next, std::map<std::string, CallStats>());
  return all.next++;
}

std::map<std::string, CallStats> stop(uint64_t token) {
  Recorders& all = state();
  std::lock_guard lock(all.mutex);
  auto found = all.open.find(token);
  if (found == all.open.end()) throw std::invalid_argument("record_stop: no recording has token " + std::to_string(token));
  auto calls = std::move(found->second);
  all.open.erase(found);
  if (all.open.empty()) {
    recorders.store(0, std::memory_order_relaxed);
    at::removeCallback(all.callback);
  }
  return calls;
}

} // namespace corundum::record
