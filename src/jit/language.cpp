#include "jit/language.h"

#include <set>
#include <stdexcept>
#include <string_view>

namespace corundum {
namespace {

const char* embedded_text(std::string_view name) {
  for (int i = 0; i < embedded_file_count; ++i)
    if (name == embedded_files[i].name) return embedded_files[i].text;
  return nullptr;
}

// The name in `#include "name"`; empty for any other line.
std::string_view included_name(std::string_view line) {
  const size_t hash = line.find_first_not_of(" \t");
  if (hash == std::string_view::npos || line[hash] != '#') return {};
  const size_t word = line.find_first_not_of(" \t", hash + 1);
  if (word == std::string_view::npos || line.compare(word, 7, "include") != 0) return {};
  const size_t open = line.find('"', word + 7);
  const size_t close = open == std::string_view::npos ? open : line.find('"', open + 1);
  return close == std::string_view::npos ? std::string_view() : line.substr(open + 1, close - open - 1);
}

void append(std::string_view text, std::set<std::string_view>* seen, std::string* out) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::string_view name = included_name(line);
    if (name.empty()) {
      out->append(line).push_back('\n');
      continue;
    }
    const char* body = embedded_text(name);
    if (!body) throw std::runtime_error("kernel text includes \"" + std::string(name) + "\", which the library does not carry");
    if (seen->insert(name).second) append(body, seen, out);
  }
}

} // namespace

std::string resolve_includes(const std::string& text) {
  std::string out;
  out.reserve(256 * 1024);
  std::set<std::string_view> seen;
  append(text, &seen, &out);
  return out;
}

} // namespace corundum
