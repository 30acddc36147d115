// The official binary format: records one after another, little-endian, packed:
//
//   u64 key_id, 2 bytes countrycode, i8 recognized, u32 timestamp (whole
//   seconds, UTC), u16 strokes; a stroke: u16 points, u8 x[points], u8
//   y[points]
//
// A record has no word: the file's name is (file_word.h). A file that ends
// inside a record is an error that names it, since nothing behind a broken
// record can be found.

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/ingest/formats/drawing_format.h"
#include "server/ingest/input/file_word.h"
#include "server/store/drawing_rules.h"
#include "server/store/format.h"
#include "server/store/segment/endian_io.h"

namespace inkstream::ingest {
namespace {

using store::LoadLittle;

constexpr size_t kHeaderBytes = 17;
constexpr size_t kTargetBytes = size_t{256} << 10U;
constexpr int64_t kMicrosASecond = 1'000'000;

// Bytes of the record at the start of `bytes`; nullopt where it goes on behind
// them.
std::optional<size_t> RecordBytes(absl::string_view bytes) {
  if (bytes.size() < kHeaderBytes) return std::nullopt;
  const uint16_t strokes = LoadLittle<uint16_t>(bytes.data() + 15);
  size_t size = kHeaderBytes;
  for (uint16_t s = 0; s < strokes; ++s) {
    if (bytes.size() < size + 2) return std::nullopt;
    size += 2 + 2 * size_t{LoadLittle<uint16_t>(bytes.data() + size)};
  }
  if (bytes.size() < size) return std::nullopt;
  return size;
}

class BinCutter : public RecordCutter {
 public:
  BinCutter(std::unique_ptr<ByteSource> source, std::string name)
      : source_(std::move(source)),
        name_(std::move(name)),
        word_(WordOfFile(name_, ".bin")) {}

  // `line` counts records. DATA_LOSS: the input ends inside a record, or one is
  // over the limit.
  absl::StatusOr<bool> Next(RecordChunk* chunk) override {
    chunk->overlong.reset();
    chunk->line = record_;
    chunk->offset = offset_;
    chunk->word = word_;
    std::memcpy(chunk->data(), carry_.data(), carry_.size());
    chunk->size = carry_.size();
    carry_.clear();
    size_t whole = 0;  // bytes of the whole records so far
    for (;;) {
      while (const std::optional<size_t> bytes =
                 RecordBytes(chunk->text().substr(whole))) {
        whole += *bytes;
        ++record_;
      }
      if (whole >= kTargetBytes || ended_) break;
      if (chunk->size == RecordChunk::kCapacity) {
        if (whole > 0) break;
        return absl::DataLossError(
            absl::StrCat(name_, ": record ", record_, " at byte ", offset_,
                         " is over the limit of ", RecordChunk::kMaxRecordBytes,
                         " bytes; is this the binary format?"));
      }
      const size_t room =
          std::min(kTargetBytes, RecordChunk::kCapacity - chunk->size);
      absl::StatusOr<size_t> got =
          source_->Read(chunk->data() + chunk->size, room);
      if (!got.ok()) return got.status();
      ended_ = *got == 0;
      chunk->size += *got;
    }
    if (whole == 0 && chunk->size > 0) {
      return absl::DataLossError(
          absl::StrCat(name_, " ends inside record ", record_, " at byte ",
                       offset_, ": ", chunk->size, " bytes are left"));
    }
    carry_.assign(chunk->data() + whole, chunk->size - whole);
    chunk->size = whole;
    offset_ += whole;
    return whole > 0;
  }

 private:
  const std::unique_ptr<ByteSource> source_;
  const std::string name_;
  const std::string word_;
  std::string carry_;  // bytes behind the last cut
  bool ended_ = false;
  uint64_t record_ = 1;
  uint64_t offset_ = 0;
};

class BinParser : public RecordParser {
 public:
  explicit BinParser(const ParserOptions& options) : places_(options.places) {}

  ParsedChunk Parse(const RecordChunk& chunk) override {
    ParsedChunk parsed;
    const absl::string_view text = chunk.text();
    uint64_t record = chunk.line;
    parsed.drawings.Reserve(last_count_ + last_count_ / 8,
                            last_bytes_ + last_bytes_ / 8);
    for (size_t begin = 0; begin < text.size(); ++record) {
      const std::optional<size_t> size = RecordBytes(text.substr(begin));
      if (!size.has_value()) break;
      const absl::string_view bytes = text.substr(begin, *size);
      ++parsed.read;
      if (Read(bytes, chunk.word, &parsed.drawings)) {
        if (places_) {
          parsed.places.push_back({static_cast<uint32_t>(begin),
                                   static_cast<uint32_t>(begin + *size),
                                   record});
        }
      } else {
        parsed.errors.Add(kind_, chunk.file, record, chunk.offset + begin,
                          reason_, bytes);
      }
      begin += *size;
    }
    last_count_ = parsed.drawings.size();
    last_bytes_ = parsed.drawings.bytes();
    return parsed;
  }

 private:
  // Adds the drawing, or says in kind_ and reason_ why not.
  bool Read(absl::string_view bytes, const std::string& word,
            store::PackedDrawings* drawings) {
    Decode(bytes, word);
    if (!IsPlain()) {
      const absl::Status status = Check();
      if (!status.ok()) {
        reason_ = std::string(status.message());
        return false;
      }
    }
    drawings->Add(found_);
    return true;
  }

  void Decode(absl::string_view bytes, const std::string& word) {
    // No record has more points than bytes.
    if (x_.size() < bytes.size()) {
      x_.resize(bytes.size());
      y_.resize(bytes.size());
    }
    stroke_ends_.clear();
    const uint16_t strokes = LoadLittle<uint16_t>(bytes.data() + 15);
    const char* at = bytes.data() + kHeaderBytes;
    size_t count = 0;
    for (uint16_t s = 0; s < strokes; ++s) {
      const size_t points = LoadLittle<uint16_t>(at);
      std::memcpy(x_.data() + count, at + 2, points);
      std::memcpy(y_.data() + count, at + 2 + points, points);
      at += 2 + 2 * points;
      count += points;
      stroke_ends_.push_back(static_cast<uint32_t>(count));
    }
    found_.strokes = {stroke_ends_, {x_.data(), count}, {y_.data(), count}};
    found_.word = word;
    found_.countrycode = bytes.substr(8, 2);
    found_.timestamp =
        Timestamp{LoadLittle<uint32_t>(bytes.data() + 11) * kMicrosASecond, 0};
    recognized_ = LoadLittle<int8_t>(bytes.data() + 10);
    found_.recognized = recognized_ != 0;
    found_.key_id = LoadLittle<int64_t>(bytes.data());
  }

  bool HasEmptyStroke() const {
    return stroke_ends_.front() == 0 ||
           std::adjacent_find(stroke_ends_.begin(), stroke_ends_.end()) !=
               stroke_ends_.end();
  }

  // Whether no rule can be broken, so that Check may be spared.
  bool IsPlain() const {
    const auto printable = [](char c) { return c >= 0x20 && c < 0x7F; };
    return *found_.key_id >= 1 && (recognized_ == 0 || recognized_ == 1) &&
           printable(found_.countrycode[0]) &&
           printable(found_.countrycode[1]) && !stroke_ends_.empty() &&
           !HasEmptyStroke() && stroke_ends_.back() <= store::kMaxPoints;
  }

  // What the store's rules cannot see, then those.
  absl::Status Check() {
    if (recognized_ != 0 && recognized_ != 1) {
      kind_ = ErrorKind::kBadRecognized;
      return absl::InvalidArgumentError(
          absl::StrCat("recognized is ", recognized_, ", expected 0 or 1"));
    }
    if (stroke_ends_.empty()) {
      kind_ = ErrorKind::kNoStrokes;
      return absl::InvalidArgumentError("drawing: no strokes");
    }
    if (HasEmptyStroke()) {
      kind_ = ErrorKind::kEmptyStroke;
      return absl::InvalidArgumentError("drawing: a stroke has no points");
    }
    Drawing drawing;
    drawing.stroke_ends = stroke_ends_;
    drawing.x.assign(found_.strokes.x.begin(), found_.strokes.x.end());
    drawing.y.assign(found_.strokes.y.begin(), found_.strokes.y.end());
    if (!found_.word.empty()) drawing.word.emplace(found_.word);
    drawing.countrycode.emplace(found_.countrycode);
    drawing.key_id = found_.key_id;
    absl::Status status = store::ValidateDrawing(drawing);
    if (!status.ok()) kind_ = KindOfStoreRule(status.message());
    return status;
  }

  const bool places_;
  // Of the chunk before.
  size_t last_count_ = 0;
  size_t last_bytes_ = 0;
  std::vector<uint8_t> x_, y_;
  std::vector<uint32_t> stroke_ends_;
  store::FoundDrawing found_;
  int recognized_ = 0;
  ErrorKind kind_ = ErrorKind::kTooLarge;
  std::string reason_;
};

// Google's keys are below 2^56, so that byte 7 is 0, which no JSON text has,
// and the country code is two capital letters.
bool Matches(absl::string_view beginning) {
  const auto letter = [&](size_t at) {
    return beginning[at] >= 'A' && beginning[at] <= 'Z';
  };
  return beginning.size() >= kHeaderBytes && beginning[7] == '\0' &&
         letter(8) && letter(9) && (beginning[10] == 0 || beginning[10] == 1);
}

}  // namespace

const DrawingFormat kBinFormat = {
    .new_cutter = [](std::unique_ptr<ByteSource> source,
                     const std::string& name) -> std::unique_ptr<RecordCutter> {
      return std::make_unique<BinCutter>(std::move(source), name);
    },
    .new_parser =
        [](const ParserOptions& options) -> std::unique_ptr<RecordParser> {
      return std::make_unique<BinParser>(options);
    },
    .matches = Matches};

}  // namespace inkstream::ingest
