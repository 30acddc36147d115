#include "server/ingest/input/byte_source.h"

#include <algorithm>
#include <atomic>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/compressed_bytes.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::ingest {
namespace {

using ::inkstream::testing::Gzip;
using ::inkstream::testing::ScratchDirectory;
using ::inkstream::testing::Zstd;
using ::testing::HasSubstr;

absl::StatusOr<std::string> ReadAll(const std::string& path,
                                    size_t capacity = 1000) {
  absl::StatusOr<std::unique_ptr<ByteSource>> source =
      OpenSource(path, nullptr);
  if (!source.ok()) return source.status();
  std::string all;
  std::string buffer(capacity, '\0');
  for (;;) {
    absl::StatusOr<size_t> got = (*source)->Read(buffer.data(), capacity);
    if (!got.ok()) return got.status();
    if (*got == 0) return all;
    all.append(buffer, 0, *got);
  }
}

std::string SomeText() {
  std::string text;
  for (int i = 0; i < 50000; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

class ByteSourceTest : public ::testing::Test {
 protected:
  const ScratchDirectory scratch_;
  const std::string text_ = SomeText();
};

TEST_F(ByteSourceTest, ContentDecidesNotTheName) {
  const std::string plain = scratch_.Write("plain.gz", text_);
  const std::string gzip = scratch_.Write("gzip.ndjson", Gzip(text_));
  const std::string zstd = scratch_.Write("zstd.txt", Zstd(text_));
  EXPECT_EQ(*ReadAll(plain), text_);
  EXPECT_EQ(*ReadAll(gzip), text_);
  EXPECT_EQ(*ReadAll(zstd), text_);
}

TEST_F(ByteSourceTest, AnyBufferSizeGivesTheSameBytes) {
  const std::string gzip = scratch_.Write("a", Gzip(text_));
  const std::string zstd = scratch_.Write("b", Zstd(text_));
  for (const size_t capacity : {1, 7, 4096, 1 << 22}) {
    EXPECT_EQ(*ReadAll(gzip, capacity), text_) << capacity;
    EXPECT_EQ(*ReadAll(zstd, capacity), text_) << capacity;
  }
}

TEST_F(ByteSourceTest, MembersAndFramesFollowOneAnother) {
  const std::string gzip =
      scratch_.Write("a.gz", Gzip("one\n") + Gzip("") + Gzip("two\n"));
  const std::string zstd =
      scratch_.Write("a.zst", Zstd("one\n") + Zstd("") + Zstd("two\n"));
  EXPECT_EQ(*ReadAll(gzip), "one\ntwo\n");
  EXPECT_EQ(*ReadAll(zstd), "one\ntwo\n");
}

TEST_F(ByteSourceTest, ZerosBehindAMemberArePadding) {
  const std::string file =
      scratch_.Write("a.gz", Gzip("one\n") + std::string(512, '\0'));
  EXPECT_EQ(*ReadAll(file), "one\n");
}

TEST_F(ByteSourceTest, GarbageBehindAMemberIsAnError) {
  const std::string file = scratch_.Write("a.gz", Gzip("one\n") + "garbage");
  const absl::Status status = ReadAll(file).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
}

TEST_F(ByteSourceTest, TruncationIsNamedWhereverItIs) {
  for (const auto& [name, whole] :
       {std::pair<std::string, std::string>{"cut.gz", Gzip(text_)},
        {"cut.zst", Zstd(text_)}}) {
    for (const size_t kept : {whole.size() / 2, whole.size() - 1}) {
      const std::string file = scratch_.Write(name, whole.substr(0, kept));
      const absl::Status status = ReadAll(file).status();
      EXPECT_TRUE(absl::IsDataLoss(status)) << name << " " << kept << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr(name));
      EXPECT_THAT(std::string(status.message()), HasSubstr("truncated"));
    }
  }
}

TEST_F(ByteSourceTest, AFlippedBitIsCorruption) {
  std::string bytes = Gzip(text_);
  bytes[bytes.size() / 2] ^= 0x10;
  const std::string file = scratch_.Write("bad.gz", bytes);
  const absl::Status status = ReadAll(file).status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("bad.gz"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("corrupt"));
}

TEST_F(ByteSourceTest, ZstdWindowsAreAcceptedUpTo128MiB) {
  const std::string good = scratch_.Write("27.zst", Zstd("text\n", 27));
  EXPECT_EQ(*ReadAll(good), "text\n");
  const std::string bad = scratch_.Write("28.zst", Zstd("text\n", 28));
  const absl::Status status = ReadAll(bad).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("28.zst"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("128 MiB"));
}

TEST_F(ByteSourceTest, EmptyFilesHaveNoBytes) {
  EXPECT_EQ(*ReadAll(scratch_.Write("empty", "")), "");
  EXPECT_EQ(*ReadAll(scratch_.Write("empty.gz", Gzip(""))), "");
  EXPECT_EQ(*ReadAll(scratch_.Write("short", "a")), "a");
}

TEST_F(ByteSourceTest, WhatIsNoFileIsSaid) {
  EXPECT_TRUE(absl::IsNotFound(ReadAll(scratch_.File("none")).status()));
  const absl::Status directory = ReadAll(scratch_.path()).status();
  EXPECT_TRUE(absl::IsInvalidArgument(directory));
  EXPECT_THAT(std::string(directory.message()), HasSubstr("is a directory"));
}

TEST_F(ByteSourceTest, AnInterruptEndsTheRead) {
  bool interrupted = false;
  absl::StatusOr<std::unique_ptr<ByteSource>> source =
      OpenSource(scratch_.Write("a", text_), [&] { return interrupted; });
  char buffer[10];
  (*source)->Read(buffer, 10).IgnoreError();
  interrupted = true;
  (*source)->Read(buffer, 10).IgnoreError();  // bytes already in hand
  EXPECT_TRUE(absl::IsCancelled((*source)->Read(buffer, 10).status()));
}

TEST_F(ByteSourceTest, ConsumedCountsTheFilesOwnBytes) {
  const std::string bytes = Gzip(text_);
  absl::StatusOr<std::unique_ptr<ByteSource>> source =
      OpenSource(scratch_.Write("a", bytes), nullptr);
  std::string buffer(text_.size() + 1, '\0');
  size_t total = 0;
  for (;;) {
    const size_t got = *(*source)->Read(buffer.data(), buffer.size());
    if (got == 0) break;
    total += got;
  }
  EXPECT_EQ(total, text_.size());
  EXPECT_EQ((*source)->consumed(), bytes.size());
}

}  // namespace
}  // namespace inkstream::ingest
