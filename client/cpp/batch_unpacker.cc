#include "client/cpp/batch_unpacker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/wire/delivery_message.h"

namespace inkstream::client {
namespace {

// No server makes longer ones, and scratch memory is by it.
constexpr uint64_t kMaxStrokesBytes = 1U << 24U;

template <typename... Parts>
absl::Status Broken(const v1::BatchHeader& header, const Parts&... parts) {
  return absl::InternalError(
      absl::StrCat("the server broke the protocol: ", "batch ",
                   header.batch_seq(), ": ", parts...));
}

const v1::Tensor* Find(const v1::BatchHeader& header, const char* name) {
  for (const v1::Tensor& tensor : header.tensors()) {
    if (tensor.name() == name) return &tensor;
  }
  return nullptr;
}

}  // namespace

BatchUnpacker::BatchUnpacker(const v1::StreamBatchesRequest& opening) {
  const v1::Delivery& delivery = opening.open().delivery();
  if (delivery.codec() != v1::CODEC_STROKES) return;
  const absl::StatusOr<DeliverySpec> spec = wire::DeliveryFromProto(delivery);
  if (!spec.ok()) return;  // the server says why
  auto drawer = ImageDrawer::Create(*spec, opening.open().order().seed());
  if (drawer.ok()) drawer_ = *std::move(drawer);
}

absl::Status BatchUnpacker::Check(const v1::BatchHeader& header) const {
  uint64_t bytes = 0;
  uint64_t wire_bytes = 0;
  const v1::Tensor* const image = Find(header, "image");
  const v1::Tensor* const index = Find(header, "index");
  for (const v1::Chunk& chunk : header.chunks()) {
    const bool strokes = chunk.strokes_bytes() > 0;
    const bool sparse = chunk.sparse_bytes() > 0;
    if (sparse && (strokes || chunk.sparse_bytes() > chunk.bytes())) {
      return Broken(header, chunk.sparse_bytes(), " sparse bytes stand for ",
                    chunk.bytes());
    }
    const uint64_t unpacked = strokes  ? chunk.strokes_bytes()
                              : sparse ? chunk.sparse_bytes()
                                       : chunk.bytes();
    if (chunk.bytes() == 0 || chunk.wire_bytes() == 0 ||
        chunk.wire_bytes() > unpacked) {
      return Broken(header, chunk.wire_bytes(), " bytes stand for ", unpacked);
    }
    if (chunk.strokes_bytes() > 0) {
      if (drawer_ == nullptr) {
        return Broken(header, "strokes that were not asked for");
      }
      const uint64_t row = drawer_->row_bytes();
      if (image == nullptr || index == nullptr || image->offset() != 0 ||
          index->dtype() != v1::DTYPE_INT64 ||
          image->length() != index->length() / sizeof(int64_t) * row ||
          bytes % row != 0 || chunk.bytes() % row != 0 ||
          bytes + chunk.bytes() > image->length() ||
          chunk.strokes_bytes() > kMaxStrokesBytes) {
        return Broken(header, chunk.strokes_bytes(),
                      " bytes of strokes do not stand for rows of images");
      }
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
  // Images are drawn last: what they are drawn by comes behind them.
  for (const bool drawn : {false, true}) {
    uint64_t at = 0;
    uint64_t offset = 0;
    for (const v1::Chunk& chunk : header.chunks()) {
      const absl::Span<const uint8_t> packed(wire_.data() + at,
                                             chunk.wire_bytes());
      absl::Status status;
      if (drawn && chunk.strokes_bytes() > 0) {
        status = DrawChunk(header, chunk, offset, packed, out);
      } else if (!drawn && chunk.strokes_bytes() == 0) {
        const absl::Span<uint8_t> run =
            absl::MakeSpan(out + offset, chunk.bytes());
        status = chunk.sparse_bytes() > 0
                     ? decompressor_.DecompressSparse(packed,
                                                      chunk.sparse_bytes(), run)
                     : decompressor_.Decompress(packed, run);
      }
      if (!status.ok()) {
        return status.code() == absl::StatusCode::kInternal
                   ? Broken(header, status.message())
                   : status;
      }
      at += chunk.wire_bytes();
      offset += chunk.bytes();
    }
  }
  return absl::OkStatus();
}

absl::Status BatchUnpacker::DrawChunk(const v1::BatchHeader& header,
                                      const v1::Chunk& chunk, uint64_t offset,
                                      absl::Span<const uint8_t> packed,
                                      uint8_t* out) {
  if (strokes_.size() < chunk.strokes_bytes()) {
    strokes_.resize(chunk.strokes_bytes());
  }
  absl::Status status = decompressor_.Decompress(
      packed, absl::MakeSpan(strokes_.data(), chunk.strokes_bytes()));
  if (!status.ok()) return status;
  const auto* const indices =
      reinterpret_cast<const int64_t*>(out + Find(header, "index")->offset());
  const uint64_t row = drawer_->row_bytes();
  return drawer_->Draw({strokes_.data(), chunk.strokes_bytes()}, header.epoch(),
                       {indices + offset / row, chunk.bytes() / row},
                       out + offset);
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
