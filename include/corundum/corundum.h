#pragma once
// The public C++ API. The same operations, with the same words, as the Python package.
#include <cstdint>

#define CORUNDUM_API __attribute__((visibility("default")))

extern "C" {
// Runs one command; arguments and answer are JSON objects. The answer always has "ok"; when it is false, "error" is a sentence for
// the user and "kind" is one of "value", "type", "runtime". The caller frees the answer with corundum_free.
//
//   command       arguments                              answer
//   enable        only, exclude (lists of names or null), overloads: how many are registered
//                 program (a name, optional): what it used in earlier processes is made ready in the background
//   disable                                               restored: how many
//   use_push      only, exclude                           token
//   use_pop       token
//   ops                                                   ops: [{overload, family, backends, dtypes, via, enabled}]
//   record_start  trace (optional: keep single calls)     token
//   record_stop   token                                   calls: [{overload, count, total_us, served: {implementation: count},
//                                                                  fell_back: {reason: count}, composite}],
//                                                         trace: [{overload, depth, thread, inputs, outputs, us, implementation,
//                                                                  reason, launches: [{kernel, symbol, grid, threads, ...}]}]
//   guards        on: a debug switch                       damage: [what was written beside our memory since the last call]
//   info                                                  version, torch, backends, packs, cache, counters, config
//   cache         action: stats|verify|prune|path, max_bytes
//   plan_begin    target                                  (this thread then plans instead of launching, until plan_end)
//   plan_end                                              token, kernels: [text of each key]
//   pack_write    token, path, threads                    kernels, bytes, failed, errors
//   pack_progress token                                   done: kernels of that plan compiled so far, while pack_write runs
//   pack_open     path
//   bind_device   device ("privateuseone"), backend       serves tensors of that device type by that backend
//   define        name, arguments, expressions, promotion, outputs, derivative (docs/user-operators.md)
//                                                         name, tensors, numbers (names of arguments), outputs: how many,
//                                                         backward: names of the operators that compute derivatives
//   define_trace  name, is_bool, numbers, number_dtype, steps, outputs, backward (src/ops/user/definition.h)
//                                                         the same
//   defined       name (optional)                         the same; without a name: names of all of them
CORUNDUM_API char* corundum_call(const char* command, const char* arguments);
CORUNDUM_API void corundum_free(char* answer);
}
