// Notices new generations of the stores that are served, and has them served.
//
// A store's MANIFEST is replaced by rename, so a change of the file's identity
// is a new generation. It is looked at, not subscribed to: inotify tells
// nothing of changes made by other machines on a network file system.
//
// Thread safety: a thread of its own, from the constructor to the destructor.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "server/batch/engine.h"
#include "server/store/store_reader.h"

namespace inkstream::app {

class GenerationWatch {
 public:
  // What distinguishes one MANIFEST from the next; nullopt: there is none.
  using Identity = std::optional<std::tuple<dev_t, ino_t, int64_t, int64_t>>;
  static Identity IdentityOf(const std::string& store);

  struct Served {
    std::string name;   // of the dataset
    std::string path;   // of the store
    Identity manifest;  // asked for before the store was opened
    std::string fingerprint;
  };

  // `engine` outlives the watch.
  GenerationWatch(batch::Engine* engine, std::vector<Served> stores,
                  const store::OpenOptions& options,
                  std::chrono::milliseconds interval);
  ~GenerationWatch();

  // Looks at every store now, and logs what was found, also where it is
  // nothing new. Does not wait for it.
  void LookNow();

 private:
  void Run();
  void Look(Served* served);

  batch::Engine* const engine_;
  const store::OpenOptions options_;
  const std::chrono::milliseconds interval_;
  std::vector<Served> stores_;  // of the thread
  std::mutex mu_;
  std::condition_variable changed_;
  bool stopped_ = false;    // by mu_
  bool asked_for_ = false;  // by mu_
  std::thread thread_;
};

}  // namespace inkstream::app
