#include "server/ingest/resume_point.h"

#include <string>

#include "gtest/gtest.h"
#include "server/base/json.h"
#include "server/ingest/ingest_job.h"

namespace inkstream::ingest {
namespace {

IngestReport Report() {
  IngestReport report;
  report.read = 12;
  report.kept = 9;
  report.simplified = 2;
  report.kept_raw = 1;
  report.errors.Add(ErrorKind::kBadWord, 3, 7, 1000, "why", "a\tb\xFF");
  report.unknown_keys.Add("index", 5);
  report.null_values.Add("word", 4);
  report.other_forms.Add("key_id as a number", 6);
  return report;
}

TEST(ResumePointTest, PlaceAndReportComeBack) {
  const InputPlace place = {3, uint64_t{1} << 40, 17};
  const std::string text = ResumePointText(place, Report());
  IngestReport report;
  const absl::StatusOr<InputPlace> found = ParseResumePoint(text, &report);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(*found, place);
  EXPECT_EQ(ResumePointText(place, report), text);
  EXPECT_EQ(report.read, 12);
  EXPECT_EQ(report.kept, 9);
  EXPECT_EQ(report.errors.Save(), Report().errors.Save());
  EXPECT_EQ(report.unknown_keys.counts(), Report().unknown_keys.counts());
  EXPECT_EQ(report.null_values.counts(), Report().null_values.counts());
  EXPECT_EQ(report.other_forms.counts(), Report().other_forms.counts());
}

TEST(ResumePointTest, ATextOfBeforeFormsWereCountedIsRead) {
  Json text = Json::parse(ResumePointText({1, 2, 3}, Report()));
  text.erase("other_forms");
  IngestReport report;
  EXPECT_TRUE(ParseResumePoint(text.dump(), &report).ok());
  EXPECT_EQ(report.null_values.counts(), Report().null_values.counts());
  EXPECT_TRUE(report.other_forms.counts().empty());
}

TEST(ResumePointTest, NothingIsTheBeginning) {
  IngestReport report;
  EXPECT_EQ(*ParseResumePoint("", &report), InputPlace());
  EXPECT_EQ(report.read, 0);
}

TEST(ResumePointTest, OtherTextIsRefused) {
  const std::string text = ResumePointText({1, 2, 3}, Report());
  for (size_t size = 4; size < text.size(); ++size) {
    IngestReport report;
    EXPECT_FALSE(ParseResumePoint(text.substr(0, size), &report).ok()) << size;
  }
  IngestReport report;
  EXPECT_FALSE(ParseResumePoint("not this", &report).ok());
  EXPECT_FALSE(ParseResumePoint("{\"read\": \"many\"}", &report).ok());
}

}  // namespace
}  // namespace inkstream::ingest
