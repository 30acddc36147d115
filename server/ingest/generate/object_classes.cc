#include "server/ingest/generate/object_classes.h"

#include <cmath>
#include <numbers>

namespace inkstream::ingest {

void DrawBicycle(Pen& pen) {
  const double radius = pen.random().Between(0.2, 0.24);
  const Point rear = {0.22, 0.68}, front = {0.78, 0.68}, pedal = {0.46, 0.68};
  const Point seat = {0.36, 0.34}, head = {0.68, 0.32};
  pen.Circle(rear, radius);
  pen.Circle(front, radius);
  pen.Line({rear, seat, head, pedal, rear});
  pen.Line({seat, pedal});
  pen.Line({front, head, {0.64, 0.2}});
  pen.Line({{0.56, 0.18}, {0.64, 0.2}, {0.72, 0.14}});
  pen.Line({{0.29, 0.3}, {0.43, 0.3}});
}

void DrawCar(Pen& pen) {
  KeyedRandom& random = pen.random();
  const double roof = random.Between(0.24, 0.3);
  pen.Line({{0.17, 0.72},
            {0.02, 0.7},
            {0.02, 0.52},
            {0.22, 0.49},
            {0.34, roof},
            {0.66, roof},
            {0.79, 0.49},
            {0.98, 0.53},
            {0.98, 0.71},
            {0.86, 0.72}});
  pen.Line({{0.36, 0.72}, {0.66, 0.72}});
  const double radius = random.Between(0.085, 0.105);
  pen.Circle({0.265, 0.73}, radius);
  pen.Circle({0.76, 0.73}, radius);
  if (random.Chance(0.7)) {
    pen.Polygon(
        {{0.29, 0.48}, {0.37, roof + 0.05}, {0.48, roof + 0.05}, {0.48, 0.48}});
    pen.Polygon(
        {{0.53, 0.48}, {0.53, roof + 0.05}, {0.64, roof + 0.05}, {0.72, 0.48}});
  }
  if (random.Chance(0.3)) pen.Line({{0.53, 0.56}, {0.6, 0.56}});
}

void DrawClock(Pen& pen) {
  KeyedRandom& random = pen.random();
  pen.Circle({0.5, 0.5}, 0.5);
  const int marks = random.Chance(0.5) ? 12 : 4;
  for (int i = 0; i < marks; ++i) {
    const double turn = 2 * std::numbers::pi * i / marks;
    const double x = std::cos(turn), y = std::sin(turn);
    pen.Line(
        {{0.5 + 0.38 * x, 0.5 + 0.38 * y}, {0.5 + 0.46 * x, 0.5 + 0.46 * y}});
  }
  const double hour = random.Between(0, 2 * std::numbers::pi);
  const double minute = hour + random.Between(0.7, 5.5);
  pen.Line({{0.5 + 0.2 * std::cos(hour), 0.5 + 0.2 * std::sin(hour)},
            {0.5, 0.5},
            {0.5 + 0.32 * std::cos(minute), 0.5 + 0.32 * std::sin(minute)}});
}

void DrawCup(Pen& pen) {
  KeyedRandom& random = pen.random();
  const double inset = random.Between(0.03, 0.12);
  const double bottom = random.Between(0.84, 0.95);
  pen.Ellipse({0.4, 0.2}, 0.36, random.Between(0.06, 0.1));
  pen.Curve({{0.04, 0.2},
             {0.05 + inset * 0.5, 0.55},
             {0.08 + inset, bottom - 0.08},
             {0.2 + inset, bottom},
             {0.6 - inset, bottom},
             {0.72 - inset, bottom - 0.08},
             {0.75 - inset * 0.5, 0.55},
             {0.76, 0.2}});
  pen.Curve(
      {{0.75, 0.34}, {0.92, 0.3}, {1.0, 0.46}, {0.9, 0.64}, {0.72, 0.64}});
  if (random.Chance(0.35)) {
    pen.Curve({{0.3, 0.1}, {0.25, 0.02}, {0.33, -0.06}, {0.28, -0.15}});
    pen.Curve({{0.48, 0.1}, {0.43, 0.02}, {0.51, -0.06}, {0.46, -0.15}});
  }
}

void DrawDoor(Pen& pen) {
  KeyedRandom& random = pen.random();
  pen.Box(0.22, 0, 0.78, 1);
  const double knob = random.Chance(0.8) ? 0.69 : 0.31;
  pen.Circle({knob, random.Between(0.5, 0.57)}, 0.035);
  if (random.Chance(0.65)) {
    pen.Box(0.31, 0.1, 0.69, 0.42);
    if (random.Chance(0.7)) pen.Box(0.31, 0.64, 0.69, 0.9);
  }
}

void DrawEnvelope(Pen& pen) {
  KeyedRandom& random = pen.random();
  pen.Box(0, 0.18, 1, 0.82);
  const double tip = random.Between(0.48, 0.6);
  pen.Line({{0, 0.18}, {0.5, tip}, {1, 0.18}});
  if (random.Chance(0.4)) {
    pen.Line({{0, 0.82}, {0.38, tip - 0.08}});
    pen.Line({{1, 0.82}, {0.62, tip - 0.08}});
  }
}

void DrawEyeglasses(Pen& pen) {
  KeyedRandom& random = pen.random();
  const double tall = random.Between(0.16, 0.23);
  const bool square = random.Chance(0.25);
  for (const double x : {0.24, 0.76}) {
    if (square) {
      pen.Box(x - 0.19, 0.5 - tall, x + 0.19, 0.5 + tall);
    } else {
      pen.Ellipse({x, 0.5}, 0.2, tall);
    }
  }
  pen.Curve({{0.43, 0.47}, {0.5, 0.42}, {0.57, 0.47}});
  pen.Curve({{0.05, 0.45}, {-0.03, 0.36}, {-0.02, 0.26}});
  pen.Curve({{0.95, 0.45}, {1.03, 0.36}, {1.02, 0.26}});
}

void DrawHouse(Pen& pen) {
  KeyedRandom& random = pen.random();
  pen.Box(0.12, 0.42, 0.88, 1);
  const double eaves = random.Between(0.0, 0.1);
  if (random.Chance(0.5)) {
    pen.Line({{eaves, 0.42}, {0.5, 0}, {1 - eaves, 0.42}});
  } else {
    pen.Polygon({{eaves, 0.42}, {0.5, 0}, {1 - eaves, 0.42}});
  }
  const double door = random.Between(0.4, 0.58);
  pen.Line({{door, 1}, {door, 0.72}, {door + 0.16, 0.72}, {door + 0.16, 1}});
  if (random.Chance(0.65)) {
    pen.Box(0.2, 0.54, 0.34, 0.68);
    if (random.Chance(0.5)) {
      pen.Line({{0.27, 0.54}, {0.27, 0.68}});
      pen.Line({{0.2, 0.61}, {0.34, 0.61}});
    }
  }
  if (random.Chance(0.35)) {
    pen.Line({{0.7, 0.17}, {0.7, 0.02}, {0.8, 0.02}, {0.8, 0.26}});
  }
}

void DrawIceCream(Pen& pen) {
  KeyedRandom& random = pen.random();
  pen.Polygon({{0.24, 0.42}, {0.76, 0.42}, {0.5, 1}});
  const int scoops = random.Chance(0.3) ? 2 : 1;
  if (scoops == 1) {
    pen.Arc({0.5, 0.4}, 0.3, 0.32, 178, 362);
  } else {
    pen.Arc({0.38, 0.36}, 0.2, 0.22, 160, 330);
    pen.Arc({0.62, 0.36}, 0.2, 0.22, 210, 380);
  }
  if (random.Chance(0.5)) {
    pen.Line({{0.32, 0.58}, {0.58, 0.44}});
    pen.Line({{0.42, 0.78}, {0.7, 0.52}});
    pen.Line({{0.68, 0.58}, {0.42, 0.44}});
    pen.Line({{0.58, 0.78}, {0.3, 0.52}});
  }
  if (random.Chance(0.25)) pen.Circle({0.5, 0.03}, 0.05);
}

void DrawKey(Pen& pen) {
  KeyedRandom& random = pen.random();
  const double radius = random.Between(0.15, 0.19);
  pen.Circle({0.18, 0.5}, radius);
  if (random.Chance(0.7)) pen.Circle({0.16, 0.5}, radius * 0.4);
  const double bit = random.Between(0.12, 0.17);
  if (random.Chance(0.5)) {
    pen.Line({{0.18 + radius, 0.5}, {1, 0.5}, {1, 0.5 + bit}});
    pen.Line({{0.86, 0.5}, {0.86, 0.5 + bit * 0.9}});
    if (random.Chance(0.5)) pen.Line({{0.73, 0.5}, {0.73, 0.5 + bit * 0.7}});
  } else {
    pen.Line({{0.17 + radius, 0.46},
              {1.0, 0.46},
              {1.0, 0.54 + bit},
              {0.92, 0.54 + bit},
              {0.92, 0.55},
              {0.83, 0.55},
              {0.83, 0.52 + bit},
              {0.75, 0.52 + bit},
              {0.75, 0.55},
              {0.17 + radius, 0.54}});
  }
}

void DrawLadder(Pen& pen) {
  KeyedRandom& random = pen.random();
  const double lean = random.Bell() * 0.06;
  pen.Line({{0.3 + lean, 0}, {0.28 - lean, 1}});
  pen.Line({{0.7 + lean, 0}, {0.72 - lean, 1}});
  const int rungs = 4 + static_cast<int>(random.Below(4));
  for (int i = 0; i < rungs; ++i) {
    const double y = (i + 0.7) / (rungs + 0.4);
    const double shift = lean * (1 - 2 * y);
    pen.Line({{0.29 + shift, y}, {0.71 + shift, y}});
  }
}

void DrawLollipop(Pen& pen) {
  KeyedRandom& random = pen.random();
  const double radius = random.Between(0.24, 0.3);
  const Point center = {0.5, 0.3};
  pen.Circle(center, radius);
  // The swirl: half turns that shrink.
  const double start = random.Between(0, 360);
  double shrinking = radius * 0.72;
  if (random.Chance(0.8)) {
    pen.Arc(center, shrinking, shrinking * 0.92, start, start + 200);
    shrinking *= 0.6;
    pen.Arc(center, shrinking, shrinking, start + 160, start + 400);
  }
  if (random.Chance(0.6)) {
    pen.Line({{0.5, 0.3 + radius}, {0.5, 1}});
  } else {
    pen.Line(
        {{0.475, 0.3 + radius}, {0.475, 1}, {0.525, 1}, {0.525, 0.3 + radius}});
  }
}

void DrawSailboat(Pen& pen) {
  KeyedRandom& random = pen.random();
  pen.Polygon({{0.02, 0.74}, {0.98, 0.74}, {0.8, 0.96}, {0.2, 0.96}});
  pen.Line({{0.48, 0.74}, {0.48, 0.02}});
  pen.Polygon({{0.52, 0.04}, {0.92, 0.66}, {0.52, 0.66}});
  if (random.Chance(0.65)) {
    pen.Polygon({{0.44, 0.14}, {0.44, 0.66}, {0.12, 0.66}});
  }
  if (random.Chance(0.3)) {
    pen.Curve({{-0.05, 1.02},
               {0.1, 1.06},
               {0.25, 1.01},
               {0.4, 1.06},
               {0.55, 1.01},
               {0.7, 1.06},
               {0.85, 1.01},
               {1.0, 1.05}});
  }
}

void DrawTable(Pen& pen) {
  KeyedRandom& random = pen.random();
  if (random.Chance(0.6)) {  // seen from above the edge
    pen.Polygon({{0.2, 0.2}, {0.95, 0.2}, {0.8, 0.46}, {0.02, 0.46}});
    pen.Line({{0.06, 0.46}, {0.06, 0.9}});
    pen.Line({{0.76, 0.46}, {0.76, 0.9}});
    pen.Line({{0.92, 0.26}, {0.92, 0.68}});
    if (random.Chance(0.7)) pen.Line({{0.25, 0.46}, {0.25, 0.68}});
  } else {
    pen.Box(0, 0.26, 1, 0.36);
    pen.Line({{0.1, 0.36}, {0.1, 0.86}, {0.17, 0.86}, {0.17, 0.36}});
    pen.Line({{0.83, 0.36}, {0.83, 0.86}, {0.9, 0.86}, {0.9, 0.36}});
  }
}

void DrawUmbrella(Pen& pen) {
  KeyedRandom& random = pen.random();
  pen.Arc({0.5, 0.48}, 0.5, 0.46, 180, 360);
  if (random.Chance(0.7)) {
    pen.Curve({{0.0, 0.48}, {0.09, 0.42}, {0.17, 0.42}, {0.25, 0.48}});
    pen.Curve({{0.25, 0.48}, {0.34, 0.42}, {0.42, 0.42}, {0.5, 0.48}});
    pen.Curve({{0.5, 0.48}, {0.58, 0.42}, {0.66, 0.42}, {0.75, 0.48}});
    pen.Curve({{0.75, 0.48}, {0.83, 0.42}, {0.91, 0.42}, {1.0, 0.48}});
  } else {
    pen.Line({{0.0, 0.48}, {1.0, 0.48}});
  }
  pen.Curve({{0.5, 0.47},
             {0.5, 0.7},
             {0.5, 0.88},
             {0.44, 0.98},
             {0.35, 0.96},
             {0.33, 0.87}});
  if (random.Chance(0.5)) pen.Line({{0.5, 0.02}, {0.5, -0.06}});
}

}  // namespace inkstream::ingest
