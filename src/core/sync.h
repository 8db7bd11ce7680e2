#pragma once
// Mutual exclusion that survives fork(): PyTorch's data loaders fork while other threads compile.
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

namespace corundum {

// A mutex that no child of a fork finds locked: fork waits for its holder. A leaf: whoever holds one takes no other.
// Objects live for ever. A function-local static that holds one is made when the library loads (a namespace-scope constant calls
// the function): a fork while another thread makes it would leave it half made in the child.
class LeafMutex {
 public:
  LeafMutex();
  LeafMutex(const LeafMutex&) = delete;
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  friend struct ForkHandlers;
  std::mutex mutex_;
  LeafMutex* next_;
};

// Work that one thread does while the others wait for it. A child of a fork does not wait for a thread that it does not have: it
// claims the work itself. May be held for long, and across other locks.
class Flight {
 public:
  // True: the caller does the work and must call land(). False: the work is done. Waits while another thread does it.
  bool claim();
  // done: later claims return false. Otherwise one of the waiters claims next.
  void land(bool done);
  bool landed() const { return word_.load(std::memory_order_acquire) == done_word; }

 private:
  static constexpr uint32_t open_word = 0, done_word = 1; // anything else: the pid at work, shifted, plus 2
  std::atomic<uint32_t> word_{open_word};
};

// A value made by the first caller. An exception leaves it unmade.
template <class T>
class Once {
 public:
  template <class Make>
  T& get(const Make& make) {
    if (!flight_.landed() && flight_.claim()) {
      try {
        value_.emplace(make());
      } catch (...) {
        flight_.land(false);
        throw;
      }
      flight_.land(true);
    }
    return *value_;
  }

 private:
  Flight flight_;
  std::optional<T> value_;
};

} // namespace corundum
