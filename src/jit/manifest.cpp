#include "jit/manifest.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstring>
#include <mutex>
#include <unordered_set>

#include "core/config.h"
#include "core/family.h"
#include "core/sync.h"
#include "jit/disk_cache.h"
#include "jit/runtime.h"

namespace corundum {
namespace {

constexpr size_t most_lines = 4096; // more than any model uses; a file that outgrows it starts again

struct Manifest {
  LeafMutex mutex;
  std::string path; // empty: nothing is remembered
  std::vector<std::string> lines;
  std::unordered_set<std::string> known;
};

Manifest& manifest() {
  static Manifest& m = *new Manifest;
  return m;
}
[[maybe_unused]] const Manifest& made_at_load = manifest(); // see LeafMutex

// Keys are plain bytes whose meaning belongs to one build of this library. A hint may use what a cache key must not: a time stamp.
std::string first_line() {
  Dl_info where{};
  struct stat facts {};
  if (dladdr(reinterpret_cast<void*>(&first_line), &where) && where.dli_fname) stat(where.dli_fname, &facts);
  return "corundum keys 1 " + std::to_string(facts.st_size) + " " + std::to_string(facts.st_mtim.tv_sec) + "." +
         std::to_string(facts.st_mtim.tv_nsec);
}

std::string prefix_of(const Backend& backend, const Chip& chip) { return std::string(backend.name) + " " + chip.target + " "; }

std::string hex_of(const uint8_t* bytes, size_t size) {
  std::string text;
  char digits[3];
  for (size_t i = 0; i < size; ++i) {
    std::snprintf(digits, sizeof digits, "%02x", bytes[i]);
    text += digits;
  }
  return text;
}

// "family op bytes content", the rest of a line.
bool parse(const std::string& text, RememberedKey* result) {
  char family_name[64], bytes[64], content[64];
  unsigned op;
  if (std::sscanf(text.c_str(), "%63s %u %63s %63s", family_name, &op, bytes, content) != 4) return false;
  const Family* owner = family(std::string(family_name));
  if (!owner || op > UINT16_MAX || std::strlen(bytes) != 2 * sizeof result->key.bytes || std::strlen(content) != 32) return false;
  result->key.family = owner->id();
  result->key.op = static_cast<uint16_t>(op);
  for (size_t i = 0; i < sizeof result->key.bytes; ++i) {
    unsigned byte;
    if (std::sscanf(bytes + 2 * i, "%2x", &byte) != 1) return false;
    result->key.bytes[i] = static_cast<uint8_t>(byte);
  }
  unsigned long long high, low;
  if (std::sscanf(content, "%16llx%16llx", &high, &low) != 2) return false;
  result->content = {low, high};
  return true;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = text.find('\n', at);
    if (end == std::string::npos) break; // a line without its end was torn
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

} // namespace

void set_program(const std::string& name) {
  const DiskCache& cache = disk_cache();
  std::string path, text;
  std::vector<std::string> lines;
  if (!name.empty() && !cache.refusal() && make_directory(cache.directory() + "/programs")) {
    path = cache.directory() + "/programs/" + digest({name}).hex() + ".keys";
    read_text(path, &text);
    lines = lines_of(text);
    const std::string first = first_line();
    if (lines.empty() || lines[0] != first || lines.size() > most_lines) {
      lines.clear();
      if (Status s = write_file(path, {first, "\n"}); !s) {
        log_line(std::string("the keys of ") + name + " are not remembered: " + s.reason());
        path.clear();
      }
    }
    if (!lines.empty()) lines.erase(lines.begin());
  }
  Manifest& m = manifest();
  std::lock_guard lock(m.mutex);
  m.path = path;
  m.known = {lines.begin(), lines.end()};
  m.lines = std::move(lines);
}

void remember(const Backend& backend, const Chip& chip, const KernelKey& key, const Digest& content) {
  const Family* owner = family(key.family);
  if (!owner) return;
  const std::string line = prefix_of(backend, chip) + owner->name() + " " + std::to_string(key.op) + " " +
                           hex_of(key.bytes, sizeof key.bytes) + " " + content.hex();
  Manifest& m = manifest();
  std::lock_guard lock(m.mutex);
  if (m.path.empty() || m.known.size() >= most_lines || !m.known.insert(line).second) return;
  Fd fd(open(m.path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  const std::string whole = line + "\n"; // one write: lines of several processes do not mix
  if (!fd || !write_all(fd.get(), whole.data(), whole.size())) m.path.clear();
}

std::vector<RememberedKey> remembered(const Backend& backend, const Chip& chip) {
  const std::string prefix = prefix_of(backend, chip);
  std::vector<RememberedKey> result;
  Manifest& m = manifest();
  std::lock_guard lock(m.mutex);
  for (const std::string& line : m.lines) {
    RememberedKey r;
    if (line.rfind(prefix, 0) == 0 && parse(line.substr(prefix.size()), &r)) result.push_back(r);
  }
  return result;
}

} // namespace corundum
