#include <string>

#include "gtest/gtest.h"
#include "server/ingest/export/drawing_writer.h"

namespace inkstream::ingest {
namespace {

std::string Line(const Drawing& drawing) {
  std::string line;
  AppendNdjsonLine(drawing, &line);
  return line;
}

TEST(NdjsonWriterTest, ALineIsWhatGoogleWrites) {
  Drawing drawing;
  drawing.word = "The Eiffel Tower";
  drawing.countrycode = "US";
  drawing.timestamp = Timestamp{1488400495244100, 0};
  drawing.recognized = true;
  drawing.key_id = 4552252150775808;
  drawing.stroke_ends = {3, 4};
  drawing.x = {2, 31, 255, 0};
  drawing.y = {239, 127, 9, 100};
  EXPECT_EQ(Line(drawing),
            R"({"word":"The Eiffel Tower","countrycode":"US",)"
            R"("timestamp":"2017-03-01 20:34:55.2441 UTC","recognized":true,)"
            R"("key_id":"4552252150775808",)"
            R"("drawing":[[[2,31,255],[239,127,9]],[[0],[100]]]})"
            "\n");
}

TEST(NdjsonWriterTest, WhatIsMissingHasNoKey) {
  Drawing drawing;
  drawing.stroke_ends = {1};
  drawing.x = {10};
  drawing.y = {99};
  EXPECT_EQ(Line(drawing), "{\"drawing\":[[[10],[99]]]}\n");
  drawing.recognized = false;
  EXPECT_EQ(Line(drawing),
            "{\"recognized\":false,\"drawing\":[[[10],[99]]]}\n");
}

TEST(NdjsonWriterTest, WordsAreEscaped) {
  Drawing drawing;
  drawing.word = "a\"b\\猫";
  drawing.stroke_ends = {1};
  drawing.x = {0};
  drawing.y = {0};
  EXPECT_EQ(Line(drawing),
            "{\"word\":\"a\\\"b\\\\猫\",\"drawing\":[[[0],[0]]]}\n");
}

}  // namespace
}  // namespace inkstream::ingest
