#include "client/engine/part_view.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <string>

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
  PartReader(google::protobuf::io::ZeroCopyInputStream* message, size_t size)
      : size_(size), in_(message) {}

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
    const auto is = [tag](int field) {
      return tag ==
             WireFormatLite::MakeTag(field, WireFormatLite::WIRETYPE_VARINT);
    };
    uint64_t* const into =
        is(v1::BatchPart::kBatchSeqFieldNumber) ? &part->batch_seq
        : is(v1::BatchPart::kPartFieldNumber)   ? &part->part
        : is(v1::BatchPart::kOffsetFieldNumber) ? &part->offset
                                                : nullptr;
    if (into == nullptr) {
      return WireFormatLite::SkipField(&in_, tag)
                 ? absl::OkStatus()
                 : Malformed("cut within a field");
    }
    return in_.ReadVarint64(into) ? absl::OkStatus()
                                  : Malformed("cut within a number");
  }

  absl::Status ReadBytes(int field, PartView* part) {
    uint64_t length = 0;
    if (!in_.ReadVarint64(&length) || length > size_ - At()) {
      return Malformed("a length beyond the message's end");
    }
    const auto size = static_cast<int>(length);
    switch (field) {
      case v1::BatchPart::kDataFieldNumber:
        return ReadData(size, part);
      case v1::BatchPart::kBatchesFieldNumber:
        if (part->batches.size() == kMostHeaders) {
          return Malformed("more batches than may be ahead");
        }
        return ReadMessage(size, &part->batches.emplace_back());
      case v1::BatchPart::kOpenedFieldNumber:
        return ReadMessage(size, &part->opened.emplace());
      case v1::BatchPart::kEndFieldNumber:
        return ReadMessage(size, &part->end.emplace());
      default:
        in_.Skip(size);
        return absl::OkStatus();
    }
  }

  // The last one counts, as in Protobuf.
  absl::Status ReadData(int size, PartView* part) {
    part->data.clear();
    part->data_size = size;
    while (size > 0) {
      const void* block = nullptr;
      int bytes = 0;
      if (!in_.GetDirectBufferPointer(&block, &bytes)) {
        return Malformed("shorter than its own length");
      }
      bytes = std::min(bytes, size);
      part->data.emplace_back(static_cast<const uint8_t*>(block), bytes);
      in_.Skip(bytes);
      size -= bytes;
    }
    return absl::OkStatus();
  }

  template <typename Message>
  absl::Status ReadMessage(int size, Message* message) {
    header_bytes_ += size;
    if (header_bytes_ > kMostHeaderBytes) {
      return Malformed("more header bytes than any batch needs");
    }
    std::string bytes;
    if (!in_.ReadString(&bytes, size) || !message->ParseFromString(bytes)) {
      return Malformed("a header that does not parse");
    }
    return absl::OkStatus();
  }

  const size_t size_;
  CodedInputStream in_;
  uint64_t header_bytes_ = 0;
};

}  // namespace

void PartView::CopyData(uint64_t begin, uint64_t size, uint8_t* to) const {
  for (absl::Span<const uint8_t> block : data) {
    if (begin >= block.size()) {
      begin -= block.size();
      continue;
    }
    block = block.subspan(begin, size);
    begin = 0;
    if (block.empty()) return;
    std::memcpy(to, block.data(), block.size());
    to += block.size();
    size -= block.size();
  }
}

absl::StatusOr<PartView> ReadPart(absl::Span<const uint8_t> message) {
  if (message.size() > INT_MAX) return Malformed("too long");
  google::protobuf::io::ArrayInputStream in(message.data(),
                                            static_cast<int>(message.size()));
  return ReadPart(&in, message.size());
}

absl::StatusOr<PartView> ReadPart(
    google::protobuf::io::ZeroCopyInputStream* message, size_t size) {
  if (size > INT_MAX) return Malformed("too long");
  PartView part;
  absl::Status status = PartReader(message, size).Read(&part);
  if (!status.ok()) return status;
  return part;
}

}  // namespace inkstream::engine
