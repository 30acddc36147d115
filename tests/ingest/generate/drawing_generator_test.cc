#include "server/ingest/generate/drawing_generator.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "server/ingest/generate/class_catalog.h"
#include "server/store/drawing_rules.h"

namespace inkstream::ingest {
namespace {

constexpr uint64_t kSome = 3000;

TEST(DrawingGeneratorTest, EveryDrawingIsAnOfficialOne) {
  DrawingGenerator generator(7, ClassCatalog().size());
  Drawing drawing;
  for (uint64_t index = 0; index < kSome; ++index) {
    generator.Generate(index, &drawing);
    ASSERT_TRUE(store::ValidateDrawing(drawing).ok()) << index;
    const auto [low_x, high_x] =
        std::minmax_element(drawing.x.begin(), drawing.x.end());
    const auto [low_y, high_y] =
        std::minmax_element(drawing.y.begin(), drawing.y.end());
    EXPECT_EQ(*low_x, 0);
    EXPECT_EQ(*low_y, 0);
    EXPECT_EQ(std::max(*high_x, *high_y), 255);
    EXPECT_EQ(std::to_string(*drawing.key_id).size(), 16);
    EXPECT_EQ(drawing.countrycode->size(), 2);
    EXPECT_EQ(drawing.timestamp->micros % 10, 0);
  }
}

TEST(DrawingGeneratorTest, ADrawingDependsOnSeedAndIndexOnly) {
  DrawingGenerator one(1, 30), again(1, 30), other(2, 30);
  Drawing a, b, c;
  for (uint64_t index = 100; index-- > 0;) {
    again.Generate(index, &b);  // in reverse, so that no state is carried
  }
  int same_as_other = 0;
  for (uint64_t index = 0; index < 100; ++index) {
    one.Generate(index, &a);
    again.Generate(99 - index, &b);
    again.Generate(index, &b);
    other.Generate(index, &c);
    EXPECT_EQ(a, b);
    same_as_other += a == c ? 1 : 0;
  }
  EXPECT_EQ(same_as_other, 0);
}

TEST(DrawingGeneratorTest, KeysDoNotRepeat) {
  DrawingGenerator generator(3, 2);
  Drawing drawing;
  std::set<int64_t> keys;
  for (uint64_t index = 0; index < 20000; ++index) {
    generator.Generate(index, &drawing);
    keys.insert(*drawing.key_id);
  }
  EXPECT_EQ(keys.size(), 20000);
}

TEST(DrawingGeneratorTest, ClassesTakeTurnsAndAboutSevenPercentFail) {
  DrawingGenerator generator(4, 10);
  Drawing drawing;
  std::map<std::string, int> counts;
  int unrecognized = 0;
  for (uint64_t index = 0; index < 5000; ++index) {
    generator.Generate(index, &drawing);
    ++counts[*drawing.word];
    unrecognized += *drawing.recognized ? 0 : 1;
  }
  EXPECT_EQ(counts.size(), 10);
  for (const auto& [word, count] : counts) EXPECT_EQ(count, 500) << word;
  // Four deviations about 350.
  EXPECT_NEAR(unrecognized, 350, 72);
}

TEST(DrawingGeneratorTest, DrawingsOfAClassDiffer) {
  DrawingGenerator generator(5, 30);
  Drawing drawing;
  std::map<std::string, std::set<std::vector<float>>> shapes;
  for (uint64_t index = 0; index < kSome; ++index) {
    generator.Generate(index, &drawing);
    shapes[*drawing.word].insert(drawing.x);
  }
  EXPECT_EQ(shapes.size(), ClassCatalog().size());
  // A square with a wobble below two units is its four corners.
  for (const auto& [word, distinct] : shapes) {
    EXPECT_GT(distinct.size(), kSome / 30 * 7 / 10) << word;
  }
}

TEST(DrawingGeneratorTest, PointsAndStrokesAreAsManyAsInRealDrawings) {
  DrawingGenerator generator(6, 30);
  Drawing drawing;
  double points = 0, strokes = 0;
  for (uint64_t index = 0; index < kSome; ++index) {
    generator.Generate(index, &drawing);
    points += static_cast<double>(drawing.x.size());
    strokes += static_cast<double>(drawing.stroke_ends.size());
  }
  // Real ones: 46 points in 5.2 strokes.
  EXPECT_GT(points / kSome, 25);
  EXPECT_LT(points / kSome, 70);
  EXPECT_GT(strokes / kSome, 3);
  EXPECT_LT(strokes / kSome, 9);
}

TEST(DrawingGeneratorTest, TheCatalogueHasThirtyWords) {
  std::set<std::string> words;
  for (const DrawingClass& each : ClassCatalog()) words.insert(each.word());
  EXPECT_EQ(words.size(), ClassCatalog().size());
  EXPECT_GE(words.size(), 30);
}

}  // namespace
}  // namespace inkstream::ingest
