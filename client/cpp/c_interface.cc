// Glue between the C interface and QueuedCall: nothing is decided here.

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

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
  std::string message;
  std::string details;

  void Set(const google::protobuf::MessageLite& told, ik_event* event) {
    header.clear();
    told.AppendToString(&header);
    event->header = reinterpret_cast<const uint8_t*>(header.data());
    event->header_size = header.size();
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
  auto stream = std::make_unique<ik_stream>();
  stream->call =
      std::make_unique<ik::QueuedCall>(channel->channel, request, call);
  return stream.release();
}

void ik_stream_read(ik_stream* stream, ik_event* event) {
  *event = {};
  absl::StatusOr<ik::QueuedCall::Event> next = stream->call->Next();
  if (!next.ok()) return stream->Set(next.status(), event);
  if (auto* opened = std::get_if<inkstream::v1::StreamOpened>(&*next)) {
    event->kind = IK_OPENED;
    return stream->Set(*opened, event);
  }
  if (auto* end = std::get_if<inkstream::v1::StreamEnd>(&*next)) {
    event->kind = IK_END;
    return stream->Set(*end, event);
  }
  auto& batch = std::get<ik::ReceivedBatch>(*next);
  event->kind = IK_BATCH;
  stream->Set(batch.header, event);
  event->data = batch.bytes.get();
  event->data_size = batch.header.byte_size();
  event->buffer = new ik_buffer{std::move(batch.bytes)};
}

void ik_stream_grant(ik_stream* stream, uint32_t credits) {
  stream->call->Grant(credits);
}

void ik_stream_cancel(ik_stream* stream) { stream->call->Cancel(); }

void ik_stream_close(ik_stream* stream) { delete stream; }

void ik_buffer_release(ik_buffer* buffer) { delete buffer; }
