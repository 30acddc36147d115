// A request and its answer, for whatever makes answers and knows no HTTP
// library.
//
// Thread safety: plain values.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace inkstream::ops {

// GET or HEAD; texts are unescaped, and "" where there are none.
struct HttpRequest {
  std::string path;
  std::map<std::string, std::string> parameters;  // of the query
  std::string host;                               // HOST or HOST:PORT
  std::string authorization;
  std::string fetch_site;  // Sec-Fetch-Site: what a browser says of the sender
  std::string peer;        // host that it comes from
  std::string caller;      // whose share it has (see CallerAt)
};

struct HttpAnswer {
  unsigned int code = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers = {};
};

// Called once, from any thread; from the second time on without effect.
using HttpDone = std::function<void(HttpAnswer)>;

// Does not block; answers now or later.
using HttpHandler = std::function<void(HttpRequest, HttpDone)>;

}  // namespace inkstream::ops
