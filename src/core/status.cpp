#include "core/status.h"

#include <mutex>
#include <string>
#include <unordered_set>

#include "core/sync.h"

namespace corundum {

const char* intern(std::string_view text) {
  struct Store {
    LeafMutex mutex;
    std::unordered_set<std::string> texts; // a node's address stays
  };
  static Store& store = *new Store; // never destroyed: reasons outlive static destructors
  std::lock_guard lock(store.mutex);
  return store.texts.emplace(text).first->c_str();
}

namespace {
[[maybe_unused]] const char* const made_at_load = intern(""); // see LeafMutex
}

Status Status::refuse(std::string_view reason) { return Status(intern(reason)); }

} // namespace corundum
