// Only single IEEE operations are used, which are the same everywhere; library
// functions may differ in their last bit.
#include "server/raster/tensor/channel_values.h"

#include <algorithm>
#include <cmath>

namespace inkstream::raster {
namespace {

constexpr double kPauseHalf = 500.0;  // milliseconds
constexpr double kSpeedHalf = 0.5;    // units of the canvas a millisecond
constexpr size_t kOrderSteps = 10;
constexpr size_t kOrderStep = 13;

// Of a share from 0 (or what is not a number) to 1. The least is far enough
// from ground to be told from it.
constexpr uint8_t kLeast = 55;

uint8_t Level(double share) {
  if (!(share > 0.0)) return kLeast;
  return static_cast<uint8_t>(kLeast + 0.5 + 200.0 * std::min(share, 1.0));
}

bool DiffersBySegment(Channel channel) {
  return channel == Channel::kTime || channel == Channel::kSpeed ||
         channel == Channel::kDirection;
}

// atan(z) / (2 pi) for 0 <= z <= 1, to 2e-6.
double ArcTurns(double z) {
  const double s = z * z;
  double sum = -0.01172120;
  sum = sum * s + 0.05265332;
  sum = sum * s - 0.11643287;
  sum = sum * s + 0.19354346;
  sum = sum * s - 0.33262347;
  sum = sum * s + 0.99997726;
  return z * sum * (0.5 / 3.14159265358979323846);
}

// Heading in turns, 0 to the right, clockwise where y grows downwards.
double Heading(double dx, double dy) {
  const double ax = std::abs(dx);
  const double ay = std::abs(dy);
  double turns = ax >= ay ? (ax > 0.0 ? ArcTurns(ay / ax) : 0.0)
                          : 0.25 - ArcTurns(ax / ay);
  if (dx < 0.0) turns = 0.5 - turns;
  return dy < 0.0 ? 1.0 - turns : turns;
}

uint8_t SpeedLevel(double dx, double dy, double millis) {
  const double length = std::sqrt(dx * dx + dy * dy);
  // length / millis / (length / millis + half)
  return Level(length / (length + kSpeedHalf * std::max(millis, 0.0)));
}

struct TimeSpan {
  explicit TimeSpan(const StrokesView& strokes) {
    if (strokes.t.empty()) return;
    const auto [low, high] =
        std::minmax_element(strokes.t.begin(), strokes.t.end());
    first = *low;
    length = static_cast<double>(*high) - first;
  }

  double first = 0.0;
  double length = 0.0;
};

uint8_t PauseLevel(const StrokesView& strokes, size_t stroke) {
  const size_t begin = strokes.begin(stroke);
  if (strokes.t.empty() || begin == 0 || begin >= strokes.points()) {
    return kLeast;
  }
  const double pause = std::max(
      0.0, static_cast<double>(strokes.t[begin]) - strokes.t[begin - 1]);
  return Level(pause / (pause + kPauseHalf));
}

}  // namespace

ChannelValues::ChannelValues(const std::vector<std::string>& names)
    : by_stroke_(names.size()) {
  for (const std::string& name : names) {
    channels_.push_back(ChannelNamed(name).value());
    if (DiffersBySegment(channels_.back())) ++planes_;
  }
}

void ChannelValues::Compute(const StrokesView& strokes) {
  by_segment_.resize(std::max(strokes.points() * static_cast<size_t>(planes_),
                              by_segment_.size()));
  const TimeSpan span(strokes);
  int plane = 0;
  for (size_t c = 0; c < channels_.size(); ++c) {
    const Channel channel = channels_[c];
    if (!DiffersBySegment(channel)) {
      std::vector<uint8_t>& values = by_stroke_[c];
      values.resize(std::max({strokes.strokes(), values.size(), size_t{1}}));
      for (size_t s = 0; s < strokes.strokes(); ++s) {
        values[s] = channel == Channel::kOrder
                        ? static_cast<uint8_t>(
                              255 - kOrderStep * std::min(s, kOrderSteps))
                    : channel == Channel::kPause ? PauseLevel(strokes, s)
                                                 : uint8_t{255};
      }
      continue;
    }
    for (size_t s = 0; s < strokes.strokes(); ++s) {
      const size_t end = strokes.end(s);
      uint8_t level = kLeast;
      for (size_t i = strokes.begin(s); i < end; ++i) {
        const size_t next = i + 1 < end ? i + 1 : i;
        const double dx = static_cast<double>(strokes.x[next]) - strokes.x[i];
        const double dy = static_cast<double>(strokes.y[next]) - strokes.y[i];
        if (channel == Channel::kDirection) {
          // What has no length goes on as before.
          if (dx != 0.0 || dy != 0.0 || i == strokes.begin(s)) {
            level = Level(Heading(dx, dy));
          }
        } else if (strokes.t.empty()) {
          level = channel == Channel::kTime ? 255 : kLeast;
        } else if (channel == Channel::kSpeed) {
          level = SpeedLevel(
              dx, dy, static_cast<double>(strokes.t[next]) - strokes.t[i]);
        } else if (channel == Channel::kTime) {
          const double middle =
              0.5 * (static_cast<double>(strokes.t[i]) + strokes.t[next]);
          level = Level(1.0 - (span.length > 0.0
                                   ? (middle - span.first) / span.length
                                   : 0.0));
        }
        by_segment_[i * static_cast<size_t>(planes_) +
                    static_cast<size_t>(plane)] = level;
      }
    }
    ++plane;
  }
}

}  // namespace inkstream::raster
