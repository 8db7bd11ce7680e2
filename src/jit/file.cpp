#include "jit/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <system_error>
#include <utility>

namespace corundum {
namespace {

// Distinct among threads, processes, and processes that got an old pid again.
std::string temporary_name(const std::string& path) {
  std::random_device random;
  char name[64];
  std::snprintf(name, sizeof name, "%s%d-%ld-%08x", temporary_prefix.data(), static_cast<int>(getpid()),
                static_cast<long>(syscall(SYS_gettid)), random());
  return parent_of(path) + "/" + name;
}

} // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int Fd::release() { return std::exchange(fd_, -1); }

void Fd::reset() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

bool read_at(int fd, void* to, size_t bytes, uint64_t offset) {
  auto* at = static_cast<uint8_t*>(to);
  while (bytes > 0) {
    const ssize_t n = pread(fd, at, bytes, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    offset += static_cast<uint64_t>(n);
    bytes -= static_cast<size_t>(n);
  }
  return true;
}

bool read_all(int fd, std::vector<uint8_t>* bytes) {
  struct stat facts;
  if (fstat(fd, &facts) != 0 || facts.st_size < 0) return false;
  bytes->resize(static_cast<size_t>(facts.st_size));
  return read_at(fd, bytes->data(), bytes->size(), 0);
}

bool read_text(const std::string& path, std::string* text) {
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::vector<uint8_t> bytes;
  if (!fd || !read_all(fd.get(), &bytes)) return false;
  text->assign(bytes.begin(), bytes.end());
  return true;
}

bool write_all(int fd, const void* from, size_t bytes) {
  const auto* at = static_cast<const uint8_t*>(from);
  while (bytes > 0) {
    const ssize_t n = write(fd, at, bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    bytes -= static_cast<size_t>(n);
  }
  return true;
}

Status write_file(const std::string& path, std::initializer_list<std::string_view> parts) {
  const std::string temporary = temporary_name(path);
  const auto fail = [&](const char* what) {
    const int error = errno;
    unlink(temporary.c_str());
    return Status::refuse(std::string("cannot ") + what + " " + path + ": " + error_text(error));
  };
  Fd fd(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd) return fail("create");
  for (std::string_view part : parts)
    if (!write_all(fd.get(), part.data(), part.size())) return fail("write");
  if (close(fd.release()) != 0) return fail("write"); // some file systems say only now that the disk is full
  if (rename(temporary.c_str(), path.c_str()) != 0) return fail("rename to");
  return {};
}

Status make_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  if (errno == ENOENT && parent_of(path) != path) {
    if (Status s = make_directory(parent_of(path)); !s) return s;
    if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  }
  return Status::refuse("cannot create the directory " + path + ": " + error_text(errno));
}

std::string parent_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string temporary_directory() {
  const char* chosen = std::getenv("TMPDIR");
  return chosen && *chosen ? chosen : "/tmp";
}

std::string error_text(int error) { return std::generic_category().message(error); }

} // namespace corundum
