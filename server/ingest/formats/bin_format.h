// The official binary format: records one after another, little-endian, packed:
//
//   u64 key_id, 2 bytes countrycode, i8 recognized, u32 timestamp (whole
//   seconds, UTC), u16 strokes; a stroke: u16 points, u8 x[points], u8
//   y[points]
//
// A record has no word: the file's name is (file_word.h). A file that ends
// inside a record is an error that names it, since nothing behind a broken
// record can be found.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "server/ingest/formats/drawing_format.h"

namespace inkstream::ingest {

class BinFormat : public DrawingFormat {
 public:
  static constexpr size_t kHeaderBytes = 17;
  static constexpr char kFileSuffix[] = ".bin";

  // True if an input that begins so can only be this format.
  static bool Matches(absl::string_view beginning);

  std::unique_ptr<RecordCutter> NewCutter(
      std::unique_ptr<ByteSource> source,
      const std::string& name) const override;
  std::unique_ptr<RecordParser> NewParser(
      const ParserOptions& options = {}) const override;
};

}  // namespace inkstream::ingest
