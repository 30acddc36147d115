#include "server/ingest/fetch/remote_file.h"

#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/ingest/fetch/file_part.h"

namespace inkstream::ingest {
namespace {

constexpr std::chrono::milliseconds kLongestWait{60'000};
constexpr std::chrono::milliseconds kLook{50};

// What a status tells the caller to do; OK for those with a body.
absl::Status Judge(const HttpReply& reply, const std::string& url) {
  const std::string text =
      absl::StrCat(url, ": the server answers ", reply.status);
  switch (reply.status) {
    case 200:
    case 206:
      return absl::OkStatus();
    case 401:
    case 403:
      return absl::PermissionDeniedError(text);
    case 404:
    case 410:
      return absl::NotFoundError(text);
    case 408:
    case 429:
      return absl::UnavailableError(text);
    default:
      return reply.status >= 500 ? absl::UnavailableError(text)
                                 : absl::FailedPreconditionError(text);
  }
}

// Waits between tries, longer each time that nothing came.
class Waiting {
 public:
  Waiting(const RetryRule& rule, const std::function<bool()>& interrupted)
      : rule_(rule), interrupted_(interrupted), wait_(rule.first_wait) {}

  void Moved() {
    tries_ = 0;
    wait_ = rule_.first_wait;
  }

  // False when there is no point in another try.
  bool Again(const absl::Status& status,
             std::optional<std::chrono::seconds> asked) {
    if (!absl::IsUnavailable(status) || ++tries_ >= rule_.tries) return false;
    std::chrono::milliseconds left = wait_;
    if (asked.has_value()) {
      left = std::max<std::chrono::milliseconds>(
          left, std::min<std::chrono::milliseconds>(
                    std::chrono::seconds(std::min<int64_t>(asked->count(), 60)),
                    kLongestWait));
    }
    wait_ = std::min(2 * wait_, kLongestWait);
    while (left.count() > 0 && !(interrupted_ && interrupted_())) {
      const std::chrono::milliseconds nap = std::min(left, kLook);
      std::this_thread::sleep_for(nap);
      left -= nap;
    }
    return true;
  }

 private:
  const RetryRule rule_;
  const std::function<bool()>& interrupted_;
  std::chrono::milliseconds wait_;
  int tries_ = 0;
};

absl::Status WrongSize(const RemoteFile& file, uint64_t got, uint64_t want) {
  return absl::DataLossError(
      absl::StrCat(file.url, ": ", got, " bytes, but it must have ", want));
}

// One request for what is missing.
class Attempt {
 public:
  Attempt(HttpClient* client, const RemoteFile& file, FilePart* part,
          const ByteProgress& progress)
      : client_(client), file_(file), part_(part), progress_(progress) {}

  absl::StatusOr<HttpReply> Run() {
    HttpRequest request;
    request.url = file_.url;
    // Without a tag nothing tells whether the part belongs to what the server
    // has now.
    if (!part_->entity_tag().empty()) request.offset = part_->bytes();
    request.if_range = part_->entity_tag();
    return client_->Get(
        request, [this](const HttpReply& reply) { return Begin(reply); },
        [this](absl::string_view bytes) { return Take(bytes); });
  }

 private:
  absl::Status Begin(const HttpReply& reply) {
    end_ = reply.file_bytes;
    if (end_.has_value() && file_.bytes.has_value() && *end_ != *file_.bytes) {
      return WrongSize(file_, *end_, *file_.bytes);
    }
    const bool goes_on = reply.status == 206 &&
                         reply.offset == part_->bytes() &&
                         reply.entity_tag == part_->entity_tag();
    if (goes_on) return absl::OkStatus();
    if (reply.status == 206) {
      return absl::UnavailableError(
          absl::StrCat(file_.url, ": the server sent bytes from ", reply.offset,
                       " where ", part_->bytes(), " was asked for"));
    }
    if (progress_) progress_(-static_cast<int64_t>(part_->bytes()));
    return part_->Restart(reply.entity_tag);
  }

  absl::Status Take(absl::string_view bytes) {
    if (end_.has_value() && part_->bytes() + bytes.size() > *end_) {
      return WrongSize(file_, part_->bytes() + bytes.size(), *end_);
    }
    absl::Status status = part_->Append(bytes);
    if (status.ok() && progress_) {
      progress_(static_cast<int64_t>(bytes.size()));
    }
    return status;
  }

  HttpClient* const client_;
  const RemoteFile& file_;
  FilePart* const part_;
  const ByteProgress& progress_;
  std::optional<uint64_t> end_;
};

absl::Status CheckContent(const RemoteFile& file, const HttpReply& reply,
                          const FilePart& part) {
  const std::optional<uint64_t> want =
      file.bytes.has_value() ? file.bytes : reply.file_bytes;
  if (want.has_value() && part.bytes() != *want) {
    return WrongSize(file, part.bytes(), *want);
  }
  if (reply.md5.empty()) return absl::OkStatus();
  absl::StatusOr<std::string> md5 = part.Md5();
  if (!md5.ok()) return md5.status();
  if (*md5 == reply.md5) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(file.url, ": the MD5 is ", *md5,
                                          ", but the server says ", reply.md5));
}

}  // namespace

absl::StatusOr<std::optional<uint64_t>> SizeOf(
    HttpClient* client, const std::string& url, const RetryRule& retry,
    const std::function<bool()>& interrupted) {
  HttpRequest request;
  request.url = url;
  request.head = true;
  Waiting waiting(retry, interrupted);
  for (;;) {
    absl::StatusOr<HttpReply> reply = client->Get(
        request, [](const HttpReply&) { return absl::OkStatus(); },
        [](absl::string_view) { return absl::OkStatus(); });
    absl::Status status = reply.ok() ? Judge(*reply, url) : reply.status();
    if (reply.ok() && (reply->status == 405 || reply->status == 501)) {
      return std::optional<uint64_t>();  // GET may work all the same
    }
    if (status.ok()) return reply->file_bytes;
    if (!waiting.Again(status,
                       reply.ok() ? reply->retry_after : std::nullopt)) {
      return status;
    }
  }
}

absl::Status FetchFile(HttpClient* client, const RemoteFile& file,
                       const RetryRule& retry,
                       const std::function<bool()>& interrupted,
                       const ByteProgress& progress) {
  absl::StatusOr<std::unique_ptr<FilePart>> part = FilePart::Open(file.path);
  if (!part.ok()) return part.status();
  Waiting waiting(retry, interrupted);
  bool again_from_the_start = false;
  for (;;) {
    const uint64_t before = (*part)->bytes();
    absl::StatusOr<HttpReply> reply =
        Attempt(client, file, part->get(), progress).Run();
    absl::Status status = reply.ok() ? Judge(*reply, file.url) : reply.status();
    // 416: nothing is missing, or the part is longer than the file.
    const bool past_end = reply.ok() && reply->status == 416;
    if (status.ok()) status = CheckContent(file, *reply, **part);
    if (status.ok()) return (*part)->Publish();
    if (past_end || absl::IsDataLoss(status)) {
      if (again_from_the_start) return status;
      again_from_the_start = true;
      if (progress) progress(-static_cast<int64_t>((*part)->bytes()));
      absl::Status restarted = (*part)->Restart("");
      if (!restarted.ok()) return restarted;
      continue;
    }
    if ((*part)->bytes() > before) waiting.Moved();
    if (!waiting.Again(status,
                       reply.ok() ? reply->retry_after : std::nullopt)) {
      return status;
    }
  }
}

uint64_t PartBytes(const std::string& path) {
  struct stat facts = {};
  return stat((path + ".part").c_str(), &facts) == 0
             ? static_cast<uint64_t>(facts.st_size)
             : 0;
}

}  // namespace inkstream::ingest
