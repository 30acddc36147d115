#include "server/base/json_text.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_format.h"

namespace inkstream {
namespace {

// Bytes of the UTF-8 character at the front; 0: none.
size_t CharacterBytes(absl::string_view text) {
  const auto at = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = at(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (text.size() < bytes) return 0;
  for (size_t i = 1; i < bytes; ++i) {
    if ((at(i) & 0xC0U) != 0x80) return 0;
  }
  const uint32_t second = at(1);
  const bool overlong =
      (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second > 0x9F;
  const bool beyond = lead == 0xF4 && second > 0x8F;
  return overlong || surrogate || beyond ? 0 : bytes;
}

bool IsControl(absl::string_view character) {
  const auto lead = static_cast<uint8_t>(character[0]);
  return lead < 0x20 || lead == 0x7F ||
         (lead == 0xC2 && static_cast<uint8_t>(character[1]) < 0xA0);
}

// Takes the first character off, and answers how it is written.
std::string TakeWritten(absl::string_view* text, bool as_json) {
  const size_t bytes = CharacterBytes(*text);
  const std::string character(text->substr(0, std::max<size_t>(1, bytes)));
  text->remove_prefix(character.size());
  const auto code = static_cast<uint8_t>(character.back());
  if (bytes == 0) {
    return as_json ? "\\ufffd" : absl::StrFormat("\\x%02x", code);
  }
  return IsControl(character) ? absl::StrFormat("\\u%04x", code) : character;
}

}  // namespace

void AppendJsonString(absl::string_view text, std::string* json) {
  json->push_back('"');
  while (!text.empty()) {
    if (text[0] == '"' || text[0] == '\\') json->push_back('\\');
    json->append(TakeWritten(&text, /*as_json=*/true));
  }
  json->push_back('"');
}

std::string PrintableText(absl::string_view bytes, size_t max_characters) {
  std::string text;
  size_t characters = 0;
  while (!bytes.empty()) {
    const std::string written = TakeWritten(&bytes, /*as_json=*/false);
    characters += written[0] == '\\' ? written.size() : 1;
    if (characters > max_characters) break;
    text += written;
  }
  return text;
}

}  // namespace inkstream
