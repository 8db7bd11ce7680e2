#include "core/backend.h"

#include <string_view>

namespace corundum {
namespace {

// Filled by static initialisers, before there is a second thread; only read later.
std::vector<const Backend*>& registry() {
  static auto& list = *new std::vector<const Backend*>;
  return list;
}

} // namespace

bool register_backend(const Backend* table) {
  if (table->abi != Backend::current_abi || !table->name || backend(table->name)) return false;
  registry().push_back(table);
  return true;
}

const Backend* backend(std::string_view name) {
  for (const Backend* b : registry())
    if (name == b->name) return b;
  return nullptr;
}

const std::vector<const Backend*>& backends() { return registry(); }

} // namespace corundum
