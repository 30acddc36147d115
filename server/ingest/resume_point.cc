#include "server/ingest/resume_point.h"

#include "absl/strings/escaping.h"
#include "server/ingest/ingest_job.h"
#include "server/store/segment/endian_io.h"

namespace inkstream::ingest {
namespace {

using store::AppendLittle;
using store::LittleReader;

void AppendText(absl::string_view text, std::string* out) {
  AppendLittle<uint32_t>(static_cast<uint32_t>(text.size()), out);
  out->append(text.data(), text.size());
}

std::string ReadText(LittleReader* in) {
  const uint32_t size = in->Read<uint32_t>();
  return std::string(in->ReadBytes(size));
}

void AppendCounts(const KeyCounts& keys, std::string* out) {
  AppendLittle<uint32_t>(static_cast<uint32_t>(keys.counts().size()), out);
  for (const auto& [name, count] : keys.counts()) {
    AppendText(name, out);
    AppendLittle<uint64_t>(count, out);
  }
}

void ReadCounts(LittleReader* in, KeyCounts* keys) {
  for (uint32_t n = in->Read<uint32_t>(); n > 0 && in->ok(); --n) {
    const std::string name = ReadText(in);
    keys->Add(name, in->Read<uint64_t>());
  }
}

}  // namespace

std::string ResumePointText(const InputPlace& place,
                            const IngestReport& report) {
  std::string bytes;
  for (const uint64_t number :
       {place.file, place.offset, place.line, report.read, report.kept,
        report.simplified, report.kept_raw}) {
    AppendLittle(number, &bytes);
  }
  AppendText(report.errors.Serialize(), &bytes);
  AppendCounts(report.unknown_keys, &bytes);
  AppendCounts(report.null_values, &bytes);
  return absl::Base64Escape(bytes);
}

absl::StatusOr<InputPlace> ParseResumePoint(absl::string_view text,
                                            IngestReport* report) {
  InputPlace place;
  if (text.empty()) return place;
  std::string bytes;
  bool good = absl::Base64Unescape(text, &bytes);
  LittleReader in(bytes);
  for (uint64_t* number :
       {&place.file, &place.offset, &place.line, &report->read, &report->kept,
        &report->simplified, &report->kept_raw}) {
    *number = in.Read<uint64_t>();
  }
  good = report->errors.Parse(ReadText(&in)) && good;
  ReadCounts(&in, &report->unknown_keys);
  ReadCounts(&in, &report->null_values);
  if (good && in.ok() && in.remaining() == 0) return place;
  return absl::DataLossError("the place to resume at cannot be read");
}

}  // namespace inkstream::ingest
