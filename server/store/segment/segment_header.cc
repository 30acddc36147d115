#include "server/store/segment/segment_header.h"

#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/store/segment/endian_io.h"

namespace inkstream::store {

std::string SegmentHeader::Serialize() const {
  std::string raw;
  for (const uint64_t number :
       {format_version, drawings, blocks, column_runs, fold_phase}) {
    AppendLittle(number, &raw);
  }
  raw.append(AsBytes(content).data(), AsBytes(content).size());
  return raw;
}

absl::StatusOr<SegmentHeader> SegmentHeader::Parse(absl::string_view raw) {
  SegmentHeader header;
  LittleReader in(raw);
  for (uint64_t* number :
       {&header.format_version, &header.drawings, &header.blocks,
        &header.column_runs, &header.fold_phase}) {
    *number = in.Read<uint64_t>();
  }
  const absl::string_view content = in.ReadBytes(header.content.size());
  if (!in.done()) {
    return absl::DataLossError(
        absl::StrCat("segment header: ", raw.size(), " bytes"));
  }
  std::memcpy(header.content.data(), content.data(), content.size());
  return header;
}

}  // namespace inkstream::store
