#pragma once
// The entries behind cache.h. An entry is one file: the binary first, then its key in clear text, then a footer with lengths and
// checksum. Binary first, so that the file of a CPU kernel can itself be given to dlopen.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/status.h"
#include "jit/cache.h"
#include "jit/digest.h"
#include "jit/file.h"

namespace corundum {

struct EntryKey {
  Digest digest;
  std::string target;
  std::string text; // what went into the digest, for readers; must be the same when read back
};

// Compiled code. `path` is a file that holds it, or empty.
struct Binary {
  std::vector<uint8_t> bytes;
  std::string path;
};

// Held while one kernel is compiled, against other processes; gone with the process. Advisory: nothing breaks without it.
class KeyLock {
 public:
  KeyLock() = default;
  KeyLock(Fd fd, std::string path);
  KeyLock(KeyLock&&) noexcept = default;
  KeyLock& operator=(KeyLock&&) = delete;
  ~KeyLock();
  bool held() const { return static_cast<bool>(fd_); }

 private:
  Fd fd_;
  std::string path_;
};

class DiskCache {
 public:
  explicit DiskCache(std::string directory) : directory_(std::move(directory)) {}

  const std::string& directory() const { return directory_; }
  // Why the directory must not be used, or nullptr. One that does not exist yet is fine.
  const char* refusal() const;

  bool read(const EntryKey& key, Binary* binary);
  // Refuses, with a reason, when the disk does not take it. On success `path` is the entry's file.
  Status store(const EntryKey& key, const std::vector<uint8_t>& binary, std::string* path);
  // The entry passed its checksum and yet cannot be loaded: it goes.
  void reject(const std::string& path, const std::string& why);
  // Waits for other holders at most `patience`. Not held when the directory cannot be written or patience ends.
  KeyLock lock(const EntryKey& key, std::chrono::milliseconds patience) const;

  CacheStats stats(bool verify);
  uint64_t prune(uint64_t max_bytes);

 private:
  struct Entry;
  std::string path_of(const EntryKey& key) const;
  bool check(const std::string& path, const EntryKey* key, std::vector<uint8_t>* bytes, std::string* fault) const;
  void fault(const std::string& path, const std::string& why);
  void each_entry(const std::function<void(const Entry&)>& visit) const;

  std::string directory_;
};

// The one that Config::cache_dir names.
DiskCache& disk_cache();

} // namespace corundum
