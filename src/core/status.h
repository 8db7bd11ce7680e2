#pragma once
// Success, or the reason why not in words that a user can read.
#include <string_view>

namespace corundum {

class [[nodiscard]] Status {
 public:
  Status() = default;
  // `reason` must live for ever: a literal, or intern()'s answer.
  static Status refuse(const char* reason) { return Status(reason); }
  // For reasons made at run time: kept once per distinct text, for ever.
  static Status refuse(std::string_view reason);
  bool ok() const { return reason_ == nullptr; }
  explicit operator bool() const { return ok(); }
  // nullptr when ok.
  const char* reason() const { return reason_; }

 private:
  explicit Status(const char* reason) : reason_(reason) {}
  const char* reason_ = nullptr;
};

// The one stored copy of a text, alive until the process ends.
const char* intern(std::string_view text);

} // namespace corundum
