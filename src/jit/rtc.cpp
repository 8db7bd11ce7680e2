#include "jit/rtc.h"

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <sys/stat.h>

#include <atomic>

namespace corundum {
namespace {

std::atomic<int> compiling{0};
std::atomic<bool> forked_while_compiling{false};
[[maybe_unused]] const int watches_forks = pthread_atfork(nullptr, nullptr, [] {
  if (compiling.exchange(0) > 0) forked_while_compiling = true;
});

struct ProgramOwner {
  const Rtc& rtc;
  Rtc::Program program = nullptr;
  ~ProgramOwner() {
    if (program) rtc.destroy(&program);
  }
};

Status compile(const Rtc& rtc, const CompileJob& job, const std::vector<std::string>& options, std::vector<uint8_t>* binary,
               std::string* log) {
  ProgramOwner owner{rtc};
  const auto refuse = [&](const char* what, int code) {
    return Status::refuse(std::string(rtc.name) + ": " + what + ": " + rtc.error(code));
  };
  if (int code = rtc.create(&owner.program, job.text.c_str(), (job.entry + ".cu").c_str(), 0, nullptr, nullptr))
    return refuse("creating the program", code);
  std::vector<const char*> raw;
  for (const std::string& o : options) raw.push_back(o.c_str());
  const int outcome = rtc.compile(owner.program, static_cast<int>(raw.size()), raw.data());
  size_t size = 0;
  if (rtc.log_size(owner.program, &size) == 0 && size > 1) {
    log->resize(size);
    rtc.log(owner.program, log->data());
    log->resize(size - 1); // the closing zero
  }
  if (outcome != 0) return refuse("compiling", outcome);
  if (int code = rtc.code_size(owner.program, &size)) return refuse("reading the size of the result", code);
  binary->resize(size);
  if (int code = rtc.code(owner.program, reinterpret_cast<char*>(binary->data()))) return refuse("reading the result", code);
  return {};
}

} // namespace

bool resolve_rtc(void* library, const char* name, const std::string& prefix, const std::string& code, Rtc* rtc) {
  rtc->name = name;
  const auto resolve = [&](const std::string& function, auto* place) {
    *place = reinterpret_cast<std::remove_pointer_t<decltype(place)>>(dlsym(library, (prefix + function).c_str()));
    return *place != nullptr;
  };
  return resolve("Version", &rtc->version) && resolve("GetErrorString", &rtc->error) && resolve("CreateProgram", &rtc->create) &&
         resolve("DestroyProgram", &rtc->destroy) && resolve("CompileProgram", &rtc->compile) &&
         resolve("GetProgramLogSize", &rtc->log_size) && resolve("GetProgramLog", &rtc->log) &&
         resolve("Get" + code + "Size", &rtc->code_size) && resolve("Get" + code, &rtc->code);
}

std::string path_of_library(void* library) {
  link_map* map = nullptr;
  return dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 && map ? map->l_name : "";
}

std::string rtc_identity(const std::string& prefix, int major, int minor, void* library) {
  struct stat facts {};
  stat(path_of_library(library).c_str(), &facts);
  return prefix + " " + std::to_string(major) + "." + std::to_string(minor) + " (" + std::to_string(facts.st_size) + " bytes)";
}

Status rtc_compile(const Rtc& rtc, const CompileJob& job, const std::vector<std::string>& options, std::vector<uint8_t>* binary,
                   std::string* log) {
  if (forked_while_compiling)
    return Status::refuse(std::string("this process was forked while it was compiling; ") + rtc.name +
                          " cannot compile here any more");
  ++compiling;
  Status status = compile(rtc, job, options, binary, log);
  --compiling;
  return status;
}

} // namespace corundum
