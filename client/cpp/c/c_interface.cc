// Glue between the C interface and QueuedCall: nothing is decided here.
//
// What gRPC and the standard library throw (no memory, no thread) must not
// reach callers that are not C++: it would end their process.

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <climits>
#include <cstdio>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cpp/batch/batch_buffers.h"
#include "client/cpp/c/c_event.h"
#include "client/cpp/call/channel_arguments.h"
#include "client/cpp/call/fetch_call.h"
#include "client/cpp/call/queued_call.h"
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

// Not a std::string: there may be no memory for one.
using ErrorText = char[256];
thread_local ErrorText last_error = "";

template <typename Result>
Result Refuse(Result answer, const char* why) {
  std::snprintf(last_error, sizeof(last_error), "%s", why);
  return answer;
}

// What `work` gives, or `otherwise` where it throws, and why in last_error.
template <typename Result, typename Work>
Result Guarded(Result otherwise, const Work& work) noexcept {
  try {
    return work();
  } catch (const std::exception& error) {
    return Refuse(otherwise, error.what());
  } catch (...) {
    return Refuse(otherwise, "an unknown exception");
  }
}

// As an event, whose text lives in `text`.
void Tell(ErrorText* text, ik_event* event) {
  std::snprintf(*text, sizeof(*text), "%s", last_error);
  *event = {};
  event->kind = IK_ERROR;
  event->origin = IK_FAILED;
  event->code = static_cast<uint32_t>(absl::StatusCode::kResourceExhausted);
  event->message = *text;
  event->message_size = std::char_traits<char>::length(*text);
}

}  // namespace

struct ik_channel {
  std::string target;
  std::shared_ptr<grpc::Channel> channel;
  ik::BatchBuffers fetch_buffers{kKeptFetches};
};

struct ik_call {
  std::unique_ptr<ik::QueuedCall> call;
  ik::EventTexts texts;
  ErrorText failure = "";

  uint32_t OriginOfError() const {
    return call->cancelled() ? IK_CANCELLED
           : call->failed()  ? IK_FAILED
           : call->broken()  ? IK_BROKEN
           : call->stalled() ? IK_STALLED
                             : IK_FROM_SERVER;
  }
};

struct ik_fetch {
  std::unique_ptr<ik::FetchCall> call;
  ik::EventTexts opened;
  ik::EventTexts batch;
  ErrorText failure = "";
};

namespace {

ik_call* OpenStream(ik_channel* channel, const ik_call_options& options) {
  inkstream::v1::StreamBatchesRequest request;
  if (options.request_size > INT_MAX ||
      !request.ParseFromArray(options.request,
                              static_cast<int>(options.request_size))) {
    return Refuse<ik_call*>(nullptr, "the request does not parse");
  }
  ik::QueuedCallOptions call;
  call.target = channel->target;
  call.metadata = MetadataOf(options.metadata);
  call.stall = absl::Seconds(options.stall_seconds);
  if (options.max_batch_bytes > 0) {
    call.max_batch_bytes = options.max_batch_bytes;
  }
  call.read_ahead = options.read_ahead;
  call.read_ahead_bytes = options.read_ahead_bytes;
  call.own_memory = options.own_memory != 0;
  auto stream = std::make_unique<ik_call>();
  stream->call =
      std::make_unique<ik::QueuedCall>(channel->channel, request, call);
  return stream.release();
}

void ReadEvent(ik_call* stream, double wait_seconds, ik_event* event) {
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

ik_fetch* OpenFetch(ik_channel* channel, const ik_fetch_options& options) {
  const grpc::Slice slice(options.request, options.request_size);
  auto fetch = std::make_unique<ik_fetch>();
  fetch->call = std::make_unique<ik::FetchCall>(
      channel->channel, grpc::ByteBuffer(&slice, 1),
      MetadataOf(options.metadata),
      absl::Now() + absl::Seconds(options.timeout_seconds),
      &channel->fetch_buffers,
      options.max_batch_bytes > 0 ? options.max_batch_bytes : 1ULL << 30U);
  return fetch.release();
}

int WaitForFetch(ik_fetch* fetch, double seconds, ik_event* opened,
                 ik_event* batch) {
  if (!fetch->call->Wait(absl::Seconds(seconds))) return 0;
  const absl::Status& status = fetch->call->status();
  if (status.ok()) {
    opened->kind = IK_OPENED;
    fetch->opened.Set(fetch->call->opened(), opened);
    ik::ReceivedBatch received = fetch->call->Take();
    fetch->batch.Set(&received, batch);
  } else {
    const uint32_t origin = fetch->call->failed()   ? IK_FAILED
                            : fetch->call->broken() ? IK_BROKEN
                                                    : IK_FROM_SERVER;
    fetch->batch.Set(status, origin, batch);
  }
  return 1;
}

}  // namespace

const char* ik_last_error() { return last_error; }

ik_channel* ik_channel_open(const ik_channel_options* options) {
  if (options == nullptr || options->target == nullptr) {
    return Refuse<ik_channel*>(nullptr, "no target");
  }
  return Guarded<ik_channel*>(nullptr, [&] {
    return new ik_channel{
        .target = options->target,
        .channel = grpc::CreateCustomChannel(
            options->target, CredentialsOf(*options),
            ik::ChannelArgumentsFor(options->target,
                                    options->max_message_bytes))};
  });
}

void ik_channel_close(ik_channel* channel) { delete channel; }

ik_call* ik_call_open(ik_channel* channel, const ik_call_options* options) {
  if (channel == nullptr || options == nullptr ||
      (options->request == nullptr && options->request_size > 0)) {
    return Refuse<ik_call*>(nullptr, "no channel, or no request");
  }
  return Guarded<ik_call*>(nullptr,
                           [&] { return OpenStream(channel, *options); });
}

void ik_call_read(ik_call* stream, double wait_seconds, ik_event* event) {
  *event = {};
  const bool done = Guarded(false, [&] {
    ReadEvent(stream, wait_seconds, event);
    return true;
  });
  if (done) return;
  Tell(&stream->failure, event);
  // What was lost is not missed without a word: nothing comes behind it.
  ik_call_cancel(stream);
}

uint64_t ik_call_queued(ik_call* stream) { return stream->call->queued(); }

void ik_call_grant(ik_call* stream, uint32_t credits) {
  if (stream == nullptr || credits == 0) return;
  const bool granted = Guarded(false, [&] {
    stream->call->Grant(credits);
    return true;
  });
  if (!granted) ik_call_cancel(stream);  // the server would wait for ever
}

void ik_call_cancel(ik_call* stream) {
  if (stream != nullptr) stream->call->Cancel();
}

void ik_call_close(ik_call* stream) { delete stream; }

ik_fetch* ik_fetch_open(ik_channel* channel, const ik_fetch_options* options) {
  if (channel == nullptr || options == nullptr ||
      (options->request == nullptr && options->request_size > 0)) {
    return Refuse<ik_fetch*>(nullptr, "no channel, or no request");
  }
  return Guarded<ik_fetch*>(nullptr,
                            [&] { return OpenFetch(channel, *options); });
}

int ik_fetch_wait(ik_fetch* fetch, double seconds, ik_event* opened,
                  ik_event* batch) {
  *opened = {};
  *batch = {};
  const int done =
      Guarded(-1, [&] { return WaitForFetch(fetch, seconds, opened, batch); });
  if (done >= 0) return done;
  if (batch->buffer != nullptr) ik_buffer_release(batch->buffer);
  *opened = {};
  Tell(&fetch->failure, batch);
  return 1;
}

void ik_fetch_close(ik_fetch* fetch) { delete fetch; }

void ik_buffer_release(ik_buffer* buffer) { delete buffer; }
