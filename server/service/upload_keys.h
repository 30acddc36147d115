// UploadKeys: what its messages say, as the engine has it.
//
// Thread safety: pure function; one thread at a time for an upload.
#pragma once

#include <inkstream/v1/service.pb.h>

#include "absl/status/status.h"
#include "server/batch/view/key_upload.h"

namespace inkstream::service {

// INVALID_ARGUMENT: keys and indices in one message, or indices without
// weights; otherwise as the upload's.
absl::Status AddToUpload(const v1::UploadKeysRequest& request,
                         batch::KeyUpload* upload);

}  // namespace inkstream::service
