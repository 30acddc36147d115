// Answers of the page, each with the headers that keep a browser from doing
// more with it than this page needs.
//
// Thread safety: pure functions.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "server/ops/http_exchange.h"

namespace inkstream::page {

// The file of the page. Its policy lets nothing run but what was built in, and
// nothing be asked but this server.
ops::HttpAnswer FileAnswer();

ops::HttpAnswer JsonAnswer(std::string json);
ops::HttpAnswer BytesAnswer(absl::string_view bytes);

// The status as JSON with the HTTP code that says what a caller does next: 401
// with a token, 503 later, 4xx differently.
ops::HttpAnswer StatusAnswer(const absl::Status& status);

ops::HttpAnswer NoSuchPage();

}  // namespace inkstream::page
