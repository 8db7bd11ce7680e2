#include "core/family.h"

namespace corundum {
namespace {

// Filled by static initialisers, before there is a second thread; only read later.
std::vector<const Family*>& registry() {
  static auto& list = *new std::vector<const Family*>;
  return list;
}

} // namespace

Family::Family(const char* name) : name_(name) {
  registry().push_back(this);
  id_ = static_cast<uint16_t>(registry().size()); // 0 stays unused, so that a zeroed key names no family
}

const Family* family(uint16_t id) { return id >= 1 && id <= registry().size() ? registry()[id - 1] : nullptr; }

const Family* family(const std::string& name) {
  for (const Family* f : registry())
    if (name == f->name()) return f;
  return nullptr;
}

const std::vector<const Family*>& families() { return registry(); }

} // namespace corundum
