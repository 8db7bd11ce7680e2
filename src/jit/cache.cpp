#include "jit/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <tuple>

#include "jit/disk_cache.h"

namespace corundum {

struct DiskCache::Entry {
  std::string target, path;
  struct stat facts;
  bool leftover; // no entry, but ours and of no use later: a temporary file, a lock, the report of a failed compile
};

namespace {

constexpr time_t leftover_age = 600; // seconds: no write and no compile takes as long

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(directory.c_str()), closedir);
  while (dirent* e = dir ? readdir(dir.get()) : nullptr)
    if (std::string_view(e->d_name) != "." && std::string_view(e->d_name) != "..") names.emplace_back(e->d_name);
  std::sort(names.begin(), names.end());
  return names;
}

bool is_digest(const std::string& name) {
  return name.size() == 32 && name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

} // namespace

// Files whose names are not ours are left alone.
void DiskCache::each_entry(const std::function<void(const Entry&)>& visit) const {
  for (const std::string& target : names_in(directory_)) {
    for (const std::string& name : names_in(directory_ + "/" + target)) {
      Entry e{target, directory_ + "/" + target + "/" + name, {}, false};
      const bool temporary = name.rfind(temporary_prefix, 0) == 0;
      const bool report = target == "failed" && is_digest(name.substr(0, 32));
      e.leftover = temporary || report || target == "locks";
      if ((temporary || report || is_digest(name)) && lstat(e.path.c_str(), &e.facts) == 0) visit(e);
    }
  }
}

CacheStats DiskCache::stats(bool verify) {
  CacheStats result;
  result.path = directory_;
  if (const char* why = refusal()) {
    result.refusal = why;
    return result;
  }
  each_entry([&](const Entry& e) {
    if (e.leftover) return;
    std::vector<uint8_t> bytes;
    std::string why;
    if (!check(e.path, nullptr, &bytes, &why) && !why.empty()) {
      ++result.faulty;
      if (verify) fault(e.path, why);
      return;
    }
    if (result.targets.empty() || result.targets.back().target != e.target) result.targets.push_back({e.target, 0, 0});
    for (auto [entries, size] :
         {std::tie(result.entries, result.bytes), std::tie(result.targets.back().entries, result.targets.back().bytes)}) {
      ++entries;
      size += static_cast<uint64_t>(e.facts.st_size);
    }
  });
  return result;
}

uint64_t DiskCache::prune(uint64_t max_bytes) {
  if (refusal()) return 0;
  std::vector<Entry> entries;
  uint64_t total = 0, removed = 0;
  each_entry([&](const Entry& e) {
    if (!e.leftover) {
      entries.push_back(e);
      total += static_cast<uint64_t>(e.facts.st_size);
    } else if (time(nullptr) - e.facts.st_mtime > leftover_age) {
      unlink(e.path.c_str());
    }
  });
  const auto used = [](const Entry& e) {
    return std::max(std::pair(e.facts.st_atim.tv_sec, e.facts.st_atim.tv_nsec),
                    std::pair(e.facts.st_mtim.tv_sec, e.facts.st_mtim.tv_nsec));
  };
  std::sort(entries.begin(), entries.end(), [&](const Entry& a, const Entry& b) { return used(a) < used(b); });
  for (const Entry& e : entries) {
    if (total <= max_bytes) break;
    if (unlink(e.path.c_str()) != 0) continue;
    total -= static_cast<uint64_t>(e.facts.st_size);
    ++removed;
  }
  return removed;
}

std::string cache_path() { return disk_cache().directory(); }
CacheStats cache_stats() { return disk_cache().stats(false); }
CacheStats cache_verify() { return disk_cache().stats(true); }
uint64_t cache_prune(uint64_t max_bytes) { return disk_cache().prune(max_bytes); }

} // namespace corundum
