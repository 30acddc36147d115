#include "server/page/drawing_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

namespace inkstream::page {
namespace {

using ::testing::SizeIs;

// `strokes` of `points` each.
batch::InspectedDrawing Drawn(uint32_t strokes, uint32_t points) {
  batch::InspectedDrawing inspected;
  for (uint32_t s = 1; s <= strokes; ++s) {
    for (uint32_t p = 0; p < points; ++p) {
      inspected.drawing.x.push_back(static_cast<float>(p));
      inspected.drawing.y.push_back(0.125F);
    }
    inspected.drawing.stroke_ends.push_back(s * points);
  }
  return inspected;
}

TEST(DrawingJsonTest, WhatADrawingHasNotIsNull) {
  const Json json = DrawingJson(Drawn(1, 2), kAllPoints);
  EXPECT_EQ(json.dump(),
            R"({"index":0,"word":null,"label":-1,"countrycode":null,)"
            R"("timestamp":null,"recognized":null,"key_id":null,"split":"",)"
            R"("points":2,"strokes":[{"x":[0,1],"y":[0.13,0.13]}]})");
}

TEST(DrawingJsonTest, WhatItHasIsWrittenInFull) {
  batch::InspectedDrawing inspected = Drawn(1, 2);
  inspected.index = 4;
  inspected.label = 2;
  inspected.split = "train";
  Drawing& drawing = inspected.drawing;
  drawing.t = {0, 16.5F};
  drawing.word = "<b>\"cat\"</b>";
  drawing.countrycode = "DE";
  drawing.timestamp = Timestamp{1'489'019'335'637'750, 0};
  drawing.recognized = false;
  drawing.key_id = INT64_MAX;
  EXPECT_EQ(
      DrawingJson(inspected, kAllPoints).dump(),
      R"({"index":4,"word":"<b>\"cat\"</b>","label":2,"countrycode":"DE",)"
      R"("timestamp":"2017-03-09 00:28:55.63775 UTC","recognized":false,)"
      R"("key_id":"9223372036854775807","split":"train","points":2,)"
      R"("strokes":[{"x":[0,1],"y":[0.13,0.13],"t":[0,16.5]}]})");
}

TEST(DrawingJsonTest, ALongStrokeIsThinnedAndKeepsItsEnds) {
  const Json json = DrawingJson(Drawn(1, 5001), 1000);
  EXPECT_EQ(json["points"], 5001);
  const Json& x = json["strokes"][0]["x"];
  EXPECT_LE(x.size(), 1001);
  EXPECT_GE(x.size(), 800);
  EXPECT_EQ(x.front(), 0);
  EXPECT_EQ(x.back(), 5000);
}

TEST(DrawingJsonTest, NoMoreStrokesComeThanHaveRoom) {
  EXPECT_THAT(DrawingJson(Drawn(5000, 1), 1000)["strokes"], SizeIs(1000));
  EXPECT_THAT(DrawingJson(Drawn(5000, 1), kAllPoints)["strokes"], SizeIs(5000));
}

}  // namespace
}  // namespace inkstream::page
