#include "server/store/segment/column_codec.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/store/segment/checksum.h"

namespace inkstream::store {
namespace {

// kind u8, columns u8, zero u16, count u32, first u32, zero u32.
constexpr size_t kRunHeader = 16;
// kind u8, width u8, presence u8, zero u8, offset u32, stretches u32, zero u32,
// base u64, unit u64.
constexpr size_t kDescriptor = 32;
constexpr uint8_t kAllPresent = 1;
constexpr uint8_t kPresenceBits = 2;

uint8_t BitWidth(uint64_t value) {
  return value == 0 ? 0 : static_cast<uint8_t>(64 - __builtin_clzll(value));
}

size_t BytesFor(uint64_t bits) { return (bits + 7) / 8; }

// REQUIRES: 8 writable bytes behind the last that is used, all of them zero.
void PutBits(uint64_t value, uint64_t at, int width, char* to) {
  char* const word = to + (at >> 3);
  const int shift = static_cast<int>(at & 7);
  const uint64_t low = LoadLittle<uint64_t>(word) | value << shift;
  std::memcpy(word, &low, sizeof(low));
  if (shift + width > 64) word[8] = static_cast<char>(value >> (64 - shift));
}

// The greatest common divisor, for numbers that nearly all are multiples.
uint64_t UnitWith(uint64_t unit, uint64_t value) {
  if (unit == 1 || value == 0) return unit;
  return unit != 0 && value % unit == 0 ? unit : std::gcd(unit, value);
}

}  // namespace

void ColumnRunBuilder::Add(const ColumnValues& values) {
  ColumnBatch batch(1);
  for (size_t k = 0; k < kColumnKinds; ++k) {
    if (values[k]) batch.Set(0, static_cast<ColumnKind>(k), *values[k]);
  }
  Add(batch, 0, 1);
}

void ColumnRunBuilder::Add(const ColumnBatch& batch, size_t begin, size_t end) {
  for (size_t k = 0; k < kColumnKinds; ++k) {
    const std::vector<int64_t>& from = batch.values[k];
    if (from.empty()) {
      values_[k].resize(values_[k].size() + (end - begin));
    } else {
      values_[k].insert(values_[k].end(),
                        from.begin() + static_cast<ptrdiff_t>(begin),
                        from.begin() + static_cast<ptrdiff_t>(end));
    }
  }
  present_.insert(present_.end(),
                  batch.present.begin() + static_cast<ptrdiff_t>(begin),
                  batch.present.begin() + static_cast<ptrdiff_t>(end));
  count_ += static_cast<uint32_t>(end - begin);
}

std::string ColumnRunBuilder::Build(uint32_t first) {
  std::string descriptors;
  std::string data;
  std::array<uint32_t, kColumnKinds> with{};
  for (const uint8_t bits : present_) {
    for (size_t k = 0; k < kColumnKinds; ++k) with[k] += bits >> k & 1;
  }
  uint8_t stored = 0;
  for (const uint32_t count : with) stored += count > 0;
  const size_t data_start = kRunHeader + stored * kDescriptor;
  for (size_t k = 0; k < kColumnKinds; ++k) {
    if (with[k] == 0) continue;
    const std::vector<int64_t>& values = values_[k];
    const bool all = with[k] == count_;
    const auto has = [&](uint32_t i) { return (present_[i] >> k & 1) != 0; };
    int64_t low = INT64_MAX;
    for (uint32_t i = 0; i < count_; ++i) {
      if (all || has(i)) low = std::min(low, values[i]);
    }
    uint64_t unit = 0;
    uint64_t widest = 0;
    // Numbers above `low`, 0 where absent; and where they change.
    std::vector<uint64_t>& above = above_;
    above.assign(count_, 0);
    std::vector<uint16_t> starts;
    for (uint32_t i = 0; i < count_; ++i) {
      if (all || has(i)) {
        above[i] =
            static_cast<uint64_t>(values[i]) - static_cast<uint64_t>(low);
      }
      unit = UnitWith(unit, above[i]);
      widest = std::max(widest, above[i]);
      if (i == 0 || above[i] != above[i - 1]) {
        starts.push_back(static_cast<uint16_t>(i));
      }
    }
    const uint8_t width = unit == 0 ? 0 : BitWidth(widest / unit);
    const size_t stretch_bytes =
        starts.size() * sizeof(uint16_t) + BytesFor(starts.size() * width);
    const bool stretched =
        width > 0 && stretch_bytes < BytesFor(uint64_t{count_} * width);
    AppendLittle<uint8_t>(static_cast<uint8_t>(k), &descriptors);
    AppendLittle<uint8_t>(width, &descriptors);
    AppendLittle<uint8_t>(all ? kAllPresent : kPresenceBits, &descriptors);
    AppendLittle<uint8_t>(0, &descriptors);
    AppendLittle<uint32_t>(static_cast<uint32_t>(data_start + data.size()),
                           &descriptors);
    AppendLittle<uint32_t>(stretched ? static_cast<uint32_t>(starts.size()) : 0,
                           &descriptors);
    AppendLittle<uint32_t>(0, &descriptors);
    AppendLittle<uint64_t>(static_cast<uint64_t>(low), &descriptors);
    AppendLittle<uint64_t>(unit, &descriptors);
    if (!all) {
      std::string bits(BytesFor(count_), '\0');
      for (uint32_t i = 0; i < count_; ++i) {
        bits[i >> 3] |= static_cast<char>(has(i) << (i & 7));
      }
      data += bits;
    }
    if (width == 0) continue;
    if (stretched) {
      for (const uint16_t start : starts) AppendLittle(start, &data);
      for (size_t n = 0; n < starts.size(); ++n) above[n] = above[starts[n]];
      above.resize(starts.size());
    }
    const size_t at = data.size();
    const size_t packed = BytesFor(above.size() * width);
    data.resize(at + packed + sizeof(uint64_t));
    for (size_t n = 0; n < above.size(); ++n) {
      const uint64_t number = unit == 1 ? above[n] : above[n] / unit;
      PutBits(number, n * width, width, data.data() + at);
    }
    data.resize(at + packed);
  }
  std::string value;
  AppendLittle<uint8_t>(static_cast<uint8_t>(ValueKind::kColumnRun), &value);
  AppendLittle<uint8_t>(stored, &value);
  AppendLittle<uint16_t>(0, &value);
  AppendLittle<uint32_t>(count_, &value);
  AppendLittle<uint32_t>(first, &value);
  AppendLittle<uint32_t>(0, &value);
  value += descriptors;
  value += data;
  AppendChecksum(&value);
  count_ = 0;
  for (std::vector<int64_t>& values : values_) values.clear();
  present_.clear();
  return value;
}

void ColumnView::Read(uint32_t row, int64_t missing,
                      absl::Span<int64_t> out) const {
  if (!any) {
    std::fill(out.begin(), out.end(), missing);
    return;
  }
  if (width == 0) {
    std::fill(out.begin(), out.end(), static_cast<int64_t>(base));
  } else if (starts != nullptr) {
    size_t i = 0;
    for (uint32_t s = Stretch(row); i < out.size() && s < stretches; ++s) {
      const int64_t value = static_cast<int64_t>(base + unit * Stored(s));
      size_t end = out.size();
      if (s + 1 < stretches) {
        const uint16_t next = LoadLittle<uint16_t>(starts + 2 * (s + 1));
        end = next <= row ? 0 : std::min<size_t>(end, next - row);
      }
      for (; i < end; ++i) out[i] = value;
    }
  } else if (width <= 57) {
    // What lies at any bit of its first byte ends within eight bytes.
    const uint64_t mask = (uint64_t{1} << width) - 1;
    uint64_t bit = uint64_t{row} * width;
    for (int64_t& value : out) {
      const uint64_t stored =
          (LoadLittle<uint64_t>(packed + (bit >> 3)) >> (bit & 7)) & mask;
      value = static_cast<int64_t>(base + unit * stored);
      bit += width;
    }
  } else {
    for (size_t i = 0; i < out.size(); ++i) {
      out[i] = Value(row + static_cast<uint32_t>(i));
    }
  }
  if (presence == nullptr) return;
  for (size_t i = 0; i < out.size(); ++i) {
    if (!Has(row + static_cast<uint32_t>(i))) out[i] = missing;
  }
}

absl::StatusOr<ColumnRun> ParseColumnRun(absl::string_view value) {
  if (!ChecksumHolds(value)) {
    return absl::DataLossError("the checksum does not match");
  }
  const size_t body = value.size() - kChecksumBytes;
  LittleReader in(value.substr(0, body));
  const uint8_t kind = in.Read<uint8_t>();
  const uint8_t stored = in.Read<uint8_t>();
  in.Read<uint16_t>();
  ColumnRun run;
  run.count = in.Read<uint32_t>();
  run.first = in.Read<uint32_t>();
  in.Read<uint32_t>();
  if (!in.ok() || kind != static_cast<uint8_t>(ValueKind::kColumnRun) ||
      run.count == 0 || run.count > kColumnRun) {
    return absl::DataLossError("not a run of columns");
  }
  for (uint8_t c = 0; c < stored; ++c) {
    const uint8_t column_kind = in.Read<uint8_t>();
    ColumnView view;
    view.any = true;
    view.width = in.Read<uint8_t>();
    const uint8_t presence = in.Read<uint8_t>();
    in.Read<uint8_t>();
    uint64_t offset = in.Read<uint32_t>();
    view.stretches = in.Read<uint32_t>();
    in.Read<uint32_t>();
    view.base = in.Read<uint64_t>();
    view.unit = in.Read<uint64_t>();
    const uint64_t presence_bytes =
        presence == kPresenceBits ? BytesFor(run.count) : 0;
    const uint64_t starts_bytes = uint64_t{view.stretches} * sizeof(uint16_t);
    const uint64_t packed =
        view.stretches > 0 ? view.stretches : uint64_t{run.count};
    if (!in.ok() || view.width > 64 || view.stretches > run.count ||
        (presence != kAllPresent && presence != kPresenceBits) ||
        offset + presence_bytes + starts_bytes + BytesFor(packed * view.width) >
            body) {
      return absl::DataLossError(
          absl::StrCat("column ", column_kind, " reaches beyond its run"));
    }
    if (presence == kPresenceBits) view.presence = value.data() + offset;
    offset += presence_bytes;
    if (view.stretches > 0) view.starts = value.data() + offset;
    view.packed = value.data() + offset + starts_bytes;
    if (column_kind < kColumnKinds) run.columns[column_kind] = view;
  }
  return run;
}

}  // namespace inkstream::store
