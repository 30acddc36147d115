#include "server/ingest/input/zstd_source.h"

#include <zstd_errors.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace inkstream::ingest {

ZstdSource::ZstdSource(std::unique_ptr<ByteSource> compressed, std::string name)
    : compressed_(std::move(compressed)),
      name_(std::move(name)),
      buffer_(ZSTD_DStreamInSize(), '\0'),
      stream_(ZSTD_createDStream()) {
  if (stream_ != nullptr) {
    ZSTD_DCtx_setParameter(stream_, ZSTD_d_windowLogMax, kMaxZstdWindowLog);
  }
}

ZstdSource::~ZstdSource() { ZSTD_freeDStream(stream_); }

absl::StatusOr<size_t> ZstdSource::Read(char* out, size_t capacity) {
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
      if (ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge) {
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
      return absl::DataLossError(absl::StrCat(
          name_, ": the zstd data is truncated after ", compressed_->consumed(),
          " compressed bytes; fetch the file again"));
    }
  }
  return output.pos;
}

}  // namespace inkstream::ingest
