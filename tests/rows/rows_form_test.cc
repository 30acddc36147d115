#include "server/rows/rows_form.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace inkstream::rows {
namespace {

using Bytes = std::vector<uint8_t>;
constexpr uint32_t kRows = 3;

// Rows of 0, 5 and 1 bytes of strokes.
Bytes Batch(const RowsShape& shape) {
  const std::vector<uint32_t> lengths = {0, 5, 1};
  Bytes bytes(shape.Strokes(kRows) + 6, 0);
  for (size_t i = 0; i < shape.Valid(kRows); ++i) {
    bytes[i] = static_cast<uint8_t>(i);
  }
  std::memcpy(bytes.data() + shape.Lengths(kRows), lengths.data(), 12);
  std::memcpy(bytes.data() + shape.Strokes(kRows), "abcdef", 6);
  return bytes;
}

TEST(RowsForm, EveryArrayIsFoundWhereverTheBatchBegins) {
  for (const RowsShape shape : {RowsShape{0, false}, RowsShape{2, true}}) {
    Bytes bytes = Batch(shape);
    bytes.insert(bytes.begin(), 7);  // no alignment
    const auto view =
        RowsView::Parse(shape, kRows, absl::MakeConstSpan(bytes).subspan(1));
    ASSERT_TRUE(view.ok()) << view.status();
    EXPECT_EQ(view->index() - bytes.data(), 1 + 8 * kRows * shape.columns);
    EXPECT_EQ(view->valid() - view->index(), 8 * kRows);
    EXPECT_EQ(view->occurrences() != nullptr, shape.occurrences);
    EXPECT_EQ(view->strokes(0).size(), 0U);
    EXPECT_EQ(std::memcmp(view->strokes(1).data(), "abcde", 5), 0);
    EXPECT_EQ(view->strokes(1).size(), 5U);
    EXPECT_EQ(view->strokes(2)[0], 'f');
  }
}

TEST(RowsForm, WhatIsNotSoManyRowsIsRefused) {
  const RowsShape shape = {1, true};
  const Bytes sound = Batch(shape);
  for (size_t size = 0; size < sound.size(); ++size) {
    EXPECT_FALSE(RowsView::Parse(shape, kRows, {sound.data(), size}).ok());
  }
  Bytes bytes = sound;
  bytes.push_back(0);
  EXPECT_FALSE(RowsView::Parse(shape, kRows, bytes).ok());
  // Many rows cannot be claimed without their bytes.
  EXPECT_FALSE(RowsView::Parse(shape, UINT32_MAX, sound).ok());
  bytes = sound;
  bytes[shape.Valid(kRows) + 1] = 2;
  EXPECT_FALSE(RowsView::Parse(shape, kRows, bytes).ok());
  // Lengths whose sum begins anew at 2^32.
  bytes = sound;
  const uint32_t half = 1U << 31U;
  std::memcpy(bytes.data() + shape.Lengths(kRows), &half, 4);
  std::memcpy(bytes.data() + shape.Lengths(kRows) + 4, &half, 4);
  EXPECT_FALSE(RowsView::Parse(shape, kRows, bytes).ok());
  // One that is longer than any drawing, though the bytes are there.
  const uint32_t longest = kMostStrokesBytes + 1;
  bytes.assign(shape.Strokes(1) + longest, 0);
  std::memcpy(bytes.data() + shape.Lengths(1), &longest, 4);
  EXPECT_FALSE(RowsView::Parse(shape, 1, bytes).ok());
}

TEST(RowsForm, ChecksumsAreXxh3) {
  // The test vector of the algorithm for no bytes.
  EXPECT_EQ(ChecksumOf({}), 0x2D06800538D394C2ULL);
}

}  // namespace
}  // namespace inkstream::rows
