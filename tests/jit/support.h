#pragma once
// What the tests of the JIT share: a family of tiny kernels, children with an environment of their own, throw-away directories.
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/family.h"
#include "core/launch.h"
#include "jit/runtime.h"

namespace corundum::test {

// The operators of the family "test". A good kernel writes its number into out[block].
enum Op : uint16_t { good = 1, wrong_text = 2, throws = 3, no_entry = 4 };
KernelKey key_of(Op op, int number = 0);

struct Args {
  int* out;
};

// Gets the kernel, runs it over a few blocks and checks what it wrote. The refusal otherwise.
Status obtain_and_run(Device& device, int number);
Device& cpu();

using Environment = std::vector<std::pair<std::string, std::string>>;
// Runs `body` in a fork of this process, where Config is read anew; true when no expectation in it failed. A child that takes
// longer than `seconds` is killed and counts as failed.
bool in_child(const Environment& environment, const std::function<void()>& body, int seconds = 60);
// The same without waiting; finish() gives what in_child gives.
int start_child(const Environment& environment, const std::function<void()>& body, int seconds = 60);
bool finish(int child);

class Directory {
 public:
  Directory();
  ~Directory();
  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

std::vector<std::string> files_below(const std::string& directory); // paths, sorted
std::string read_file(const std::string& path);
void write_text(const std::string& path, const std::string& text, int mode = 0600);

// A compiler that notes each compile in a file, does `before` (shell), then calls the real one.
std::string counting_compiler(const Directory& directory, const std::string& before = "");
int compiles(const Directory& directory);

} // namespace corundum::test
