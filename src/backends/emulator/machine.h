#pragma once
// The machine that runs a launch: some clusters at a time, a fiber for each of their lanes, one lane at a time, in seeded random
// order. A lane runs until it waits for others, or touches memory that blocks share; then another one goes on.
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "backends/emulator/fiber.h"
#include "backends/emulator/program.h"
#include "backends/emulator/shadow.h"
#include "core/launch.h"

namespace corundum::emulator {

enum class Wait : uint8_t { running, shuffle, ballot, warp_barrier, barrier, cluster_barrier, ended };

struct Copy {
  char* to;
  const char* from;
  uint32_t bytes, zeros;
  Access access;
};

struct Block;

struct Lane {
  Block* block;
  LaneClock* clock;
  uint32_t index; // in the block
  Wait wait;
  bool is_set;        // its word of a ballot
  uint32_t place;     // where it waits
  uint32_t value;     // its word of a shuffle, then the answer
  int source;         // lane of the warp whose word it wants
  uint64_t ballot[2]; // the answer
  Context context;
  uint32_t stack;
  std::vector<std::vector<Copy>> copies; // asynchronous, a group each; the last group is open
};

struct Cluster;

struct Block {
  Cluster* cluster;
  uint32_t rank, first_lane; // of the cluster
  uint32_t waiting = 0, ended = 0;
  std::vector<uint32_t> arrived; // lanes of each warp that wait for the warp
  char* shared;
  // The last time that another block of the cluster touched this one's shared memory.
  uint32_t visited = 0, visit_place = 0;
};

struct Cluster {
  uint32_t number;
  uint32_t waiting = 0, ended_blocks = 0;
  std::vector<Block> blocks;
  std::vector<Lane> lanes;
  std::vector<LaneClock> clocks;
};

class Machine {
 public:
  Machine(const Program& program, const Launch& launch, const void* args, uint64_t seed);
  ~Machine();
  // Runs all blocks. What the kernel did wrong is the refusal's reason.
  Status run();

  static Machine& current(); // of this thread, while a lane runs
  Lane& lane() { return *lane_; }

  // Primitives, called on the running lane's own stack.
  uint32_t block_id() const { return lane_->block->cluster->number * cluster_size_ + lane_->block->rank; }
  uint32_t block_count() const { return launch_.grid[0]; }
  char* shared(uint32_t offset) const { return lane_->block->shared + offset; }
  char* arena() const { return lane_->block->shared + arena_at_; }
  void wait_for_block(const void* place);
  void wait_for_cluster(const void* place);
  void wait_for_warp(Wait kind, const void* place); // value, source and is_set of the lane are set
  void ballot(bool set, uint64_t* mask, const void* place);
  uint32_t shuffle(uint32_t value, int source, const void* place);
  void touch(const void* p, uint64_t bytes, Touch touch, const void* place);
  void atomic(const void* p, uint32_t bytes, bool may_wait, const void* place);
  void release(const void* p, uint32_t bytes, const void* place);
  void* in_block(void* shared, uint32_t rank, const void* place);
  void copy(const Copy& copy, const void* place);
  void commit() { lane_->copies.emplace_back(); }
  void land(uint32_t groups_left, const void* place);
  [[noreturn]] void fail(const std::string& what, const void* place);

 private:
  static void run_lane(void* self);
  void start(Cluster& cluster, uint32_t number);
  void next_cluster(Cluster& cluster);
  void end_of_lane();
  void yield() { corundum_switch(&lane_->context, scheduler_); }
  void wake(Lane& lane);
  void complete_warp(Block& block, uint32_t warp);
  void complete_block(Block& block);
  void complete_cluster(Cluster& cluster);
  void check_meeting(const Lane* lanes, uint32_t count, const char* what);
  void check_visit(Block& block, const void* place);
  void touch_shared(uint64_t at, uint64_t bytes, Touch touch, const void* place);
  std::string title() const;
  std::string name(const Lane& lane) const;
  std::string explain(uint64_t at, const Conflict& conflict, Touch touch, const Cluster& cluster) const;
  std::string stuck() const; // who waits for whom, when nobody can go on
  std::string waits(const Lane* lanes, uint32_t count) const;

  const Program& program_;
  const Launch& launch_;
  const void* args_;
  const uint64_t seed_;
  std::mt19937_64 random_;
  const uint32_t cluster_size_, threads_;
  uint32_t arena_at_, block_bytes_; // of a block's shared memory: where its dynamic part starts, and with all zones
  std::unique_ptr<char[]> memory_;  // shared memory of all resident blocks
  char* shared_;
  uint64_t shared_bytes_;
  std::vector<bool> is_valid_; // bytes of a block's shared memory that a variable or the arena owns
  Shadow shadow_;
  std::vector<Cluster> clusters_; // resident
  std::vector<uint32_t> order_;   // numbers of clusters that have not started
  std::vector<Lane*> ready_;
  Lane* lane_ = nullptr;
  Context scheduler_ = nullptr;
  uint32_t now_ = 1;
  uint64_t idle_ = 0; // operations that may have waited since somebody last got further
  std::optional<std::string> fault_;
};

} // namespace corundum::emulator
