// A table of first bytes ("magic numbers"), and rules for the kinds that have
// none: a tar header is known by its own sum, a TFRecord by the check sum of
// its length, text by how its lines begin.

#include "server/ingest/input/foreign_file.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "server/base/json_text.h"
#include "server/store/segment/endian_io.h"

namespace inkstream::ingest {
namespace {

using store::LoadLittle;

constexpr size_t kMaxShownLine = 60;
constexpr char kStandardInput[] = "standard input";

struct Kind {
  absl::string_view magic;
  absl::string_view what;
  absl::string_view remedy;  // $: the input, as a shell wants it
};

// The length is that of the array, so that magics may hold NUL bytes.
template <size_t size>
constexpr absl::string_view Magic(const char (&bytes)[size]) {
  return {bytes, size - 1};
}

constexpr char kUnpack[] = "unpack it and ingest the directory, or: ";
constexpr char kNoStrokes[] =
    "pixels have no strokes; fetch the drawings as .ndjson or .bin";
constexpr char kTable[] =
    "write its rows as NDJSON, with the keys word and drawing";

constexpr Kind kKinds[] = {
    {Magic("7z\xBC\xAF\x27\x1C"), "a 7z archive",
     "7z e -so $ | inkstream ingest -"},
    {Magic("Rar!\x1A\x07"), "a rar archive",
     "unrar p -inul $ | inkstream ingest -"},
    {Magic("BZh"), "compressed with bzip2", "bzip2 -dc $ | inkstream ingest -"},
    {Magic("\xFD\x37zXZ\0"), "compressed with xz",
     "xz -dc $ | inkstream ingest -"},
    {Magic("\x04\x22\x4D\x18"), "compressed with lz4",
     "lz4 -dc $ | inkstream ingest -"},
    // One layer of these has been taken off.
    {Magic("\x1F\x8B\x08"), "compressed twice, with gzip inside",
     "unpack it once by hand"},
    {Magic("\x28\xB5\x2F\xFD"), "compressed twice, with zstd inside",
     "unpack it once by hand"},
    {Magic("\x93NUMPY"), "a NumPy array, as Google's bitmaps are", kNoStrokes},
    {Magic("\x89HDF\r\n\x1A\n"), "an HDF5 file", kTable},
    {Magic("PAR1"), "a Parquet file", kTable},
    {Magic("ARROW1"), "an Arrow file", kTable},
    {Magic("SQLite format 3\0"), "an SQLite database", kTable},
    {Magic("\x89PNG\r\n\x1A\n"), "a PNG picture", kNoStrokes},
    {Magic("\xFF\xD8\xFF"), "a JPEG picture", kNoStrokes},
    {Magic("GIF87a"), "a GIF picture", kNoStrokes},
    {Magic("GIF89a"), "a GIF picture", kNoStrokes},
};

constexpr Kind kTexts[] = {
    {Magic("version https://git-lfs"),
     "a pointer of Git LFS, not the file itself", "git lfs pull"},
    {Magic("/annex/objects/"), "a pointer of git-annex, not the file itself",
     "git annex get $"},
};

// As an argument of a shell's command.
std::string Argument(absl::string_view name) {
  if (name == kStandardInput) return "FILE";
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(c) || absl::StrContains("_-./+=:@", c);
  });
  if (plain) return std::string(name);
  return absl::StrCat("'", absl::StrReplaceAll(name, {{"'", "'\\''"}}), "'");
}

absl::Status Refusal(absl::string_view name, absl::string_view what,
                     absl::string_view remedy) {
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is ", what, ": ",
                   absl::StrReplaceAll(remedy, {{"$", Argument(name)}})));
}

// Every header of a tar, old or new, holds the sum of its bytes, its own field
// read as blanks, in octal.
bool IsTar(absl::string_view beginning) {
  constexpr size_t kHeader = 512, kSum = 148, kSumBytes = 8;
  if (beginning.size() < kHeader) return false;
  uint64_t sum = kSumBytes * ' ';
  for (size_t i = 0; i < kHeader; ++i) {
    if (i < kSum || i >= kSum + kSumBytes) {
      sum += static_cast<uint8_t>(beginning[i]);
    }
  }
  uint64_t told = 0;
  bool digits = false;
  for (const char c : beginning.substr(kSum, kSumBytes)) {
    if (c == ' ' && !digits) continue;
    if (c < '0' || c > '7') break;
    told = told * 8 + static_cast<uint64_t>(c - '0');
    digits = true;
  }
  return digits && told == sum;
}

// A record's length is followed by its masked CRC-32C.
bool IsTfRecord(absl::string_view beginning) {
  constexpr size_t kLengthBytes = 8;
  constexpr uint32_t kPolynomial = 0x82F63B78, kMask = 0xA282EAD8;
  if (beginning.size() < kLengthBytes + 4) return false;
  uint32_t crc = ~uint32_t{0};
  for (const char c : beginning.substr(0, kLengthBytes)) {
    crc ^= static_cast<uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0);
    }
  }
  crc = ~crc;
  return LoadLittle<uint32_t>(beginning.data() + kLengthBytes) ==
         ((crc >> 15U) | (crc << 17U)) + kMask;
}

// Protocols 2 to 5.
bool IsPickle(absl::string_view beginning) {
  if (beginning.size() < 3 || beginning[0] != '\x80') return false;
  const char protocol = beginning[1];
  if (protocol == 4 || protocol == 5) return beginning[2] == '\x95';
  return (protocol == 2 || protocol == 3) &&
         absl::StrContains("}]()cXU\x8A", beginning[2]);
}

bool IsLmdb(absl::string_view beginning) {
  constexpr size_t kPageHeader = 16;
  return beginning.size() >= kPageHeader + 4 &&
         LoadLittle<uint32_t>(beginning.data() + kPageHeader) == 0xBEEFC0DE;
}

absl::Status RefuseTar(absl::string_view name) {
  return Refusal(name, "a tar archive",
                 absl::StrCat(kUnpack, "tar -xOf $ | inkstream ingest -"));
}

// tar undoes these compressions by itself.
bool IsNamedTar(absl::string_view name) {
  const std::string lower = absl::AsciiStrToLower(name);
  return absl::StrContains(lower, ".tar.") || absl::EndsWith(lower, ".tbz") ||
         absl::EndsWith(lower, ".tbz2") || absl::EndsWith(lower, ".txz");
}

absl::Status RefuseZip(absl::string_view beginning, absl::string_view name) {
  constexpr size_t kNameLength = 26, kName = 30;
  absl::string_view member;
  if (beginning.size() > kName) {
    member = beginning.substr(
        kName, LoadLittle<uint16_t>(beginning.data() + kNameLength));
  }
  if (absl::EndsWith(member, ".npy")) {
    return Refusal(name, "NumPy's .npz, as sketch-rnn's drawings are",
                   "python -m inkstream.sketchrnn $ | inkstream ingest -");
  }
  return Refusal(name, "a zip archive",
                 absl::StrCat(kUnpack, "unzip -p $ | inkstream ingest -"));
}

// With a byte order mark, or as its absence shows: every other byte of a brace
// and a quote is 0.
bool IsUtf16(absl::string_view beginning) {
  const absl::string_view four = beginning.substr(0, 4);
  return absl::StartsWith(four, "\xFF\xFE") ||
         absl::StartsWith(four, "\xFE\xFF") || four == Magic("{\0\"\0") ||
         four == Magic("\0{\0\"") || four == Magic("[\0{\0") ||
         four == Magic("\0[\0{");
}

absl::string_view WithoutMark(absl::string_view beginning) {
  absl::ConsumePrefix(&beginning, "\xEF\xBB\xBF");
  return beginning;
}

// pandas' to_json by columns (its default), by index or as a table, and the
// answer of a server that has an error to tell.
absl::Status RefuseOtherJson(absl::string_view beginning,
                             absl::string_view name) {
  std::string start;  // without blanks
  for (const char c : beginning.substr(0, 64)) {
    if (!absl::ascii_isspace(c)) start.push_back(c);
  }
  if (absl::StartsWith(start, "{\"error\":")) {
    return Refusal(name, "an error's answer in JSON, not drawings",
                   "fetch the file again");
  }
  for (const absl::string_view by_columns :
       {"{\"word\":{", "{\"drawing\":{", "{\"countrycode\":{",
        "{\"timestamp\":{", "{\"recognized\":{", "{\"key_id\":{", "{\"0\":{",
        "{\"columns\":[", "{\"schema\":{"}) {
    if (absl::StartsWith(start, by_columns)) {
      return Refusal(
          name, "a whole table as one JSON object",
          "write it with to_json(..., orient=\"records\", lines=True)");
    }
  }
  return absl::OkStatus();
}

absl::Status RefuseForeignText(absl::string_view beginning,
                               absl::string_view name) {
  for (const Kind& kind : kTexts) {
    if (absl::StartsWith(beginning, kind.magic)) {
      return Refusal(name, kind.what, kind.remedy);
    }
  }
  if (IsUtf16(beginning)) {
    return Refusal(name, "UTF-16 text, expected UTF-8",
                   "iconv -f UTF-16 -t UTF-8 $ | inkstream ingest -");
  }
  const absl::string_view text =
      absl::StripLeadingAsciiWhitespace(WithoutMark(beginning));
  if (absl::StartsWith(text, "<")) {
    return Refusal(name, "an HTML or XML page, most likely an error's",
                   "fetch the file again");
  }
  return RefuseOtherJson(text, name);
}

}  // namespace

absl::Status RefuseForeign(absl::string_view beginning, absl::string_view name,
                           bool text) {
  if (absl::StartsWith(beginning, Magic("PK\x03\x04")) ||
      absl::StartsWith(beginning, Magic("PK\x05\x06"))) {
    return RefuseZip(beginning, name);
  }
  if (IsTar(beginning)) return RefuseTar(name);
  for (const Kind& kind : kKinds) {
    if (!absl::StartsWith(beginning, kind.magic)) continue;
    const bool packed = absl::StartsWith(kind.what, "compressed with");
    if (packed && IsNamedTar(name)) return RefuseTar(name);
    return Refusal(name, kind.what, kind.remedy);
  }
  if (absl::StartsWith(beginning, "RIFF") &&
      beginning.substr(8, 4) == absl::string_view("WEBP")) {
    return Refusal(name, "a WebP picture", kNoStrokes);
  }
  if (IsLmdb(beginning)) {
    return Refusal(name, "a file of LMDB, as a store's segments are",
                   "a store is no input; inkstream export writes its drawings, "
                   "inkstream merge joins stores");
  }
  if (IsTfRecord(beginning)) return Refusal(name, "a TFRecord file", kTable);
  if (IsPickle(beginning)) return Refusal(name, "a Python pickle", kTable);
  return text ? RefuseForeignText(beginning, name) : absl::OkStatus();
}

absl::Status RefuseOtherText(absl::string_view beginning,
                             absl::string_view name) {
  const bool whole = beginning.size() < kBeginningBytes;
  absl::string_view rest = WithoutMark(beginning);
  absl::string_view first;
  bool spread = false;  // a brace alone on its line
  while (!rest.empty()) {
    const size_t end = rest.find('\n');
    const bool cut = end == absl::string_view::npos;
    const absl::string_view line =
        absl::StripAsciiWhitespace(rest.substr(0, std::min(end, rest.size())));
    if (line == "{") {
      spread = true;
    } else if (absl::StartsWith(line, "{")) {
      return absl::OkStatus();
    }
    if (first.empty()) {
      // Its end may be anything, and other lines follow.
      if (cut && !whole && !absl::StrContains(line, '\0')) {
        return absl::OkStatus();
      }
      first = line;
    }
    if (cut) break;
    rest.remove_prefix(end + 1);
  }
  // Blank lines only.
  if (first.empty()) return absl::OkStatus();
  if (spread) {
    return Refusal(name, "JSON over several lines, expected one a drawing",
                   "jq -c . $ | inkstream ingest -");
  }
  return absl::InvalidArgumentError(absl::StrCat(
      name,
      " is not drawings: expected NDJSON, a JSON array, a CSV "
      "with a column drawing, or the official .bin, and its first line is \"",
      PrintableText(first, kMaxShownLine),
      "\"; leave it out, or say what it is with --format"));
}

}  // namespace inkstream::ingest
