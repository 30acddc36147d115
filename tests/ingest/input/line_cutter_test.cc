#include "server/ingest/input/line_cutter.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace inkstream::ingest {
namespace {

constexpr size_t kMax = RecordChunk::kMaxRecordBytes;

// Gives `piece` bytes a read.
class TextSource : public ByteSource {
 public:
  TextSource(std::string text, size_t piece)
      : text_(std::move(text)), piece_(piece) {}

  absl::StatusOr<size_t> Read(char* out, size_t capacity) override {
    const size_t count = std::min({capacity, piece_, text_.size() - position_});
    std::memcpy(out, text_.data() + position_, count);
    position_ += count;
    largest_ = std::max(largest_, capacity);
    return count;
  }
  uint64_t consumed() const override { return position_; }

 private:
  const std::string text_;
  const size_t piece_;
  size_t position_ = 0;
  size_t largest_ = 0;
};

struct Line {
  uint64_t number;
  uint64_t offset;
  std::string text;
  bool overlong = false;
};

// Every line as the cutter places it.
std::vector<Line> Cut(const std::string& text, size_t piece) {
  LineCutter cutter(std::make_unique<TextSource>(text, piece));
  RecordChunk chunk;
  std::vector<Line> lines;
  for (;;) {
    absl::StatusOr<bool> more = cutter.Next(&chunk);
    EXPECT_TRUE(more.ok()) << more.status();
    if (!more.ok() || !*more) return lines;
    if (chunk.overlong.has_value()) {
      EXPECT_EQ(chunk.size, 0);
      lines.push_back({chunk.overlong->line, chunk.overlong->offset,
                       chunk.overlong->beginning, true});
      continue;
    }
    uint64_t number = chunk.line;
    uint64_t offset = chunk.offset;
    absl::string_view rest = chunk.text();
    while (!rest.empty()) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      lines.push_back({number++, offset, std::string(rest.substr(0, end))});
      const size_t used = std::min(end + 1, rest.size());
      offset += used;
      rest.remove_prefix(used);
    }
  }
}

void ExpectPlaced(const std::vector<Line>& lines, const std::string& text) {
  uint64_t number = 1;
  uint64_t counted = 0;
  for (const Line& line : lines) {
    EXPECT_EQ(text.substr(line.offset, line.text.size()), line.text);
    number +=
        std::count(text.begin() + counted, text.begin() + line.offset, '\n');
    counted = line.offset;
    EXPECT_EQ(number, line.number);
  }
}

TEST(LineCutterTest, EveryLineIsWholeAndKnowsItsPlace) {
  std::string text;
  for (int i = 0; i < 30000; ++i) {
    text += std::string(i % 97, 'a') + std::to_string(i) + "\n";
  }
  for (const size_t piece : {size_t{1} << 30U, size_t{70000}, size_t{999}}) {
    const std::vector<Line> lines = Cut(text, piece);
    ASSERT_EQ(lines.size(), 30000);
    ExpectPlaced(lines, text);
    EXPECT_EQ(lines.back().text, std::string(29999 % 97, 'a') + "29999");
  }
}

TEST(LineCutterTest, TheLastLineNeedsNoEnd) {
  const std::vector<Line> lines = Cut("a\n\nb", 2);
  ASSERT_EQ(lines.size(), 3);
  EXPECT_EQ(lines[1].text, "");
  EXPECT_EQ(lines[2].text, "b");
  EXPECT_EQ(lines[2].number, 3);
}

TEST(LineCutterTest, NothingIsNoChunk) { EXPECT_TRUE(Cut("", 10).empty()); }

TEST(LineCutterTest, ALineAtTheLimitIsKeptAndOneOverIsSkipped) {
  for (const size_t piece : {size_t{1} << 30U, size_t{65536}}) {
    const std::string text = "a\n" + std::string(kMax, 'b') + "\n" +
                             std::string(kMax + 1, 'c') + "\n" +
                             std::string(5 * kMax, 'd') + "\ne\n";
    const std::vector<Line> lines = Cut(text, piece);
    ASSERT_EQ(lines.size(), 5);
    ExpectPlaced(lines, text);
    EXPECT_FALSE(lines[1].overlong);
    EXPECT_EQ(lines[1].text.size(), kMax);
    EXPECT_TRUE(lines[2].overlong);
    EXPECT_LT(lines[2].text.size(), 1000);
    EXPECT_TRUE(lines[3].overlong);
    EXPECT_EQ(lines[4].text, "e");
  }
}

TEST(LineCutterTest, AnOverlongLastLineWithoutEndIsSkipped) {
  const std::vector<Line> lines =
      Cut("a\n" + std::string(3 * kMax, 'b'), 99999);
  ASSERT_EQ(lines.size(), 2);
  EXPECT_TRUE(lines[1].overlong);
}

TEST(LineCutterTest, AByteOrderMarkIsPassedOver) {
  const std::vector<Line> lines = Cut("\xEF\xBB\xBF{}\n", 100);
  ASSERT_EQ(lines.size(), 1);
  EXPECT_EQ(lines[0].text, "   {}");
}

}  // namespace
}  // namespace inkstream::ingest
