#include "server/raster/ascii_preview.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "inkstream/drawing.h"

namespace inkstream {
namespace {

using ::testing::Each;
using ::testing::SizeIs;

// A house with a door.
Drawing House() {
  Drawing house;
  house.x = {40, 40, 215, 215, 40, 20, 128, 235, 105, 105, 150, 150};
  house.y = {110, 255, 255, 110, 110, 120, 0, 120, 255, 180, 180, 255};
  house.stroke_ends = {5, 8, 12};
  return house;
}

TEST(AsciiPreview, ShowsAHouseThatAPersonRecognises) {
  const std::vector<std::string> lines =
      raster::AsciiPreview(House().strokes(), 40);
  EXPECT_EQ(absl::StrJoin(lines, "\n"), R"(                    =#+
                  -#- :*=
                :*=     -#-
              .*+         =*:
             +*.           .+*.
           =*:               .*=
         -#-                   :#-
       :*=                       -#:
     .***++++++++++++++++++++++++++**.
    .+.-#                         #-.+.
       -#                         #-
       -#                         #-
       -#                         #-
       -#         :::::::.        #-
       -#        =*:::::*=        #-
       -#        =*     +=        #-
       -#        =*     +=        #-
       -#        =*     +=        #-
       -#        =*     +=        #-
       :#++++++++##+++++##++++++++#:)");
}

TEST(AsciiPreview, HasHalfAsManyLinesAsColumnsAndNoTrailingSpace) {
  for (const uint32_t columns : {8U, 9U, 64U, 200U}) {
    const auto lines = raster::AsciiPreview(House().strokes(), columns);
    EXPECT_THAT(lines, SizeIs(columns / 2));
    for (const std::string& line : lines) {
      EXPECT_LE(line.size(), columns);
      EXPECT_TRUE(line.empty() || line.back() != ' ');
      for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~');
    }
  }
}

TEST(AsciiPreview, ClampsItsWidth) {
  EXPECT_THAT(raster::AsciiPreview(House().strokes(), 0), SizeIs(4));
  EXPECT_THAT(raster::AsciiPreview(House().strokes(), 100000), SizeIs(100));
}

TEST(AsciiPreview, OfNothingIsEmptyLines) {
  EXPECT_THAT(raster::AsciiPreview(Drawing{}.strokes(), 20), Each(""));
}

}  // namespace
}  // namespace inkstream
