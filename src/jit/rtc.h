#pragma once
// What NVRTC and hipRTC have in common: a library with the same functions under another prefix.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/backend.h"
#include "core/status.h"

namespace corundum {

// Declared after NVRTC's documentation, so that no vendor's header is needed to build. Program is nvrtcProgram, 0 is success.
struct Rtc {
  using Program = void*;
  const char* name = nullptr; // "NVRTC"
  int (*version)(int*, int*);
  const char* (*error)(int);
  int (*create)(Program*, const char* text, const char* name, int headers, const char* const*, const char* const*);
  int (*destroy)(Program*);
  int (*compile)(Program, int count, const char* const* options);
  int (*log_size)(Program, size_t*);
  int (*log)(Program, char*);
  int (*code_size)(Program, size_t*);
  int (*code)(Program, char*);
};

// Finds the functions "nvrtcVersion" and so on for the prefix "nvrtc"; those that give the result end in `code`: "CUBIN". False
// when one is missing.
bool resolve_rtc(void* library, const char* name, const std::string& prefix, const std::string& code, Rtc* rtc);

// The file that a library was loaded from.
std::string path_of_library(void* library);
// "nvrtc 13.0 (108302648 bytes)": versions leave out the patch level, the size tells builds apart.
std::string rtc_identity(const std::string& prefix, int major, int minor, void* library);

// Any thread, several at once; refuses in a process that was forked while any of them compiled, since the library may hold locks
// there that nobody opens.
Status rtc_compile(const Rtc& rtc, const CompileJob& job, const std::vector<std::string>& options, std::vector<uint8_t>* binary,
                   std::string* log);

} // namespace corundum
