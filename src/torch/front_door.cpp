// corundum_call: one C function, JSON in and out, that carries the Python package and any other language.
#include <torch/version.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "core/backend.h"
#include "core/config.h"
#include "core/family.h"
#include "corundum/corundum.h"
#include "jit/cache.h"
#include "jit/pack.h"
#include "torch/devices.h"
#include "torch/guards.h"
#include "torch/registry.h"
#include "torch/user_operator.h"

namespace corundum {

namespace {

using Json = nlohmann::json;
using Names = std::vector<std::string>;

// An argument of the wrong JSON type.
struct TypeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

template <class T>
T argument(const Json& arguments, const char* name) {
  const auto found = arguments.find(name);
  if (found == arguments.end() || found->is_null()) throw std::invalid_argument(std::string("argument '") + name + "' is missing");
  try {
    return found->get<T>();
  } catch (const Json::exception&) {
    throw TypeError(std::string("argument '") + name + "' has the wrong type: " + found->dump());
  }
}

template <class T>
T argument(const Json& arguments, const char* name, T otherwise) {
  const auto found = arguments.find(name);
  return found == arguments.end() || found->is_null() ? otherwise : argument<T>(arguments, name);
}

Selection selection(const Json& arguments) {
  Selection chosen;
  if (arguments.contains("only") && !arguments["only"].is_null()) chosen.only = argument<Names>(arguments, "only");
  chosen.exclude = argument<Names>(arguments, "exclude", {});
  return chosen;
}

// A refusal that reaches the user.
void require(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.reason());
}

Json on_enable(const Json& arguments) {
  const int count = enable(selection(arguments));
  if (const auto program = argument<std::string>(arguments, "program", ""); !program.empty()) follow_program(program);
  return {{"overloads", count}};
}
Json on_disable(const Json&) { return {{"restored", disable()}}; }
Json on_use_push(const Json& arguments) { return {{"token", push_mask(selection(arguments))}}; }

Json on_use_pop(const Json& arguments) {
  pop_mask(argument<uint64_t>(arguments, "token"));
  return Json::object();
}

Names words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

Json on_ops(const Json&) {
  Json rows = Json::array();
  for (const OverloadInfo& row : list_overloads()) {
    rows.push_back({{"overload", row.overload},
                    {"family", row.family},
                    {"backends", row.backends},
                    {"dtypes", words(row.dtypes)},
                    {"via", row.via},
                    {"enabled", row.enabled}});
  }
  return {{"ops", rows}};
}

Json on_record_start(const Json& arguments) { return {{"token", record::start(argument<bool>(arguments, "trace", false))}}; }

Json on_record_stop(const Json& arguments) {
  Json calls = Json::array(), trace = Json::array();
  const record::Recording recording = record::stop(argument<uint64_t>(arguments, "token"));
  for (const std::string& call : recording.trace) trace.push_back(Json::parse(call));
  for (const auto& [overload, stats] : recording.calls) {
    calls.push_back({{"overload", overload},
                     {"count", stats.count},
                     {"total_us", stats.total_us},
                     {"served", stats.served},
                     {"fell_back", stats.fell_back},
                     {"composite", is_composite(overload)}});
  }
  return {{"calls", calls}, {"trace", trace}};
}

Json on_guards(const Json& arguments) {
  guards::switch_to(argument<bool>(arguments, "on"));
  return {{"damage", guards::damage()}};
}

Json describe(const Backend& backend) {
  Json devices = Json::array();
  for (int i = 0; i < backend.device_count(); ++i) {
    const Chip& chip = backend.chip(i);
    std::string why;
    const std::string compiler = backend.compiler_identity(chip, &why);
    devices.push_back({{"name", chip.name}, {"target", chip.target}, {"compiler", compiler}, {"no_compiler", why}});
  }
  return {{"name", backend.name}, {"about", backend.describe != nullptr ? backend.describe() : ""}, {"devices", devices}};
}

Json describe(const CacheStats& stats) {
  Json targets = Json::array();
  for (const auto& t : stats.targets) targets.push_back({{"target", t.target}, {"entries", t.entries}, {"bytes", t.bytes}});
  return {{"path", stats.path},   {"refusal", stats.refusal}, {"entries", stats.entries},
          {"bytes", stats.bytes}, {"faulty", stats.faulty},   {"targets", targets}};
}

Json describe(const RuntimeCounters& counters) {
  return {{"from_pack", counters.from_pack.load()},   {"from_disk", counters.from_disk.load()},
          {"compiled", counters.compiled.load()},     {"failed", counters.failed.load()},
          {"prefetched", counters.prefetched.load()}, {"cache_faults", counters.cache_faults.load()},
          {"compile_us", counters.compile_us.load()}, {"load_us", counters.load_us.load()}};
}

Json describe(const Config& c) {
  return {{"cache_dir", c.cache_dir},   {"jit", c.jit}, {"packs", c.packs}, {"cxx", c.cxx}, {"nvrtc", c.nvrtc},
          {"cpu_target", c.cpu_target}, {"log", c.log}};
}

Json on_info(const Json&) {
  Json tables = Json::array(), packs = Json::array();
  for (const Backend* table : backends()) tables.push_back(describe(*table));
  for (const PackInfo& pack : open_packs())
    packs.push_back({{"path", pack.path}, {"target", pack.target}, {"kernels", pack.kernels}});
  return {{"version", CORUNDUM_VERSION},
          {"torch", TORCH_VERSION},
          {"backends", tables},
          {"packs", packs},
          {"cache", describe(cache_stats())},
          {"counters", describe(runtime_counters())},
          {"config", describe(config())}};
}

Json on_cache(const Json& arguments) {
  const auto action = argument<std::string>(arguments, "action");
  if (action == "stats") return describe(cache_stats());
  if (action == "verify") return describe(cache_verify());
  if (action == "prune") return {{"removed", cache_prune(argument<uint64_t>(arguments, "max_bytes", 0))}, {"path", cache_path()}};
  if (action == "path") return {{"path", cache_path()}};
  throw std::invalid_argument("cache: unknown action '" + action + "'; there are stats, verify, prune and path");
}

// Plans that have ended, until the process does: a pack may be written from one more than once.
struct Plans {
  std::mutex mutex;
  std::map<uint64_t, PlanResult> ended;
  std::map<uint64_t, size_t> compiled; // kernels of the pack that is being written, by plan
  static Plans& get() {
    static auto* plans = new Plans;
    return *plans;
  }
};

Json on_plan_begin(const Json& arguments) {
  begin_plan(argument<std::string>(arguments, "target"));
  return Json::object();
}

Json on_plan_end(const Json&) {
  PlanResult result = end_plan();
  Json kernels = Json::array();
  for (const KernelKey& key : result.keys) kernels.push_back(family(key.family)->describe(key));
  Plans& plans = Plans::get();
  std::lock_guard lock(plans.mutex);
  const uint64_t token = plans.ended.size() + 1;
  plans.ended.emplace(token, std::move(result));
  return {{"token", token}, {"kernels", kernels}};
}

PlanResult ended_plan(uint64_t token) {
  Plans& plans = Plans::get();
  std::lock_guard lock(plans.mutex);
  const auto found = plans.ended.find(token);
  if (found == plans.ended.end()) throw std::invalid_argument("pack_write: no plan has token " + std::to_string(token));
  return found->second;
}

Json on_pack_write(const Json& arguments) {
  const PlanResult plan = ended_plan(argument<uint64_t>(arguments, "token"));
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const int threads = argument<int>(arguments, "threads", cores);
  if (threads < 1) throw std::invalid_argument("pack_write: threads must be at least 1");
  const auto token = argument<uint64_t>(arguments, "token");
  const auto progress = [token](size_t done, size_t) {
    Plans& plans = Plans::get();
    std::lock_guard lock(plans.mutex);
    plans.compiled[token] = done;
  };
  PackResult result;
  require(write_pack(argument<std::string>(arguments, "path"), plan.chip, plan.keys, threads, progress, &result));
  return {{"kernels", result.kernels}, {"bytes", result.bytes}, {"failed", result.failed}, {"errors", result.errors}};
}

Json on_pack_progress(const Json& arguments) {
  Plans& plans = Plans::get();
  std::lock_guard lock(plans.mutex);
  return {{"done", plans.compiled[argument<uint64_t>(arguments, "token")]}};
}

Json on_pack_open(const Json& arguments) {
  require(open_pack(argument<std::string>(arguments, "path")));
  return Json::object();
}

Json on_bind_device(const Json& arguments) {
  bind_device(argument<std::string>(arguments, "device"), argument<std::string>(arguments, "backend"));
  return Json::object();
}

Json describe(const user::Definition& d) {
  Json tensors = Json::array(), numbers = Json::array(), backward = Json::array();
  for (const user::TensorArgument& t : d.tensors) tensors.push_back(t.name);
  for (const user::NumberArgument& n : d.numbers) numbers.push_back(n.name);
  for (const user::Backward& b : d.backward) backward.push_back(b.definition->name);
  return {{"name", d.name}, {"tensors", tensors}, {"numbers", numbers}, {"outputs", d.outputs()}, {"backward", backward}};
}

Json on_define(const Json& arguments) {
  user::DefinitionText text;
  text.name = argument<std::string>(arguments, "name");
  text.arguments = argument<std::string>(arguments, "arguments");
  text.expressions = argument<Names>(arguments, "expressions");
  text.promotion = argument<std::string>(arguments, "promotion", "");
  text.outputs = argument<Names>(arguments, "outputs", {});
  for (const auto& [input, expression] : argument<std::map<std::string, std::string>>(arguments, "derivative", {}))
    text.derivative.emplace_back(input, expression);
  return describe(*user::define_operator(text));
}

Dtype dtype_called(const std::string& name) {
  for (int d = 0; d < static_cast<int>(Dtype::count); ++d)
    if (name == info(static_cast<Dtype>(d)).name) return static_cast<Dtype>(d);
  throw std::invalid_argument("there is no dtype '" + name + "'");
}

user::TraceText trace_of(const Json& arguments, const std::string& name) {
  user::TraceText text;
  text.name = name;
  text.is_bool = argument<std::vector<bool>>(arguments, "is_bool");
  text.numbers = argument<int>(arguments, "numbers");
  text.number_dtype = dtype_called(argument<std::string>(arguments, "number_dtype"));
  for (const Json& step : argument<std::vector<Json>>(arguments, "steps"))
    text.steps.push_back({argument<std::string>(step, "expression"), dtype_called(argument<std::string>(step, "dtype")),
                          argument<bool>(step, "rounds")});
  for (const std::string& dtype : argument<Names>(arguments, "outputs")) text.outputs.push_back(dtype_called(dtype));
  return text;
}

Json on_define_trace(const Json& arguments) {
  const auto name = argument<std::string>(arguments, "name");
  user::TraceText text = trace_of(arguments, name);
  if (arguments.contains("backward") && !arguments["backward"].is_null()) {
    const Json& backward = arguments["backward"];
    text.backward = std::make_shared<user::TraceText>(trace_of(backward, name + "_backward"));
    text.inputs = argument<std::vector<int>>(backward, "inputs");
    for (const auto& [from, index] : argument<std::vector<std::pair<std::string, int>>>(backward, "tensors"))
      text.tensors.emplace_back(from == "gradient" ? user::From::gradient
                                : from == "tensor" ? user::From::tensor
                                                   : user::From::result,
                                index);
  }
  return describe(*user::define_operator(text));
}

Json on_defined(const Json& arguments) {
  const auto name = argument<std::string>(arguments, "name", "");
  if (name.empty()) return {{"names", user::operator_names()}};
  const auto found = user::find_operator(name);
  if (found == nullptr) throw std::invalid_argument("no operator '" + name + "' has been defined");
  return describe(*found);
}

using Handler = Json (*)(const Json&);
constexpr std::pair<std::string_view, Handler> commands[] = {
    {"enable", on_enable},
    {"disable", on_disable},
    {"use_push", on_use_push},
    {"use_pop", on_use_pop},
    {"ops", on_ops},
    {"record_start", on_record_start},
    {"record_stop", on_record_stop},
    {"guards", on_guards},
    {"info", on_info},
    {"cache", on_cache},
    {"plan_begin", on_plan_begin},
    {"plan_end", on_plan_end},
    {"pack_write", on_pack_write},
    {"pack_progress", on_pack_progress},
    {"pack_open", on_pack_open},
    {"bind_device", on_bind_device},
    {"define", on_define},
    {"define_trace", on_define_trace},
    {"defined", on_defined},
};

Json run_command(const char* command, const char* arguments) {
  const Json parsed = Json::parse(arguments != nullptr && *arguments != '\0' ? arguments : "{}");
  if (!parsed.is_object()) throw TypeError("arguments: expected a JSON object");
  for (const auto& [name, handler] : commands)
    if (name == command) return handler(parsed);
  throw std::invalid_argument(std::string("there is no command '") + command + "'");
}

Json failure(const char* kind, const char* what) { return {{"ok", false}, {"kind", kind}, {"error", what}}; }

Json answer_to(const char* command, const char* arguments) {
  try {
    Json answer = run_command(command, arguments);
    answer["ok"] = true;
    return answer;
  } catch (const TypeError& error) {
    return failure("type", error.what());
  } catch (const std::invalid_argument& error) {
    return failure("value", error.what());
  } catch (const Json::exception& error) {
    return failure("value", error.what());
  } catch (const c10::Error& error) {
    return failure("runtime", error.what_without_backtrace());
  } catch (const std::exception& error) {
    return failure("runtime", error.what());
  }
}

} // namespace

} // namespace corundum

extern "C" char* corundum_call(const char* command, const char* arguments) {
  // Names and paths come from outside: what is not UTF-8 must not throw across this boundary.
  using corundum::Json;
  return strdup(corundum::answer_to(command, arguments).dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
}

extern "C" void corundum_free(char* answer) { std::free(answer); }
