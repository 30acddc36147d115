#include "client/cpp/batch/batch_unpacker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/wire/delivery_message.h"

namespace inkstream::client {
namespace {

template <typename... Parts>
absl::Status Broken(const v1::BatchHeader& header, const Parts&... parts) {
  return absl::InternalError(
      absl::StrCat("the server broke the protocol: ", "batch ",
                   header.batch_seq(), ": ", parts...));
}

}  // namespace

absl::Status BatchUnpacker::Check(const v1::BatchHeader& header) const {
  uint64_t bytes = 0;
  uint64_t wire_bytes = 0;
  for (const v1::Chunk& chunk : header.chunks()) {
    const uint64_t unpacked =
        chunk.sparse_bytes() > 0 ? chunk.sparse_bytes() : chunk.bytes();
    if (chunk.bytes() == 0 || chunk.wire_bytes() == 0 ||
        chunk.wire_bytes() > unpacked || unpacked > chunk.bytes()) {
      return Broken(header, chunk.wire_bytes(), " bytes stand for ", unpacked,
                    " of ", chunk.bytes());
    }
    bytes += chunk.bytes();
    wire_bytes += chunk.wire_bytes();
  }
  if (bytes != header.byte_size() || wire_bytes != header.wire_size()) {
    return Broken(header, "chunks of ", bytes, " bytes in ", wire_bytes,
                  ", announced are ", header.byte_size(), " in ",
                  header.wire_size());
  }
  return absl::OkStatus();
}

uint8_t* BatchUnpacker::WireBytes(uint64_t wire_size) {
  if (wire_.size() < wire_size) wire_.resize(wire_size);
  return wire_.data();
}

absl::Status BatchUnpacker::Unpack(const v1::BatchHeader& header,
                                   uint8_t* out) {
  uint64_t at = 0;
  for (const v1::Chunk& chunk : header.chunks()) {
    const absl::Span<const uint8_t> packed(wire_.data() + at,
                                           chunk.wire_bytes());
    const absl::Span<uint8_t> run = absl::MakeSpan(out, chunk.bytes());
    absl::Status status =
        chunk.sparse_bytes() > 0
            ? decompressor_.DecompressSparse(packed, chunk.sparse_bytes(), run)
            : decompressor_.Decompress(packed, run);
    if (!status.ok()) return Broken(header, status.message());
    at += chunk.wire_bytes();
    out += chunk.bytes();
  }
  return absl::OkStatus();
}

uint64_t PlannedBatchBytes(const v1::StreamBatchesRequest& opening,
                           uint64_t limit) {
  const absl::StatusOr<DeliverySpec> spec =
      wire::DeliveryFromProto(opening.open().delivery());
  if (!spec.ok()) return limit;  // the server says why
  // In floating point: it cannot overflow, and a little more does no harm.
  const double views = spec->views;
  double row = 8.0 * static_cast<double>(spec->columns.size() + 2);
  if (spec->image.has_value()) {
    row += views * spec->image->height * spec->image->width *
           static_cast<double>(spec->image->channels.size() *
                               SizeOf(spec->image->dtype));
  }
  if (spec->strokes.has_value()) {
    constexpr double kColumns = 5;
    constexpr double kLengthAndOffset = 16;
    row += views * ((spec->strokes->max_len + 1.0) * kColumns *
                        static_cast<double>(SizeOf(spec->strokes->dtype)) +
                    kLengthAndOffset);
  }
  constexpr double kGaps = 4096;
  const double planned = row * spec->batch_size * (1 + 1e-9) + kGaps;
  return planned < static_cast<double>(limit) ? static_cast<uint64_t>(planned)
                                              : limit;
}

}  // namespace inkstream::client
