// Encodes units on several threads and hands them on in the order they came.
//
// Protocol: Push blocks while `2 * threads + 2` units are between Push and the
// end of their commit (bounded memory). Encoders take them in any order; one
// committer thread calls `commit` in push order. After the first error nothing
// more is committed and every Push and Drain returns that error.
//
// Thread safety: Push and Drain from one thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "server/store/writing/unit_encoder.h"

namespace inkstream::store {

// Drawings of one segment, on their way.
struct Unit {
  std::shared_ptr<const StrokeModel> model;
  std::vector<UnitPart> parts;
  bool opens_segment = false;
  // Of one that opens a segment: what is kept with the segment before.
  std::string resume_point = "";
};

class UnitPipeline {
 public:
  using Commit = std::function<absl::Status(const Unit&, EncodedUnit*)>;

  // `threads` >= 1.
  UnitPipeline(int threads, Commit commit);
  // Drops what is not committed yet.
  ~UnitPipeline();
  UnitPipeline(const UnitPipeline&) = delete;
  UnitPipeline& operator=(const UnitPipeline&) = delete;

  absl::Status Push(Unit unit);
  // Waits until everything pushed is committed.
  absl::Status Drain();

 private:
  struct Numbered {
    uint64_t number;
    Unit unit;
  };
  struct Done {
    Unit unit;
    EncodedUnit encoded;
  };
  void RunEncoder();
  void RunCommitter();

  const Commit commit_;
  const uint64_t capacity_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // All below are guarded by mutex_.
  std::deque<Numbered> waiting_;
  std::map<uint64_t, Done> encoded_;
  uint64_t pushed_ = 0;
  uint64_t committed_ = 0;
  absl::Status status_;
  bool stopping_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace inkstream::store
