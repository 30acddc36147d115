// Whether a stream's batches are better packed: by what each way carries, tried
// out on the stream itself.
//
// Raw until the network holds it up. Then packed batches are tried, and kept if
// they carry a quarter more. While the network is not what holds packed batches
// up, raw ones are tried again now and then, ever more rarely, and likewise
// after packing was not worth it; so it never goes back and forth. Time spent
// waiting for the client's credits says nothing and is left out.
//
// Thread safety: packs() from any thread, the rest from one at a time.
#pragma once

#include <atomic>
#include <cstdint>

namespace inkstream::transport {

// A stream's counts behind a write. All times in seconds.
struct WriteProgress {
  double now = 0;             // on any clock that only goes forwards
  double waited_client = 0;   // so far, for credits
  double waited_network = 0;  // so far, with a write in flight
};

class CodecChooser {
 public:
  bool packs() const { return packs_.load(std::memory_order_relaxed); }

  // A write ended: `batches` whose byte space is `bytes` long, all packed or
  // none.
  void OnSent(bool packed, uint32_t batches, uint64_t bytes,
              const WriteProgress& progress);

 private:
  void Decide(double rate, double blocked, double now);
  void Switch(bool packs);

  std::atomic<bool> packs_{false};
  // What is being measured.
  bool measuring_ = false;
  WriteProgress start_;
  uint32_t batches_ = 0;
  uint64_t bytes_ = 0;
  // The last measurement of each way, bytes a second.
  double raw_rate_ = 0;
  double packed_rate_ = 0;
  bool trying_ = false;  // whether the present way is worth it is not known
  double next_try_ = 0;  // of the other way
  double pause_ = 0;     // until the try after that
};

}  // namespace inkstream::transport
