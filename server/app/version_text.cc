#include "server/app/version_text.h"

#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>
#include <zstd.h>

#include "absl/strings/str_cat.h"
#include "server/raster/rasterizer.h"
#include "server/store/format.h"
#include "server/store/lmdb_writer.h"

namespace inkstream::app {

std::string VersionText() { return "inkstream " INKSTREAM_VERSION; }

std::string VersionJson() {
  return absl::StrCat(
      R"({"version": ")", INKSTREAM_VERSION, R"(", "store_format": )",
      store::kFormatVersion, R"(, "raster_version": )", raster::kRasterVersion,
      R"(, "libraries": {"grpc": ")", grpc::Version(), R"(", "protobuf": ")",
      google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION),
      R"(", "lmdb": ")", store::LmdbVersion(), R"(", "zstd": ")",
      ZSTD_versionString(), R"("}})");
}

}  // namespace inkstream::app
