#include "jit/disk_cache.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include "core/config.h"
#include "jit/runtime.h"

namespace corundum {
namespace {

struct Footer {
  char magic[8];
  uint32_t format;
  uint32_t key_bytes;
  uint64_t binary_bytes;
  Digest checksum; // of binary and key
};
static_assert(sizeof(Footer) == 40);
constexpr char entry_magic[8] = {'C', 'O', 'R', 'U', 'N', 'D', 'U', 'M'};
constexpr uint32_t entry_format = 1;

// Whose directory or file is it? nullptr when only this user can have written it.
const char* distrust(const std::string& path, const struct stat& facts) {
  if (facts.st_uid != geteuid()) return intern(path + " belongs to another user (uid " + std::to_string(facts.st_uid) + ")");
  if (facts.st_mode & (S_IWGRP | S_IWOTH)) return intern(path + " may be written by other users; chmod go-w it");
  return nullptr;
}

const char* distrust_directory(const std::string& path) {
  struct stat facts;
  if (stat(path.c_str(), &facts) != 0) {
    if (errno == ENOENT) return nullptr;
    return intern("cannot look at " + path + ": " + error_text(errno));
  }
  if (!S_ISDIR(facts.st_mode)) return intern(path + " is not a directory");
  return distrust(path, facts);
}

void log_once(const char* text) {
  static std::atomic<const char*> last{nullptr};
  if (text && last.exchange(text) != text) log_line(std::string("cache: ") + text);
}

// Descriptors of held locks. A child of a fork shares the open file, and with it the lock: it must let go at once, or it would keep
// others waiting after its parent was killed.
std::array<std::atomic<int>, 64>& held_locks() {
  static auto& held = *[] {
    auto* all = new std::array<std::atomic<int>, 64>;
    for (auto& fd : *all) fd = -1;
    pthread_atfork(nullptr, nullptr, [] {
      for (auto& slot : held_locks())
        if (const int fd = slot.exchange(-1); fd >= 0) close(fd);
    });
    return all;
  }();
  return held;
}

void swap_held(int from, int to) {
  for (auto& slot : held_locks()) {
    int expected = from;
    if (slot.compare_exchange_strong(expected, to)) return;
  }
}

} // namespace

KeyLock::KeyLock(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) { swap_held(-1, fd_.get()); }

KeyLock::~KeyLock() {
  if (!fd_) return;
  swap_held(fd_.get(), -1);
  // Who waits on the unlinked file gets the lock, looks again and finds the entry.
  unlink(path_.c_str());
  flock(fd_.get(), LOCK_UN);
}

DiskCache& disk_cache() {
  static DiskCache& cache = *new DiskCache(config().cache_dir);
  return cache;
}

const char* DiskCache::refusal() const {
  if (directory_.empty()) return "there is no cache directory: neither CORUNDUM_CACHE_DIR nor HOME is set";
  return distrust_directory(directory_);
}

std::string DiskCache::path_of(const EntryKey& key) const { return directory_ + "/" + key.target + "/" + key.digest.hex(); }

bool DiskCache::check(const std::string& path, const EntryKey* key, std::vector<uint8_t>* bytes, std::string* fault) const {
  // Without O_NOATIME looking would count as use. It is for the owner's files alone, and we take no others.
  Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOATIME));
  if (!fd) {
    if (errno != ENOENT) *fault = error_text(errno);
    return false;
  }
  struct stat facts;
  if (fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return *fault = "not a file", false;
  if (const char* why = distrust(path, facts)) return *fault = why, false;
  if (!read_all(fd.get(), bytes)) return *fault = "cannot be read", false;
  Footer footer;
  if (bytes->size() < sizeof footer) return *fault = "too short", false;
  std::memcpy(&footer, bytes->data() + bytes->size() - sizeof footer, sizeof footer);
  const size_t body = bytes->size() - sizeof footer;
  if (std::memcmp(footer.magic, entry_magic, sizeof entry_magic) != 0) return *fault = "no entry of this cache", false;
  if (footer.format != entry_format) return *fault = "another format", false;
  if (footer.binary_bytes > body || footer.key_bytes != body - footer.binary_bytes) return *fault = "wrong length", false;
  if (footer.checksum != digest(bytes->data(), body)) return *fault = "wrong checksum", false;
  const std::string_view text(reinterpret_cast<const char*>(bytes->data()) + footer.binary_bytes, footer.key_bytes);
  if (key && text != key->text) return *fault = "the entry of another kernel", false;
  bytes->resize(footer.binary_bytes);
  // The time of use, for prune(). Once a day is enough.
  if (key && time(nullptr) - facts.st_atime > 24 * 3600) {
    const timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
    (void)futimens(fd.get(), times);
  }
  return true;
}

void DiskCache::fault(const std::string& path, const std::string& why) {
  ++runtime_counters().cache_faults;
  unlink(path.c_str());
  log_line("cache: " + path + ": " + why + "; removed");
}

void DiskCache::reject(const std::string& path, const std::string& why) { fault(path, why); }

bool DiskCache::read(const EntryKey& key, Binary* binary) {
  const char* refused = refusal();
  if (!refused) refused = distrust_directory(directory_ + "/" + key.target);
  if (refused) return log_once(refused), false;
  std::string why;
  const std::string path = path_of(key);
  if (check(path, &key, &binary->bytes, &why)) {
    binary->path = path;
    return true;
  }
  if (!why.empty()) fault(path, why);
  return false;
}

Status DiskCache::store(const EntryKey& key, const std::vector<uint8_t>& binary, std::string* path) {
  const char* refused = refusal();
  if (!refused) refused = distrust_directory(directory_ + "/" + key.target);
  if (refused) return Status::refuse(refused);
  if (Status s = make_directory(directory_ + "/" + key.target); !s) return s;

  std::vector<uint8_t> body(binary);
  body.insert(body.end(), key.text.begin(), key.text.end());
  Footer footer{};
  std::memcpy(footer.magic, entry_magic, sizeof entry_magic);
  footer.format = entry_format;
  footer.key_bytes = static_cast<uint32_t>(key.text.size());
  footer.binary_bytes = binary.size();
  footer.checksum = digest(body.data(), body.size());
  const auto view = [](const void* data, size_t size) { return std::string_view(static_cast<const char*>(data), size); };
  const std::string target = path_of(key);
  if (Status s = write_file(target, {view(body.data(), body.size()), view(&footer, sizeof footer)}); !s) return s;
  *path = target;
  return {};
}

KeyLock DiskCache::lock(const EntryKey& key, std::chrono::milliseconds patience) const {
  if (refusal()) return {};
  const std::string locks = directory_ + "/locks";
  if (!make_directory(locks) || distrust_directory(locks)) return {};
  std::string path = locks + "/" + key.digest.hex();
  Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return {};
  const auto end = std::chrono::steady_clock::now() + patience;
  for (auto pause = std::chrono::milliseconds(1);; pause = std::min(2 * pause, std::chrono::milliseconds(20))) {
    if (flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return KeyLock(std::move(fd), std::move(path));
    if (errno != EWOULDBLOCK && errno != EINTR) return {}; // a file system without locks
    if (std::chrono::steady_clock::now() >= end) {
      log_line("cache: " + path + " is held by another process; compiling without it");
      return {};
    }
    std::this_thread::sleep_for(pause);
  }
}

} // namespace corundum
