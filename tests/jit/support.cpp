#include "jit/support.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "core/backend.h"

namespace corundum::test {
namespace {

namespace fs = std::filesystem;

class TestFamily : public Family {
 public:
  TestFamily() : Family("test") {}
  KernelSource source(const KernelKey& key, const Chip& chip) const override {
    int number;
    std::memcpy(&number, key.bytes, sizeof number);
    const std::string entry = "test_kernel_" + std::to_string(number), n = std::to_string(number);
    switch (key.op) {
      case good:
        if (chip.simt)
          return {entry, "struct Args { int* out; };\nextern \"C\" __global__ void " + entry +
                             "(Args a) { a.out[blockIdx.x] = " + n + "; }\n"};
        return {
            entry,
            "struct Args { int* out; };\nextern \"C\" void " + entry +
                "(const void* args, long long first, long long last, void*) {\n  const Args& a = *static_cast<const Args*>(args);\n"
                "  for (long long b = first; b < last; ++b) a.out[b] = " +
                n + ";\n}\n"};
      case wrong_text:
        return {entry, "this is no C++ " + n + ";\n"};
      case no_entry:
        return {entry, "extern \"C\" void something_else() {}\n"};
      default:
        throw std::invalid_argument("operator " + std::to_string(key.op) + " has no text");
    }
  }
  std::string describe(const KernelKey& key) const override {
    int number;
    std::memcpy(&number, key.bytes, sizeof number);
    return std::string("test/").append(std::to_string(key.op)).append(" number ").append(std::to_string(number));
  }
};
const TestFamily& test_family = *new TestFamily;

} // namespace

KernelKey key_of(Op op, int number) {
  KernelKey key;
  key.family = test_family.id();
  key.op = op;
  std::memcpy(key.bytes, &number, sizeof number);
  return key;
}

Device& cpu() {
  Device* d = device(*backend("cpu"), 0);
  if (!d) throw std::runtime_error("this processor has no AVX2");
  return *d;
}

Status obtain_and_run(Device& device, int number) {
  int out[5] = {-1, -1, -1, -1, -1};
  LaunchList list;
  list.add(key_of(good, number), 5, 1, Args{out});
  Status s = run(device, list, nullptr);
  if (s)
    for (int value : out) EXPECT_EQ(value, number);
  else
    for (int value : out) EXPECT_EQ(value, -1) << "refused, and yet something was written";
  return s;
}

int start_child(const Environment& environment, const std::function<void()>& body, int seconds) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child != 0) return child;
  alarm(static_cast<unsigned>(seconds));
  for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
  try {
    body();
  } catch (const std::exception& e) {
    ADD_FAILURE() << e.what();
  }
  std::fflush(nullptr);
  _exit(::testing::Test::HasFailure() ? 1 : 0);
}

bool finish(int child) {
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status)) ADD_FAILURE() << "the child was ended by signal " << WTERMSIG(status);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool in_child(const Environment& environment, const std::function<void()>& body, int seconds) {
  return finish(start_child(environment, body, seconds));
}

Directory::Directory() : path_((fs::temp_directory_path() / "corundum-test-XXXXXX").string()) {
  if (!mkdtemp(path_.data())) throw std::runtime_error("no temporary directory");
}

Directory::~Directory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::vector<std::string> files_below(const std::string& directory) {
  std::vector<std::string> files;
  if (!fs::exists(directory)) return files;
  for (const auto& e : fs::recursive_directory_iterator(directory))
    if (!e.is_directory()) files.push_back(e.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_text(const std::string& path, const std::string& text, int mode) {
  fs::remove(path);
  std::ofstream(path, std::ios::binary) << text;
  chmod(path.c_str(), static_cast<mode_t>(mode));
}

std::string counting_compiler(const Directory& directory, const std::string& before) {
  const std::string script = "#!/bin/sh\ncase \"$*\" in --version) exec c++ --version;; esac\necho compile >> " +
                             (directory / "compiles") + "\n" + before + "\nexec c++ \"$@\"\n";
  write_text(directory / "cxx", script, 0755);
  return directory / "cxx";
}

int compiles(const Directory& directory) {
  const std::string text = read_file(directory / "compiles");
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

} // namespace corundum::test
