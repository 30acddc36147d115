#include "server/app/version_text.h"

#include <google/protobuf/message.h>
#include <grpcpp/grpcpp.h>
#include <zstd.h>

#include "server/base/json.h"
#include "server/raster/draw/rasterizer.h"
#include "server/store/format.h"
#include "server/store/segment/lmdb_writer.h"

namespace inkstream::app {

std::string VersionText() { return "inkstream " INKSTREAM_VERSION; }

std::string VersionJson() {
  Json json;
  json["version"] = INKSTREAM_VERSION;
  json["store_format"] = store::kFormatVersion;
  json["raster_version"] = raster::kRasterVersion;
  json["libraries"] = {{"grpc", grpc::Version()},
                       {"protobuf", google::protobuf::internal::VersionString(
                                        GOOGLE_PROTOBUF_VERSION)},
                       {"lmdb", store::LmdbVersion()},
                       {"zstd", ZSTD_versionString()}};
  return JsonLine(json);
}

}  // namespace inkstream::app
