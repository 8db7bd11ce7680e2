#include "backends/emulator/program.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstring>
#include <map>
#include <memory>

#include "backends/cpu/module.h"
#include "backends/emulator/primitives.h"
#include "backends/emulator/sanitizer.h"
#include "core/sync.h"
#include "jit/file.h"
#include "jit/process.h"

namespace corundum::emulator {
namespace {

constexpr char trailer[] = "corundum kernel text";

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Without types, template arguments and parameters: "void cor::fold<...>(...)" is "fold".
std::string short_name(const std::string& demangled) {
  std::string name;
  int depth = 0;
  for (char c : demangled) {
    if (c == '<') ++depth;
    if (c == '(' && depth == 0 && !name.empty()) break;
    if (depth == 0) name += c;
    if (c == '>') --depth;
  }
  return name.substr(name.find_last_of(" :") + 1);
}

std::string trimmed(const std::string& line) {
  const size_t first = line.find_first_not_of(' ');
  return first == std::string::npos ? "" : line.substr(first);
}

// The functions and lines of one address, by the compiler's own tool: two lines of output for each inlined function.
std::string ask_addr2line(const Program& p, uint32_t place) {
  const std::string path = temporary_directory() + "/corundum-place-" + std::to_string(getpid()) + ".so";
  if (!write_file(path, {{reinterpret_cast<const char*>(p.object.data()), p.object.size()}})) return "";
  char address[32];
  std::snprintf(address, sizeof address, "0x%x", place - 1); // a return address is the next instruction's
  const ProcessResult r = run_process({"addr2line", "-ifC", "-e", path, address});
  unlink(path.c_str());
  return r.started && r.exit_code == 0 ? r.output : "";
}

std::string find_place(const Program& p, uint32_t place) {
  const std::vector<std::string> answer = split_lines(ask_addr2line(p, place));
  std::string text;
  for (size_t i = 0; i + 1 < answer.size(); i += 2) {
    const std::string name = short_name(answer[i]);
    const size_t line = std::strtoul(answer[i + 1].c_str() + answer[i + 1].find_last_of(':') + 1, nullptr, 10);
    if (i == 0) {
      text = "in " + name;
      if (line > 0 && line <= p.lines.size()) text += " (line " + std::to_string(line) + ": `" + trimmed(p.lines[line - 1]) + "`)";
    } else if (name != p.entry_name) {
      text += ", from " + name + ":" + std::to_string(line);
    }
  }
  return text.empty() ? "at +" + std::to_string(place) : text;
}

LeafMutex& places_mutex = *new LeafMutex;

template <class T>
T* symbol(void* library, const std::string& name) {
  return static_cast<T*>(dlsym(library, name.c_str()));
}

Status fill(void* library, const std::string& entry) {
  for (const auto& [name, function] : primitives()) {
    auto* place = symbol<void*>(library, std::string("corundum_emulator_") + name);
    if (place)
      *place = function;
    else if (std::string_view(name) != "access" || sees_accesses())
      return Status::refuse("the kernel " + entry + " was compiled for another emulator: it has no " + name);
  }
  return {};
}

} // namespace

void append_text(const std::string& text, std::vector<uint8_t>* binary) {
  const uint64_t size = text.size();
  binary->insert(binary->end(), text.begin(), text.end());
  const auto* bytes = reinterpret_cast<const uint8_t*>(&size);
  binary->insert(binary->end(), bytes, bytes + sizeof size);
  binary->insert(binary->end(), trailer, trailer + sizeof trailer);
}

std::string Program::describe(uint32_t place) const {
  static auto& known = *new std::map<std::pair<const Program*, uint32_t>, std::string>;
  std::lock_guard lock(places_mutex);
  std::string& text = known[{this, place}];
  if (text.empty()) text = find_place(*this, place);
  return text;
}

bool Program::same_place(uint32_t a, uint32_t b) const { return a == b || describe(a) == describe(b); }

Status load_program(const std::vector<uint8_t>& binary, const std::string& entry, uint32_t warp_size, const Program** program) {
  auto p = std::make_unique<Program>();
  uint64_t text_size = 0;
  const size_t tail = sizeof text_size + sizeof trailer;
  if (binary.size() < tail || std::memcmp(binary.data() + binary.size() - sizeof trailer, trailer, sizeof trailer) != 0)
    return Status::refuse("the kernel " + entry + " was not compiled for the emulator");
  std::memcpy(&text_size, binary.data() + binary.size() - tail, sizeof text_size);
  if (text_size > binary.size() - tail) return Status::refuse("the kernel " + entry + " is damaged");
  const auto* text = reinterpret_cast<const char*>(binary.data()) + binary.size() - tail - text_size;
  p->lines = split_lines({text, text_size});
  p->object.assign(binary.begin(), binary.end() - static_cast<ptrdiff_t>(tail + text_size));
  void *library = nullptr, *address = nullptr;
  if (Status s = cpu::load_entry(p->object, "", entry, &address, &library); !s) return s;
  if (Status s = fill(library, entry); !s) return s;
  const auto* threads = symbol<uint32_t>(library, entry + "_threads");
  const auto* variables = symbol<uint32_t[2]>(library, "corundum_emulator_variables");
  const auto* count = symbol<uint32_t>(library, "corundum_emulator_variable_count");
  Dl_info info;
  if (!threads || !variables || !count || dladdr(address, &info) == 0)
    return Status::refuse("the kernel " + entry + " has no COR_KERNEL of this name");
  for (uint32_t i = 0; i < *count; ++i) p->variables.emplace_back(variables[i][0], variables[i][1]);
  p->entry_name = entry;
  p->entry = reinterpret_cast<void (*)(const void*)>(address);
  p->threads = *threads;
  p->warp_size = warp_size;
  p->base = reinterpret_cast<uint64_t>(info.dli_fbase);
  *program = p.release();
  return {};
}

} // namespace corundum::emulator
