// Files -> store -> files.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/ingest/export/export_job.h"
#include "server/ingest/generate/generate_job.h"
#include "server/ingest/ingest_job.h"
#include "server/store/store_reader.h"
#include "server/store/store_writer.h"
#include "simdjson.h"
#include "tests/support/compressed_bytes.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::ingest {
namespace {

using ::inkstream::testing::ReadGzipFile;
using ::inkstream::testing::ReadWholeFile;
using ::inkstream::testing::ScratchDirectory;
using ::testing::HasSubstr;

constexpr char kData[] = INKSTREAM_SHARED_DATA;

// The members of a JSON object by key, each written the one way: equal for
// equal values.
std::map<std::string, std::string> Canonical(absl::string_view line) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  const simdjson::padded_string padded(line.data(), line.size());
  std::map<std::string, std::string> members;
  if (parser.parse(padded).get(object) != simdjson::SUCCESS) return members;
  for (const auto& [key, value] : object) {
    members[std::string(key)] = simdjson::minify(value);
  }
  return members;
}

void ExpectSameDrawings(const std::string& in, const std::string& out) {
  if (in == out) return;
  const std::vector<absl::string_view> before =
      absl::StrSplit(in, '\n', absl::SkipEmpty());
  const std::vector<absl::string_view> after =
      absl::StrSplit(out, '\n', absl::SkipEmpty());
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) {
    ASSERT_EQ(Canonical(before[i]), Canonical(after[i])) << "line " << i + 1;
  }
}

class RoundTripTest : public ::testing::Test {
 protected:
  // Answers the fingerprint.
  std::string Ingest(const std::vector<std::string>& inputs,
                     const std::string& store, int threads,
                     bool keep_raw = false) {
    store::WriterOptions writer_options;
    writer_options.threads = threads;
    auto writer = store::StoreWriter::Create(store, writer_options);
    EXPECT_TRUE(writer.ok()) << writer.status();
    IngestOptions options;
    options.inputs = *ListInputs(inputs);
    options.threads = threads;
    options.parser.keep_raw = keep_raw;
    IngestReport report;
    const absl::Status status = RunIngest(options, writer->get(), &report);
    EXPECT_TRUE(status.ok()) << status;
    return report.fingerprint;
  }

  static ExportedDrawings EveryDrawing(const store::StoreReader& store) {
    return {store.size(), [](uint64_t rank) { return rank; }};
  }

  std::string Export(const std::string& store, int threads,
                     const OutputFormat* format = &kNdjsonOutput) {
    auto reader = store::StoreReader::Open(store);
    EXPECT_TRUE(reader.ok()) << reader.status();
    const std::string path = scratch_.File("exported.ndjson");
    std::unique_ptr<ByteSink> sink = *OpenSink(path);
    ExportOptions options;
    options.threads = threads;
    options.format = format;
    EXPECT_TRUE(
        RunExport(**reader, EveryDrawing(**reader), options, sink.get()).ok());
    EXPECT_TRUE(sink->Close().ok());
    return ReadWholeFile(path);
  }

  absl::Status ExportBin(const std::string& store,
                         const std::string& directory) {
    auto reader = store::StoreReader::Open(store);
    EXPECT_TRUE(reader.ok()) << reader.status();
    ExportOptions options;
    options.threads = 2;
    options.format = &kBinOutput;
    return RunExportByWord(**reader, EveryDrawing(**reader), options,
                           directory);
  }

  void ExpectRealDataComesBack(const std::string& name, bool keep_raw = false) {
    const std::string path = absl::StrCat(kData, "/", name);
    const std::string in = ReadGzipFile(path);
    if (in.empty()) GTEST_SKIP() << "there is no " << path;
    Ingest({path}, scratch_.File("real.ink"), 2, keep_raw);
    ExpectSameDrawings(in, Export(scratch_.File("real.ink"), 2));
  }

  const ScratchDirectory scratch_;
  int stores_ = 0;
};

TEST_F(RoundTripTest, RealDrawingsComeBack) {
  ExpectRealDataComesBack("simplified.ndjson.gz");
}

TEST_F(RoundTripTest, RealDrawingsWithoutMetadataComeBack) {
  ExpectRealDataComesBack("simplified_no_metadata.ndjson.gz");
}

TEST_F(RoundTripTest, RealRawDrawingsComeBackWithTheirTimes) {
  ExpectRealDataComesBack("raw.ndjson.gz", true);
}

TEST_F(RoundTripTest, RawDrawingsComeBackByteForByteAsTheyWere) {
  // Halves, decimals that went through a float, doubles, negative ones, times
  // that fall and times that count from 1970.
  const std::string in =
      R"({"word":"cat","key_id":"7","drawing":[[[-3,7.25,1e-07,265.3330078125],)"
      R"([459.9000015258789,0.1,2,999999],[0,16,12,3000]],)"
      R"([[0.30000000000000004],[-0.5],[1488396895244]]]})"
      "\n"
      R"({"drawing":[[[5],[6],[0.125]]]})"
      "\n"
      R"({"word":"cat","drawing":[[[5],[6]]]})"
      "\n";
  Ingest({scratch_.Write("in.ndjson", in)}, scratch_.File("s.ink"), 1, true);
  EXPECT_EQ(Export(scratch_.File("s.ink"), 1), in);
}

TEST_F(RoundTripTest, SyntheticDrawingsComeBackByteForByte) {
  GenerateOptions generate;
  generate.drawings = 5000;
  generate.classes = 30;
  generate.output = scratch_.File("in.ndjson");
  ASSERT_TRUE(RunGenerate(generate).ok());
  Ingest({generate.output}, scratch_.File("s.ink"), 2);
  EXPECT_EQ(Export(scratch_.File("s.ink"), 3), ReadWholeFile(generate.output));
}

TEST_F(RoundTripTest, KeyOrderAsideEveryMixOfKeysComesBack) {
  std::string in;
  const std::vector<std::string> fields = {
      R"("word":"a\u00e9\"\\")", R"("countrycode":"US")",
      R"("timestamp":"2017-03-02 23:25:10.500 UTC")", R"("recognized":false)",
      R"("key_id":"12")"};
  for (unsigned mask = 0; mask < 32; ++mask) {
    in += "{\"drawing\": [[[1,2],[3,4]]]";
    for (size_t f = 0; f < fields.size(); ++f) {
      if ((mask >> f & 1U) != 0) in += " , " + fields[f];
    }
    in += "}\n";
  }
  Ingest({scratch_.Write("in.ndjson", in)}, scratch_.File("s.ink"), 1);
  const std::string out = Export(scratch_.File("s.ink"), 1);
  EXPECT_NE(in, out);
  ExpectSameDrawings(in, out);
}

TEST_F(RoundTripTest, CsvCarriesEverythingOfRealAndRawDrawings) {
  for (const std::string name : {"simplified.ndjson.gz", "raw.ndjson.gz"}) {
    const std::string path = absl::StrCat(kData, "/", name);
    if (ReadGzipFile(path).empty()) GTEST_SKIP() << "there is no " << path;
    const std::string first =
        Ingest({path}, scratch_.File(name + "1.ink"), 2, true);
    const std::string csv = scratch_.Write(
        name + ".csv", Export(scratch_.File(name + "1.ink"), 2, &kCsvOutput));
    EXPECT_EQ(Ingest({csv}, scratch_.File(name + "2.ink"), 2, true), first);
    EXPECT_EQ(Export(scratch_.File(name + "2.ink"), 2, &kCsvOutput),
              ReadWholeFile(csv));
  }
}

TEST_F(RoundTripTest, CsvCarriesEveryMixOfColumns) {
  std::string in;
  for (unsigned mask = 0; mask < 32; ++mask) {
    in += "{";
    if (mask & 1U) in += R"("word":"a \"b\", c",)";
    if (mask & 2U) in += R"("countrycode":"US",)";
    if (mask & 4U) in += R"("timestamp":"2017-03-02 23:25:10 UTC",)";
    if (mask & 8U) in += R"("recognized":false,)";
    if (mask & 16U) in += R"("key_id":"12",)";
    in += "\"drawing\":[[[1,2],[3,4]],[[0],[255]]]}\n";
  }
  const std::string first =
      Ingest({scratch_.Write("in.ndjson", in)}, scratch_.File("1.ink"), 1);
  const std::string csv = Export(scratch_.File("1.ink"), 1, &kCsvOutput);
  EXPECT_EQ(Ingest({scratch_.Write("in.csv", csv)}, scratch_.File("2.ink"), 1),
            first);
}

TEST_F(RoundTripTest, BinCarriesAllButFractionsOfSeconds) {
  GenerateOptions generate;
  generate.drawings = 3000;
  generate.classes = 30;
  generate.format = &kBinOutput;
  generate.output = scratch_.File("in/");
  ASSERT_TRUE(RunGenerate(generate).ok());
  const std::string first =
      Ingest({generate.output}, scratch_.File("1.ink"), 2);
  ASSERT_TRUE(ExportBin(scratch_.File("1.ink"), scratch_.File("out")).ok());
  EXPECT_EQ(Ingest({scratch_.File("out")}, scratch_.File("2.ink"), 2), first);
  EXPECT_EQ(ReadWholeFile(scratch_.File("out/cat.bin")),
            ReadWholeFile(scratch_.File("in/cat.bin")));
  // The same drawings as NDJSON, but for their times.
  generate.format = &kNdjsonOutput;
  generate.output = scratch_.File("lines/");
  ASSERT_TRUE(RunGenerate(generate).ok());
  EXPECT_NE(Ingest({generate.output}, scratch_.File("3.ink"), 2), first);
  ASSERT_TRUE(ExportBin(scratch_.File("3.ink"), scratch_.File("out3")).ok());
  EXPECT_EQ(ReadWholeFile(scratch_.File("out3/cat.bin")),
            ReadWholeFile(scratch_.File("in/cat.bin")));
}

TEST_F(RoundTripTest, WhatBinCannotCarryIsNamedAndNothingIsLeft) {
  const auto refusal = [&](const std::string& line) {
    const std::string store = scratch_.File(absl::StrCat(++stores_, ".ink"));
    Ingest({scratch_.Write("in.ndjson", line + "\n")}, store, 1, true);
    const absl::Status status = ExportBin(store, scratch_.File("out"));
    EXPECT_FALSE(std::filesystem::exists(scratch_.File("out")));
    EXPECT_FALSE(std::filesystem::exists(scratch_.File("out.partial")));
    return std::string(status.message());
  };
  const std::string columns =
      R"("countrycode":"US","timestamp":"2017-03-02 23:25:10 UTC",)"
      R"("recognized":false,"drawing":[[[1],[2]]]})";
  EXPECT_THAT(refusal(R"({"word":"cat",)" + columns),
              HasSubstr("drawing 0: a drawing has no key_id"));
  EXPECT_THAT(refusal(R"({"key_id":"5",)" + columns), HasSubstr("no word"));
  EXPECT_THAT(refusal(R"({"key_id":"5","word":"a/b",)" + columns),
              HasSubstr("\"a/b\" cannot name a file"));
  EXPECT_THAT(refusal(R"({"key_id":"5","drawing":[[[1],[2],[0]]]})"),
              HasSubstr("key_id 5 is a raw drawing"));
  EXPECT_THAT(refusal(R"({"key_id":"5","recognized":true,"timestamp":)"
                      R"("1969-12-31 23:59:59 UTC","countrycode":"US",)"
                      R"("drawing":[[[1],[2]]]})"),
              HasSubstr("years 1970 to 2106"));
}

TEST_F(RoundTripTest, TheFingerprintDoesNotDependOnThreadsOrPacking) {
  GenerateOptions generate;
  generate.drawings = 8000;
  generate.classes = 30;
  generate.output = scratch_.File("in.ndjson");
  ASSERT_TRUE(RunGenerate(generate).ok());
  const std::string text = ReadWholeFile(generate.output);
  const size_t half = text.find('\n', text.size() / 2) + 1;
  const std::string a =
      scratch_.Write("a", testing::Gzip(text.substr(0, half)));
  const std::string b = scratch_.Write("b", testing::Zstd(text.substr(half)));
  const std::string one =
      Ingest({generate.output}, scratch_.File("one.ink"), 1);
  EXPECT_EQ(one.size(), 64);
  EXPECT_EQ(Ingest({generate.output}, scratch_.File("three.ink"), 3), one);
  EXPECT_EQ(Ingest({a, b}, scratch_.File("two.ink"), 2), one);
  EXPECT_NE(Ingest({b, a}, scratch_.File("swapped.ink"), 2), one);
}

}  // namespace
}  // namespace inkstream::ingest
