// The text of a MANIFEST: what was written comes back, and what is wrong is
// named, also where its checksum holds.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/store/generation/manifest.h"
#include "server/store/segment/checksum.h"

namespace inkstream::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kPath[] = "/stores/a.ink/MANIFEST";

// Every member has a value of its own.
Manifest Full() {
  Manifest manifest;
  StoreInfo& info = manifest.info;
  info.name = "quick \"draw\"\\ \x01 ünïcode";
  info.fingerprint = std::string(64, 'f');
  info.generation = 3;
  info.drawings = 90;
  info.unlabelled = 7;
  info.with_countrycode = 11;
  info.with_timestamp = 12;
  info.with_recognized = 13;
  info.with_key_id = 14;
  info.with_times = 15;
  info.has_times = true;
  info.listed_splits = true;
  info.classes = {"cat", "the \"Eiffel\" Tower"};
  info.class_counts = {40, 43};
  info.fixed_classes = true;
  info.duplicates = 4;
  info.deltas = {1, 2, 3};
  info.splits = {
      {"train",
       "hash:inkstream/1:[0,0.9)",
       0,
       0xE666666666666666,
       80,
       "",
       0,
       {4, 5, 6}},
      {"valid", "file:01", 0, 0, 10, "file", 0xFEDCBA9876543210, {}}};
  manifest.segments = {{"segment-000000.mdb", 0, 60, 4096, "aa"},
                       {"segment-000001.mdb", 60, 40, 8192, "bb"}};
  manifest.dropped.Add(5, 3);
  manifest.dropped.Add(70, 7);
  info.dropped = 10;
  manifest.job = "job";
  manifest.resume_point = "file 1, byte 2";
  return manifest;
}

absl::Status ErrorOf(const std::string& text) {
  return ParseManifest(text, kPath).status();
}

// The text with a part replaced, and with a checksum that holds.
std::string With(const std::string& from, const std::string& to) {
  std::string text = Full().ToText();
  text = text.substr(0, text.rfind(kChecksumKey));
  EXPECT_THAT(text, HasSubstr(from));
  text = absl::StrReplaceAll(text, {{from, to}});
  return absl::StrCat(text, kChecksumKey, ManifestHex(Checksum(text)),
                      kManifestEnd);
}

TEST(ManifestParserTest, WhatIsWrittenComesBack) {
  const Manifest written = Full();
  const absl::StatusOr<Manifest> read = ParseManifest(written.ToText(), kPath);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->ToText(), written.ToText());
  EXPECT_EQ(read->info.name, written.info.name);
  EXPECT_EQ(read->info.classes, written.info.classes);
  EXPECT_EQ(read->info.splits[0].high, written.info.splits[0].high);
  EXPECT_EQ(read->info.splits[1].members, written.info.splits[1].members);
  EXPECT_EQ(read->info.dropped, 10);
  EXPECT_EQ(read->dropped.runs(), written.dropped.runs());
  EXPECT_EQ(read->segments[1].first, 60);
  EXPECT_EQ(read->resume_point, written.resume_point);
}

TEST(ManifestParserTest, NoPartOfItIsTheWhole) {
  const std::string text = Full().ToText();
  for (size_t size = 0; size < text.size(); ++size) {
    const absl::Status status = ErrorOf(text.substr(0, size));
    ASSERT_TRUE(absl::IsDataLoss(status)) << size << ": " << status;
    ASSERT_THAT(status.message(), HasSubstr(kPath));
  }
  EXPECT_FALSE(ErrorOf(text + " ").ok());
  EXPECT_FALSE(ErrorOf(text + text).ok());
}

TEST(ManifestParserTest, AFlippedBitAnywhereIsNoticed) {
  const std::string text = Full().ToText();
  for (size_t at = 0; at < text.size(); ++at) {
    std::string bad = text;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    ASSERT_FALSE(ErrorOf(bad).ok()) << "byte " << at;
  }
}

TEST(ManifestParserTest, AMemberThatIsMissingOrOfAnotherKindIsNamed) {
  for (const char* const name :
       {"generation", "name", "fingerprint", "drawings", "unlabelled",
        "columns", "requires", "splits", "classes", "segments", "countrycode",
        "key_id", "rule", "high", "bytes", "content"}) {
    const std::string member = absl::StrCat("\"", name, "\":");
    const absl::Status missing =
        ErrorOf(With(member, absl::StrCat("\"no ", name, "\":")));
    EXPECT_TRUE(absl::IsDataLoss(missing)) << name << ": " << missing;
    EXPECT_THAT(missing.message(), AllOf(HasSubstr(kPath), HasSubstr(name)));
    const absl::Status other =
        ErrorOf(With(member, absl::StrCat(member, " false, \"x\":")));
    EXPECT_TRUE(absl::IsDataLoss(other)) << name << ": " << other;
    EXPECT_THAT(other.message(), AllOf(HasSubstr(kPath), HasSubstr(name)));
  }
}

TEST(ManifestParserTest, NumbersThatContradictEachOtherAreRefused) {
  const std::vector<std::pair<const char*, const char*>> lies = {
      {"\"first\": 60", "\"first\": 61"},
      {"\"drawings\": 40, \"bytes\"", "\"drawings\": 41, \"bytes\""},
      {"\"drawings\": 90", "\"drawings\": 91"},
      {"[5, 3], [70, 7]", "[70, 7], [5, 3]"},
      {"[5, 3], [70, 7]", "[5, 3], [98, 7]"},
      {"[5, 3], [70, 7]", "[5, 3], [18446744073709551615, 7]"},
      {"[5, 3], [70, 7]", "[5, 3]"},
      {"[\"cat\", 40]", "[\"cat\"]"},
      {"[\"cat\", 40]", "[\"cat\", -1]"},
      {"segment-000001.mdb", "../segment-000001.mdb"},
      {"segment-000001.mdb", ".."},
      {"segment-000001.mdb", ""}};
  for (const auto& [from, to] : lies) {
    const absl::Status status = ErrorOf(With(from, to));
    EXPECT_TRUE(absl::IsDataLoss(status)) << to << ": " << status;
    EXPECT_THAT(status.message(), HasSubstr(kPath)) << to;
  }
}

TEST(ManifestParserTest, LaterReleasesAreToldFromDamage) {
  const absl::Status version =
      ErrorOf(With("\"version\": 1", "\"version\": 2"));
  EXPECT_TRUE(absl::IsFailedPrecondition(version)) << version;
  const absl::Status feature =
      ErrorOf(With("\"requires\": [", "\"requires\": [\"colours\", "));
  EXPECT_TRUE(absl::IsFailedPrecondition(feature)) << feature;
  EXPECT_THAT(feature.message(), HasSubstr("'colours'"));
  EXPECT_TRUE(
      ErrorOf(With("\"generation\"", "\"later\": [1],\n  \"generation\""))
          .ok());
}

}  // namespace
}  // namespace inkstream::store
