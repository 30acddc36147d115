#include "server/store/store_writer.h"

#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::store {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::ScratchDirectory;
namespace fs = std::filesystem;

TEST(StoreWriter, TheStoreAppearsOnlyWhenItIsComplete) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("a.ink");
  auto writer = StoreWriter::Create(path, {});
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE((*writer)->Append(SampleDrawings(20000)).ok());
  EXPECT_EQ((*writer)->drawings(), 20000);
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(fs::exists(path + ".partial"));
  EXPECT_FALSE(StoreReader::Open(path + ".partial").ok());
  ASSERT_TRUE((*writer)->Finish().ok());
  EXPECT_TRUE(StoreReader::Open(path).ok());
  EXPECT_FALSE(fs::exists(path + ".partial"));
  EXPECT_FALSE(fs::exists(path + "/LOCK"));
  EXPECT_TRUE(absl::IsFailedPrecondition((*writer)->Append(SampleDrawings(1))));
  EXPECT_TRUE(absl::IsFailedPrecondition((*writer)->Finish().status()));
}

TEST(StoreWriter, DiscardLeavesNothing) {
  const ScratchDirectory scratch;
  auto writer = StoreWriter::Create(scratch.File("a.ink"), {});
  ASSERT_TRUE((*writer)->Append(SampleDrawings(20000)).ok());
  ASSERT_TRUE((*writer)->Discard().ok());
  EXPECT_TRUE(fs::is_empty(scratch.path()));
}

TEST(StoreWriter, AnAbandonedWriterLeavesThePartAndTheNextOneStartsAgain) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("a.ink");
  {
    auto writer = StoreWriter::Create(path, {});
    ASSERT_TRUE((*writer)->Append(SampleDrawings(20000)).ok());
  }
  EXPECT_FALSE(fs::exists(path));
  EXPECT_TRUE(fs::exists(path + ".partial"));
  MustWrite(path, SampleDrawings(10));
  EXPECT_EQ(MustOpen(path)->size(), 10);
}

TEST(StoreWriter, ASecondWriterIsRefusedAndTheFirstGoesOn) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("a.ink");
  auto first = StoreWriter::Create(path, {});
  ASSERT_TRUE(first.ok());
  const auto second = StoreWriter::Create(path, {});
  EXPECT_TRUE(absl::IsFailedPrecondition(second.status())) << second.status();
  EXPECT_THAT(
      second.status().message(),
      AllOf(HasSubstr("another process"), HasSubstr(std::to_string(getpid())),
            HasSubstr("a.ink.partial")));
  ASSERT_TRUE((*first)->Append(SampleDrawings(5)).ok());
  EXPECT_TRUE((*first)->Finish().ok());
}

TEST(StoreWriter, AnExistingStoreIsKept) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("a.ink");
  MustWrite(path, SampleDrawings(5));
  for (const std::string& name : {path, path + "/"}) {
    const auto again = StoreWriter::Create(name, {});
    EXPECT_TRUE(absl::IsAlreadyExists(again.status())) << again.status();
    EXPECT_THAT(again.status().message(),
                AllOf(HasSubstr("--append"), HasSubstr("--resume")));
  }
  EXPECT_EQ(MustOpen(path)->size(), 5);
}

TEST(StoreWriter, AStoreThatAppearedMeanwhileIsNotReplaced) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("a.ink");
  auto writer = StoreWriter::Create(path, {});
  ASSERT_TRUE((*writer)->Append(SampleDrawings(5)).ok());
  fs::create_directory(path);
  const auto finished = (*writer)->Finish();
  EXPECT_TRUE(absl::IsAlreadyExists(finished.status())) << finished.status();
  EXPECT_TRUE(fs::is_empty(path));
}

TEST(StoreWriter, AFailureToWriteReachesTheCaller) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("a.ink");
  auto writer = StoreWriter::Create(path, {});
  ASSERT_TRUE(writer.ok());
  // The segment cannot be created any more.
  fs::create_directory(path + ".partial/segment-000000.mdb");
  absl::Status status;
  for (int i = 0; status.ok() && i < 100; ++i) {
    status = (*writer)->Append(SampleDrawings(5000));
  }
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(status.message(), HasSubstr("segment-000000.mdb"));
  EXPECT_EQ((*writer)->Finish().status(), status);
  EXPECT_TRUE((*writer)->Discard().ok());
  EXPECT_FALSE(fs::exists(path + ".partial"));
}

TEST(StoreWriter, BadSplitsAreRefusedBeforeAnythingIsMade) {
  const ScratchDirectory scratch;
  const auto create = [&](std::vector<SplitFraction> splits) {
    WriterOptions options;
    options.splits = std::move(splits);
    return StoreWriter::Create(scratch.File("a"), options).status();
  };
  EXPECT_THAT(create({{"a", 0.7}, {"b", 0.4}}).message(), HasSubstr("1.1"));
  EXPECT_THAT(create({{"a", 0}}).message(), HasSubstr("'a' is 0"));
  EXPECT_THAT(create({{"a", 0.5}, {"a", 0.5}}).message(), HasSubstr("twice"));
  EXPECT_THAT(create({{"a b", 0.5}}).message(), HasSubstr("a b"));
  EXPECT_TRUE(absl::IsInvalidArgument(create({{"", 0.5}})));
  EXPECT_TRUE(fs::is_empty(scratch.path()));
}

}  // namespace
}  // namespace inkstream::store
