#include "core/sync.h"

#include <pthread.h>
#include <unistd.h>

namespace corundum {

// Every LeafMutex is in one list, whose order is the order in which fork takes them. Since they are leaves, any order will do.
// The gate keeps new ones out while a fork is under way: one made and locked meanwhile would stay locked in the child.
struct ForkHandlers {
  static std::mutex gate;
  static LeafMutex* first;

  static void lock_all() {
    gate.lock();
    for (LeafMutex* m = first; m; m = m->next_) m->mutex_.lock();
  }
  static void unlock_all() {
    for (LeafMutex* m = first; m; m = m->next_) m->mutex_.unlock();
    gate.unlock();
  }
  static void add(LeafMutex* mutex) {
    static const int registered = pthread_atfork(lock_all, unlock_all, unlock_all);
    (void)registered;
    std::lock_guard lock(gate);
    mutex->next_ = first;
    first = mutex;
  }
};
std::mutex ForkHandlers::gate;
LeafMutex* ForkHandlers::first = nullptr;

LeafMutex::LeafMutex() { ForkHandlers::add(this); }

bool Flight::claim() {
  const uint32_t mine = (static_cast<uint32_t>(getpid()) << 2) + 2;
  uint32_t seen = word_.load(std::memory_order_acquire);
  while (seen != done_word) {
    if (seen == mine) { // another thread of this process
      word_.wait(seen, std::memory_order_acquire);
      seen = word_.load(std::memory_order_acquire);
    } else if (word_.compare_exchange_weak(seen, mine, std::memory_order_acq_rel)) { // open, or left behind by a parent
      return true;
    }
  }
  return false;
}

void Flight::land(bool done) {
  word_.store(done ? done_word : open_word, std::memory_order_release);
  word_.notify_all();
}

} // namespace corundum
