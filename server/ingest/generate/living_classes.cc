#include "server/ingest/generate/living_classes.h"

#include <cmath>
#include <numbers>

namespace inkstream::ingest {

void DrawApple(Pen& pen) {
  KeyedRandom& random = pen.random();
  pen.Curve({{0.5, 0.3},
             {0.32, 0.22},
             {0.1, 0.36},
             {0.08, 0.64},
             {0.28, 0.96},
             {0.5, 0.93},
             {0.72, 0.96},
             {0.92, 0.64},
             {0.9, 0.36},
             {0.68, 0.22},
             {0.5, 0.3}});
  pen.Curve({{0.5, 0.3}, {0.52, 0.17}, {0.58, 0.04}});
  if (random.Chance(0.75)) {
    pen.Curve(
        {{0.56, 0.14}, {0.68, 0.03}, {0.84, 0.06}, {0.72, 0.17}, {0.56, 0.14}});
  }
}

void DrawCat(Pen& pen) {
  KeyedRandom& random = pen.random();
  pen.Ellipse({0.5, 0.58}, 0.42, 0.38);
  const double ear = random.Between(0.0, 0.06);
  pen.Line({{0.14, 0.4}, {0.12, ear}, {0.38, 0.24}});
  pen.Line({{0.62, 0.24}, {0.88, ear}, {0.86, 0.4}});
  pen.Dot({0.35, 0.5}, random.Between(0.01, 0.04));
  pen.Dot({0.65, 0.5}, random.Between(0.01, 0.04));
  pen.Polygon({{0.46, 0.62}, {0.54, 0.62}, {0.5, 0.67}});
  pen.Curve({{0.38, 0.74}, {0.44, 0.78}, {0.5, 0.68}});
  pen.Curve({{0.5, 0.68}, {0.56, 0.78}, {0.62, 0.74}});
  const int whiskers = 2 + static_cast<int>(random.Below(2));
  for (int i = 0; i < whiskers; ++i) {
    const double y = 0.63 + i * 0.06;
    const double drop = (i - 0.6) * 0.06;
    pen.Line({{0.34, y}, {0.0, y + drop}});
    pen.Line({{0.66, y}, {1.0, y + drop}});
  }
}

void DrawFish(Pen& pen) {
  KeyedRandom& random = pen.random();
  const double fat = random.Between(0.17, 0.27);
  // The whole outline in one stroke, or body and tail apart.
  if (random.Chance(0.6)) {
    pen.Curve({{1.0, 0.5 - fat},
               {0.72, 0.5},
               {0.35, 0.5 + fat},
               {0.0, 0.5},
               {0.35, 0.5 - fat},
               {0.72, 0.5},
               {1.0, 0.5 + fat}});
    pen.Line({{1.0, 0.5 - fat}, {1.0, 0.5 + fat}});
  } else {
    pen.Ellipse({0.38, 0.5}, 0.38, fat);
    pen.Polygon({{0.75, 0.5}, {1.0, 0.5 - fat}, {0.98, 0.5 + fat}});
  }
  pen.Dot({0.15, 0.47}, random.Between(0.01, 0.03));
  if (random.Chance(0.4)) {
    pen.Arc({0.2, 0.5}, 0.07, fat * 0.7, -70, 70);
  }
  if (random.Chance(0.4)) {
    pen.Line({{0.32, 0.5 - fat}, {0.45, 0.38 - fat}, {0.55, 0.53 - fat}});
  }
}

void DrawFlower(Pen& pen) {
  KeyedRandom& random = pen.random();
  const Point heart = {0.5, 0.3};
  const double radius = random.Between(0.07, 0.1);
  pen.Circle(heart, radius);
  const int petals = 5 + static_cast<int>(random.Below(3));
  const double phase = random.Unit();
  for (int i = 0; i < petals; ++i) {
    const double turn =
        (phase + static_cast<double>(i) / petals) * 2 * std::numbers::pi;
    const Point out = {std::cos(turn), std::sin(turn)};
    const Point side = {-out.y, out.x};
    const double wide = 0.09;
    const double reach = radius + random.Between(0.15, 0.2);
    const auto at = [&](double along, double across) {
      return Point{heart.x + out.x * along + side.x * across,
                   heart.y + out.y * along + side.y * across};
    };
    pen.Curve({at(radius, -0.03), at(radius + 0.1, -wide), at(reach, 0),
               at(radius + 0.1, wide), at(radius, 0.03)});
  }
  pen.Curve({{0.5, 0.56}, {0.48, 0.75}, {0.5, 1.0}});
  if (random.Chance(0.7)) {
    pen.Curve(
        {{0.5, 0.88}, {0.62, 0.72}, {0.74, 0.72}, {0.64, 0.84}, {0.5, 0.88}});
  }
  if (random.Chance(0.4)) {
    pen.Curve(
        {{0.49, 0.84}, {0.38, 0.7}, {0.26, 0.7}, {0.36, 0.82}, {0.49, 0.84}});
  }
}

void DrawMushroom(Pen& pen) {
  KeyedRandom& random = pen.random();
  pen.Arc({0.5, 0.5}, 0.5, 0.45, 180, 360);
  pen.Curve({{0.0, 0.5}, {0.25, 0.56}, {0.5, 0.57}, {0.75, 0.56}, {1.0, 0.5}});
  pen.Curve({{0.37, 0.56},
             {0.39, 0.8},
             {0.34, 0.96},
             {0.5, 1.0},
             {0.66, 0.96},
             {0.61, 0.8},
             {0.63, 0.56}});
  const int spots = static_cast<int>(random.Below(4));
  for (int i = 0; i < spots; ++i) {
    pen.Circle({0.27 + 0.23 * i, 0.3 + 0.08 * (i % 2)},
               random.Between(0.04, 0.08));
  }
}

void DrawTree(Pen& pen) {
  KeyedRandom& random = pen.random();
  if (random.Chance(0.25)) {  // a fir
    pen.Line({{0.42, 0.82}, {0.42, 1.0}, {0.58, 1.0}, {0.58, 0.82}});
    pen.Polygon({{0.5, 0}, {0.72, 0.3}, {0.28, 0.3}});
    pen.Polygon({{0.5, 0.22}, {0.8, 0.56}, {0.2, 0.56}});
    pen.Polygon({{0.5, 0.46}, {0.88, 0.82}, {0.12, 0.82}});
    return;
  }
  pen.Curve({{0.42, 0.58}, {0.43, 0.8}, {0.38, 1.0}});
  pen.Curve({{0.58, 0.58}, {0.57, 0.8}, {0.62, 1.0}});
  pen.Curve({{0.42, 0.58},
             {0.22, 0.6},
             {0.1, 0.44},
             {0.2, 0.3},
             {0.22, 0.12},
             {0.42, 0.1},
             {0.52, 0.0},
             {0.68, 0.1},
             {0.82, 0.16},
             {0.82, 0.32},
             {0.9, 0.46},
             {0.78, 0.6},
             {0.58, 0.58}});
  if (random.Chance(0.3)) pen.Line({{0.3, 1.0}, {0.7, 1.0}});
}

}  // namespace inkstream::ingest
