#include "client/cpp/call/part_parser.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace inkstream::client {
namespace {

enum WireType : uint32_t {
  kVarint = 0,
  kFixed64 = 1,
  kLength = 2,
  kFixed32 = 5,
};

// Numbers of inkstream.v1.BatchPart.
enum Field : uint64_t {
  kBatchSeq = v1::BatchPart::kBatchSeqFieldNumber,
  kPart = v1::BatchPart::kPartFieldNumber,
  kOffset = v1::BatchPart::kOffsetFieldNumber,
  kBatches = v1::BatchPart::kBatchesFieldNumber,
  kOpened = v1::BatchPart::kOpenedFieldNumber,
  kEnd = v1::BatchPart::kEndFieldNumber,
  kData = v1::BatchPart::kDataFieldNumber,
};

absl::Status Malformed(const char* what) {
  return absl::InternalError(absl::StrCat(
      "the server sent a message that is not a BatchPart: ", what));
}

class Parser {
 public:
  explicit Parser(const std::vector<grpc::Slice>* slices) : at_(slices) {}

  absl::Status Parse(BatchPartView* view) {
    while (at_.remaining() > 0) {
      uint64_t tag = 0;
      if (!at_.ReadVarint(&tag)) {
        return Malformed("cut within a tag");
      }
      if (absl::Status status = ReadField(tag >> 3U, tag & 7U, view);
          !status.ok()) {
        return status;
      }
    }
    return absl::OkStatus();
  }

 private:
  absl::Status ReadField(uint64_t field, uint32_t wire, BatchPartView* view) {
    if (field == 0) {
      return Malformed("field number 0");
    }
    uint64_t value = 0;
    switch (wire) {
      case kVarint:
        if (!at_.ReadVarint(&value)) {
          return Malformed("cut within a number");
        }
        SetNumber(field, value, view);
        return absl::OkStatus();
      case kLength:
        if (!at_.ReadVarint(&value) || value > at_.remaining()) {
          return Malformed("a length beyond the message's end");
        }
        return ReadLengthDelimited(field, value, view);
      case kFixed64:
        return at_.Skip(8) ? absl::OkStatus() : Malformed("cut within a field");
      case kFixed32:
        return at_.Skip(4) ? absl::OkStatus() : Malformed("cut within a field");
      default:
        return Malformed("an unknown wire type");
    }
  }

  static void SetNumber(uint64_t field, uint64_t value, BatchPartView* view) {
    if (field == kBatchSeq) {
      view->batch_seq = value;
    } else if (field == kPart) {
      view->part = value;
    } else if (field == kOffset) {
      view->offset = value;
    }
  }

  absl::Status ReadLengthDelimited(uint64_t field, uint64_t size,
                                   BatchPartView* view) {
    switch (field) {
      case kData:
        view->data = at_;
        view->data_size = size;
        at_.Skip(size);
        return absl::OkStatus();
      case kBatches:
        return ReadMessage(size, &view->batches.emplace_back());
      case kOpened:
        return ReadMessage(size, &view->opened.emplace());
      case kEnd:
        return ReadMessage(size, &view->end.emplace());
      default:
        at_.Skip(size);
        return absl::OkStatus();
    }
  }

  template <typename Message>
  absl::Status ReadMessage(uint64_t size, Message* message) {
    header_bytes_ += size;
    if (header_bytes_ > kMaxHeaderBytes) {
      return Malformed("more header bytes than any batch needs");
    }
    std::string bytes;
    if (!at_.ReadString(size, &bytes) || !message->ParseFromString(bytes)) {
      return Malformed("a header that does not parse");
    }
    return absl::OkStatus();
  }

  SliceCursor at_;
  uint64_t header_bytes_ = 0;
};

}  // namespace

absl::StatusOr<BatchPartView> ParseBatchPart(const grpc::ByteBuffer& message) {
  BatchPartView view;
  view.slices = std::make_unique<std::vector<grpc::Slice>>();
  if (!message.Dump(view.slices.get()).ok()) {
    return Malformed("its bytes cannot be read");
  }
  Parser parser(view.slices.get());
  if (absl::Status status = parser.Parse(&view); !status.ok()) {
    return status;
  }
  return view;
}

}  // namespace inkstream::client
