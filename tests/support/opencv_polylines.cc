#include "tests/support/opencv_polylines.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "server/raster/draw/frame.h"

namespace inkstream::testing {
namespace {

constexpr int kShift = 4;  // fractional bits of OpenCV's coordinates

}  // namespace

std::function<void(const StrokesView&)> OpenCvPolylines(const ImageSpec& spec) {
  const int thickness =
      std::max(1, static_cast<int>(std::lround(spec.line_width *
                                               raster::CanvasScale(spec))));
  cv::Mat image(static_cast<int>(spec.height), static_cast<int>(spec.width),
                CV_8UC1);
  return [spec, thickness, image, points = std::vector<cv::Point>()](
             const StrokesView& strokes) mutable {
    const raster::Frame frame =
        raster::FrameOf(spec, raster::BoundsOf(strokes));
    const auto fixed = [](float v) {
      return static_cast<int>(std::lround((v - 0.5F) * (1 << kShift)));
    };
    image.setTo(0);
    for (size_t s = 0; s < strokes.strokes(); ++s) {
      points.clear();
      for (size_t i = strokes.begin(s); i < strokes.end(s); ++i) {
        points.emplace_back(
            fixed(frame.scale_x * strokes.x[i] + frame.offset_x),
            fixed(frame.scale_y * strokes.y[i] + frame.offset_y));
      }
      cv::polylines(image, points, false, cv::Scalar(255), thickness,
                    cv::LINE_AA, kShift);
    }
  };
}

}  // namespace inkstream::testing
