#pragma once
// Who served which call: an observer of every aten call (at::RecordFunction), which changes no dispatch. Our functions mark the
// call that they are in; while nobody records that costs one relaxed load.
#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace corundum::record {

struct CallStats {
  uint64_t count = 0;
  double total_us = 0;                    // nested calls included
  std::map<std::string, uint64_t> served; // by implementation; calls of operators that are not ours are in neither map
  std::map<std::string, uint64_t> fell_back;
};

struct Recording {
  std::map<std::string, CallStats> calls; // by overload, without "aten::"
  std::vector<std::string> trace;         // JSON objects in the order in which the calls began; empty when nothing was traced
};

extern std::atomic<int> recorders;

void mark(const char* implementation, const char* reason);

// The call that this thread is in was served by our own kernel.
inline void served(const char* implementation) {
  if (recorders.load(std::memory_order_relaxed) != 0) [[unlikely]]
    mark(implementation, nullptr);
}
// It goes to the previously registered kernel. `reason` lives for ever.
inline void fell_back(const char* reason) {
  if (recorders.load(std::memory_order_relaxed) != 0) [[unlikely]]
    mark(nullptr, reason);
}

// Recorders nest; each sees all calls of all threads from its start on. One that `traces` keeps single calls, too.
uint64_t start(bool traces = false);
// Throws std::invalid_argument for an unknown token.
Recording stop(uint64_t token);

} // namespace corundum::record
