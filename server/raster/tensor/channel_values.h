// What each stroke and segment of a drawing is drawn with in each channel.
// Formulas: inkstream/image_spec.h.
//
// Thread safety: one object a thread (it holds scratch memory). No allocation
// per drawing once the scratch has grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "inkstream/drawing.h"
#include "server/raster/tensor/channel.h"

namespace inkstream::raster {

class ChannelValues {
 public:
  // Names that ChannelNamed knows.
  explicit ChannelValues(const std::vector<std::string>& names);

  // The channels, in the order given.
  const std::vector<Channel>& channels() const { return channels_; }

  // Channels that differ from segment to segment are planes, numbered in the
  // order given.
  int planes() const { return planes_; }

  // Of the drawing from now on.
  void Compute(const StrokesView& strokes);

  // [strokes]; nullptr for a channel that is a plane. `c` counts channels().
  const uint8_t* stroke_values(size_t c) const {
    return by_stroke_[c].empty() ? nullptr : by_stroke_[c].data();
  }
  // [points][planes]: of the segment from each point to the next of its
  // stroke, or of the dot that a stroke of one point is.
  const uint8_t* segment_values() const { return by_segment_.data(); }

 private:
  std::vector<Channel> channels_;
  int planes_ = 0;
  std::vector<std::vector<uint8_t>> by_stroke_;
  std::vector<uint8_t> by_segment_;
};

}  // namespace inkstream::raster
