#include "server/store/strokes/raw_canvas.h"

#include <algorithm>
#include <vector>

namespace inkstream::store {
namespace {

constexpr double kSide = 255.0;

void FillAxis(const std::vector<double>& raw, double least, double range,
              std::vector<float>* axis) {
  axis->resize(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    (*axis)[i] = static_cast<float>((raw[i] - least) * kSide / range);
  }
}

}  // namespace

void FillCanvas(Drawing* drawing) {
  const RawStrokes& raw = drawing->raw;
  const auto [least_x, most_x] =
      std::minmax_element(raw.x.begin(), raw.x.end());
  const auto [least_y, most_y] =
      std::minmax_element(raw.y.begin(), raw.y.end());
  double range = std::max(*most_x - *least_x, *most_y - *least_y);
  if (!(range > 0)) range = kSide;
  FillAxis(raw.x, *least_x, range, &drawing->x);
  FillAxis(raw.y, *least_y, range, &drawing->y);
  drawing->t.resize(raw.t.size());
  for (size_t i = 0; i < raw.t.size(); ++i) {
    drawing->t[i] = static_cast<float>(raw.t[i] - raw.t[0]);
  }
}

}  // namespace inkstream::store
