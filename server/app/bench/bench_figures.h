// What `inkstream bench` measured, and how it is said.
//
// Thread safety: plain values, pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "server/app/commands/value_counts.h"

namespace inkstream::app {

// Waiting times in buckets 2 % apart, from a microsecond to an hour: constant
// memory however long a measurement runs.
class WaitHistogram {
 public:
  void Add(absl::Duration wait);
  void Merge(const WaitHistogram& other) { buckets_.Merge(other.buckets_); }
  // Milliseconds, within 1 %; 0 where nothing was added. `quantile`: 0..1.
  double Quantile(double quantile) const;

 private:
  ValueCounts buckets_;
};

struct BenchSetup {
  std::string target;
  std::string dataset;
  std::string split = "train";
  uint32_t height = 0;  // pixels
  uint32_t width = 0;
  uint32_t batch = 256;  // drawings
  uint32_t streams = 1;
  uint32_t strokes = 0;  // points of stroke tensors; 0: images
  std::string codec = "auto";
};

struct BenchFigures {
  uint64_t batches = 0;
  uint64_t drawings = 0;
  uint64_t bytes = 0;       // of batches
  uint64_t wire_bytes = 0;  // that they came to in messages
  WaitHistogram waits;      // from asking for a batch to having it
  double seconds = 0;       // of the measurement
  double cpu_seconds = 0;   // of this process
  // Of the server's process, whoever it served meanwhile; none from a server
  // that does not tell.
  std::optional<double> server_cpu_seconds;
  uint64_t server_bytes = 0;  // that it sent, to all its clients

  // Adds counts and waits; the times are those of the whole.
  void Merge(const BenchFigures& other);
};

std::string FiguresAsText(const BenchSetup& setup, const BenchFigures& figures);
// One line.
std::string FiguresAsJson(const BenchSetup& setup, const BenchFigures& figures);

}  // namespace inkstream::app
