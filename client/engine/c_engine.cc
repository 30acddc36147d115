// Glue between the C interface and the engine: nothing is decided here.
//
// What the standard library throws (no memory, no thread) must not reach
// callers that are not C++: it would end their process.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/engine/drawing_pool.h"
#include "client/engine/fed_stream.h"
#include "client/engine/local_engine.h"
#include "client/engine/local_stream.h"
#include "inkstream/engine.h"
#include "server/base/status_reason.h"
#include "server/raster/draw/rasterizer.h"
#include "server/wire/status_message.h"

namespace ik = inkstream::engine;

namespace {

struct Error : ik_error {
  std::string text;
  std::string details_text;
};

struct Bytes : ik_bytes {
  std::string text;
};

// Where there is no memory for an error either.
constexpr char kNoMemory[] = "this process has no memory left";
ik_error no_memory = {IK_NO_MEMORY, kNoMemory, sizeof(kNoMemory) - 1, nullptr,
                      0};

ik_error* ErrorOf(uint32_t code, std::string text, std::string details = "") {
  auto* const error = new (std::nothrow) Error;
  if (error == nullptr) return &no_memory;
  error->text = std::move(text);
  error->details_text = std::move(details);
  error->code = code;
  error->message = error->text.data();
  error->message_size = error->text.size();
  error->details = reinterpret_cast<const uint8_t*>(error->details_text.data());
  error->details_size = error->details_text.size();
  return error;
}

// In a process there is no replica that has another copy of the store.
absl::StatusCode CodeOf(const absl::Status& status) {
  return inkstream::ReasonOf(status) == inkstream::kReasonStoreLost
             ? absl::StatusCode::kDataLoss
             : status.code();
}

ik_error* ErrorOf(const absl::Status& status) {
  if (status.ok()) return nullptr;
  return ErrorOf(static_cast<uint32_t>(CodeOf(status)),
                 std::string(status.message()),
                 inkstream::wire::DetailsOf(status));
}

// Null: the handle is there, and this process's.
template <typename Handle>
ik_error* CheckHandle(const Handle* handle) {
  if (handle == nullptr) {
    return ErrorOf(absl::InvalidArgumentError("handle: null"));
  }
  const pid_t owner = handle->pid;
  if (owner == getpid()) return nullptr;
  return ErrorOf(
      IK_WRONG_PROCESS,
      absl::StrCat("this was opened in process ", owner, " and is used in ",
                   getpid(), ": open it in the process that uses it"));
}

// What `work` answers, or an error where it throws.
template <typename Work>
ik_error* Guarded(const Work& work) noexcept {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return &no_memory;
  } catch (const std::exception& error) {
    try {
      return ErrorOf(IK_NO_MEMORY, error.what());
    } catch (...) {
      return &no_memory;
    }
  } catch (...) {
    return &no_memory;
  }
}

// What `work` does with a handle that is there and this process's.
template <typename Handle, typename Work>
ik_error* With(const Handle* handle, const Work& work) noexcept {
  return Guarded([&]() -> ik_error* {
    if (ik_error* const wrong = CheckHandle(handle)) return wrong;
    const ik::AtWork at_work;
    return ErrorOf(work());
  });
}

// Of a handle that is not, nothing is done.
template <typename Handle, typename Work>
void Quietly(const Handle* handle, const Work& work) noexcept {
  ik_error_free(With(handle, [&] {
    work();
    return absl::OkStatus();
  }));
}

std::string TextOf(const char* text) { return text == nullptr ? "" : text; }

absl::Status CheckRequest(const uint8_t* request, size_t size) {
  if (request == nullptr && size > 0) {
    return absl::InvalidArgumentError("request: null");
  }
  if (size > INT_MAX) {
    return absl::InvalidArgumentError(
        absl::StrCat("request: ", size, " bytes; at most ", INT_MAX));
  }
  return absl::OkStatus();
}

// `options` as this header has them: fields that the caller's lacks are zeros.
template <typename Options>
absl::StatusOr<Options> Given(const Options* options) {
  if (options == nullptr) return absl::InvalidArgumentError("options: null");
  Options given = {};
  std::memcpy(&given, options, std::min(options->struct_size, sizeof(given)));
  return given;
}

absl::Status CheckKind(uint32_t kind) {
  if (kind == IK_STREAM_BATCHES || kind == IK_FETCH_DRAWINGS) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("kind: ", kind, " is none"));
}

absl::string_view ViewOf(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

struct ik_engine {
  std::shared_ptr<ik::LocalEngine> engine;
  const pid_t pid = getpid();
};

struct ik_stream {
  std::shared_ptr<ik::LocalStream> stream;
  const pid_t pid = getpid();
  std::string header;   // of the last batch, or of the end
  absl::Status failed;  // what ended it
};

namespace {

ik_error* Next(ik_stream* stream, double wait_seconds, ik_batch* batch) {
  if (!stream->failed.ok()) return ErrorOf(stream->failed);
  using Clock = std::chrono::steady_clock;
  const Clock::time_point began = Clock::now();
  for (;;) {
    absl::StatusOr<ik::NextResult> next = [&] {
      const ik::AtWork at_work;
      return stream->stream->TryNext();
    }();
    if (!next.ok()) {
      stream->failed = next.status();
      return ErrorOf(stream->failed);
    }
    if (next->batch.kind != IK_NOTHING) {
      stream->header = std::move(next->header);
      *batch = next->batch;
      batch->header = reinterpret_cast<const uint8_t*>(stream->header.data());
      batch->header_size = stream->header.size();
      return nullptr;
    }
    const std::chrono::duration<double> waited = Clock::now() - began;
    const double left = wait_seconds - waited.count();
    if (!(left > 0)) return nullptr;
    const ik::Waiting waiting;
    stream->stream->Wait(left);
  }
}

}  // namespace

uint32_t ik_abi() { return IK_ABI; }

uint32_t ik_raster_version() { return inkstream::raster::kRasterVersion; }

const char* ik_versions() {
  static const std::string* const versions = new std::string(absl::StrCat(
      INKSTREAM_VERSION, " raster=", inkstream::raster::kRasterVersion));
  return versions->c_str();
}

void ik_error_free(ik_error* error) {
  if (error != &no_memory) delete static_cast<Error*>(error);
}

void ik_bytes_free(ik_bytes* bytes) { delete static_cast<Bytes*>(bytes); }

ik_error* ik_engine_open(const ik_engine_options* options, ik_engine** engine) {
  return Guarded([&]() -> ik_error* {
    *engine = nullptr;
    const absl::StatusOr<ik_engine_options> given = Given(options);
    if (!given.ok()) return ErrorOf(given.status());
    if (given->path == nullptr || *given->path == '\0') {
      return ErrorOf(absl::InvalidArgumentError("path: not given"));
    }
    const ik::AtWork at_work;
    absl::StatusOr<std::shared_ptr<ik::LocalEngine>> opened =
        ik::LocalEngine::Open({given->path, TextOf(given->fingerprint),
                               given->shares, given->threads, given->memory});
    if (!opened.ok()) return ErrorOf(opened.status());
    *engine = new ik_engine{*std::move(opened)};
    return nullptr;
  });
}

ik_error* ik_engine_call(ik_engine* engine, const char* method,
                         const uint8_t* request, size_t request_size,
                         ik_bytes** answer) {
  *answer = nullptr;
  return With(engine, [&] {
    absl::Status status = CheckRequest(request, request_size);
    if (!status.ok()) return status;
    absl::StatusOr<std::string> answered =
        engine->engine->Call(TextOf(method), ViewOf(request, request_size));
    if (!answered.ok()) return answered.status();
    auto* const bytes = new Bytes;
    bytes->text = *std::move(answered);
    bytes->data = reinterpret_cast<const uint8_t*>(bytes->text.data());
    bytes->size = bytes->text.size();
    *answer = bytes;
    return status;
  });
}

void ik_engine_close(ik_engine* engine) {
  Quietly(engine, [&] { delete engine; });
}

ik_error* ik_stream_open(ik_engine* engine, uint32_t kind,
                         const uint8_t* request, size_t request_size,
                         ik_stream** stream) {
  *stream = nullptr;
  return With(engine, [&] {
    absl::Status status = CheckRequest(request, request_size);
    status.Update(CheckKind(kind));
    if (!status.ok()) return status;
    const absl::string_view bytes = ViewOf(request, request_size);
    absl::StatusOr<std::shared_ptr<ik::LocalStream>> opened =
        kind == IK_FETCH_DRAWINGS ? engine->engine->FetchDrawings(bytes)
                                  : engine->engine->StreamBatches(bytes);
    if (!opened.ok()) return opened.status();
    *stream = new ik_stream{*std::move(opened)};
    return status;
  });
}

ik_error* ik_stream_receive(const ik_receive_options* options,
                            ik_stream** stream) {
  return Guarded([&]() -> ik_error* {
    *stream = nullptr;
    const absl::StatusOr<ik_receive_options> given = Given(options);
    if (!given.ok()) return ErrorOf(given.status());
    absl::Status status = CheckRequest(given->request, given->request_size);
    status.Update(CheckRequest(given->first, given->first_size));
    status.Update(CheckKind(given->kind));
    if (!status.ok()) return ErrorOf(status);
    const ik::AtWork at_work;
    absl::StatusOr<std::shared_ptr<ik::LocalStream>> opened =
        ik::FedStream::Open(
            {given->kind == IK_FETCH_DRAWINGS,
             {given->request, given->request_size},
             {given->first, given->first_size},
             TextOf(given->endpoint),
             ik::DrawingThreads(given->threads, given->shares)});
    if (!opened.ok()) return ErrorOf(opened.status());
    *stream = new ik_stream{*std::move(opened)};
    return nullptr;
  });
}

ik_error* ik_stream_feed(ik_stream* stream, const uint8_t* message, size_t size,
                         uint32_t* batches) {
  *batches = 0;
  return With(stream, [&] {
    absl::Status status = CheckRequest(message, size);
    if (!status.ok()) return status;
    absl::StatusOr<uint32_t> whole = stream->stream->Feed({message, size});
    if (whole.ok()) *batches = *whole;
    return whole.status();
  });
}

void ik_stream_finish(ik_stream* stream) {
  Quietly(stream, [&] { stream->stream->Finish(); });
}

uint64_t ik_stream_batch_bytes(const ik_stream* stream) {
  return stream == nullptr ? 0 : stream->stream->batch_bytes();
}

ik_bytes ik_stream_opened(ik_stream* stream) {
  if (stream == nullptr || stream->pid != getpid()) return {};
  const std::string& opened = stream->stream->opened();
  return {reinterpret_cast<const uint8_t*>(opened.data()), opened.size()};
}

ik_error* ik_stream_offer(ik_stream* stream, uint64_t token, void* memory,
                          size_t size) {
  return With(stream,
              [&] { return stream->stream->Offer(token, memory, size); });
}

ik_error* ik_stream_next(ik_stream* stream, double wait_seconds,
                         ik_batch* batch) {
  return Guarded([&]() -> ik_error* {
    *batch = {};
    if (ik_error* const wrong = CheckHandle(stream)) return wrong;
    return Next(stream, wait_seconds, batch);
  });
}

void ik_stream_cancel(ik_stream* stream) {
  Quietly(stream, [&] { stream->stream->Cancel(); });
}

void ik_stream_close(ik_stream* stream) {
  ik_stream_cancel(stream);
  Quietly(stream, [&] { delete stream; });
}
