#include "client/engine/part_view.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <climits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace inkstream::engine {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

absl::Status Malformed(const char* what) {
  return absl::InternalError(absl::StrCat(
      "the server sent a message that is not a BatchPart: ", what));
}

class PartReader {
 public:
  explicit PartReader(absl::Span<const uint8_t> message)
      : message_(message),
        in_(message.data(), static_cast<int>(message.size())) {}

  absl::Status Read(PartView* part) {
    while (const uint32_t tag = in_.ReadTag()) {
      absl::Status status =
          WireFormatLite::GetTagWireType(tag) ==
                  WireFormatLite::WIRETYPE_LENGTH_DELIMITED
              ? ReadBytes(WireFormatLite::GetTagFieldNumber(tag), part)
              : ReadNumber(tag, part);
      if (!status.ok()) return status;
    }
    return in_.ConsumedEntireMessage() ? absl::OkStatus()
                                       : Malformed("cut within a tag");
  }

 private:
  size_t At() const { return static_cast<size_t>(in_.CurrentPosition()); }

  absl::Status ReadNumber(uint32_t tag, PartView* part) {
    uint64_t* into = nullptr;
    switch (tag) {
      case WireFormatLite::MakeTag(v1::BatchPart::kBatchSeqFieldNumber,
                                   WireFormatLite::WIRETYPE_VARINT):
        into = &part->batch_seq;
        break;
      case WireFormatLite::MakeTag(v1::BatchPart::kPartFieldNumber,
                                   WireFormatLite::WIRETYPE_VARINT):
        into = &part->part;
        break;
      case WireFormatLite::MakeTag(v1::BatchPart::kOffsetFieldNumber,
                                   WireFormatLite::WIRETYPE_VARINT):
        into = &part->offset;
        break;
      default:
        return WireFormatLite::SkipField(&in_, tag)
                   ? absl::OkStatus()
                   : Malformed("cut within a field");
    }
    return in_.ReadVarint64(into) ? absl::OkStatus()
                                  : Malformed("cut within a number");
  }

  absl::Status ReadBytes(int field, PartView* part) {
    uint32_t size = 0;
    if (!in_.ReadVarint32(&size) || size > message_.size() - At()) {
      return Malformed("a length beyond the message's end");
    }
    const absl::Span<const uint8_t> bytes = message_.subspan(At(), size);
    in_.Skip(static_cast<int>(size));
    switch (field) {
      case v1::BatchPart::kDataFieldNumber:
        part->data = bytes;
        return absl::OkStatus();
      case v1::BatchPart::kBatchesFieldNumber:
        if (part->batches.size() == kMostHeaders) {
          return Malformed("more batches than may be ahead");
        }
        return ReadMessage(bytes, &part->batches.emplace_back());
      case v1::BatchPart::kOpenedFieldNumber:
        return ReadMessage(bytes, &part->opened.emplace());
      case v1::BatchPart::kEndFieldNumber:
        return ReadMessage(bytes, &part->end.emplace());
      default:
        return absl::OkStatus();
    }
  }

  template <typename Message>
  absl::Status ReadMessage(absl::Span<const uint8_t> bytes, Message* message) {
    header_bytes_ += bytes.size();
    if (header_bytes_ > kMostHeaderBytes) {
      return Malformed("more header bytes than any batch needs");
    }
    if (!message->ParseFromArray(bytes.data(),
                                 static_cast<int>(bytes.size()))) {
      return Malformed("a header that does not parse");
    }
    return absl::OkStatus();
  }

  const absl::Span<const uint8_t> message_;
  CodedInputStream in_;
  uint64_t header_bytes_ = 0;
};

}  // namespace

absl::StatusOr<PartView> ReadPart(absl::Span<const uint8_t> message) {
  if (message.size() > INT_MAX) return Malformed("too long");
  PartView part;
  absl::Status status = PartReader(message).Read(&part);
  if (!status.ok()) return status;
  return part;
}

}  // namespace inkstream::engine
