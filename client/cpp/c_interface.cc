// Glue between the C interface and QueuedCall: nothing is decided here.

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <climits>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cpp/batch_buffers.h"
#include "client/cpp/c_event.h"
#include "client/cpp/channel_arguments.h"
#include "client/cpp/fetch_call.h"
#include "client/cpp/queued_call.h"
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

ik::CallMetadata MetadataOf(const char* const* metadata) {
  ik::CallMetadata pairs;
  for (const char* const* pair = metadata;
       pair != nullptr && pair[0] != nullptr && pair[1] != nullptr; pair += 2) {
    pairs.emplace_back(pair[0], pair[1]);
  }
  return pairs;
}

// Unused buffers of fetched batches that a channel keeps.
constexpr size_t kKeptFetches = 4;

}  // namespace

struct ik_channel {
  std::string target;
  std::shared_ptr<grpc::Channel> channel;
  ik::BatchBuffers fetch_buffers{kKeptFetches};
};

struct ik_stream {
  std::unique_ptr<ik::QueuedCall> call;
  ik::EventTexts texts;

  uint32_t OriginOfError() const {
    return call->cancelled() ? IK_CANCELLED
           : call->broken()  ? IK_BROKEN
           : call->stalled() ? IK_STALLED
                             : IK_FROM_SERVER;
  }
};

struct ik_fetch {
  std::unique_ptr<ik::FetchCall> call;
  ik::EventTexts opened;
  ik::EventTexts batch;
};

uint32_t ik_abi() { return IK_ABI; }

ik_channel* ik_channel_open(const ik_channel_options* options) {
  if (options == nullptr || options->target == nullptr) return nullptr;
  return new ik_channel{.target = options->target,
                        .channel = grpc::CreateCustomChannel(
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
  call.metadata = MetadataOf(options->metadata);
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
  if (!next.ok()) {
    return stream->texts.Set(next.status(), stream->OriginOfError(), event);
  }
  event->goes_on = rest.over ? 0 : 1;
  event->queued = rest.queued;
  if (!next->has_value()) {
    event->kind = IK_NOTHING;
  } else if (auto* opened = std::get_if<inkstream::v1::StreamOpened>(&**next)) {
    event->kind = IK_OPENED;
    stream->texts.Set(*opened, event);
  } else if (auto* end = std::get_if<inkstream::v1::StreamEnd>(&**next)) {
    event->kind = IK_END;
    stream->texts.Set(*end, event);
  } else {
    stream->texts.Set(&std::get<ik::ReceivedBatch>(**next), event);
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

ik_fetch* ik_fetch_open(ik_channel* channel, const ik_fetch_options* options) {
  if (channel == nullptr || options == nullptr ||
      (options->request == nullptr && options->request_size > 0)) {
    return nullptr;
  }
  const grpc::Slice slice(options->request, options->request_size);
  auto fetch = std::make_unique<ik_fetch>();
  fetch->call = std::make_unique<ik::FetchCall>(
      channel->channel, grpc::ByteBuffer(&slice, 1),
      MetadataOf(options->metadata),
      absl::Now() + absl::Seconds(options->timeout_seconds),
      &channel->fetch_buffers,
      options->max_batch_bytes > 0 ? options->max_batch_bytes : 1ULL << 30U);
  return fetch.release();
}

int ik_fetch_wait(ik_fetch* fetch, double seconds, ik_event* opened,
                  ik_event* batch) {
  *opened = {};
  *batch = {};
  if (!fetch->call->Wait(absl::Seconds(seconds))) return 0;
  const absl::Status& status = fetch->call->status();
  if (status.ok()) {
    opened->kind = IK_OPENED;
    fetch->opened.Set(fetch->call->opened(), opened);
    ik::ReceivedBatch received = fetch->call->Take();
    fetch->batch.Set(&received, batch);
  } else {
    fetch->batch.Set(status, fetch->call->broken() ? IK_BROKEN : IK_FROM_SERVER,
                     batch);
  }
  return 1;
}

void ik_fetch_close(ik_fetch* fetch) { delete fetch; }

void ik_buffer_release(ik_buffer* buffer) { delete buffer; }
