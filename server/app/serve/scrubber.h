// Reads everything that is served again and again, slowly, and checks it:
// readers look at a block's checksum the first time only, and what a disk or a
// memory does to it afterwards would be other pixels without a word.
//
// Thread safety: a thread for each dataset from the constructor to the
// destructor, which does not wait for one that hangs in a file system.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/app/serve/detached_thread.h"
#include "server/batch/engine.h"

namespace inkstream::app {

class Scrubber {
 public:
  // What it has come to with one dataset.
  struct Figures {
    uint64_t passes = 0;   // that are complete
    uint64_t bytes = 0;    // read
    uint64_t damaged = 0;  // parts; of the last pass, or more of this one
  };
  using Report =
      std::function<void(const std::string& dataset, const Figures& figures)>;

  // Reads the newest generation of each dataset that there is now; they share
  // `bytes_a_second`. `report` is called by the dataset's thread. `engine`, and
  // what `report` uses, outlive the object. REQUIRES: bytes_a_second > 0.
  Scrubber(batch::Engine* engine, uint64_t bytes_a_second,
           const Report& report);
  ~Scrubber();
  Scrubber(const Scrubber&) = delete;
  Scrubber& operator=(const Scrubber&) = delete;

 private:
  class DatasetScrub;

  std::vector<std::unique_ptr<DetachedThread>> threads_;
};

}  // namespace inkstream::app
