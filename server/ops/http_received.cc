#include "server/ops/http_received.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <string>

#include "server/base/network_address.h"

namespace inkstream::ops {
namespace {

std::string HeaderOf(MHD_Connection* connection, const char* name) {
  const char* const value =
      MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? "" : value;
}

sockaddr_storage AddressOf(MHD_Connection* connection) {
  const MHD_ConnectionInfo* const info =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  sockaddr_storage address = {};
  const size_t size = info->client_addr->sa_family == AF_INET6
                          ? sizeof(sockaddr_in6)
                          : sizeof(sockaddr_in);
  std::memcpy(&address, info->client_addr, size);
  return address;
}

}  // namespace

HttpRequest RequestOf(MHD_Connection* connection, absl::string_view path) {
  HttpRequest request;
  request.path = std::string(path);
  MHD_get_connection_values(
      connection, MHD_GET_ARGUMENT_KIND,
      [](void* to, MHD_ValueKind, const char* name, const char* value) {
        static_cast<HttpRequest*>(to)->parameters[name] =
            value == nullptr ? "" : value;
        return MHD_YES;
      },
      &request);
  request.host = HeaderOf(connection, MHD_HTTP_HEADER_HOST);
  request.authorization = HeaderOf(connection, MHD_HTTP_HEADER_AUTHORIZATION);
  request.fetch_site = HeaderOf(connection, "Sec-Fetch-Site");
  const sockaddr_storage address = AddressOf(connection);
  request.peer = HostOf(address);
  request.caller = CallerAt(address);
  return request;
}

bool IsEncrypted(MHD_Connection* connection) {
  return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_PROTOCOL) !=
         nullptr;
}

absl::string_view HostAlone(absl::string_view host) {
  const size_t colon = host.rfind(':');
  const size_t bracket = host.rfind(']');
  const bool has_port =
      colon != absl::string_view::npos &&
      (bracket == absl::string_view::npos ? host.find(':') == colon
                                          : bracket < colon);
  return has_port ? host.substr(0, colon) : host;
}

}  // namespace inkstream::ops
