// Glue between the C interface and QueuedCall: nothing is decided here.

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <climits>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "client/cpp/channel_arguments.h"
#include "client/cpp/queued_call.h"
#include "google/rpc/status.pb.h"
#include "inkstream/inkstream.h"

namespace {

namespace ik = inkstream::client;

std::string TextOf(const char* text) { return text == nullptr ? "" : text; }

std::shared_ptr<grpc::ChannelCredentials> CredentialsOf(
    const ik_channel_options& options) {
  if (options.tls == 0) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials(
      {TextOf(options.ca), TextOf(options.key), TextOf(options.cert)});
}

std::string DetailsOf(const absl::Status& status) {
  google::rpc::Status details;
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& value) {
    google::protobuf::Any* const detail = details.add_details();
    detail->set_type_url(std::string(url));
    detail->set_value(std::string(value));
  });
  return details.SerializeAsString();
}

// But for what ik_event tells of each batch.
bool SaysTheSame(const inkstream::v1::BatchHeader& a,
                 const inkstream::v1::BatchHeader& b) {
  const auto same_cursor = [](const inkstream::v1::Cursor& x,
                              const inkstream::v1::Cursor& y) {
    return x.version() == y.version() && x.seed() == y.seed() &&
           x.fingerprint() == y.fingerprint() &&
           x.plan_hash() == y.plan_hash() && x.order_plan() == y.order_plan();
  };
  const auto same_tensor = [](const inkstream::v1::Tensor& x,
                              const inkstream::v1::Tensor& y) {
    return x.name() == y.name() && x.dtype() == y.dtype() &&
           x.offset() == y.offset() && x.length() == y.length() &&
           std::equal(x.shape().begin(), x.shape().end(), y.shape().begin(),
                      y.shape().end()) &&
           std::equal(x.vocabulary().begin(), x.vocabulary().end(),
                      y.vocabulary().begin(), y.vocabulary().end());
  };
  return a.byte_size() == b.byte_size() &&
         same_cursor(a.cursor(), b.cursor()) &&
         std::equal(a.tensors().begin(), a.tensors().end(), b.tensors().begin(),
                    b.tensors().end(), same_tensor);
}

}  // namespace

struct ik_channel {
  std::string target;
  std::shared_ptr<grpc::Channel> channel;
};

struct ik_buffer {
  std::shared_ptr<const uint8_t> bytes;
};

struct ik_stream {
  std::unique_ptr<ik::QueuedCall> call;
  // What the last event refers to.
  std::string header;
  std::unique_ptr<inkstream::v1::BatchHeader> last;  // batch
  std::string message;
  std::string details;

  void Set(const google::protobuf::MessageLite& told, ik_event* event) {
    header.clear();
    told.AppendToString(&header);
    event->header = reinterpret_cast<const uint8_t*>(header.data());
    event->header_size = header.size();
  }

  void Set(ik::ReceivedBatch* batch, ik_event* event) {
    inkstream::v1::BatchHeader& told = batch->header;
    event->kind = IK_BATCH;
    if (last == nullptr || !SaysTheSame(told, *last)) Set(told, event);
    event->epoch = told.epoch();
    event->step = told.step();
    event->cursor_epoch = told.cursor().epoch();
    event->cursor_position = told.cursor().position();
    event->bad = told.bad();
    event->wire_bytes =
        told.chunks_size() > 0 ? told.wire_size() : told.byte_size();
    event->data = batch->bytes.get();
    event->data_size = told.byte_size();
    if (told.byte_size() > 0) {
      event->buffer = new ik_buffer{std::move(batch->bytes)};
    }
    if (last == nullptr) last.reset(new inkstream::v1::BatchHeader);
    last->Swap(&told);
  }

  void Set(const absl::Status& status, ik_event* event) {
    event->kind = IK_ERROR;
    event->code = static_cast<uint32_t>(status.code());
    event->origin = call->cancelled() ? IK_CANCELLED
                    : call->broken()  ? IK_BROKEN
                    : call->stalled() ? IK_STALLED
                                      : IK_FROM_SERVER;
    message = std::string(status.message());
    details = DetailsOf(status);
    event->message = message.data();
    event->message_size = message.size();
    event->details = reinterpret_cast<const uint8_t*>(details.data());
    event->details_size = details.size();
  }
};

uint32_t ik_abi() { return IK_ABI; }

ik_channel* ik_channel_open(const ik_channel_options* options) {
  if (options == nullptr || options->target == nullptr) return nullptr;
  return new ik_channel{options->target,
                        grpc::CreateCustomChannel(
                            options->target, CredentialsOf(*options),
                            ik::ChannelArgumentsFor(
                                options->target, options->max_message_bytes))};
}

void ik_channel_close(ik_channel* channel) { delete channel; }

ik_stream* ik_stream_open(ik_channel* channel,
                          const ik_stream_options* options) {
  inkstream::v1::StreamBatchesRequest request;
  if (channel == nullptr || options == nullptr ||
      (options->request == nullptr && options->request_size > 0) ||
      options->request_size > INT_MAX) {
    return nullptr;
  }
  if (!request.ParseFromArray(options->request,
                              static_cast<int>(options->request_size))) {
    return nullptr;
  }
  ik::QueuedCallOptions call;
  call.target = channel->target;
  for (const char* const* pair = options->metadata;
       pair != nullptr && pair[0] != nullptr && pair[1] != nullptr; pair += 2) {
    call.metadata.emplace_back(pair[0], pair[1]);
  }
  call.stall = absl::Seconds(options->stall_seconds);
  if (options->max_batch_bytes > 0) {
    call.max_batch_bytes = options->max_batch_bytes;
  }
  call.read_ahead = options->read_ahead;
  call.read_ahead_bytes = options->read_ahead_bytes;
  call.own_memory = options->own_memory != 0;
  auto stream = std::make_unique<ik_stream>();
  stream->call =
      std::make_unique<ik::QueuedCall>(channel->channel, request, call);
  return stream.release();
}

void ik_stream_read(ik_stream* stream, double wait_seconds, ik_event* event) {
  *event = {};
  ik::QueuedCall::Rest rest;
  auto next = stream->call->Next(
      wait_seconds < 0 ? absl::InfiniteDuration() : absl::Seconds(wait_seconds),
      &rest);
  if (!next.ok()) return stream->Set(next.status(), event);
  event->goes_on = rest.over ? 0 : 1;
  event->queued = rest.queued;
  if (!next->has_value()) {
    event->kind = IK_NOTHING;
  } else if (auto* opened = std::get_if<inkstream::v1::StreamOpened>(&**next)) {
    event->kind = IK_OPENED;
    stream->Set(*opened, event);
  } else if (auto* end = std::get_if<inkstream::v1::StreamEnd>(&**next)) {
    event->kind = IK_END;
    stream->Set(*end, event);
  } else {
    stream->Set(&std::get<ik::ReceivedBatch>(**next), event);
  }
}

uint64_t ik_stream_queued(ik_stream* stream) { return stream->call->queued(); }

void ik_stream_grant(ik_stream* stream, uint32_t credits) {
  if (stream != nullptr && credits > 0) stream->call->Grant(credits);
}

void ik_stream_cancel(ik_stream* stream) {
  if (stream != nullptr) stream->call->Cancel();
}

void ik_stream_close(ik_stream* stream) { delete stream; }

void ik_buffer_release(ik_buffer* buffer) { delete buffer; }
