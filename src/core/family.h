#pragma once
// A family of operators, seen from below: something that turns a key into kernel text. Families register themselves, so that a
// new one edits no existing file.
#include <cstdint>
#include <string>
#include <vector>

#include "core/chip.h"
#include "core/key.h"

namespace corundum {

// Text for one entry point. It may say `#include "lang/...";` nothing else is in sight.
struct KernelSource {
  std::string entry; // the symbol; carries operator and dtype, for profilers
  std::string text;
};

class Family {
 public:
  explicit Family(const char* name); // registers; `name` is the folder's
  virtual ~Family() = default;
  virtual KernelSource source(const KernelKey& key, const Chip& chip) const = 0;
  // The key in clear text: "pointwise/add f32,f32->f32 flat".
  virtual std::string describe(const KernelKey& key) const = 0;

  const char* name() const { return name_; }
  uint16_t id() const { return id_; }

 private:
  const char* name_;
  uint16_t id_;
};

// nullptr when no family has this id or name.
const Family* family(uint16_t id);
const Family* family(const std::string& name);
const std::vector<const Family*>& families();

} // namespace corundum
