#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "jit/build.h"
#include "jit/manifest.h"
#include "jit/runtime.h"

namespace corundum {
namespace {

struct Job {
  Device* device;
  RememberedKey remembered;
};

// Worker threads that end when there is nothing left. A child of a fork has none of them and starts with a new one of these.
class Workers {
 public:
  void add(Device& device, const std::vector<RememberedKey>& keys) {
    std::lock_guard lock(mutex_);
    for (const RememberedKey& k : keys)
      if (!device.find(k.key)) jobs_.push_back({&device, k});
    const unsigned wanted =
        std::min<unsigned>({4u, std::max(1u, std::thread::hardware_concurrency() / 2), static_cast<unsigned>(jobs_.size())});
    for (; running_ < wanted; ++running_) std::thread([this] { work(); }).detach();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return running_ == 0; });
  }
  void stop() {
    {
      std::lock_guard lock(mutex_);
      jobs_.clear();
    }
    wait();
  }

 private:
  void work();
  bool next(Job* job) {
    std::lock_guard lock(mutex_);
    if (jobs_.empty()) {
      --running_;
      idle_.notify_all();
      return false;
    }
    *job = jobs_.front();
    jobs_.pop_front();
    return true;
  }

  std::mutex mutex_;
  std::condition_variable idle_;
  std::deque<Job> jobs_;
  unsigned running_ = 0;
};

std::atomic<Workers*> workers{nullptr};

Workers& current_workers() {
  static const int forked = pthread_atfork(nullptr, nullptr, [] { workers = nullptr; }); // the parent's are left as they were
  (void)forked;
  if (Workers* w = workers) return *w;
  Workers* made = new Workers;
  Workers* expected = nullptr;
  if (workers.compare_exchange_strong(expected, made)) return *made;
  delete made;
  return *expected;
}

void stop_at_exit() {
  if (Workers* w = workers) w->stop();
}

void Workers::work() {
  // After the compiler's library is loaded: handlers run in reverse order, so the workers stop before its own clean-up.
  bool first = true;
  for (Job job; next(&job);) {
    Recipe recipe;
    const Backend& backend = job.device->backend();
    if (std::exchange(first, false)) {
      std::string why;
      backend.compiler_identity(job.device->chip(), &why);
      static const int registered = std::atexit(stop_at_exit);
      (void)registered;
    }
    const KernelKey& key = job.remembered.key;
    if (!make_recipe(backend, job.device->chip(), key, &recipe) || recipe.content != job.remembered.content) continue;
    const Function* function = nullptr;
    if (!job.device->find(key) && job.device->obtain(key, &function)) ++runtime_counters().prefetched;
  }
}

} // namespace

void prefetch(Device& device) {
  const std::vector<RememberedKey> keys = remembered(device.backend(), device.chip());
  if (!keys.empty()) current_workers().add(device, keys);
}

void wait_for_prefetch() {
  if (Workers* w = workers) w->wait();
}

} // namespace corundum
