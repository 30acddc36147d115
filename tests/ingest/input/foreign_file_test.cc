#include "server/ingest/input/foreign_file.h"

#include <sys/stat.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/ingest/ingest_fixture.h"
#include "tests/support/compressed_bytes.h"

namespace inkstream::ingest {
namespace {

using ::testing::HasSubstr;

const std::string kLine = "{\"word\":\"cat\",\"drawing\":[[[1],[2]]]}\n";

template <size_t size>
std::string Bytes(const char (&bytes)[size]) {
  return std::string(bytes, size - 1);
}

// One member, as old tars and new ones have it.
std::string Tar(const std::string& content, bool ustar) {
  std::string header(512, '\0');
  header.replace(0, 8, "a.ndjson");
  header.replace(100, 8, Bytes("0000644\0"));
  header.replace(124, 12, absl::StrFormat("%011o", content.size()) + ' ');
  if (ustar) header.replace(257, 6, Bytes("ustar\0"));
  header.replace(148, 8, "        ");
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  header.replace(148, 8, absl::StrFormat("%06o", sum) + Bytes("\0 "));
  std::string tar = header + content;
  tar.resize((tar.size() + 511) / 512 * 512 + 1024);
  return tar;
}

std::string Zip(const std::string& member) {
  return Bytes("PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") +
         static_cast<char>(member.size()) + Bytes("\0\0\0") + member + "xx";
}

struct Foreign {
  const char* what;
  std::string bytes;
  const char* said;
};

std::vector<Foreign> Foreigners() {
  return {
      {"tar", Tar(kLine, true), "tar -xOf '"},
      {"tar of Unix V7", Tar(kLine, false), "tar -xOf '"},
      {"zip", Zip("train.csv"), "unzip -p '"},
      {"empty zip", Bytes("PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
       "zip archive"},
      {"npz", Zip("train.npy"), "python -m inkstream.sketchrnn '"},
      {"7z", Bytes("7z\xBC\xAF\x27\x1C\0\4"), "7z e -so '"},
      {"rar", Bytes("Rar!\x1A\x07\x01\0"), "unrar p"},
      {"bzip2", "BZh91AY&SY", "bzip2 -dc '"},
      {"xz", Bytes("\xFD\x37zXZ\0\0\4"), "xz -dc '"},
      {"lz4", Bytes("\x04\x22\x4D\x18\x60\x40"), "lz4 -dc '"},
      {"npy", Bytes("\x93NUMPY\x01\0v\0{'descr': '|u1', "), "bitmaps"},
      {"hdf5", Bytes("\x89HDF\r\n\x1A\n\0\0"), "HDF5"},
      {"parquet", Bytes("PAR1\x15\x04\x15\x10"), "Parquet"},
      {"arrow", Bytes("ARROW1\0\0\xFF\xFF"), "Arrow"},
      {"tfrecord",
       Bytes("\x5C\x03\0\0\0\0\0\0\xD3\x7D\x4A\xAA\x0A\xD9\x06\x0A"),
       "TFRecord"},
      {"pickle 2", Bytes("\x80\x02}q\0(U\x05trainq"), "pickle"},
      {"pickle of torch", Bytes("\x80\x02\x8A\nl\xFC\x9C"), "pickle"},
      {"pickle 4", Bytes("\x80\x04\x95\x0B\0\0\0\0\0\0\0"), "pickle"},
      {"sqlite", Bytes("SQLite format 3\0\x10\0"), "SQLite"},
      {"lmdb", std::string(16, '\0') + Bytes("\xDE\xC0\xEF\xBE\1\0\0\0"),
       "inkstream merge"},
      {"png", Bytes("\x89PNG\r\n\x1A\n\0\0"), "PNG"},
      {"jpeg", Bytes("\xFF\xD8\xFF\xE0\0\x10JFIF"), "JPEG"},
      {"gif", "GIF89a", "GIF"},
      {"webp", Bytes("RIFF\x24\0\0\0WEBPVP8 "), "WebP"},
      {"html", "\n <!DOCTYPE html>\n<html>\n", "fetch the file again"},
      {"xml", "\xEF\xBB\xBF<?xml version='1.0'?><Error>", "HTML or XML"},
      {"lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
       "git lfs pull"},
      {"annex", "/annex/objects/SHA256E-s3--00.ndjson\n", "git annex get"},
      {"json error", "{\n  \"error\": {\n    \"code\": 404\n",
       "error's answer"},
      {"pandas by column", "{\"word\":{\"0\":\"cat\"},\"drawing\":{}}",
       "lines=True"},
      {"pandas split", "{\"columns\":[\"word\"],\"index\":[0],\"data\":[]}",
       "lines=True"},
      {"spread json", "{\n  \"word\": \"cat\",\n  \"drawing\": []\n}\n",
       "jq -c ."},
      {"text", "How to cite this data\n\nBy its name.\n", "How to cite"},
      {"other csv", "word;strokes\ncat;1\n", "word;strokes"},
      {"escapes", "\x1B[31mred\n", "\\u001b[31mred"},
      {"NUL bytes", std::string(8192, '\0'), "is not drawings"},
  };
}

class ForeignFileTest : public IngestFixture {
 protected:
  // Whatever follows is bad, but it is not read: no drawing is counted.
  void ExpectRefused(const Foreign& foreign, const std::string& bytes) {
    const absl::Status status = Ingest("it's.ndjson", bytes);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << foreign.what << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("it's.ndjson is "))
        << foreign.what;
    EXPECT_THAT(std::string(status.message()), HasSubstr(foreign.said))
        << foreign.what;
    EXPECT_EQ(report_.read, 0) << foreign.what;
    EXPECT_TRUE(writer_.discarded) << foreign.what;
  }
};

TEST_F(ForeignFileTest, WhatIsNoDrawingsIsNamedBeforeItIsRead) {
  for (const Foreign& foreign : Foreigners()) {
    ExpectRefused(foreign, foreign.bytes);
    ExpectRefused(foreign, testing::Gzip(foreign.bytes));
    ExpectRefused(foreign, testing::Zstd(foreign.bytes));
  }
}

TEST_F(ForeignFileTest, AFormatThatIsGivenMakesNoArchiveDrawings) {
  for (const InputFormat format : {InputFormat::kNdjson, InputFormat::kCsv,
                                   InputFormat::kJson, InputFormat::kBin}) {
    options_.format = format;
    for (const std::string& bytes : {Tar(kLine, true), Zip("train.npy")}) {
      EXPECT_TRUE(absl::IsInvalidArgument(Ingest("x", bytes)));
      EXPECT_EQ(report_.read, 0);
    }
  }
}

TEST_F(ForeignFileTest, TheLastOfManyInputsIsLookedAtBeforeTheFirstIsRead) {
  options_.inputs = *ListInputs(
      {scratch_.Write("a.ndjson", kLine), scratch_.Write("b", "PK\x03\x04")});
  EXPECT_THAT(std::string(IngestInputs().message()), HasSubstr("zip archive"));
  EXPECT_EQ(report_.read, 0);
}

TEST_F(ForeignFileTest, ATarInAnotherCompressionIsUnpackedInOneStep) {
  for (const char* name : {"two.tar.bz2", "two.TBZ2", "two.tbz"}) {
    EXPECT_THAT(std::string(Ingest(name, "BZh91AY&SY").message()),
                HasSubstr("tar -xOf"));
  }
  EXPECT_THAT(std::string(Ingest("two.bz2", "BZh91AY&SY").message()),
              HasSubstr("bzip2 -dc"));
}

TEST_F(ForeignFileTest, PackedTwiceIsSaid) {
  EXPECT_THAT(
      std::string(Ingest("x", testing::Gzip(testing::Gzip(kLine))).message()),
      HasSubstr("compressed twice"));
}

TEST_F(ForeignFileTest, DrawingsBehindWhatIsBrokenAreStillDrawings) {
  const std::string long_line(2 * kBeginningBytes, 'x');
  for (const std::string& front :
       {std::string("\\N\n"), std::string("\n \n"), std::string("12],[3]]]}\n"),
        std::string("\xEF\xBB\xBF"), long_line + "\n",
        std::string(2 * kBeginningBytes, ' ')}) {
    const absl::Status status = Ingest("x", front + kLine);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(report_.kept, 1);
  }
}

// A key is any number, so its bytes may be those of any other file.
TEST_F(ForeignFileTest, KeysOfBinFilesMayBeginAsAnything) {
  for (const Foreign& foreign : Foreigners()) {
    std::string record(8, '\0');
    record.replace(0, 6, (foreign.bytes + std::string(6, '\1')).substr(0, 6));
    record[6] = '\1';
    record += Bytes("US\x01\0\0\0\0\x01\0\x01\0\x01\x02");
    const absl::Status status = Ingest("cat.bin", record);
    EXPECT_TRUE(status.ok()) << foreign.what << status;
  }
}

}  // namespace
}  // namespace inkstream::ingest
