#pragma once
// A call is a short list of launches plus a workspace. Planning fills the list; nothing in it needs a device.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "core/key.h"

namespace corundum {

struct Launch {
  KernelKey key;
  uint32_t grid[3];      // blocks
  uint32_t threads;      // a block; 1 on targets without threads
  uint32_t shared_bytes; // scratch a block: dynamic shared memory, or the thread's arena on a CPU
  uint32_t cluster;      // blocks of a cluster, 1 where there are none; divides grid[0]
  uint32_t grain;        // CPU: blocks a task takes at least
  uint32_t args_offset;  // into LaunchList::args
  uint32_t args_size;
  bool early;           // may start while the launch before it ends; its kernel waits by itself (wait_for_launch_before)
  int32_t workspace_at; // offset in the arguments of a pointer that holds an offset into the workspace, or -1
};

class LaunchList {
 public:
  static constexpr uint32_t max_launches = 4;
  static constexpr uint32_t max_args = 4096;

  LaunchList() {} // leaves the arrays as they are: this is on the path of every call

  // Adds a launch whose kernel takes the struct `args` by value. The reference is good until the list dies.
  template <class Args>
  Launch& add(const KernelKey& key, uint32_t blocks, uint32_t threads, const Args& args) {
    static_assert(std::is_trivially_copyable_v<Args> && sizeof(Args) <= max_args / max_launches);
    return add(key, blocks, threads, &args, sizeof(Args));
  }
  Launch& add(const KernelKey& key, uint32_t blocks, uint32_t threads, const void* args, uint32_t args_size) {
    Launch& l = launches_[size_++];
    l.key = key;
    l.grid[0] = blocks;
    l.grid[1] = l.grid[2] = 1;
    l.threads = threads;
    l.shared_bytes = 0;
    l.cluster = 1;
    l.grain = 1;
    l.args_offset = used_;
    l.args_size = args_size;
    l.early = false;
    l.workspace_at = -1;
    std::memcpy(args_ + used_, args, args_size);
    used_ += (args_size + 15u) & ~15u;
    return l;
  }

  uint32_t size() const { return size_; }
  Launch& operator[](uint32_t i) { return launches_[i]; }
  const Launch& operator[](uint32_t i) const { return launches_[i]; }
  const std::byte* args(const Launch& l) const { return args_ + l.args_offset; }

  uint64_t workspace_bytes = 0; // anything may stand there at first

  // Turns offsets into addresses, once the workspace is there.
  void bind_workspace(void* base) {
    for (uint32_t i = 0; i < size_; ++i) {
      if (launches_[i].workspace_at < 0) continue;
      std::byte* slot = args_ + launches_[i].args_offset + launches_[i].workspace_at;
      uint64_t address;
      std::memcpy(&address, slot, sizeof address);
      address += reinterpret_cast<uint64_t>(base);
      std::memcpy(slot, &address, sizeof address);
    }
  }

 private:
  uint32_t size_ = 0;
  uint32_t used_ = 0;
  Launch launches_[max_launches];
  alignas(16) std::byte args_[max_args];
};

} // namespace corundum
