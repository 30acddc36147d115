#include "server/service/upload_keys.h"

#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"

namespace inkstream::service {

absl::Status AddToUpload(const v1::UploadKeysRequest& request,
                         batch::KeyUpload* upload) {
  if (request.index_size() == 0) {
    return request.weights_size() == 0
               ? upload->Add(request.key_id())
               : upload->AddWeights(batch::DrawingName::kKey, request.key_id(),
                                    request.weights());
  }
  if (request.key_id_size() > 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "index: ", request.index_size(), " beside ", request.key_id_size(),
        " key_id; name the drawings by one of them"));
  }
  if (request.weights_size() == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("index: ", request.index_size(),
                     " without weights; sets of keys alone name drawings by "
                     "key_id"));
  }
  // What is no int64 is negative then, and refused as such.
  const std::vector<int64_t> names(request.index().begin(),
                                   request.index().end());
  return upload->AddWeights(batch::DrawingName::kIndex, names,
                            request.weights());
}

}  // namespace inkstream::service
