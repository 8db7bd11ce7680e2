#pragma once
// What `explain` tells of single calls: arguments, who served them or why not, and the kernels that were launched for them.
#include <ATen/record_function.h>

#include <atomic>
#include <nlohmann/json.hpp>

#include "core/launch.h"
#include "jit/runtime.h"

namespace corundum::trace {

// How many recorders want single calls. While none does, that costs a launch one relaxed load.
extern std::atomic<int> tracers;
inline bool wanted() { return tracers.load(std::memory_order_relaxed) != 0; }

// Whether a call is the work of a tracer (torch.compile, FakeTensor, a dispatch mode) and not of the program: it computes nothing,
// or is made once more, a level lower.
bool is_shadow(const at::RecordFunction& fn);
bool made_shadow(const at::RecordFunction& fn); // the same by its results, at its end
// Descriptions: tensors as objects {dtype, shape, stride, device}, everything else as text.
nlohmann::json inputs_of(const at::RecordFunction& fn);
nlohmann::json outputs_of(const at::RecordFunction& fn);

// One launch of the call that this thread is in; record.cpp keeps it.
void launched(nlohmann::json launch);
// run(), which also tells the trace of the call that this thread is in what was launched. Only while somebody traces.
Status run_traced(Device& device, const LaunchList& list, void* stream);

} // namespace corundum::trace
