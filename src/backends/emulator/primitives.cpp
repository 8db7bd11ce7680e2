#include "backends/emulator/primitives.h"

#include "backends/emulator/machine.h"

namespace corundum::emulator {
namespace {

Machine& m() { return Machine::current(); }
using Place = const void*;

int thread_id() { return static_cast<int>(m().lane().index); }
unsigned block_id() { return m().block_id(); }
unsigned block_count() { return m().block_count(); }
unsigned cluster_rank() { return m().lane().block->rank; }
void barrier(Place place) { m().wait_for_block(place); }
void warp_barrier(Place place) { m().wait_for_warp(Wait::warp_barrier, place); }
void cluster_barrier(Place place) { m().wait_for_cluster(place); }
unsigned shuffle(unsigned value, int lane, Place place) { return m().shuffle(value, lane, place); }
void ballot(bool set, unsigned long long* mask, Place place) {
  uint64_t lanes[2];
  m().ballot(set, lanes, place);
  mask[0] = lanes[0], mask[1] = lanes[1];
}
char* shared(unsigned offset) { return m().shared(offset); }
char* arena() { return m().arena(); }
void* in_block(void* shared, unsigned rank, Place place) { return m().in_block(shared, rank, place); }
void atomic(const void* p, unsigned bytes, bool may_wait, Place place) { m().atomic(p, bytes, may_wait, place); }
void release(const void* p, unsigned bytes, Place place) { m().release(p, bytes, place); }
void async_copy(void* shared, const void* global, unsigned bytes, unsigned zeros, Place place) {
  m().copy({static_cast<char*>(shared), static_cast<const char*>(global), bytes, zeros, {}}, place);
}
void async_commit() { m().commit(); }
void async_wait(int left, Place place) { m().land(static_cast<uint32_t>(left), place); }
void assert_failed(Place place) { m().fail("device-side assert", place); }
void access(void* p, unsigned long bytes, bool write, Place place) {
  m().touch(p, bytes, write ? Touch::write : Touch::read, place);
}

template <class F>
std::pair<const char*, void*> entry(const char* name, F* function) {
  return {name, reinterpret_cast<void*>(function)};
}

} // namespace

const std::vector<std::pair<const char*, void*>>& primitives() {
  static const auto& all = *new std::vector<std::pair<const char*, void*>>{
      entry("thread_id", thread_id),
      entry("block_id", block_id),
      entry("block_count", block_count),
      entry("cluster_rank", cluster_rank),
      entry("barrier", barrier),
      entry("warp_barrier", warp_barrier),
      entry("cluster_barrier", cluster_barrier),
      entry("shuffle", shuffle),
      entry("ballot", ballot),
      entry("shared", shared),
      entry("arena", arena),
      entry("in_block", in_block),
      entry("atomic", atomic),
      entry("release", release),
      entry("async_copy", async_copy),
      entry("async_commit", async_commit),
      entry("async_wait", async_wait),
      entry("assert_failed", assert_failed),
      entry("access", access),
  };
  return all;
}

} // namespace corundum::emulator
