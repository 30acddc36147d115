#include "client/cpp/call/target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/base/network_address.h"

namespace inkstream::client {
namespace {

constexpr absl::string_view kDefaultPort = "50051";
constexpr size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;
constexpr absl::string_view kSchemes[] = {"dns", "ipv4", "ipv6", "unix",
                                          "unix-abstract"};

// Why an address is none, and what was probably meant.
absl::Status Wrong(absl::string_view target, absl::string_view why,
                   absl::string_view meant = "") {
  return absl::InvalidArgumentError(absl::StrCat(
      "target \"", target, "\" ", why,
      meant.empty() ? "; give host:port, dns:///name:port or unix:/path"
                    : absl::StrCat("; \"", meant, "\" is probably meant")));
}

struct HostPort {
  absl::string_view host;  // without brackets
  absl::string_view port;
  bool bracketed = false;
};

bool IsV4(absl::string_view text) {
  in_addr number;
  return inet_pton(AF_INET, std::string(text).c_str(), &number) == 1;
}

bool IsV6(absl::string_view text) {
  in6_addr number;
  const std::string plain(text.substr(0, text.find('%')));
  return inet_pton(AF_INET6, plain.c_str(), &number) == 1;
}

// gRPC's own, and for it to judge.
bool IsGrpcsOwn(absl::string_view target) {
  return absl::StartsWith(target, "xds:") || absl::StartsWith(target, "vsock:");
}

absl::string_view SchemeOf(absl::string_view target) {
  for (const absl::string_view scheme : kSchemes) {
    if (absl::StartsWith(target, absl::StrCat(scheme, ":"))) return scheme;
  }
  return "";
}

HostPort Split(absl::string_view text) {
  if (absl::ConsumePrefix(&text, "[")) {
    const size_t end = text.find(']');
    if (end == absl::string_view::npos) return {text, "", true};
    absl::string_view port = text.substr(end + 1);
    absl::ConsumePrefix(&port, ":");
    return {text.substr(0, end), port, true};
  }
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return {text, ""};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

// `prefix`: what stands before it in what is meant.
absl::Status CheckHostPort(absl::string_view target, absl::string_view text,
                           absl::string_view prefix) {
  if (IsV6(text)) {
    return Wrong(target, "is IPv6 without brackets and port",
                 absl::StrCat(prefix, "[", text, "]:", kDefaultPort));
  }
  const HostPort parts = Split(text);
  const std::string shown = IsV6(parts.host)
                                ? absl::StrCat("[", parts.host, "]")
                                : std::string(parts.host);
  if (parts.bracketed != IsV6(parts.host)) {
    return Wrong(target,
                 parts.bracketed ? "has brackets, which are for IPv6"
                                 : "is IPv6 without brackets",
                 absl::StrCat(prefix, shown, ":", parts.port));
  }
  const std::string with_default = absl::StrCat(
      prefix, shown.empty() ? "localhost" : shown, ":", kDefaultPort);
  if (parts.host.empty()) {
    return Wrong(target, "has no host",
                 absl::StrCat(prefix, "localhost:", parts.port));
  }
  if (parts.host == "*") {
    return Wrong(target, "has \"*\" for a host",
                 absl::StrCat(prefix, "localhost:",
                              parts.port.empty() ? kDefaultPort : parts.port));
  }
  if (parts.port.empty() &&
      std::all_of(parts.host.begin(), parts.host.end(), absl::ascii_isdigit)) {
    return Wrong(target, "has no host",
                 absl::StrCat(prefix, "localhost:", parts.host));
  }
  if (parts.port.empty()) {
    return Wrong(target, "has no port", with_default);
  }
  if (!std::all_of(parts.port.begin(), parts.port.end(), absl::ascii_isdigit)) {
    return Wrong(
        target,
        absl::StrCat("has the port \"", parts.port, "\", which is no number"),
        with_default);
  }
  int port = 0;
  if (!absl::SimpleAtoi(parts.port, &port) || port < 1 || port > 65535) {
    return Wrong(target, absl::StrCat("has the port ", parts.port,
                                      "; ports are 1..65535"));
  }
  if (parts.host.find_first_of(":/@") != absl::string_view::npos &&
      !parts.bracketed) {
    return Wrong(target, "has more in it than a host and a port");
  }
  return absl::OkStatus();
}

absl::Status CheckSocket(absl::string_view target, absl::string_view path) {
  if (absl::ConsumePrefix(&path, "//") && !absl::StartsWith(path, "/")) {
    return Wrong(target, "has two slashes where a path has one",
                 absl::StrCat("unix:/", path));
  }
  if (path.empty()) return Wrong(target, "has no path");
  if (path.size() > kLongestPath) {
    return Wrong(target,
                 absl::StrCat("has a path of ", path.size(),
                              " bytes; the kernel's limit is ", kLongestPath));
  }
  return absl::OkStatus();
}

// dns:[//NAMESERVER]/HOST:PORT or dns:HOST:PORT.
absl::Status CheckName(absl::string_view target, absl::string_view rest) {
  absl::string_view prefix = "dns:";
  if (absl::ConsumePrefix(&rest, "//")) {
    const size_t slash = rest.find('/');
    if (slash == absl::string_view::npos) {
      return Wrong(target, "has two slashes where three are due",
                   absl::StrCat("dns:///", rest));
    }
    prefix = target.substr(0, target.size() - rest.size() + slash + 1);
    rest.remove_prefix(slash + 1);
  } else {
    absl::ConsumePrefix(&rest, "/");
  }
  return CheckHostPort(target, rest, prefix);
}

absl::StatusOr<std::vector<std::string>> Numbers(absl::string_view target,
                                                 absl::string_view scheme,
                                                 absl::string_view rest) {
  while (absl::ConsumePrefix(&rest, "/")) {
  }
  std::vector<std::string> endpoints;
  for (const absl::string_view one : absl::StrSplit(rest, ',')) {
    const std::string prefix = absl::StrCat(scheme, ":");
    absl::Status status = CheckHostPort(target, one, prefix);
    if (!status.ok()) return status;
    const absl::string_view host = Split(one).host;
    if (!(scheme == "ipv4" ? IsV4(host) : IsV6(host))) {
      return Wrong(target, absl::StrCat("has \"", host, "\" for an address"),
                   std::string(one));
    }
    endpoints.push_back(absl::StrCat(prefix, one));
  }
  return endpoints;
}

absl::Status CheckPlain(absl::string_view target) {
  const size_t url = target.find("://");
  if (url != absl::string_view::npos) {
    absl::string_view host = target.substr(url + 3);
    host = host.substr(0, host.find('/'));
    const bool right = CheckHostPort(target, host, "").ok();
    return Wrong(
        target, absl::StrCat("begins with \"", target.substr(0, url + 3), "\""),
        host.empty() ? ""
        : right      ? std::string(host)
                     : absl::StrCat(host, ":", kDefaultPort));
  }
  if (absl::StrContains(target.substr(0, target.find(':')), '/') ||
      absl::EndsWith(target, ".sock")) {
    return Wrong(target, "is a path", absl::StrCat("unix:", target));
  }
  if (absl::StrContains(target, ',')) {
    return Wrong(target, "is several addresses in one text");
  }
  return CheckHostPort(target, target, "");
}

absl::string_view HostOf(absl::string_view target) {
  const absl::string_view scheme = SchemeOf(target);
  if (!scheme.empty()) {
    target.remove_prefix(scheme.size() + 1);
    const size_t slash = target.rfind('/');
    if (slash != absl::string_view::npos) target.remove_prefix(slash + 1);
  }
  return Split(target).host;
}

bool IsSocket(absl::string_view target) {
  return absl::StartsWith(SchemeOf(target), "unix");
}

}  // namespace

absl::StatusOr<std::vector<std::string>> EndpointsOf(absl::string_view target) {
  const std::vector<std::string> whole = {std::string(target)};
  if (absl::StripAsciiWhitespace(target).empty()) {
    return Wrong(target, "is empty");
  }
  if (std::any_of(target.begin(), target.end(), absl::ascii_isspace)) {
    return Wrong(target, "has blanks in it",
                 std::string(absl::StripAsciiWhitespace(target)));
  }
  if (IsGrpcsOwn(target)) return whole;
  const absl::string_view scheme = SchemeOf(target);
  const absl::string_view rest =
      scheme.empty() ? target : target.substr(scheme.size() + 1);
  if (absl::StartsWith(scheme, "ip")) return Numbers(target, scheme, rest);
  absl::Status status = scheme.empty()    ? CheckPlain(target)
                        : scheme == "dns" ? CheckName(target, rest)
                                          : CheckSocket(target, rest);
  if (!status.ok()) return status;
  return whole;
}

bool IsLoopback(absl::string_view target) {
  if (IsSocket(target)) return true;
  const std::string host = absl::AsciiStrToLower(HostOf(target));
  if (absl::EndsWith(host, ".localhost")) return true;
  // Every address is this machine's, as one to connect to.
  return IsLoopbackHost(host) || host == "0.0.0.0" || host == "::";
}

bool IsName(absl::string_view target) {
  const absl::string_view host = HostOf(target);
  return !IsLoopback(target) && !IsV4(host) && !IsV6(host) &&
         !IsGrpcsOwn(target);
}

std::string InWords(absl::string_view target) {
  if (IsLoopback(target)) return std::string(target);
  const auto set = [](const char* name) -> absl::string_view {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  const absl::string_view own = set("no_grpc_proxy");
  for (const absl::string_view excepted :
       absl::StrSplit(own.empty() ? set("no_proxy") : own, ',')) {
    const absl::string_view entry = absl::StripAsciiWhitespace(excepted);
    if (!entry.empty() && absl::EndsWithIgnoreCase(HostOf(target), entry)) {
      return std::string(target);
    }
  }
  // gRPC takes the first that is set.
  for (const char* name : {"grpc_proxy", "https_proxy", "http_proxy"}) {
    absl::string_view proxy = set(name);
    if (proxy.empty()) continue;
    proxy.remove_prefix(proxy.rfind('@') + 1);  // a password is for nobody
    return absl::StrCat(target, " (by way of ", name, " = ", proxy,
                        "; no_proxy would leave it out)");
  }
  return std::string(target);
}

}  // namespace inkstream::client
