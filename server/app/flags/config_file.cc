#include "server/app/flags/config_file.h"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "server/base/json_text.h"
#include "server/base/nearest_name.h"

// Headers alone, and errors as values.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

namespace inkstream::app {
namespace {

constexpr const char* kNotInAFile[] = {"help", "version", "config",
                                       "print-config", "check-config"};

std::string NameOf(const CLI::Option& option) {
  return option.get_lnames().empty() ? "" : option.get_lnames().front();
}

[[noreturn]] void Refuse(const std::string& where, const std::string& why) {
  throw CLI::ConfigError(where + why, CLI::ExitCodes::ConfigError);
}

// As on a command line. "": it is no number, text or truth value.
std::string TextOf(const toml::node& value) {
  std::ostringstream text;
  if (const auto* string = value.as_string()) return string->get();
  if (const auto* truth = value.as_boolean()) return *truth ? "true" : "false";
  if (const auto* whole = value.as_integer()) text << whole->get();
  if (const auto* real = value.as_floating_point()) text << real->get();
  return text.str();
}

// TOML's basic strings are JSON's.
std::string Value(const std::string& text, bool is_flag) {
  double number = 0;
  const bool plain =
      absl::SimpleAtod(text, &number) &&
      text.find_first_not_of("0123456789.-") == std::string::npos &&
      text.back() != '.' &&
      (text.size() == 1 || text[0] != '0' || text[1] == '.');
  if (plain || (is_flag && (text == "true" || text == "false"))) return text;
  std::string quoted;
  AppendJsonString(text, &quoted);
  return quoted;
}

}  // namespace

bool MayBeInAFile(const CLI::Option& option) {
  const std::string name = NameOf(option);
  return !name.empty() &&
         std::find(std::begin(kNotInAFile), std::end(kNotInAFile), name) ==
             std::end(kNotInAFile);
}

void ApplyConfigFile(CLI::App* command, const std::string& path) {
  // It can be opened, and reads as an empty file would.
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) {
    Refuse(path + ": ", "is a directory; give a TOML file");
  }
  const toml::parse_result file = toml::parse_file(path);
  const auto at = [&](const toml::source_region& place) {
    return place.begin.line == 0
               ? path + ": "
               : path + ":" + std::to_string(place.begin.line) + ": ";
  };
  if (!file) {
    Refuse(at(file.error().source()), std::string(file.error().description()));
  }
  std::vector<CLI::Option*> options;
  for (CLI::Option* option : command->get_options()) {
    if (MayBeInAFile(*option)) options.push_back(option);
  }
  struct Setting {
    CLI::Option* option;
    std::vector<std::string> texts;
    std::string where;
  };
  std::vector<Setting> settings;
  for (const auto& [key, node] : file.table()) {
    const std::string name(key.str());
    const std::string where = at(node.source());
    const auto found = std::find_if(
        options.begin(), options.end(),
        [&](const auto* option) { return option->check_lname(name); });
    if (found == options.end()) {
      std::vector<std::string> names;
      for (const CLI::Option* option : options) {
        names.push_back(NameOf(*option));
      }
      Refuse(where, "there is no option " + name + NearestHint(name, names));
    }
    std::vector<std::string> texts;
    if (const toml::array* several = node.as_array()) {
      for (const toml::node& one : *several) texts.push_back(TextOf(one));
    } else {
      texts.push_back(TextOf(node));
    }
    if (std::find(texts.begin(), texts.end(), "") != texts.end()) {
      Refuse(where, name +
                        " is neither text, a number, true or false, nor a "
                        "list of those");
    }
    const bool is_flag = (*found)->get_expected_min() == 0;
    if (is_flag && texts != std::vector<std::string>{"true"} &&
        texts != std::vector<std::string>{"false"}) {
      Refuse(where, name + " is true or false");
    }
    // A flag that is false is one that was not given.
    if ((*found)->empty() && !(is_flag && texts.front() == "false")) {
      settings.push_back({*found, std::move(texts), where});
    }
  }
  for (Setting& setting : settings) {
    setting.option->add_result(std::move(setting.texts));
    try {
      setting.option->run_callback();
    } catch (const CLI::ParseError& error) {
      Refuse(setting.where, error.what());
    }
  }
}

std::vector<std::string> ValuesOf(const CLI::Option& option) {
  const bool is_flag = option.get_expected_min() == 0;
  if (!option.empty()) return option.results();
  if (is_flag) return {"false"};
  std::string given = option.get_default_str();
  if (given.empty()) return {};
  // CLI11 has those of a list as [A,B].
  if (given.front() != '[') return {given};
  given = given.substr(1, given.size() - 2);
  return absl::StrSplit(given, ',', absl::SkipEmpty());
}

std::string ConfigText(const CLI::App& command) {
  std::string text;
  for (const CLI::Option* option : command.get_options()) {
    if (!MayBeInAFile(*option)) continue;
    const bool is_flag = option->get_expected_min() == 0;
    std::vector<std::string> values;
    for (const std::string& value : ValuesOf(*option)) {
      values.push_back(Value(value, is_flag));
    }
    const std::string& name = option->get_lnames().front();
    if (values.empty()) {
      absl::StrAppend(&text, "# ", name, " is not set\n");
    } else if (option->get_expected_max() > 1) {
      absl::StrAppend(&text, name, " = [", absl::StrJoin(values, ", "), "]\n");
    } else {
      absl::StrAppend(&text, name, " = ", values.front(), "\n");
    }
  }
  return text;
}

}  // namespace inkstream::app
