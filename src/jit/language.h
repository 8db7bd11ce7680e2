#pragma once
// The files of src/lang and the kernel texts of src/ops, carried inside the library.
#include <string>

namespace corundum {

struct EmbeddedFile {
  const char* name; // below src/: "lang/row.h"
  const char* text;
};
extern const EmbeddedFile embedded_files[];
extern const int embedded_file_count;

// Replaces each `#include "..."` of an embedded file by its text, once per file, so that a compiler needs no file at all.
// Throws std::runtime_error for a name that is not embedded.
std::string resolve_includes(const std::string& text);

} // namespace corundum
