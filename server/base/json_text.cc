#include "server/base/json_text.h"

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

uint32_t ControlCode(absl::string_view character) {
  return static_cast<uint8_t>(character.back());
}

}  // namespace

void AppendJsonString(absl::string_view text, std::string* json) {
  json->push_back('"');
  while (!text.empty()) {
    const size_t bytes = CharacterBytes(text);
    const absl::string_view character = text.substr(0, bytes);
    if (bytes == 0) {
      json->append("\\ufffd");
      text.remove_prefix(1);
      continue;
    }
    if (character == "\"" || character == "\\") {
      json->push_back('\\');
      json->push_back(character[0]);
    } else if (IsControl(character)) {
      absl::StrAppendFormat(json, "\\u%04x", ControlCode(character));
    } else {
      json->append(character.data(), character.size());
    }
    text.remove_prefix(bytes);
  }
  json->push_back('"');
}

std::string PrintableText(absl::string_view bytes, size_t max_characters) {
  std::string text;
  size_t characters = 0;
  while (!bytes.empty()) {
    const size_t length = CharacterBytes(bytes);
    const absl::string_view character = bytes.substr(0, length);
    std::string shown;
    size_t width = 1;
    if (length == 0) {
      shown = absl::StrFormat("\\x%02x", static_cast<uint8_t>(bytes[0]));
      width = shown.size();
    } else if (IsControl(character)) {
      shown = absl::StrFormat("\\u%04x", ControlCode(character));
      width = shown.size();
    } else {
      shown = std::string(character);
    }
    if (characters + width > max_characters) break;
    characters += width;
    text += shown;
    bytes.remove_prefix(length == 0 ? 1 : length);
  }
  return text;
}

}  // namespace inkstream
