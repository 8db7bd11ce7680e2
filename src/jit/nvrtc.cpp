#include "jit/nvrtc.h"

#include <dlfcn.h>
#include <glob.h>
#include <link.h>
#include <pthread.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>

#include "core/config.h"
#include "core/sync.h"
#include "jit/file.h"

namespace corundum {
namespace {

// Declared here, after NVRTC's documentation, so that no CUDA header is needed to build. Program is nvrtcProgram, 0 is success.
using Program = void*;
struct Api {
  int (*version)(int*, int*);
  const char* (*error)(int);
  int (*create)(Program*, const char* text, const char* name, int headers, const char* const*, const char* const*);
  int (*destroy)(Program*);
  int (*compile)(Program, int count, const char* const* options);
  int (*log_size)(Program, size_t*);
  int (*log)(Program, char*);
  int (*cubin_size)(Program, size_t*);
  int (*cubin)(Program, char*);
};

struct Nvrtc {
  bool found = false;
  bool knows_minimal = false;
  std::string identity; // or why it was not found
  Api api{};
};

template <class F>
bool resolve(void* library, const char* name, F* function) {
  *function = reinterpret_cast<F>(dlsym(library, name));
  return *function != nullptr;
}

bool resolve(void* library, Api* api) {
  return resolve(library, "nvrtcVersion", &api->version) && resolve(library, "nvrtcGetErrorString", &api->error) &&
         resolve(library, "nvrtcCreateProgram", &api->create) && resolve(library, "nvrtcDestroyProgram", &api->destroy) &&
         resolve(library, "nvrtcCompileProgram", &api->compile) && resolve(library, "nvrtcGetProgramLogSize", &api->log_size) &&
         resolve(library, "nvrtcGetProgramLog", &api->log) && resolve(library, "nvrtcGetCUBINSize", &api->cubin_size) &&
         resolve(library, "nvrtcGetCUBIN", &api->cubin);
}

std::string path_of(void* library) {
  link_map* map = nullptr;
  return dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 && map ? map->l_name : "";
}

// Newest version first.
std::vector<std::string> files_like(const std::string& pattern) {
  std::vector<std::string> paths;
  glob_t found{};
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  globfree(&found);
  std::sort(paths.rbegin(), paths.rend());
  return paths;
}

std::vector<std::string> places_to_look() {
  std::vector<std::string> places = {"libnvrtc.so.13", "libnvrtc.so.12"};
  if (void* torch = dlopen("libtorch_cpu.so", RTLD_LAZY | RTLD_NOLOAD)) {
    const std::string packages = parent_of(parent_of(parent_of(path_of(torch)))); // .../torch/lib/libtorch_cpu.so
    dlclose(torch);
    for (std::string& p : files_like(packages + "/nvidia/*/lib/libnvrtc.so.[0-9]*")) places.push_back(std::move(p));
  }
  for (std::string& p : files_like("/usr/local/cuda*/lib64/libnvrtc.so.[0-9]*")) places.push_back(std::move(p));
  return places;
}

void* open_library() {
  if (!config().nvrtc.empty()) return dlopen(config().nvrtc.c_str(), RTLD_NOW | RTLD_LOCAL);
  for (const char* name : {"libnvrtc.so.13", "libnvrtc.so.12"})
    if (void* loaded = dlopen(name, RTLD_NOW | RTLD_NOLOAD)) return loaded;
  for (const std::string& place : places_to_look())
    if (void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
  return nullptr;
}

// NVRTC may hold locks of its own while it compiles. A child forked just then would wait for them for ever.
std::atomic<int> compiling{0};
std::atomic<bool> forked_while_compiling{false};

Nvrtc find_nvrtc() {
  Nvrtc result;
  void* library = open_library();
  if (!library) {
    result.identity = config().nvrtc.empty() ? "NVRTC was not found (CORUNDUM_NVRTC may name libnvrtc.so)"
                                             : "CORUNDUM_NVRTC names " + config().nvrtc + ", which cannot be loaded";
    return result;
  }
  int major = 0, minor = 0;
  if (!resolve(library, &result.api) || result.api.version(&major, &minor) != 0) {
    result.identity = path_of(library) + " lacks functions of NVRTC 11.1 or later";
    return result;
  }
  // The version leaves out the patch level; the size tells builds apart.
  struct stat facts {};
  stat(path_of(library).c_str(), &facts);
  result.identity =
      "nvrtc " + std::to_string(major) + "." + std::to_string(minor) + " (" + std::to_string(facts.st_size) + " bytes)";
  result.knows_minimal = major > 12 || (major == 12 && minor >= 4);
  result.found = true;
  pthread_atfork(nullptr, nullptr, [] {
    if (compiling.exchange(0) > 0) forked_while_compiling = true;
  });
  return result;
}

const Nvrtc& nvrtc() {
  static Once<Nvrtc>& once = *new Once<Nvrtc>;
  return once.get(find_nvrtc);
}

std::vector<std::string> option_list(const Chip& chip) {
  // sm_90a is sm_90 with the tensor cores of four warps; every chip of 9.0 has them, and code for one runs on no other anyway.
  const std::string target = chip.target, architecture = target == "sm_90" ? "sm_90a" : target;
  return {"--gpu-architecture=" + architecture, "--std=c++17", "-default-device", "--fmad=true"};
}

struct ProgramOwner {
  const Api& api;
  Program program = nullptr;
  ~ProgramOwner() {
    if (program) api.destroy(&program);
  }
};

Status compile(const Nvrtc& nvrtc, const CompileJob& job, std::vector<uint8_t>* binary, std::string* log) {
  const Api& api = nvrtc.api;
  ProgramOwner owner{api};
  const auto refuse = [&](const char* what, int code) {
    return Status::refuse(std::string("NVRTC: ") + what + ": " + api.error(code));
  };
  if (int code = api.create(&owner.program, job.text.c_str(), (job.entry + ".cu").c_str(), 0, nullptr, nullptr))
    return refuse("creating the program", code);
  std::vector<std::string> options = option_list(*job.chip);
  // Not part of the kernel's identity, since they do not change its code: declarations of textures and of the CUDA runtime, which
  // no kernel of ours uses, cost 10 ms to parse.
  options.push_back("--disable-warnings");
  if (nvrtc.knows_minimal) options.push_back("--minimal");
  std::vector<const char*> raw;
  for (const std::string& o : options) raw.push_back(o.c_str());
  const int outcome = api.compile(owner.program, static_cast<int>(raw.size()), raw.data());
  size_t size = 0;
  if (api.log_size(owner.program, &size) == 0 && size > 1) {
    log->resize(size);
    api.log(owner.program, log->data());
    log->resize(size - 1); // the closing zero
  }
  if (outcome != 0) return refuse("compiling", outcome);
  if (int code = api.cubin_size(owner.program, &size)) return refuse("reading the size of the result", code);
  binary->resize(size);
  if (int code = api.cubin(owner.program, reinterpret_cast<char*>(binary->data()))) return refuse("reading the result", code);
  return {};
}

} // namespace

std::string nvrtc_identity(std::string* why) {
  const Nvrtc& n = nvrtc();
  if (n.found) return n.identity;
  if (why) *why = n.identity;
  return "";
}

std::string nvrtc_options(const Chip& chip) {
  std::string text;
  for (const std::string& o : option_list(chip)) text += (text.empty() ? "" : " ") + o;
  return text;
}

Status nvrtc_compile(const CompileJob& job, std::vector<uint8_t>* binary, std::string* log, bool*) {
  const Nvrtc& n = nvrtc();
  if (!n.found) return Status::refuse(n.identity);
  if (forked_while_compiling)
    return Status::refuse("this process was forked while NVRTC was compiling; it cannot compile here any more");
  ++compiling;
  Status status = compile(n, job, binary, log);
  --compiling;
  return status;
}

} // namespace corundum
