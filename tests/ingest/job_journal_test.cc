#include "server/ingest/job_journal.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::ingest {
namespace {

using testing::ScratchDirectory;
namespace fs = std::filesystem;

JournalEntry Entry(uint64_t number) {
  JournalEntry entry;
  entry.place = {number / 4, number * 1000, number + 1};
  entry.kept_before = 2 * number;
  entry.chunk.read = 3;
  Drawing drawing;
  drawing.x = {1, 2};
  drawing.y = {3, static_cast<float>(number % 256)};
  drawing.stroke_ends = {2};
  drawing.key_id = static_cast<int64_t>(number + 1);
  drawing.split = "train";
  entry.chunk.drawings.Add(drawing);
  drawing.word = "cat";
  entry.chunk.drawings.Add(drawing);
  entry.chunk.errors.Add(ErrorKind::kBadWord, number / 4, number, 7, "why",
                         "input");
  return entry;
}

JournalEntry Sum(uint64_t number) {
  JournalEntry sum = Entry(number);
  sum.sum = true;
  sum.chunk.drawings = {};
  return sum;
}

class JobJournalTest : public ::testing::Test {
 protected:
  std::unique_ptr<JobJournal> Open() {
    auto journal = JobJournal::Open(scratch_.path(), kFileBytes);
    EXPECT_TRUE(journal.ok()) << journal.status();
    return *std::move(journal);
  }
  void Write(uint64_t entries) {
    const auto journal = Open();
    for (uint64_t n = 0; n < entries; ++n) {
      ASSERT_TRUE(journal->Record(Entry(n), [&] { return Sum(n); }).ok());
    }
  }
  // Answers the place to go on at; `given_` has what came back.
  InputPlace Replay() {
    given_.clear();
    const auto place = Open()->Replay([&](JournalEntry entry) {
      given_.push_back(std::move(entry));
      return absl::OkStatus();
    });
    EXPECT_TRUE(place.ok()) << place.status();
    return *place;
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& file : fs::directory_iterator(scratch_.path())) {
      files.push_back(file.path().string());
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  static constexpr uint64_t kFileBytes = 2000;  // some six entries
  const ScratchDirectory scratch_;
  std::vector<JournalEntry> given_;
};

TEST_F(JobJournalTest, WithoutFilesReadingBeginsAtTheBeginning) {
  EXPECT_EQ(Replay(), InputPlace());
  EXPECT_TRUE(given_.empty());
}

TEST_F(JobJournalTest, AllButTheLastComeBackAndItsPlaceIsWhereToGoOn) {
  Write(40);
  EXPECT_GT(Files().size(), 3);
  EXPECT_EQ(Replay(), Entry(39).place);
  ASSERT_EQ(given_.size(), 40);
  EXPECT_TRUE(given_[0].sum);
  for (uint64_t n = 0; n < 39; ++n) {
    const JournalEntry expected = Entry(n);
    const JournalEntry& found = given_[n + 1];
    ASSERT_EQ(found.place, expected.place);
    ASSERT_EQ(found.kept_before, expected.kept_before);
    ASSERT_EQ(found.chunk.read, expected.chunk.read);
    ASSERT_EQ(found.chunk.drawings, expected.chunk.drawings);
    ASSERT_EQ(found.chunk.errors.Serialize(),
              expected.chunk.errors.Serialize());
  }
}

TEST_F(JobJournalTest, ATornEndCostsOnlyWhatStoodBehindIt) {
  Write(40);
  const std::string last = Files().back();
  for (uint64_t cut = 1; fs::file_size(last) > 2; cut *= 2) {
    const uint64_t size = fs::file_size(last);
    fs::resize_file(last, size > cut ? size - cut : 1);
    const InputPlace place = Replay();
    const uint64_t number = place.line - 1;
    EXPECT_LT(number, 40);
    EXPECT_EQ(place, Entry(number).place);
    EXPECT_EQ(given_.size(), number + 1);
    if (!fs::exists(last)) break;
  }
}

TEST_F(JobJournalTest, FilesWhoseDrawingsAreDurableGo) {
  const auto journal = Open();
  for (uint64_t n = 0; n < 40; ++n) {
    ASSERT_TRUE(journal->Record(Entry(n), [&] { return Sum(n); }).ok());
  }
  const size_t files = Files().size();
  ASSERT_TRUE(journal->Forget(0).ok());
  EXPECT_EQ(Files().size(), files);
  ASSERT_TRUE(journal->Forget(40).ok());
  EXPECT_LT(Files().size(), files);
  ASSERT_TRUE(journal->Forget(80).ok());
  EXPECT_EQ(Files().size(), 1);
  EXPECT_EQ(Replay(), Entry(39).place);
  // The sum in front stands for what is gone.
  EXPECT_TRUE(given_.front().sum);
  EXPECT_GT(given_.front().kept_before, 0);
}

TEST_F(JobJournalTest, EntriesOfOtherReleasesAreNotRead) {
  std::string bytes;
  AppendEntry(Entry(1), &bytes);
  JournalEntry entry;
  EXPECT_TRUE(ParseEntry(bytes, &entry).ok());
  EXPECT_TRUE(absl::IsDataLoss(ParseEntry(bytes.substr(4), &entry)));
  for (size_t size = 0; size < bytes.size(); ++size) {
    JournalEntry part;
    EXPECT_FALSE(ParseEntry(bytes.substr(0, size), &part).ok()) << size;
  }
}

}  // namespace
}  // namespace inkstream::ingest
