#include "server/ingest/export/byte_sink.h"

#include <filesystem>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/ingest/input/byte_source.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::ingest {
namespace {

using ::inkstream::testing::ReadWholeFile;
using ::inkstream::testing::ScratchDirectory;

std::string ReadBack(const std::string& path) {
  std::unique_ptr<ByteSource> source = *OpenSource(path, nullptr);
  std::string all, buffer(1 << 16, '\0');
  for (;;) {
    const size_t got = *source->Read(buffer.data(), buffer.size());
    if (got == 0) return all;
    all.append(buffer, 0, got);
  }
}

TEST(ByteSinkTest, TheNameAppearsWhenTheFileIsComplete) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("out.ndjson");
  std::unique_ptr<ByteSink> sink = *OpenSink(path);
  ASSERT_TRUE(sink->Write("one\n").ok());
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_TRUE(sink->Write("two\n").ok());
  ASSERT_TRUE(sink->Close().ok());
  EXPECT_EQ(ReadWholeFile(path), "one\ntwo\n");
}

TEST(ByteSinkTest, WhatIsNotClosedLeavesNothingAndKeepsTheOldFile) {
  const ScratchDirectory scratch;
  const std::string path = scratch.Write("out.ndjson", "old");
  {
    std::unique_ptr<ByteSink> sink = *OpenSink(path);
    ASSERT_TRUE(sink->Write("new").ok());
  }
  EXPECT_EQ(ReadWholeFile(path), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(scratch.path()),
                          std::filesystem::directory_iterator()),
            1);
}

TEST(ByteSinkTest, SuffixesCompress) {
  const ScratchDirectory scratch;
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "line " + std::to_string(i) + "\n";
  for (const char* name : {"a.gz", "a.zst", "a.txt"}) {
    const std::string path = scratch.File(name);
    std::unique_ptr<ByteSink> sink = *OpenSink(path);
    for (size_t at = 0; at < text.size(); at += 50000) {
      ASSERT_TRUE(sink->Write(absl::string_view(text).substr(at, 50000)).ok());
    }
    ASSERT_TRUE(sink->Close().ok());
    EXPECT_EQ(ReadBack(path), text) << name;
  }
  EXPECT_LT(std::filesystem::file_size(scratch.File("a.gz")), text.size() / 3);
  EXPECT_LT(std::filesystem::file_size(scratch.File("a.zst")), text.size() / 3);
}

TEST(ByteSinkTest, AFullDiskIsAnError) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  std::unique_ptr<ByteSink> sink = *OpenSink("/dev/full");
  const absl::Status status = sink->Write("x");
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_TRUE(std::filesystem::exists("/dev/full"));
}

TEST(ByteSinkTest, DirectoriesAndMissingOnesAreRefused) {
  const ScratchDirectory scratch;
  EXPECT_TRUE(absl::IsInvalidArgument(OpenSink(scratch.path()).status()));
  EXPECT_TRUE(absl::IsNotFound(OpenSink(scratch.File("none/a")).status()));
}

}  // namespace
}  // namespace inkstream::ingest
