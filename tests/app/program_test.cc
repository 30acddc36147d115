// The real binary, as a person or a script runs it.

#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/base/json.h"
#include "server/store/segment/checksum.h"
#include "simdjson.h"
#include "tests/support/compressed_bytes.h"
#include "tests/support/run_program.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::app {
namespace {

using ::inkstream::testing::Gzip;
using ::inkstream::testing::ProgramOptions;
using ::inkstream::testing::ProgramResult;
using ::inkstream::testing::ReadWholeFile;
using ::inkstream::testing::RunProgram;
using ::inkstream::testing::ScratchDirectory;
using ::testing::HasSubstr;
using ::testing::Not;

ProgramResult Inkstream(const std::vector<std::string>& arguments,
                        const ProgramOptions& options = {}) {
  return RunProgram(INKSTREAM_BINARY, arguments, options);
}

std::function<bool()> Exists(const std::string& path) {
  return [path] { return std::filesystem::exists(path); };
}

class ProgramTest : public ::testing::Test {
 protected:
  // 300 drawings as NDJSON.
  std::string Drawings() {
    const std::string path = scratch_.File("in.ndjson");
    EXPECT_EQ(
        Inkstream({"generate", "--drawings", "300", "-o", path}).exit_code, 0);
    return path;
  }

  std::string Store() {
    const std::string path = scratch_.File("s.ink");
    EXPECT_EQ(Inkstream({"ingest", Drawings(), "--store", path}).exit_code, 0);
    return path;
  }

  void ExpectNothingLeft(const std::string& store) {
    EXPECT_FALSE(std::filesystem::exists(store));
    EXPECT_FALSE(std::filesystem::exists(store + ".partial"));
  }

  const ScratchDirectory scratch_;
};

TEST_F(ProgramTest, HelpAndVersionAreAnswers) {
  const ProgramResult help = Inkstream({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_EQ(help.err, "");
  for (const char* command :
       {"generate", "ingest", "export", "verify", "inspect"}) {
    EXPECT_THAT(help.out, HasSubstr(command));
    const ProgramResult own = Inkstream({command, "--help"});
    EXPECT_EQ(own.exit_code, 0);
    EXPECT_THAT(own.out, HasSubstr("Example:"));
    EXPECT_THAT(own.out, HasSubstr(absl::StrCat("inkstream ", command)));
  }
  EXPECT_EQ(Inkstream({"--version"}).out.find("inkstream "), 0);
  const ProgramResult versions = Inkstream({"--version", "--json"});
  EXPECT_EQ(versions.exit_code, 0);
  EXPECT_THAT(versions.out, HasSubstr("\"grpc\":\"1."));
  EXPECT_EQ(Inkstream({"serve", "--json"}).exit_code, 2);
}

TEST_F(ProgramTest, AWrongCommandLineExitsWithTwoAndNamesTheNearest) {
  const ProgramResult none = Inkstream({});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, HasSubstr("Usage"));
  const ProgramResult command = Inkstream({"exprot"});
  EXPECT_EQ(command.exit_code, 2);
  EXPECT_THAT(command.err, HasSubstr("the nearest is \"export\""));
  const ProgramResult flag =
      Inkstream({"ingest", "x", "--store", "y", "--max-error", "3"});
  EXPECT_EQ(flag.exit_code, 2);
  EXPECT_THAT(flag.err, HasSubstr("the nearest is \"--max-errors\""));
  const ProgramResult value =
      Inkstream({"generate", "--drawings", "many", "-o", "-"});
  EXPECT_EQ(value.exit_code, 2);
  EXPECT_THAT(value.err, HasSubstr("--drawings"));
  EXPECT_EQ(Inkstream({"ingest", "--store", "x"}).exit_code, 2);
}

TEST_F(ProgramTest, LimitsOfGenerateAreNamed) {
  const ProgramResult classes =
      Inkstream({"generate", "--drawings", "1", "--classes", "31", "-o", "-"});
  EXPECT_EQ(classes.exit_code, 2);
  EXPECT_THAT(classes.err, HasSubstr("--classes is 31, the limit is 30"));
  const ProgramResult threads =
      Inkstream({"generate", "--drawings", "1", "--threads", "-1", "-o", "-"});
  EXPECT_EQ(threads.exit_code, 2);
}

TEST_F(ProgramTest, GenerateToStandardOutputIsOnlyDrawings) {
  const ProgramResult piped =
      Inkstream({"generate", "--drawings", "300", "-o", "-"});
  EXPECT_EQ(piped.exit_code, 0);
  EXPECT_EQ(piped.out, ReadWholeFile(Drawings()));
  EXPECT_EQ(Inkstream({"generate", "--drawings", "0", "-o", "-"}).out, "");
}

TEST_F(ProgramTest, OptionsCanComeFromTheEnvironment) {
  ProgramOptions options;
  options.environment = {"INKSTREAM_DRAWINGS=3", "INKSTREAM_OUTPUT=-",
                         "INKSTREAM_SEDE=1", "INKSTREAM_PORT_50051_TCP=x",
                         "INKSTREAM_SERVICE_HOST=10.0.0.1"};
  const ProgramResult result = Inkstream({"generate"}, options);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 3);
  EXPECT_THAT(result.err, HasSubstr("INKSTREAM_SEDE"));
  EXPECT_THAT(result.err, HasSubstr("INKSTREAM_SEED"));
  EXPECT_THAT(result.err, Not(HasSubstr("50051")));
  EXPECT_THAT(result.err, Not(HasSubstr("SERVICE_HOST")));
  const ProgramResult flag =
      Inkstream({"generate", "--drawings", "2"}, options);
  EXPECT_EQ(std::count(flag.out.begin(), flag.out.end(), '\n'), 2);
}

TEST_F(ProgramTest, WhatGoesInComesOut) {
  const std::string store = Store();
  const ProgramResult out = Inkstream({"export", store, "-o", "-"});
  EXPECT_EQ(out.exit_code, 0);
  EXPECT_EQ(out.out, ReadWholeFile(scratch_.File("in.ndjson")));
  const std::string gz = scratch_.File("out.ndjson.gz");
  EXPECT_EQ(Inkstream({"export", store, "-o", gz}).exit_code, 0);
  EXPECT_EQ(testing::ReadGzipFile(gz), out.out);
}

TEST_F(ProgramTest, StandardInputIsAnInput) {
  ProgramOptions options;
  options.input = Gzip(ReadWholeFile(Drawings()));
  const std::string store = scratch_.File("s.ink");
  const ProgramResult done =
      Inkstream({"ingest", "-", "--store", store}, options);
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("read 300, kept 300, skipped 0"));
  EXPECT_THAT(done.err, HasSubstr("inkstream serve --store"));
}

TEST_F(ProgramTest, TheSummaryIsOfferedAsJson) {
  const std::string input = Drawings();
  const ProgramResult done =
      Inkstream({"ingest", input, "--store", scratch_.File("s.ink"), "--json"});
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  ASSERT_EQ(parser.parse(done.out).get(json), simdjson::SUCCESS) << done.out;
  EXPECT_EQ(uint64_t(json["read"]), 300);
  EXPECT_EQ(uint64_t(json["kept"]), 300);
  EXPECT_EQ(uint64_t(json["skipped"]), 0);
  EXPECT_EQ(uint64_t(json["classes"]), 30);
  EXPECT_EQ(std::string_view(json["fingerprint"]).size(), 64);
  EXPECT_GT(double(json["bytes_per_drawing"]), 0);
}

TEST_F(ProgramTest, SplitsAndNameReachTheStore) {
  const std::string store = scratch_.File("s.ink");
  const ProgramResult bad =
      Inkstream({"ingest", Drawings(), "--store", store, "--split", "train=2"});
  EXPECT_EQ(bad.exit_code, 2);
  EXPECT_THAT(bad.err, HasSubstr("train=2"));
  ExpectNothingLeft(store);
  const ProgramResult good =
      Inkstream({"ingest", Drawings(), "--store", store, "--split",
                 "train=0.8,valid=0.2", "--name", "mine"});
  EXPECT_EQ(good.exit_code, 0) << good.err;
}

TEST_F(ProgramTest, AnExistingStoreIsNotTouched) {
  const std::string store = Store();
  const ProgramResult again =
      Inkstream({"ingest", Drawings(), "--store", store});
  EXPECT_EQ(again.exit_code, 2);
  EXPECT_THAT(again.err, HasSubstr("--append"));
  EXPECT_THAT(again.err, HasSubstr("--resume"));
  EXPECT_EQ(Inkstream({"verify", store}).exit_code, 0);
}

TEST_F(ProgramTest, InputsThatCannotBeReadAreNamedBeforeAnythingIsMade) {
  const std::string store = scratch_.File("s.ink");
  const ProgramResult missing =
      Inkstream({"ingest", scratch_.File("none"), "--store", store});
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.err, HasSubstr("none"));
  const ProgramResult errors =
      Inkstream({"ingest", Drawings(), "--store", store, "--errors",
                 scratch_.File("no/such/dir.json")});
  EXPECT_EQ(errors.exit_code, 2);
  EXPECT_THAT(errors.err, HasSubstr("dir.json"));
  ExpectNothingLeft(store);
}

TEST_F(ProgramTest, EmptyInputIsAnError) {
  const std::string store = scratch_.File("s.ink");
  const ProgramResult done =
      Inkstream({"ingest", scratch_.Write("empty", ""), "--store", store});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err, HasSubstr("no drawings in"));
  EXPECT_THAT(done.err, HasSubstr("empty"));
  ExpectNothingLeft(store);
}

TEST_F(ProgramTest, ATruncatedGzipIsNamedAndNothingIsKept) {
  const std::string whole = Gzip(ReadWholeFile(Drawings()));
  const std::string cut =
      scratch_.Write("cut.gz", whole.substr(0, whole.size() / 2));
  const std::string store = scratch_.File("s.ink");
  const ProgramResult done = Inkstream({"ingest", cut, "--store", store});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err, HasSubstr("cut.gz"));
  EXPECT_THAT(done.err, HasSubstr("truncated"));
  ExpectNothingLeft(store);
}

TEST_F(ProgramTest, TheErrorsFileIsExactAndWrittenAlsoOnFailure) {
  const std::string good = "{\"drawing\":[[[1],[2]]]}\n";
  const std::string input = scratch_.Write(
      "mixed", good + "{\"drawing\":[[[1],[2,3]]]}\n" + good + good + good);
  const std::string errors = scratch_.File("errors.json");
  const std::string store = scratch_.File("s.ink");
  const std::vector<std::string> ingest = {"ingest", input,      "--store",
                                           store,    "--errors", errors};
  const ProgramResult refused = Inkstream(ingest);  // 20 % > 1 %
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("1 of 5 drawings are bad"));
  EXPECT_THAT(refused.err, HasSubstr(errors));
  ExpectNothingLeft(store);
  const Json expected = {
      {"read", 5},
      {"kept", 4},
      {"skipped", 1},
      {"by_kind", {{"unequal_xy", 1}}},
      {"examples",
       Json::array({{{"file", input},
                     {"line", 2},
                     {"offset", 24},
                     {"kind", "unequal_xy"},
                     {"reason", "drawing: stroke 0 has 1 x but 2 y"},
                     {"input", "{\"drawing\":[[[1],[2,3]]]}"}}})}};
  EXPECT_EQ(Json::parse(ReadWholeFile(errors)), expected);
  std::vector<std::string> accepted = ingest;
  accepted.insert(accepted.end(), {"--max-errors", "20%"});
  const ProgramResult done = Inkstream(accepted);
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_THAT(done.err, HasSubstr("skipped by kind: unequal_xy: 1"));
  EXPECT_EQ(Json::parse(ReadWholeFile(errors)), expected);
}

TEST_F(ProgramTest, InterruptsExitWithTheSignalAndLeaveNoHalfSegment) {
  const std::string store = scratch_.File("s.ink");
  for (const auto& [signal, code] : {std::pair{SIGINT, 130}, {SIGTERM, 143}}) {
    ProgramOptions options;
    options.input = ReadWholeFile(Drawings());
    options.signal = signal;
    options.signal_when = Exists(store + ".partial");
    const ProgramResult done =
        Inkstream({"ingest", "-", "--store", store}, options);
    EXPECT_EQ(done.exit_code, code) << done.err;
    EXPECT_THAT(done.err, HasSubstr("interrupted"));
    EXPECT_THAT(done.err, HasSubstr("nothing is kept"));
    EXPECT_FALSE(std::filesystem::exists(store));
    EXPECT_FALSE(std::filesystem::exists(store + ".partial"));
  }
  EXPECT_EQ(Inkstream({"ingest", Drawings(), "--store", store}).exit_code, 0);
}

TEST_F(ProgramTest, AnInterruptedGenerateLeavesNothing) {
  ProgramOptions options;
  options.signal = SIGINT;
  const std::string path = scratch_.File("big.ndjson");
  options.signal_when = Exists(path + ".partial");
  const ProgramResult done =
      Inkstream({"generate", "--drawings", "1000000000", "-o", path}, options);
  EXPECT_EQ(done.exit_code, 130);
  EXPECT_TRUE(std::filesystem::is_empty(scratch_.path()));
}

TEST_F(ProgramTest, AKilledIngestIsNoObstacle) {
  const std::string store = scratch_.File("s.ink");
  ProgramOptions options;
  options.input = ReadWholeFile(Drawings());
  options.signal = SIGKILL;
  options.signal_when = Exists(store + ".partial");
  EXPECT_EQ(Inkstream({"ingest", "-", "--store", store}, options).exit_code,
            137);
  EXPECT_FALSE(std::filesystem::exists(store));
  EXPECT_EQ(Inkstream({"ingest", Drawings(), "--store", store}).exit_code, 0);
  EXPECT_EQ(Inkstream({"verify", store}).exit_code, 0);
}

TEST_F(ProgramTest, VerifyTellsGoodFromDamaged) {
  const std::string store = Store();
  const ProgramResult good = Inkstream({"verify", store});
  EXPECT_EQ(good.exit_code, 0);
  EXPECT_THAT(good.err, HasSubstr("300 drawings"));
  EXPECT_THAT(Inkstream({"verify", store, "--json"}).out,
              HasSubstr("\"good\":true,\"drawings\":300"));
  for (const auto& entry : std::filesystem::directory_iterator(store)) {
    if (entry.file_size() > 8192) {
      std::filesystem::resize_file(entry.path(), entry.file_size() / 2);
    }
  }
  const ProgramResult damaged = Inkstream({"verify", store});
  EXPECT_EQ(damaged.exit_code, 1);
  EXPECT_THAT(damaged.err, HasSubstr("s.ink"));
  EXPECT_EQ(Inkstream({"verify", scratch_.File("none")}).exit_code, 1);
}

TEST_F(ProgramTest, InspectShowsADrawingByIndexAndKey) {
  const std::string store = Store();
  const ProgramResult by_index = Inkstream({"inspect", store, "1"});
  EXPECT_EQ(by_index.exit_code, 0);
  EXPECT_THAT(by_index.out, HasSubstr("word         house"));
  const std::string json = Inkstream({"inspect", store, "1", "--json"}).out;
  simdjson::dom::parser parser;
  simdjson::dom::element drawing;
  ASSERT_EQ(parser.parse(json).get(drawing), simdjson::SUCCESS) << json;
  EXPECT_EQ(uint64_t(drawing["index"]), 1);
  const auto key = std::string(drawing["key_id"].get_c_str().value());
  EXPECT_EQ(Inkstream({"inspect", store, "key:" + key}).out, by_index.out);

  const ProgramResult past = Inkstream({"inspect", store, "300"});
  EXPECT_EQ(past.exit_code, 1);
  EXPECT_THAT(past.err, HasSubstr("300"));
  EXPECT_EQ(Inkstream({"inspect", store, "key:1"}).exit_code, 1);
  EXPECT_EQ(Inkstream({"inspect", store, "third"}).exit_code, 2);
  EXPECT_EQ(Inkstream({"inspect", store, "key:x"}).exit_code, 2);
}

TEST_F(ProgramTest, WhatIsNoStoreIsSaid) {
  const std::string file = scratch_.Write("file", "x");
  for (const std::string command : {"export", "verify", "inspect"}) {
    std::vector<std::string> arguments = {command, file};
    if (command == "export") arguments.insert(arguments.end(), {"-o", "-"});
    if (command == "inspect") arguments.push_back("0");
    const ProgramResult done = Inkstream(arguments);
    EXPECT_EQ(done.exit_code, 1) << command;
    EXPECT_THAT(done.err, HasSubstr(file));
    EXPECT_EQ(done.out, "");
  }
}

// A MANIFEST that is not to be told from a good one but by its size.
void GrowManifest(const std::string& store, size_t bytes) {
  const std::string path = store + "/MANIFEST";
  std::string text = ReadWholeFile(path);
  text = text.substr(0, text.find(",\n  \"checksum\""));
  text += absl::StrCat(",\n  \"later\": \"", std::string(bytes, 'x'), "\"");
  std::ofstream(path, std::ios::binary)
      << text << ",\n  \"checksum\": \""
      << absl::StrCat(absl::Hex(store::Checksum(text), absl::kZeroPad16))
      << "\"\n}\n";
}

TEST_F(ProgramTest, VerifyTakesNoMoreMemoryThanAllowed) {
  const std::string store = Store();
  const std::vector<std::string> narrow = {"verify", store, "--json",
                                           "--memory-mib", "64"};
  const ProgramResult small = Inkstream(narrow);
  EXPECT_EQ(small.exit_code, 0) << small.err;
  GrowManifest(store, size_t{20} << 20U);
#ifndef __SANITIZE_ADDRESS__  // its shadow memory fits into no limit
  const ProgramResult large = Inkstream(narrow);
  EXPECT_EQ(large.exit_code, 1);
  EXPECT_THAT(large.out, HasSubstr("\"good\":false"));
  EXPECT_THAT(large.err, HasSubstr("more than 64 MiB of memory"));
  EXPECT_THAT(large.err, HasSubstr("--memory-mib"));
#endif
  const ProgramResult wide = Inkstream({"verify", store, "--json"});
  EXPECT_EQ(wide.exit_code, 0) << wide.err;
  EXPECT_THAT(wide.out, HasSubstr("\"good\":true"));
  const ProgramResult least =
      Inkstream({"verify", store, "--memory-mib", "63"});
  EXPECT_EQ(least.exit_code, 2);
  EXPECT_THAT(least.err, HasSubstr("--memory-mib"));
}

}  // namespace
}  // namespace inkstream::app
