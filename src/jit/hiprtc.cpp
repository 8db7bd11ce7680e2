#include "jit/hiprtc.h"

#include <dlfcn.h>

#include "core/sync.h"
#include "jit/rtc.h"

namespace corundum {
namespace {

struct Hiprtc {
  Rtc rtc{};
  std::string identity, why; // one of them is empty
};

Hiprtc find_hiprtc() {
  Hiprtc result;
  result.why = "hipRTC was not found (looked for libhiprtc.so.7, .6 and libamdhip64.so.5)";
  for (const char* name : {"libhiprtc.so.7", "libhiprtc.so.6", "libamdhip64.so.5"}) {
    void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!library) continue;
    int major = 0, minor = 0;
    if (resolve_rtc(library, "hipRTC", "hiprtc", "Code", &result.rtc) && result.rtc.version(&major, &minor) == 0) {
      result.identity = rtc_identity("hiprtc", major, minor, library);
      result.why.clear();
      return result;
    }
    result.why = path_of_library(library) + " lacks functions of hipRTC";
  }
  return result;
}

const Hiprtc& hiprtc() {
  static Once<Hiprtc>& once = *new Once<Hiprtc>;
  return once.get(find_hiprtc);
}

std::vector<std::string> option_list(const Chip& chip) {
  return {std::string("--offload-arch=") + chip.target, "-std=c++17", "-O3", "-ffp-contract=fast"};
}

} // namespace

std::string hiprtc_identity(std::string* why) {
  const Hiprtc& h = hiprtc();
  if (why && h.identity.empty()) *why = h.why;
  return h.identity;
}

std::string hiprtc_options(const Chip& chip) {
  std::string text;
  for (const std::string& o : option_list(chip)) text += (text.empty() ? "" : " ") + o;
  return text;
}

Status hiprtc_compile(const CompileJob& job, std::vector<uint8_t>* binary, std::string* log, bool*) {
  const Hiprtc& h = hiprtc();
  if (h.identity.empty()) return Status::refuse(h.why);
  std::vector<std::string> options = option_list(*job.chip);
  options.push_back("-w"); // changes no code
  return rtc_compile(h.rtc, job, options, binary, log);
}

} // namespace corundum
