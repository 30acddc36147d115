#include <zlib.h>
#include <zstd.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/ingest/export/byte_sink.h"

namespace inkstream::ingest {
namespace {

constexpr size_t kBufferBytes = size_t{128} << 10U;
constexpr int kGzipOnly = 15 + 16;  // window bits and zlib's "gzip header" flag
constexpr int kGzipMemory = 8;
constexpr int kZstdLevel = 3;

class GzipSink : public ByteSink {
 public:
  explicit GzipSink(std::unique_ptr<ByteSink> file)
      : file_(std::move(file)), buffer_(kBufferBytes, '\0') {
    ready_ = deflateInit2(&stream_, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                          kGzipOnly, kGzipMemory, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~GzipSink() override {
    if (ready_) deflateEnd(&stream_);
  }

  absl::Status Write(absl::string_view bytes) override {
    return Deflate(bytes, Z_NO_FLUSH);
  }
  absl::Status Close() override {
    absl::Status status = Deflate({}, Z_FINISH);
    return status.ok() ? file_->Close() : status;
  }

 private:
  absl::Status Deflate(absl::string_view bytes, int flush) {
    if (!ready_) return absl::ResourceExhaustedError("no memory for zlib");
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      stream_.next_out = reinterpret_cast<Bytef*>(buffer_.data());
      stream_.avail_out = static_cast<uInt>(buffer_.size());
      deflate(&stream_, flush);
      absl::Status status = file_->Write(absl::string_view(buffer_).substr(
          0, buffer_.size() - stream_.avail_out));
      if (!status.ok()) return status;
    } while (stream_.avail_out == 0);
    return absl::OkStatus();
  }

  const std::unique_ptr<ByteSink> file_;
  std::string buffer_;
  z_stream stream_ = {};
  bool ready_ = false;
};

class ZstdSink : public ByteSink {
 public:
  explicit ZstdSink(std::unique_ptr<ByteSink> file)
      : file_(std::move(file)),
        buffer_(ZSTD_CStreamOutSize(), '\0'),
        stream_(ZSTD_createCStream()) {
    if (stream_ != nullptr) {
      ZSTD_CCtx_setParameter(stream_, ZSTD_c_compressionLevel, kZstdLevel);
      ZSTD_CCtx_setParameter(stream_, ZSTD_c_checksumFlag, 1);
    }
  }
  ~ZstdSink() override { ZSTD_freeCStream(stream_); }

  absl::Status Write(absl::string_view bytes) override {
    return Compress(bytes, ZSTD_e_continue);
  }
  absl::Status Close() override {
    absl::Status status = Compress({}, ZSTD_e_end);
    return status.ok() ? file_->Close() : status;
  }

 private:
  absl::Status Compress(absl::string_view bytes, ZSTD_EndDirective mode) {
    if (stream_ == nullptr) {
      return absl::ResourceExhaustedError("no memory for zstd");
    }
    ZSTD_inBuffer in = {bytes.data(), bytes.size(), 0};
    for (bool done = false; !done;) {
      ZSTD_outBuffer out = {buffer_.data(), buffer_.size(), 0};
      const size_t left = ZSTD_compressStream2(stream_, &out, &in, mode);
      if (ZSTD_isError(left)) {
        return absl::InternalError(
            absl::StrCat("zstd: ", ZSTD_getErrorName(left)));
      }
      absl::Status status =
          file_->Write(absl::string_view(buffer_).substr(0, out.pos));
      if (!status.ok()) return status;
      done = mode == ZSTD_e_end ? left == 0 : in.pos == in.size;
    }
    return absl::OkStatus();
  }

  const std::unique_ptr<ByteSink> file_;
  std::string buffer_;
  ZSTD_CStream* const stream_;
};

}  // namespace

std::unique_ptr<ByteSink> NewGzipSink(std::unique_ptr<ByteSink> file) {
  return std::make_unique<GzipSink>(std::move(file));
}

std::unique_ptr<ByteSink> NewZstdSink(std::unique_ptr<ByteSink> file) {
  return std::make_unique<ZstdSink>(std::move(file));
}

}  // namespace inkstream::ingest
