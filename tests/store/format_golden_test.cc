// A tiny store, byte by byte. If this fails, the format has changed: say so in
// FORMAT.md and raise kFormatVersion, unless old stores read as before and new
// ones differ only by what zstd makes of a table.

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "server/store/strokes/record_codec.h"
#include "server/store/writing/fingerprint.h"
#include "server/store/writing/sha256.h"
#include "tests/store/sample_drawings.h"
#include "tests/support/scratch_directory.h"

namespace inkstream::store {
namespace {

std::string HashOf(absl::string_view bytes) {
  Sha256 sha;
  sha.Update(bytes);
  return ToHex(sha.Finish()).substr(0, 32);
}

TEST(FormatGolden, CanonicalBytesOfADrawing) {
  Drawing drawing = OneStroke({1, 2, 255}, {3, 4, 0});
  std::string bytes;
  AppendCanonical(drawing, &bytes);
  EXPECT_EQ(absl::BytesToHexString(bytes),
            "00"
            "00"
            "01000000"
            "03000000"
            "0102ff"
            "030400");
  drawing.word = "cat";
  drawing.countrycode = "DE";
  drawing.timestamp = Timestamp{258, 1};
  drawing.recognized = true;
  drawing.key_id = 772;
  bytes.clear();
  AppendCanonical(drawing, &bytes);
  EXPECT_EQ(absl::BytesToHexString(bytes),
            "00"
            "1f"
            "01000000"
            "03000000"
            "0102ff"
            "030400"
            "03000000636174"
            "020000004445"
            "0201000000000000"
            "01"
            "01"
            "0403000000000000");
}

TEST(FormatGolden, FingerprintsStandForEver) {
  const testing::ScratchDirectory scratch;
  EXPECT_EQ(MustWrite(scratch.File("empty"), {}),
            "eea05544875f62ac2938caa3e234e63d60efaf42252e11f93372c0cc356a0134");
  EXPECT_EQ(MustWrite(scratch.File("a"), SampleDrawings(100)),
            "bfc5fca6aa0cdbe5383004812c7ecd59ddb7ca6691af20ed2d980111cc74b13a");
  EXPECT_EQ(MustWrite(scratch.File("b"), SampleDrawings(65536 + 10)),
            "d77b6c4a265e43a3e5812cd6ab65c823e43051c881b9629525881b240fbc870e");
}

TEST(FormatGolden, RecordsKeepTheirBytes) {
  const auto model = StrokeModelTrainer().Train();
  std::string record;
  EncodeRecord(*model, ByteCopy(OneStroke({0, 10, 200}, {0, 250, 7})).strokes,
               &record);
  EXPECT_EQ(absl::BytesToHexString(record), "20a452ff416e22");
}

TEST(FormatGolden, AStoreKeepsItsBytes) {
  const testing::ScratchDirectory scratch;
  std::vector<Drawing> drawings = SampleDrawings(200);
  drawings[7].key_id.reset();
  drawings[9].word.reset();
  MustWrite(scratch.File("a"), drawings);
  EXPECT_EQ(HashOf(testing::ReadWholeFile(scratch.File("a/MANIFEST"))),
            "67c7b4d2579a3eb1ee6f2b3051abd0d9");
  EXPECT_EQ(
      HashOf(testing::ReadWholeFile(scratch.File("a/segment-000000.mdb"))),
      "62956c46330ac3424df8f973429d08a8");
}

}  // namespace
}  // namespace inkstream::store
