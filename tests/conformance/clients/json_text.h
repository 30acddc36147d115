// JSON, written value by value; commas and quotes are seen to here.
//
// Thread safety: for one thread.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace inkstream::conformance {

class JsonText {
 public:
  JsonText& Begin(char bracket) {  // '{' or '['
    Separate();
    text_ += bracket;
    first_ = true;
    return *this;
  }
  JsonText& End(char bracket) {
    text_ += bracket;
    first_ = false;
    return *this;
  }
  JsonText& Key(absl::string_view name) {
    Value(name);
    text_ += ':';
    first_ = true;
    return *this;
  }
  JsonText& Value(absl::string_view value) {
    Separate();
    text_ += '"';
    for (const char c : value) {
      if (c == '"' || c == '\\') {
        absl::StrAppend(&text_, "\\", absl::string_view(&c, 1));
      } else if (static_cast<unsigned char>(c) < 0x20) {
        absl::StrAppendFormat(&text_, "\\u%04x", static_cast<unsigned>(c));
      } else {
        text_ += c;
      }
    }
    text_ += '"';
    return *this;
  }
  JsonText& Value(const char* value) { return Value(absl::string_view(value)); }
  JsonText& Value(const std::string& value) {
    return Value(absl::string_view(value));
  }
  template <typename T, typename = std::enable_if_t<std::is_arithmetic_v<T>>>
  JsonText& Value(T value) {
    Separate();
    if constexpr (std::is_same_v<T, bool>) {
      text_ += value ? "true" : "false";
    } else if constexpr (std::is_floating_point_v<T>) {
      absl::StrAppendFormat(&text_, "%.17g", value);
    } else {
      absl::StrAppend(&text_, value);
    }
    return *this;
  }
  template <typename Values>
  JsonText& List(const Values& values) {
    Begin('[');
    for (const auto& value : values) Value(value);
    return End(']');
  }
  template <typename T>
  JsonText& Pair(absl::string_view name, const T& value) {
    return Key(name).Value(value);
  }

  const std::string& text() const { return text_; }

 private:
  void Separate() {
    if (!first_) text_ += ',';
    first_ = false;
  }

  std::string text_;
  bool first_ = true;
};

}  // namespace inkstream::conformance
