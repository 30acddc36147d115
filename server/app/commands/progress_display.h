// How far long work is, on standard error: a bar that redraws itself at a
// terminal, a plain line every few seconds elsewhere.
//
// Thread safety: one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace inkstream::app {

struct ProgressState {
  uint64_t drawings = 0;  // done so far
  uint64_t done = 0;      // of total, in any unit
  uint64_t total = 0;     // 0: not known, no bar and no time left
  bool bytes = false;     // done and total are bytes, worth showing
};

class ProgressDisplay {
 public:
  using Clock = std::chrono::steady_clock;

  // `label`: what is being done, e.g. "ingest".
  explicit ProgressDisplay(std::string label);
  // Takes the bar away, so that what follows begins on a clean line.
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  // Cheap to call often: draws at most ten times a second.
  void Update(const ProgressState& state);
  void Clear();

  double seconds() const;  // since construction

 private:
  const std::string label_;
  const bool terminal_;
  const Clock::time_point start_;
  Clock::time_point drawn_;
  bool visible_ = false;
};

// One line without its end, at most `width` columns; `seconds` since the start.
std::string ProgressLine(const std::string& label, const ProgressState& state,
                         double seconds, int width);

// 1234567 -> 1,234,567.
std::string WithThousands(uint64_t number);

}  // namespace inkstream::app
