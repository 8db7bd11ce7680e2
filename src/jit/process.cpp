#include "jit/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "jit/file.h"

extern char** environ;

namespace corundum {
namespace {

// Ours without what would load foreign libraries into the compiler or translate its messages.
std::vector<char*> child_environment() {
  std::vector<char*> result;
  for (char** e = environ; e && *e; ++e)
    if (std::strncmp(*e, "LD_PRELOAD=", 11) != 0 && std::strncmp(*e, "LC_ALL=", 7) != 0) result.push_back(*e);
  static char locale[] = "LC_ALL=C";
  result.push_back(locale);
  result.push_back(nullptr);
  return result;
}

struct SpawnSetup {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;

  SpawnSetup(int input, int output) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    posix_spawnattr_init(&attributes);
    sigset_t none, defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (int s : {SIGINT, SIGTERM, SIGPIPE, SIGCHLD}) sigaddset(&defaults, s);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

void wait_for(pid_t child, ProcessResult* result) {
  int status = 0;
  pid_t got;
  do got = waitpid(child, &status, 0);
  while (got < 0 && errno == EINTR);
  if (got < 0) return; // the program ignores SIGCHLD or waits for all children: the outcome is not known
  if (WIFEXITED(status)) result->exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result->signal = WTERMSIG(status);
}

} // namespace

ProcessResult run_process(const std::vector<std::string>& command, std::string_view input) {
  ProcessResult result;
  // Files in memory instead of pipes: nothing can block, no thread is needed to feed or drain.
  Fd in(memfd_create("corundum-input", MFD_CLOEXEC)), out(memfd_create("corundum-output", MFD_CLOEXEC));
  if (!in || !out || !write_all(in.get(), input.data(), input.size()) || lseek(in.get(), 0, SEEK_SET) != 0) {
    result.output = "cannot create a file in memory: " + error_text(errno);
    return result;
  }
  std::vector<char*> arguments;
  for (const std::string& a : command) arguments.push_back(const_cast<char*>(a.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> environment = child_environment();
  SpawnSetup setup(in.get(), out.get());
  pid_t child;
  const int error = posix_spawnp(&child, arguments[0], &setup.actions, &setup.attributes, arguments.data(), environment.data());
  if (error != 0) {
    result.output = "cannot start " + command[0] + ": " + error_text(error);
    return result;
  }
  result.started = true;
  wait_for(child, &result);
  std::vector<uint8_t> output;
  if (read_all(out.get(), &output)) result.output.assign(output.begin(), output.end());
  return result;
}

} // namespace corundum
