#include "server/ingest/input/gzip_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace inkstream::ingest {
namespace {

constexpr size_t kBufferBytes = size_t{128} << 10U;
constexpr int kGzipOnly = 15 + 16;  // window bits and zlib's "gzip header" flag

}  // namespace

GzipSource::GzipSource(std::unique_ptr<ByteSource> compressed, std::string name)
    : compressed_(std::move(compressed)),
      name_(std::move(name)),
      buffer_(kBufferBytes, '\0') {
  ready_ = inflateInit2(&stream_, kGzipOnly) == Z_OK;
}

GzipSource::~GzipSource() {
  if (ready_) inflateEnd(&stream_);
}

absl::Status GzipSource::Refill() {
  if (stream_.avail_in > 0) return absl::OkStatus();
  absl::StatusOr<size_t> got =
      compressed_->Read(buffer_.data(), buffer_.size());
  if (!got.ok()) return got.status();
  stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
  stream_.avail_in = static_cast<uInt>(*got);
  return absl::OkStatus();
}

// Zeros after a member are padding of tapes and block devices.
absl::StatusOr<bool> GzipSource::NextMember() {
  for (;;) {
    if (absl::Status status = Refill(); !status.ok()) return status;
    if (stream_.avail_in == 0) return false;
    if (*stream_.next_in != 0) break;
    ++stream_.next_in;
    --stream_.avail_in;
  }
  inflateReset(&stream_);
  return true;
}

absl::StatusOr<size_t> GzipSource::Read(char* out, size_t capacity) {
  if (!ready_) return absl::ResourceExhaustedError("no memory for zlib");
  stream_.next_out = reinterpret_cast<Bytef*>(out);
  stream_.avail_out = static_cast<uInt>(std::min<size_t>(capacity, 1U << 30U));
  const uInt wanted = stream_.avail_out;
  while (!finished_ && stream_.avail_out == wanted) {
    if (absl::Status status = Refill(); !status.ok()) return status;
    if (stream_.avail_in == 0) {
      return absl::DataLossError(absl::StrCat(
          name_, ": the gzip data is truncated after ", compressed_->consumed(),
          " compressed bytes; fetch the file again"));
    }
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
      absl::StatusOr<bool> more = NextMember();
      if (!more.ok()) return more.status();
      finished_ = !*more;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      return absl::DataLossError(absl::StrCat(
          name_, ": the gzip data is corrupt near compressed byte ",
          compressed_->consumed() - stream_.avail_in, " (",
          stream_.msg == nullptr ? "unknown reason" : stream_.msg, ")"));
    }
  }
  return wanted - stream_.avail_out;
}

}  // namespace inkstream::ingest
