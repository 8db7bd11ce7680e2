#include "jit/nvrtc.h"

#include <dlfcn.h>
#include <glob.h>

#include <algorithm>

#include "core/config.h"
#include "core/sync.h"
#include "jit/file.h"
#include "jit/rtc.h"

namespace corundum {
namespace {

struct Nvrtc {
  bool found = false;
  bool knows_minimal = false;
  std::string identity; // or why it was not found
  Rtc rtc{};
};

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
    const std::string packages = parent_of(parent_of(parent_of(path_of_library(torch)))); // .../torch/lib/libtorch_cpu.so
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

Nvrtc find_nvrtc() {
  Nvrtc result;
  void* library = open_library();
  if (!library) {
    result.identity = config().nvrtc.empty() ? "NVRTC was not found (CORUNDUM_NVRTC may name libnvrtc.so)"
                                             : "CORUNDUM_NVRTC names " + config().nvrtc + ", which cannot be loaded";
    return result;
  }
  int major = 0, minor = 0;
  if (!resolve_rtc(library, "NVRTC", "nvrtc", "CUBIN", &result.rtc) || result.rtc.version(&major, &minor) != 0) {
    result.identity = path_of_library(library) + " lacks functions of NVRTC 11.1 or later";
    return result;
  }
  result.identity = rtc_identity("nvrtc", major, minor, library);
  result.knows_minimal = major > 12 || (major == 12 && minor >= 4);
  result.found = true;
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
  std::vector<std::string> options = option_list(*job.chip);
  // Not part of the kernel's identity, since they do not change its code: declarations of textures and of the CUDA runtime, which
  // no kernel of ours uses, cost 10 ms to parse.
  options.push_back("--disable-warnings");
  if (n.knows_minimal) options.push_back("--minimal");
  return rtc_compile(n.rtc, job, options, binary, log);
}

} // namespace corundum
