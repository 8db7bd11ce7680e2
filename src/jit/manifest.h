#pragma once
// The keys that a program used: one text file a program, one line a key, appended to as they come. Only a hint.
#include <string>
#include <vector>

#include "core/backend.h"
#include "core/chip.h"
#include "core/key.h"
#include "jit/digest.h"

namespace corundum {

struct RememberedKey {
  KernelKey key;
  Digest content; // of the text that the key gave then; another text now means that the key has another meaning
};

// A kernel was made ready. Does nothing before set_program().
void remember(const Backend& backend, const Chip& chip, const KernelKey& key, const Digest& content);
// What was remembered by earlier processes for this backend and target.
std::vector<RememberedKey> remembered(const Backend& backend, const Chip& chip);

} // namespace corundum
