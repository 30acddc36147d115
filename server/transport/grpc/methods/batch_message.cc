#include "server/transport/grpc/methods/batch_message.h"

#include <google/protobuf/io/coded_stream.h>
#include <inkstream/v1/batch.pb.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/service/service.h"

namespace inkstream::transport {
namespace {

using google::protobuf::io::CodedOutputStream;

// BatchPart.data: field 15, length-delimited.
constexpr char kDataTag = (15 << 3) | 2;
// More than the tag, the length and the fields of a later part can take.
constexpr uint64_t kPartOverhead = 64;
// Parts are cut at multiples of this, so that copies stay aligned.
constexpr uint64_t kCut = 4096;
// Small batches share a message up to this size.
constexpr uint64_t kGatherBytes = 1U << 20U;
// Data of messages to a client of which nothing is known yet, and to the
// slowest one.
constexpr uint64_t kFirstBytes = 1U << 20U;
constexpr uint64_t kFewestBytes = 64U << 10U;
// Messages take about so long, where the client is slow.
constexpr std::chrono::milliseconds kShort{250};
constexpr std::chrono::milliseconds kLong{1000};

// `part` has everything but its data, of which `bytes` will follow.
grpc::Slice HeadSlice(const v1::BatchPart& part, uint64_t bytes) {
  std::string head = part.SerializeAsString();
  head.push_back(kDataTag);
  uint8_t length[10];
  const uint8_t* const end =
      CodedOutputStream::WriteVarint64ToArray(bytes, length);
  head.append(reinterpret_cast<const char*>(length), end - length);
  return grpc::Slice(head);
}

// Part of a batch that gRPC has not sent yet; holds the buffer.
struct Handed {
  Handed(std::shared_ptr<batch::Buffer> of, std::shared_ptr<UnreadBytes> in,
         uint64_t count)
      : buffer(std::move(of)), unread(std::move(in)), bytes(count) {
    unread->OnHanded(bytes);
  }
  ~Handed() { unread->OnTaken(bytes); }
  Handed(const Handed&) = delete;
  Handed& operator=(const Handed&) = delete;

  const std::shared_ptr<batch::Buffer> buffer;
  const std::shared_ptr<UnreadBytes> unread;
  const uint64_t bytes;
};

void ReleaseHanded(void* handed) { delete static_cast<Handed*>(handed); }

grpc::ByteBuffer OneSlice(const v1::BatchPart& part) {
  const grpc::Slice slice(part.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace

BatchMessages::BatchMessages(const batch::StreamFacts& facts,
                             uint32_t max_message_bytes,
                             std::shared_ptr<UnreadBytes> unread)
    : facts_(facts),
      max_bytes_(max_message_bytes),
      data_bytes_(kFirstBytes),
      unread_(std::move(unread)) {}

absl::Status BatchMessages::Opened(uint32_t credit_window, uint64_t stream_id,
                                   const ChosenCodec& codec,
                                   grpc::ByteBuffer* message) const {
  v1::BatchPart part;
  v1::StreamOpened* const opened = part.mutable_opened();
  *opened = service::OpenedOf(facts_);
  opened->set_codec(static_cast<v1::Codec>(codec.codec));
  opened->set_codec_reason(codec.reason);
  opened->set_credit_window(credit_window);
  opened->set_stream_id(stream_id);
  if (part.ByteSizeLong() > max_bytes_) {
    return absl::InvalidArgumentError(absl::StrCat(
        "delivery.max_message_bytes: ", max_bytes_, " is less than the ",
        part.ByteSizeLong(), " bytes of the stream's first message"));
  }
  *message = OneSlice(part);
  return absl::OkStatus();
}

grpc::ByteBuffer BatchMessages::End(const batch::Ended& end) const {
  v1::BatchPart part;
  *part.mutable_end() = service::EndOf(facts_, end);
  return OneSlice(part);
}

absl::Status BatchMessages::Next(grpc::ByteBuffer* message) {
  if (sent_ > 0) {
    CutLater(message);
    return absl::OkStatus();
  }
  if (TakeSeveral(message)) return absl::OkStatus();
  return CutFirst(message);
}

// As many whole batches as fit one message; false where not even the first
// does.
bool BatchMessages::TakeSeveral(grpc::ByteBuffer* message) {
  v1::BatchPart part;
  uint64_t data = 0;
  size_t taken = 0;
  for (const batch::FinishedBatch& batch : waiting_) {
    v1::BatchHeader* const header = part.add_batches();
    *header = service::HeaderOf(facts_, batch);
    header->set_part_count(1);
    header->set_data_offset(data);
    const uint64_t bytes = data + batch.wire_bytes();
    const bool fits =
        part.ByteSizeLong() + kPartOverhead + bytes <= max_bytes_ &&
        bytes <= data_bytes_ && (taken == 0 || bytes <= kGatherBytes);
    if (!fits) {
      part.mutable_batches()->RemoveLast();
      break;
    }
    data = bytes;
    ++taken;
  }
  if (taken == 0) return false;
  part.set_batch_seq(waiting_.front().sequence);
  std::vector<grpc::Slice> slices = {HeadSlice(part, data)};
  for (; taken > 0; --taken) {
    batch::FinishedBatch& batch = waiting_.front();
    AddData(batch, 0, batch.wire_bytes(), &slices);
    waiting_.pop_front();
  }
  *message = grpc::ByteBuffer(slices.data(), slices.size());
  return true;
}

void BatchMessages::AddData(const batch::FinishedBatch& batch, uint64_t offset,
                            uint64_t bytes, std::vector<grpc::Slice>* slices) {
  if (bytes == 0) return;
  in_flight_ += bytes;
  slices->emplace_back(batch.buffer->data() + batch.offset + offset, bytes,
                       &ReleaseHanded,
                       new Handed(batch.buffer, unread_, bytes));
}

void BatchMessages::Written(std::chrono::nanoseconds took) {
  // A short one says nothing of long ones.
  const bool was_long = std::exchange(in_flight_, 0) >= data_bytes_ / 2;
  if (was_long && took < kShort) {
    data_bytes_ = std::min(2 * data_bytes_, std::max(max_bytes_, kFirstBytes));
  } else if (took > kLong) {
    data_bytes_ = std::max(data_bytes_ / 2, kFewestBytes);
  }
}

absl::Status BatchMessages::CutFirst(grpc::ByteBuffer* message) {
  batch::FinishedBatch& batch = waiting_.front();
  v1::BatchPart part;
  part.set_batch_seq(batch.sequence);
  v1::BatchHeader* const header = part.add_batches();
  *header = service::HeaderOf(facts_, batch);
  header->set_part_count(UINT32_MAX);  // the longest it can get
  const uint64_t overhead = part.ByteSizeLong() + kPartOverhead;
  if (overhead + kCut > max_bytes_) {
    return absl::InvalidArgumentError(
        absl::StrCat("delivery.max_message_bytes: ", max_bytes_,
                     " leaves no room for drawings beside the ", overhead,
                     " bytes that describe a batch: ask for larger messages"));
  }
  // All parts of about the same size, each with room for the longest head.
  const uint64_t room =
      std::min((max_bytes_ - overhead) / kCut * kCut, data_bytes_);
  const uint64_t parts = (batch.wire_bytes() + room - 1) / room;
  const uint64_t even = (batch.wire_bytes() + parts - 1) / parts;
  part_bytes_ = std::min(room, (even + kCut - 1) / kCut * kCut);
  header->set_part_count(static_cast<uint32_t>(
      (batch.wire_bytes() + part_bytes_ - 1) / part_bytes_));
  std::vector<grpc::Slice> slices = {HeadSlice(part, part_bytes_)};
  AddData(batch, 0, part_bytes_, &slices);
  *message = grpc::ByteBuffer(slices.data(), slices.size());
  sent_ = part_bytes_;
  part_ = 1;
  return absl::OkStatus();
}

void BatchMessages::CutLater(grpc::ByteBuffer* message) {
  const batch::FinishedBatch& batch = waiting_.front();
  const uint64_t bytes = std::min(part_bytes_, batch.wire_bytes() - sent_);
  v1::BatchPart part;
  part.set_batch_seq(batch.sequence);
  part.set_part(part_);
  part.set_offset(sent_);
  std::vector<grpc::Slice> slices = {HeadSlice(part, bytes)};
  AddData(batch, sent_, bytes, &slices);
  *message = grpc::ByteBuffer(slices.data(), slices.size());
  ++part_;
  sent_ += bytes;
  if (sent_ < batch.wire_bytes()) return;
  sent_ = 0;
  waiting_.pop_front();
}

}  // namespace inkstream::transport
