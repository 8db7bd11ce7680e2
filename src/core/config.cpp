#include "core/config.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace corundum {
namespace {

std::string text_of(const char* name) {
  const char* v = std::getenv(name);
  return v ? v : "";
}

bool is_off(const std::string& v) { return v == "0" || v == "off" || v == "false" || v == "no"; }

std::string default_cache_dir() {
  std::string base = text_of("XDG_CACHE_HOME");
  if (!base.empty() && base[0] == '/') return base + "/corundum"; // the XDG specification says to ignore relative paths
  base = text_of("HOME");
  return base.empty() ? "" : base + "/.cache/corundum";
}

Config read_environment() {
  Config c;
  c.cache_dir = text_of("CORUNDUM_CACHE_DIR");
  if (c.cache_dir.empty()) c.cache_dir = default_cache_dir();
  c.jit = !is_off(text_of("CORUNDUM_JIT"));
  const std::string packs = text_of("CORUNDUM_PACKS");
  for (size_t at = 0; at < packs.size();) {
    const size_t end = std::min(packs.find(':', at), packs.size());
    if (end > at) c.packs.push_back(packs.substr(at, end - at));
    at = end + 1;
  }
  c.cxx = text_of("CORUNDUM_CXX");
  c.nvrtc = text_of("CORUNDUM_NVRTC");
  c.cpu_target = text_of("CORUNDUM_CPU_TARGET");
  const std::string log = text_of("CORUNDUM_LOG");
  c.log = !log.empty() && !is_off(log);
  return c;
}

} // namespace

const Config& config() {
  static const Config& c = *new Config(read_environment());
  return c;
}

void log_line(const std::string& text, bool is_error) {
  if (!is_error && !config().log) return;
  const std::string line = "corundum: " + text + "\n";            // one write, so that lines of several processes do not mix
  if (write(STDERR_FILENO, line.data(), line.size()) < 0) return; // nobody listens
}

} // namespace corundum
