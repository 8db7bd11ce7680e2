#include "torch/record.h"

#include <ATen/record_function.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "torch/trace.h"

namespace corundum::record {

std::atomic<int> recorders{0};

namespace {

using Clock = std::chrono::steady_clock;

// A call as a trace keeps it.
struct Traced {
  uint64_t order = 0;
  nlohmann::json call;
};

// One aten call in progress. RecordFunction keeps it from the call's start to its end.
struct Frame final : at::ObserverContext {
  std::string overload;
  Clock::time_point began;
  const char* implementation = nullptr;
  const char* reason = nullptr;
  Frame* outer = nullptr;
  std::unique_ptr<Traced> traced;
  bool passed_on = false; // a transform or a mode (vmap) called the same overload again, a level lower: one call, not two
};

thread_local Frame* current = nullptr;

struct Recorder {
  bool traces = false;
  std::map<std::string, CallStats> calls;
  std::vector<std::pair<uint64_t, std::string>> trace;
};

struct Recorders {
  std::mutex mutex;
  uint64_t next = 1;
  std::map<uint64_t, Recorder> open;
  at::CallbackHandle callback = at::INVALID_CALLBACK_HANDLE;
};

std::atomic<uint64_t> next_order{0};

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

std::unique_ptr<Traced> trace_start(const at::RecordFunction& fn, const Frame& frame) {
  if (trace::is_shadow(fn)) return nullptr;
  int depth = 0;
  for (const Frame* outer = frame.outer; outer != nullptr; outer = outer->outer) depth += outer->traced != nullptr;
  return std::make_unique<Traced>(Traced{next_order++,
                                         {{"overload", frame.overload},
                                          {"depth", depth},
                                          {"thread", fn.threadId()},
                                          {"inputs", trace::inputs_of(fn)},
                                          {"launches", nlohmann::json::array()}}});
}

std::string trace_end(const at::RecordFunction& fn, Frame& frame, double us) {
  nlohmann::json& call = frame.traced->call;
  call["outputs"] = trace::outputs_of(fn);
  call["us"] = us;
  call["implementation"] = frame.reason == nullptr && frame.implementation != nullptr ? frame.implementation : "";
  call["reason"] = frame.reason != nullptr ? frame.reason : "";
  return call.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::unique_ptr<at::ObserverContext> call_starts(const at::RecordFunction& fn) {
  // Only calls that came through the dispatcher have an operator name; user annotations do not.
  if (recorders.load(std::memory_order_relaxed) == 0 || !fn.operator_name()) return nullptr;
  auto frame = std::make_unique<Frame>();
  frame->overload = overload_of(fn);
  frame->outer = current;
  if (trace::wanted()) frame->traced = trace_start(fn, *frame);
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

void call_ends(const at::RecordFunction& fn, at::ObserverContext* context) {
  auto* frame = static_cast<Frame*>(context);
  if (frame == nullptr) return;
  const double us = std::chrono::duration<double, std::micro>(Clock::now() - frame->began).count();
  current = frame->outer;
  if (current != nullptr && current->overload == frame->overload) current->passed_on = true;
  if (frame->passed_on && frame->implementation == nullptr && frame->reason == nullptr) return;
  std::string text;
  if (frame->traced != nullptr && !trace::made_shadow(fn)) text = trace_end(fn, *frame, us);
  Recorders& all = state();
  std::lock_guard lock(all.mutex);
  for (auto& [token, recorder] : all.open) {
    add(recorder.calls[frame->overload], *frame, us);
    if (recorder.traces && !text.empty()) recorder.trace.emplace_back(frame->traced->order, text);
  }
}

// Arguments cost time: only a trace asks for them.
void watch(Recorders& all, bool with_arguments) {
  if (all.callback != at::INVALID_CALLBACK_HANDLE) at::removeCallback(all.callback);
  all.callback = at::addGlobalCallback(at::RecordFunctionCallback(call_starts, call_ends)
                                           .scopes({at::RecordScope::FUNCTION})
                                           .needsInputs(with_arguments)
                                           .needsOutputs(with_arguments));
}

} // namespace

void mark(const char* implementation, const char* reason) {
  if (current == nullptr) return;
  current->implementation = implementation;
  current->reason = reason;
}

uint64_t start(bool traces) {
  Recorders& all = state();
  std::lock_guard lock(all.mutex);
  if (traces) trace::tracers.fetch_add(1, std::memory_order_relaxed);
  recorders.store(1, std::memory_order_relaxed);
  if (all.open.empty() || traces) watch(all, trace::wanted());
  all.open[all.next].traces = traces;
  return all.next++;
}

Recording stop(uint64_t token) {
  Recorders& all = state();
  std::lock_guard lock(all.mutex);
  auto found = all.open.find(token);
  if (found == all.open.end()) throw std::invalid_argument("record_stop: no recording has token " + std::to_string(token));
  Recorder ended = std::move(found->second);
  all.open.erase(found);
  if (ended.traces) trace::tracers.fetch_sub(1, std::memory_order_relaxed);
  if (all.open.empty()) {
    recorders.store(0, std::memory_order_relaxed);
    at::removeCallback(std::exchange(all.callback, at::INVALID_CALLBACK_HANDLE));
  } else if (ended.traces) {
    watch(all, trace::wanted());
  }
  std::sort(ended.trace.begin(), ended.trace.end());
  Recording result{std::move(ended.calls), {}};
  for (auto& [order, call] : ended.trace) result.trace.push_back(std::move(call));
  return result;
}

} // namespace corundum::record

void corundum::trace::launched(nlohmann::json launch) {
  if (record::current != nullptr && record::current->traced != nullptr)
    record::current->traced->call["launches"].push_back(std::move(launch));
}
