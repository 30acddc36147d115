// The inputs of an ingest one after another, cut into chunks.
//
// Thread safety: Next on one thread at a time; consumed() from any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/ingest/formats/drawing_format.h"
#include "server/ingest/input/byte_source.h"
#include "server/ingest/input/input_format.h"
#include "server/ingest/input/input_list.h"
#include "server/ingest/resume_point.h"

namespace inkstream::ingest {

// Looks at the beginning of every input that is a file, so that what is no file
// of drawings is refused before hours of work; those without a byte are added
// to `empty`. Errors as ChooseFormat.
absl::Status CheckInputs(const std::vector<InputFile>& inputs,
                         InputFormat format, InterruptCheck interrupted,
                         std::vector<std::string>* empty);

class InputSequence {
 public:
  // Begins with the chunk at `start`. Inputs in front of it are not opened; its
  // own is sought in where its format and compression allow, and read from its
  // beginning elsewhere. `inputs` outlives the object.
  InputSequence(const std::vector<InputFile>& inputs, InputFormat format,
                const std::string& word, const InputPlace& start,
                InterruptCheck interrupted);

  // False: the end. Errors name the input. CANCELLED: interrupted.
  // FAILED_PRECONDITION: an input has no chunk at `start`.
  absl::StatusOr<bool> Next(RecordChunk* chunk);

  // Bytes read from the inputs, those before the start included.
  uint64_t consumed() const { return consumed_.load(); }

 private:
  absl::Status Open();
  absl::Status OpenAt(uint64_t offset, uint64_t line);

  const std::vector<InputFile>& inputs_;
  const InputFormat wanted_;
  const std::string word_;
  const InputPlace start_;
  const InterruptCheck interrupted_;
  const DrawingFormat* format_ = nullptr;  // of the open input
  size_t file_;
  uint64_t before_ = 0;       // bytes of the inputs that have ended
  uint64_t skip_before_ = 0;  // chunks of the open input at lower offsets
  const ByteSource* source_ = nullptr;
  std::unique_ptr<RecordCutter> cutter_;  // owns source_
  std::string good_word_;                 // the last one that was looked at
  std::atomic<uint64_t> consumed_{0};
};

}  // namespace inkstream::ingest
