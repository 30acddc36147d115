#include "server/ingest/input/input_shard.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/ingest/input/input_sequence.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::ingest {
namespace {

using testing::ScratchDirectory;

TEST(InputShardTest, OnlyShardsOfTheWholeAreNames) {
  EXPECT_EQ(ParseShard("2/3")->number, 2);
  for (const char* text : {"", "1", "3/3", "-1/3", "1/0", "a/b", "1/2/3"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseShard(text).status())) << text;
  }
}

TEST(InputShardTest, ShardsOneAfterAnotherAreTheInputsWithTheirLineNumbers) {
  const ScratchDirectory scratch;
  std::vector<InputFile> inputs;
  std::string all;
  for (int file = 0; file < 3; ++file) {
    std::string text;
    for (int line = 0; line < 50 * file + 3; ++line) {
      absl::StrAppend(&text, "{\"n\":\"", std::string(line % 97, 'x'), "\"}\n");
    }
    all += text;
    inputs.push_back(
        {scratch.Write(absl::StrCat(file, ".ndjson"), text), text.size()});
  }
  for (const uint64_t of : {1, 2, 3, 7, 200}) {
    std::string together;
    uint64_t file = 0;
    uint64_t line = 1;
    for (uint64_t number = 0; number < of; ++number) {
      const auto shard =
          ShardInputs(inputs, {number, of}, InputFormat::kNdjson);
      ASSERT_TRUE(shard.ok()) << shard.status();
      InputSequence sequence(*shard, InputFormat::kNdjson, "", {}, nullptr);
      RecordChunk chunk;
      for (;;) {
        const auto more = sequence.Next(&chunk);
        ASSERT_TRUE(more.ok()) << more.status();
        if (!*more) break;
        while ((*shard)[chunk.file].path != inputs[file].path) {
          ++file;
          line = 1;
        }
        ASSERT_EQ(chunk.line, line) << "shard " << number << " of " << of;
        for (const char c : chunk.text()) line += c == '\n';
        absl::StrAppend(&together, chunk.text());
      }
    }
    EXPECT_EQ(together, all) << of;
  }
}

}  // namespace
}  // namespace inkstream::ingest
