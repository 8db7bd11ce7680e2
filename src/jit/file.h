#pragma once
// Files, without exceptions and without torn writes.
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace corundum {

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset();

 private:
  int fd_;
};

// All bytes of an open file from its start; false when it cannot be read.
bool read_all(int fd, std::vector<uint8_t>* bytes);
bool read_text(const std::string& path, std::string* text);
// Exactly `bytes` bytes at `offset`; false for a short file.
bool read_at(int fd, void* to, size_t bytes, uint64_t offset);
bool write_all(int fd, const void* from, size_t bytes);

// The prefix of names that a killed process may leave behind.
inline constexpr std::string_view temporary_prefix = ".tmp-";

// Writes the parts, one after the other, under a temporary name in the same directory, then renames: a reader sees nothing or all.
Status write_file(const std::string& path, std::initializer_list<std::string_view> parts);

// A directory and what is missing above it, open to this user only.
Status make_directory(const std::string& path);

std::string parent_of(const std::string& path);
// A directory for temporary files: TMPDIR or /tmp.
std::string temporary_directory();
// "No space left on device"
std::string error_text(int error);

} // namespace corundum
