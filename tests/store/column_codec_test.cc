#include "server/store/segment/column_codec.h"

#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "server/store/segment/checksum.h"

namespace inkstream::store {
namespace {

constexpr size_t kKey = static_cast<size_t>(ColumnKind::kKeyId);
constexpr size_t kWordColumn = static_cast<size_t>(ColumnKind::kWord);

std::string BuildRun(const std::vector<ColumnValues>& rows) {
  ColumnRunBuilder builder;
  for (const ColumnValues& row : rows) builder.Add(row);
  return builder.Build(0);
}

void ExpectComesBack(const std::vector<ColumnValues>& rows) {
  const std::string value = BuildRun(rows);
  const auto run = ParseColumnRun(value);
  ASSERT_TRUE(run.ok()) << run.status();
  ASSERT_EQ(run->count, rows.size());
  for (uint32_t i = 0; i < rows.size(); ++i) {
    for (size_t k = 0; k < kColumnKinds; ++k) {
      ASSERT_EQ(run->columns[k].Has(i), rows[i][k].has_value()) << i;
      if (!rows[i][k]) continue;
      ASSERT_EQ(run->columns[k].Value(i), *rows[i][k]) << i;
    }
  }
  // Many at a time are what each is alone, wherever they begin and end.
  std::mt19937_64 random(rows.size());
  for (int round = 0; round < 20; ++round) {
    const uint32_t first = static_cast<uint32_t>(random() % rows.size());
    std::vector<int64_t> values(1 + random() % (rows.size() - first));
    for (size_t k = 0; k < kColumnKinds; ++k) {
      run->columns[k].Read(first, -7, absl::MakeSpan(values));
      for (size_t i = 0; i < values.size(); ++i) {
        ASSERT_EQ(values[i], rows[first + i][k].value_or(-7)) << first << i;
      }
    }
  }
}

TEST(ColumnCodec, EveryWidthComesBack) {
  std::mt19937_64 random(1);
  for (int width = 0; width <= 64; ++width) {
    std::vector<ColumnValues> rows(200);
    for (ColumnValues& row : rows) {
      const uint64_t bits = width == 0 ? 0 : random() >> (64 - width);
      row[kKey] = static_cast<int64_t>(bits);
    }
    ExpectComesBack(rows);
  }
}

TEST(ColumnCodec, ExtremesComeBack) {
  std::vector<ColumnValues> rows(3);
  rows[0][kKey] = INT64_MIN;
  rows[1][kKey] = INT64_MAX;
  rows[2][kKey] = -1;
  ExpectComesBack(rows);
  ExpectComesBack({ColumnValues{}});
}

TEST(ColumnCodec, MissingValuesStayMissing) {
  std::vector<ColumnValues> rows(1000);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i % 3 != 0) rows[i][kKey] = static_cast<int64_t>(i * i);
    if (i > 700) rows[i][kWordColumn] = static_cast<int64_t>(i / 100);
  }
  ExpectComesBack(rows);
}

TEST(ColumnCodec, ACommonDivisorCostsNothing) {
  std::vector<ColumnValues> plain(4096), scaled(4096);
  std::mt19937_64 random(2);
  for (size_t i = 0; i < plain.size(); ++i) {
    const int64_t number = static_cast<int64_t>(random() % 100000);
    plain[i][kKey] = number;
    scaled[i][kKey] = 4503599627370496 + number * 1048576;
  }
  EXPECT_EQ(BuildRun(plain).size(), BuildRun(scaled).size());
  ExpectComesBack(scaled);
}

TEST(ColumnCodec, StretchesOfEqualValuesCostLittle) {
  std::vector<ColumnValues> rows(kColumnRun);
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i][kWordColumn] = static_cast<int64_t>(i / 60);
  }
  EXPECT_LT(BuildRun(rows).size(), 1100);
  ExpectComesBack(rows);
}

TEST(ColumnCodec, AnyFlippedByteIsNoticed) {
  std::vector<ColumnValues> rows(20);
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i][kKey] = static_cast<int64_t>(i * 77);
  }
  const std::string good = BuildRun(rows);
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 16);
    EXPECT_TRUE(absl::IsDataLoss(ParseColumnRun(bad).status())) << at;
  }
}

TEST(ColumnCodec, OffsetsBeyondTheRunAreRefused) {
  std::vector<ColumnValues> rows(20);
  for (size_t i = 0; i < rows.size(); ++i) {
    rows[i][kKey] = static_cast<int64_t>(i);
  }
  const std::string good = BuildRun(rows);
  // Header 16, then the descriptor: width at 1, offset at 4, stretches at 8.
  for (const size_t at : {16 + 1, 16 + 5, 16 + 7, 16 + 9}) {
    std::string bad = good.substr(0, good.size() - kChecksumBytes);
    bad[at] = '\x7F';
    AppendChecksum(&bad);
    EXPECT_TRUE(absl::IsDataLoss(ParseColumnRun(bad).status())) << at;
  }
}

}  // namespace
}  // namespace inkstream::store
