#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/ingest/ingest_fixture.h"

namespace inkstream::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kObject[] = R"({"word":"a, ]}\"[","drawing":[[[1],[2]]]})";

class JsonArrayFormatTest : public IngestFixture {};

TEST_F(JsonArrayFormatTest, ElementsMayBeLaidOutInAnyWay) {
  const std::string pretty =
      "\xEF\xBB\xBF \n[\n  {\n    \"word\": \"cat\",\n    \"drawing\": [\n"
      "      [[1, 2],\n       [3, 4]]\n    ]\n  }\n  ,\r\n  ";
  ASSERT_TRUE(Ingest("x.csv", absl::StrCat(pretty, kObject, "\n]\n\n")).ok());
  ASSERT_EQ(writer_.kept.size(), 2);
  EXPECT_EQ(writer_.kept[0].word, "cat");
  EXPECT_THAT(writer_.kept[0].y, ElementsAre(3, 4));
  EXPECT_EQ(writer_.kept[1].word, "a, ]}\"[");
}

TEST_F(JsonArrayFormatTest, ABadElementKnowsItsLineAndItsByte) {
  const std::string text =
      absl::StrCat("[", kObject, ",\n\n 17, {\"word\":\"a\"}\n,",
                   "{\"drawing\"", ":[[[1],[2]]] {}}, ", kObject, "]");
  ASSERT_TRUE(Ingest("x", text).ok());
  EXPECT_EQ(report_.read, 5);
  EXPECT_EQ(report_.kept, 2);
  EXPECT_THAT(Example(0), StartsWith(absl::StrCat("not_an_object at line 3, "
                                                  "byte ",
                                                  text.find("17"))));
  EXPECT_THAT(Example(1), StartsWith("no_drawing at line 3"));
  EXPECT_THAT(Example(2), StartsWith("broken_json at line 4"));
}

TEST_F(JsonArrayFormatTest, WhatIsCutOffIsNamedAndNothingIsKept) {
  const std::string whole = absl::StrCat("[", kObject, ",", kObject, "]");
  for (size_t cut = 1; cut < whole.size(); ++cut) {
    const absl::Status status = Ingest("x.json", whole.substr(0, cut));
    ASSERT_TRUE(absl::IsInvalidArgument(status)) << cut << status;
    ASSERT_THAT(std::string(status.message()),
                HasSubstr("x.json ends inside its JSON array"));
    ASSERT_TRUE(writer_.discarded);
  }
  EXPECT_TRUE(Ingest("x.json", whole).ok());
  EXPECT_THAT(std::string(Ingest("x.json", whole + "\n[]").message()),
              HasSubstr("goes on behind the end of its array, at line 2"));
}

TEST_F(JsonArrayFormatTest, AnElementOverTheLimitIsOneBadRecord) {
  ASSERT_TRUE(Ingest("x", absl::StrCat("[", kObject, ",{\"word\":\"",
                                       std::string(5 << 20, 'x'), "\"},\n",
                                       kObject, "]"))
                  .ok());
  EXPECT_EQ(report_.kept, 2);
  EXPECT_THAT(Example(0), StartsWith("line_too_long at line 1"));
}

TEST_F(JsonArrayFormatTest, ManyElementsKeepTheirOrder) {
  std::string text = "[";
  for (int key = 1; key <= 30000; ++key) {
    absl::StrAppend(&text, key == 1 ? "" : ",\n", "{\"key_id\":\"", key,
                    "\",\"drawing\":[[[1,2],[3,4]]]}");
  }
  text += "]";
  for (const int threads : {1, 3}) {
    options_.threads = threads;
    ASSERT_TRUE(Ingest("x", text).ok());
    ASSERT_EQ(writer_.kept.size(), 30000);
    for (int64_t i = 0; i < 30000; ++i) {
      ASSERT_EQ(writer_.kept[i].key_id, i + 1);
    }
  }
}

TEST_F(JsonArrayFormatTest, AnEmptyArrayHasNoDrawings) {
  EXPECT_THAT(std::string(Ingest("x.json", "[ ]").message()),
              HasSubstr("no drawings in"));
}

}  // namespace
}  // namespace inkstream::ingest
