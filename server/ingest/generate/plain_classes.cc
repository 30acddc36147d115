#include "server/ingest/generate/plain_classes.h"

#include <array>
#include <cmath>
#include <numbers>

namespace inkstream::ingest {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

Point Around(Point center, double radius, double turns) {
  return {center.x + radius * std::cos(turns * kTurn),
          center.y + radius * std::sin(turns * kTurn)};
}

}  // namespace

void DrawCircle(Pen& pen) { pen.Circle({0.5, 0.5}, 0.5); }

void DrawSquare(Pen& pen) { pen.Box(0, 0, 1, 1); }

void DrawTriangle(Pen& pen) {
  const double apex = 0.5 + pen.random().Bell() * 0.1;
  pen.Polygon({{apex, 0}, {1, 0.9}, {0, 0.9}});
}

void DrawStar(Pen& pen) {
  std::array<Point, 10> corners;
  if (pen.random().Chance(0.5)) {
    // In one go, lines crossing.
    for (int i = 0; i < 5; ++i) {
      corners[i] = Around({0.5, 0.5}, 0.5, -0.25 + i * 0.4);
    }
    pen.Polygon(absl::MakeConstSpan(corners).first(5));
    return;
  }
  const double inner = pen.random().Between(0.19, 0.25);
  for (int i = 0; i < 10; ++i) {
    corners[i] = Around({0.5, 0.5}, i % 2 == 0 ? 0.5 : inner, -0.25 + i * 0.1);
  }
  pen.Polygon(corners);
}

void DrawLightning(Pen& pen) {
  if (pen.random().Chance(0.15)) {
    pen.Line({{0.6, 0}, {0.25, 0.45}, {0.6, 0.42}, {0.2, 1}});
    return;
  }
  pen.Polygon({{0.38, 0},
               {0.72, 0},
               {0.54, 0.36},
               {0.76, 0.36},
               {0.26, 1},
               {0.42, 0.54},
               {0.2, 0.54}});
}

void DrawSun(Pen& pen) {
  KeyedRandom& random = pen.random();
  const double radius = random.Between(0.22, 0.28);
  pen.Circle({0.5, 0.5}, radius);
  const int rays = 7 + static_cast<int>(random.Below(6));
  const double phase = random.Unit();
  for (int i = 0; i < rays; ++i) {
    const double turn = phase + static_cast<double>(i) / rays;
    pen.Line({Around({0.5, 0.5}, radius + 0.05, turn),
              Around({0.5, 0.5}, random.Between(0.44, 0.52), turn)});
  }
}

void DrawMoon(Pen& pen) {
  // A crescent: out along the outer arc, back along the inner one.
  const double bulge = pen.random().Between(0.3, 0.45);
  pen.Curve({{0.62, 0.02},
             {0.3, 0.12},
             {0.12, 0.5},
             {0.3, 0.88},
             {0.62, 0.98},
             {bulge + 0.07, 0.78},
             {bulge, 0.5},
             {bulge + 0.07, 0.22},
             {0.62, 0.02}});
}

void DrawCloud(Pen& pen) {
  KeyedRandom& random = pen.random();
  const double base = random.Between(0.66, 0.72);
  if (random.Chance(0.5)) {
    pen.Arc({0.2, 0.55}, 0.19, 0.16, 100, 270);
    pen.Arc({0.37, 0.36}, 0.19, 0.19, 180, 315);
    pen.Arc({0.64, 0.36}, 0.2, 0.18, 220, 370);
    pen.Arc({0.82, 0.56}, 0.18, 0.15, -80, 80);
    pen.Line({{0.18, base}, {0.83, base}});
    return;
  }
  pen.Curve({{0.2, base},
             {0.03, 0.6},
             {0.05, 0.46},
             {0.19, 0.42},
             {0.2, 0.29},
             {0.36, 0.2},
             {0.52, 0.27},
             {0.64, 0.22},
             {0.78, 0.29},
             {0.79, 0.42},
             {0.94, 0.45},
             {0.98, 0.58},
             {0.82, base},
             {0.64, base - 0.02},
             {0.5, base},
             {0.35, base - 0.02},
             {0.2, base}});
}

void DrawSmileyFace(Pen& pen) {
  KeyedRandom& random = pen.random();
  pen.Circle({0.5, 0.5}, 0.5);
  const double eyes = random.Between(0.34, 0.4);
  const double apart = random.Between(0.15, 0.2);
  const double size = random.Between(0.01, 0.05);
  pen.Dot({0.5 - apart, eyes}, size);
  pen.Dot({0.5 + apart, eyes}, size);
  pen.Arc({0.5, 0.54}, 0.28, random.Between(0.2, 0.28), 170, 10);
  if (random.Chance(0.2)) pen.Line({{0.5, 0.48}, {0.47, 0.58}, {0.52, 0.58}});
}

}  // namespace inkstream::ingest
