// The decompressing sources of byte_source.h.

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/ingest/input/byte_source.h"

namespace inkstream::ingest {
namespace {

constexpr size_t kBufferBytes = size_t{128} << 10U;
constexpr int kGzipOnly = 15 + 16;  // window bits and zlib's "gzip header" flag

class GzipSource final : public ByteSource {
 public:
  GzipSource(std::unique_ptr<ByteSource> compressed, std::string name)
      : compressed_(std::move(compressed)),
        name_(std::move(name)),
        buffer_(kBufferBytes, '\0') {
    ready_ = inflateInit2(&stream_, kGzipOnly) == Z_OK;
  }
  ~GzipSource() override {
    if (ready_) inflateEnd(&stream_);
  }

  absl::StatusOr<size_t> Read(char* out, size_t capacity) override {
    if (!ready_) return absl::ResourceExhaustedError("no memory for zlib");
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out =
        static_cast<uInt>(std::min<size_t>(capacity, 1U << 30U));
    const uInt wanted = stream_.avail_out;
    while (!finished_ && stream_.avail_out == wanted) {
      if (absl::Status status = Refill(); !status.ok()) return status;
      if (stream_.avail_in == 0) {
        return absl::DataLossError(
            absl::StrCat(name_, ": the gzip data is truncated after ",
                         compressed_->consumed(),
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

  uint64_t consumed() const override { return compressed_->consumed(); }

 private:
  // Leaves avail_in 0 at the end of the file.
  absl::Status Refill() {
    if (stream_.avail_in > 0) return absl::OkStatus();
    absl::StatusOr<size_t> got =
        compressed_->Read(buffer_.data(), buffer_.size());
    if (!got.ok()) return got.status();
    stream_.next_in = reinterpret_cast<Bytef*>(buffer_.data());
    stream_.avail_in = static_cast<uInt>(*got);
    return absl::OkStatus();
  }

  // Zeros after a member are padding of tapes and block devices.
  absl::StatusOr<bool> NextMember() {
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

  const std::unique_ptr<ByteSource> compressed_;
  const std::string name_;
  std::string buffer_;
  z_stream stream_ = {};
  bool ready_ = false;     // inflateInit2 succeeded
  bool finished_ = false;  // the last member has ended
};

class ZstdSource final : public ByteSource {
 public:
  ZstdSource(std::unique_ptr<ByteSource> compressed, std::string name)
      : compressed_(std::move(compressed)),
        name_(std::move(name)),
        buffer_(ZSTD_DStreamInSize(), '\0'),
        stream_(ZSTD_createDStream()) {
    if (stream_ != nullptr) {
      ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kMaxZstdWindowLog);
    }
  }
  ~ZstdSource() override { ZSTD_freeDStream(stream_); }

  absl::StatusOr<size_t> Read(char* out, size_t capacity) override {
    if (stream_ == nullptr) {
      return absl::ResourceExhaustedError("no memory for zstd");
    }
    ZSTD_outBuffer output = {out, capacity, 0};
    while (output.pos == 0) {
      const bool drained = in_.pos == in_.size;
      if (drained) {
        absl::StatusOr<size_t> got =
            compressed_->Read(buffer_.data(), buffer_.size());
        if (!got.ok()) return got.status();
        in_ = {buffer_.data(), *got, 0};
      }
      const bool ended = in_.size == 0;
      if (ended && !inside_frame_) return 0;
      // Also without input: the decoder may still hold output back.
      const size_t code = ZSTD_decompressStream(stream_, &output, &in_);
      if (ZSTD_isError(code)) {
        if (ZSTD_getErrorCode(code) ==
            ZSTD_error_frameParameter_windowTooLarge) {
          return absl::InvalidArgumentError(absl::StrCat(
              name_, ": its zstd window is over the limit of ",
              (uint64_t{1} << kMaxZstdWindowLog) >> 20U,
              " MiB; compress it again without --long or with --long=27"));
        }
        return absl::DataLossError(absl::StrCat(
            name_, ": the zstd data is corrupt near compressed byte ",
            compressed_->consumed() - (in_.size - in_.pos), " (",
            ZSTD_getErrorName(code), ")"));
      }
      inside_frame_ = code != 0;
      if (ended && output.pos == 0 && inside_frame_) {
        return absl::DataLossError(
            absl::StrCat(name_, ": the zstd data is truncated after ",
                         compressed_->consumed(),
                         " compressed bytes; fetch the file again"));
      }
    }
    return output.pos;
  }

  uint64_t consumed() const override { return compressed_->consumed(); }

 private:
  const std::unique_ptr<ByteSource> compressed_;
  const std::string name_;
  std::string buffer_;
  ZSTD_DStream* const stream_;
  ZSTD_inBuffer in_ = {nullptr, 0, 0};
  bool inside_frame_ = false;
};

}  // namespace

std::unique_ptr<ByteSource> NewGzipSource(
    std::unique_ptr<ByteSource> compressed, std::string name) {
  return std::make_unique<GzipSource>(std::move(compressed), std::move(name));
}

std::unique_ptr<ByteSource> NewZstdSource(
    std::unique_ptr<ByteSource> compressed, std::string name) {
  return std::make_unique<ZstdSource>(std::move(compressed), std::move(name));
}

}  // namespace inkstream::ingest
