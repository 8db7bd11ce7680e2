#pragma once
// What backends that drive a vendor's library at run time have in common.
#include <initializer_list>
#include <string>

#include "core/backend.h"

namespace corundum {

struct Symbol {
  const char* name;
  void* place; // of a function pointer
};

// Opens `file` and fills in the functions. Empty, or why it cannot be: "no WHAT (...)" or "the WHAT is too old (...)"; `needed` is
// the release that has them all.
std::string open_vendor_library(const char* what, const char* file, const char* needed, std::initializer_list<Symbol> symbols);

// A loaded kernel, from what the driver says of it; `device_bytes` of shared memory is what a block can have.
Status make_function(const std::string& entry, void* kernel, int threads, int fixed_bytes, uint32_t device_bytes,
                     Function* function);
Status check_limits(const Function& function, const Launch& launch);

// Loading a module is not allowed to a thread that captures, nor while another one does, unless it says that it knows.
template <class Driver>
class RelaxedCapture {
 public:
  explicit RelaxedCapture(const Driver& d) : driver_(d) { driver_.exchange_capture_mode(&mode_); }
  ~RelaxedCapture() { driver_.exchange_capture_mode(&mode_); }
  RelaxedCapture(const RelaxedCapture&) = delete;

 private:
  const Driver& driver_;
  int mode_ = 2; // cudaStreamCaptureModeRelaxed, hipStreamCaptureModeRelaxed
};

} // namespace corundum
