#include "server/store/segment/table_value.h"

#include <zstd.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/store/format.h"
#include "server/store/segment/checksum.h"
#include "server/store/segment/endian_io.h"

namespace inkstream::store {
namespace {

constexpr int kZstdLevel = 19;
constexpr uint8_t kPlain = 0;
constexpr uint8_t kZstd = 1;

// Tells a table from another that stands in its place.
uint16_t NameMark(absl::string_view name) {
  return static_cast<uint16_t>(Checksum(name));
}

}  // namespace

std::string WrapTable(absl::string_view name, absl::string_view raw) {
  std::string packed(ZSTD_compressBound(raw.size()), '\0');
  const size_t size = ZSTD_compress(packed.data(), packed.size(), raw.data(),
                                    raw.size(), kZstdLevel);
  const bool smaller = !ZSTD_isError(size) && size < raw.size();
  std::string value;
  AppendLittle<uint8_t>(static_cast<uint8_t>(ValueKind::kTable), &value);
  AppendLittle<uint8_t>(smaller ? kZstd : kPlain, &value);
  AppendLittle<uint16_t>(NameMark(name), &value);
  AppendLittle<uint32_t>(static_cast<uint32_t>(raw.size()), &value);
  if (smaller) {
    value.append(packed, 0, size);
  } else {
    value.append(raw.data(), raw.size());
  }
  AppendChecksum(&value);
  return value;
}

absl::StatusOr<std::string> UnwrapTable(absl::string_view name,
                                        absl::string_view value) {
  if (!ChecksumHolds(value)) {
    return absl::DataLossError("the checksum does not match");
  }
  LittleReader in(value.substr(0, value.size() - kChecksumBytes));
  const uint8_t kind = in.Read<uint8_t>();
  const uint8_t codec = in.Read<uint8_t>();
  const uint16_t mark = in.Read<uint16_t>();
  const uint32_t raw_size = in.Read<uint32_t>();
  if (!in.ok() || kind != static_cast<uint8_t>(ValueKind::kTable) ||
      mark != NameMark(name) || codec > kZstd || raw_size > kMaxTableBytes) {
    return absl::DataLossError("not the table of this name");
  }
  const absl::string_view payload = in.ReadBytes(in.remaining());
  std::string raw;
  if (codec == kPlain) {
    raw = std::string(payload);
  } else {
    raw.resize(raw_size);
    const size_t size =
        ZSTD_decompress(raw.data(), raw.size(), payload.data(), payload.size());
    if (ZSTD_isError(size)) {
      return absl::DataLossError(
          absl::StrCat("zstd: ", ZSTD_getErrorName(size)));
    }
    raw.resize(size);
  }
  if (raw.size() != raw_size) {
    return absl::DataLossError(
        absl::StrCat("expected ", raw_size, " bytes, found ", raw.size()));
  }
  return raw;
}

std::string PackStrings(const std::vector<std::string>& strings) {
  std::string raw;
  AppendLittle<uint32_t>(static_cast<uint32_t>(strings.size()), &raw);
  for (const std::string& text : strings) {
    AppendLittle<uint16_t>(static_cast<uint16_t>(text.size()), &raw);
    raw += text;
  }
  return raw;
}

absl::StatusOr<std::vector<std::string>> UnpackStrings(absl::string_view raw) {
  LittleReader in(raw);
  const uint32_t count = in.Read<uint32_t>();
  std::vector<std::string> strings;
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    const uint16_t size = in.Read<uint16_t>();
    strings.emplace_back(in.ReadBytes(size));
  }
  if (!in.done()) {
    return absl::DataLossError("the list of strings does not fill its value");
  }
  return strings;
}

}  // namespace inkstream::store
