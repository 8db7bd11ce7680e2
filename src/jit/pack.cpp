#include "jit/pack.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>

#include "core/config.h"
#include "core/sync.h"
#include "jit/build.h"
#include "jit/file.h"
#include "jit/pack_file.h"
#include "jit/runtime.h"

namespace corundum {
namespace {

// The file: header, index sorted by content, names (for readers of the file), code.
struct Header {
  char magic[8];
  uint32_t format;
  uint32_t kernels;
  char backend[16];
  char target[16];
  uint64_t names_bytes;
  uint64_t file_bytes;
  Digest index_checksum; // of the index and the names
};
struct IndexEntry {
  Digest content;
  Digest checksum; // of the code
  uint64_t offset, bytes;
};
constexpr char pack_magic[8] = {'C', 'O', 'R', 'P', 'A', 'C', 'K', '\n'};
constexpr uint32_t pack_format = 1;

// Read by pread, not mapped: a file that is cut short under us gives a fault, not a bus error.
struct OpenPack {
  PackInfo info;
  Fd fd;
  std::vector<IndexEntry> index;
};

struct OpenPacks {
  LeafMutex mutex;
  std::vector<std::shared_ptr<const OpenPack>> packs; // a reader copies the list
};

OpenPacks& opened() {
  static OpenPacks& all = *new OpenPacks;
  return all;
}
[[maybe_unused]] const OpenPacks& made_at_load = opened(); // see LeafMutex

Status read_pack(const std::string& path, OpenPack* pack) {
  const auto refuse = [&](const std::string& why) { return Status::refuse("the pack " + path + " " + why); };
  pack->fd = Fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!pack->fd) return refuse("cannot be opened: " + error_text(errno));
  Header header;
  struct stat facts;
  if (!read_at(pack->fd.get(), &header, sizeof header, 0) || std::memcmp(header.magic, pack_magic, sizeof pack_magic) != 0)
    return refuse("is no pack of kernels");
  if (header.format != pack_format)
    return refuse("has format " + std::to_string(header.format) + "; this library reads format " + std::to_string(pack_format));
  const uint64_t index_bytes = uint64_t{header.kernels} * sizeof(IndexEntry);
  if (fstat(pack->fd.get(), &facts) != 0 || static_cast<uint64_t>(facts.st_size) != header.file_bytes ||
      header.names_bytes > header.file_bytes || index_bytes > header.file_bytes)
    return refuse("is damaged: its length is wrong");
  std::vector<uint8_t> index(index_bytes + header.names_bytes);
  if (!read_at(pack->fd.get(), index.data(), index.size(), sizeof header) ||
      digest(index.data(), index.size()) != header.index_checksum)
    return refuse("is damaged: the checksum of its index is wrong");
  pack->index.resize(header.kernels);
  std::memcpy(static_cast<void*>(pack->index.data()), index.data(), index_bytes);
  for (const IndexEntry& e : pack->index)
    if (e.offset > header.file_bytes || e.bytes > header.file_bytes - e.offset)
      return refuse("is damaged: a kernel lies outside of it");
  pack->info = {path, std::string(header.target, strnlen(header.target, sizeof header.target)), header.kernels};
  return {};
}

// Config::packs, at the first look.
void open_configured() {
  static Once<bool>& once = *new Once<bool>;
  once.get([] {
    for (const std::string& path : config().packs)
      if (Status s = open_pack(path); !s) log_line(s.reason(), true);
    return true;
  });
}

std::vector<std::shared_ptr<const OpenPack>> snapshot() {
  open_configured();
  std::lock_guard lock(opened().mutex);
  return opened().packs;
}

struct Compiled {
  std::string name;
  Digest content;
  std::vector<uint8_t> code;
  std::string error;
};

Compiled compile_one(const Backend& backend, const Chip& chip, const KernelKey& key) {
  Compiled result;
  Recipe recipe;
  if (Status s = make_recipe(backend, chip, key, &recipe); !s) {
    result.error = s.reason();
    return result;
  }
  result.name = recipe.name;
  result.content = recipe.content;
  const Accept keep = [&](const Binary& binary) {
    result.code = binary.bytes;
    return Status();
  };
  bool interrupted = false;
  Status s = build(recipe, {.packs = false, .jit = config().jit}, keep, &interrupted);
  for (int again = 0; !s && interrupted && again < 2; ++again)
    s = build(recipe, {.packs = false, .jit = config().jit}, keep, &interrupted);
  if (!s) result.error = s.reason();
  return result;
}

std::vector<Compiled> compile_all(const Backend& backend, const Chip& chip, const std::vector<KernelKey>& keys, int threads,
                                  const std::function<void(size_t, size_t)>& progress) {
  std::vector<Compiled> results(keys.size());
  std::atomic<size_t> next{0};
  size_t done = 0;
  std::mutex mutex;
  const auto work = [&] {
    for (size_t i; (i = next++) < keys.size();) {
      results[i] = compile_one(backend, chip, keys[i]);
      std::lock_guard lock(mutex);
      ++done;
      if (progress) progress(done, keys.size());
    }
  };
  std::vector<std::thread> helpers;
  const size_t wanted = std::clamp<size_t>(static_cast<size_t>(std::max(threads, 1)), 1, std::max<size_t>(keys.size(), 1));
  for (size_t i = 1; i < wanted; ++i) helpers.emplace_back(work);
  work();
  for (std::thread& t : helpers) t.join();
  return results;
}

template <size_t N>
void copy_name(char (&to)[N], std::string_view from) {
  std::memcpy(to, from.data(), std::min(from.size(), N - 1));
}

Status write_kernels(const std::string& path, const Chip& chip, const std::vector<Compiled>& kernels) {
  std::vector<IndexEntry> index;
  std::string names, code;
  for (const Compiled& k : kernels) names += k.content.hex() + " " + k.name + "\n";
  const uint64_t code_at = (sizeof(Header) + kernels.size() * sizeof(IndexEntry) + names.size() + 15) & ~uint64_t{15};
  names.resize(code_at - sizeof(Header) - kernels.size() * sizeof(IndexEntry), '\n');
  for (const Compiled& k : kernels) {
    index.push_back({k.content, digest(k.code.data(), k.code.size()), code_at + code.size(), k.code.size()});
    code.append(reinterpret_cast<const char*>(k.code.data()), k.code.size());
    code.resize((code.size() + 15) & ~size_t{15});
  }
  std::string front(reinterpret_cast<const char*>(index.data()), index.size() * sizeof(IndexEntry));
  front += names;
  Header header{};
  std::memcpy(header.magic, pack_magic, sizeof pack_magic);
  header.format = pack_format;
  header.kernels = static_cast<uint32_t>(kernels.size());
  copy_name(header.backend, chip.backend);
  copy_name(header.target, chip.target);
  header.names_bytes = names.size();
  header.file_bytes = code_at + code.size();
  header.index_checksum = digest(front.data(), front.size());
  return write_file(path, {{reinterpret_cast<const char*>(&header), sizeof header}, front, code});
}

} // namespace

bool find_in_packs(const Digest& content, std::vector<uint8_t>* binary) {
  for (const auto& pack : snapshot()) {
    const auto at = std::lower_bound(pack->index.begin(), pack->index.end(), content,
                                     [](const IndexEntry& e, const Digest& d) { return e.content < d; });
    if (at == pack->index.end() || at->content != content) continue;
    binary->resize(at->bytes);
    if (read_at(pack->fd.get(), binary->data(), at->bytes, at->offset) && digest(binary->data(), at->bytes) == at->checksum)
      return true;
    ++runtime_counters().cache_faults;
    log_line("the pack " + pack->info.path + " is damaged: the checksum of kernel " + content.hex() + " is wrong", true);
  }
  return false;
}

Status write_pack(const std::string& path, const Chip& chip, const std::vector<KernelKey>& keys, int threads,
                  const std::function<void(size_t, size_t)>& progress, PackResult* result) {
  const Backend* table = backend(chip.backend);
  if (!table) return Status::refuse(std::string("no backend is named ") + chip.backend);
  std::vector<Compiled> kernels = compile_all(*table, chip, keys, threads, progress);
  for (const Compiled& k : kernels)
    if (!k.error.empty()) result->errors.push_back(k.error);
  result->failed = result->errors.size();
  std::erase_if(kernels, [](const Compiled& k) { return !k.error.empty(); });
  std::sort(kernels.begin(), kernels.end(), [](const Compiled& a, const Compiled& b) { return a.content < b.content; });
  // Two keys may lead to the same text.
  const auto same = [](const Compiled& a, const Compiled& b) { return a.content == b.content; };
  kernels.erase(std::unique(kernels.begin(), kernels.end(), same), kernels.end());
  if (Status s = write_kernels(path, chip, kernels); !s) return s;
  result->kernels = kernels.size();
  for (const Compiled& k : kernels) result->bytes += k.code.size();
  return {};
}

Status open_pack(const std::string& path) {
  auto pack = std::make_shared<OpenPack>();
  if (Status s = read_pack(path, pack.get()); !s) return s;
  std::lock_guard lock(opened().mutex);
  opened().packs.push_back(std::move(pack));
  return {};
}

std::vector<PackInfo> open_packs() {
  std::vector<PackInfo> infos;
  for (const auto& pack : snapshot()) infos.push_back(pack->info);
  return infos;
}

} // namespace corundum
