#include "server/wire/refused_field.h"

#include "absl/strings/str_cat.h"

namespace inkstream::wire {

absl::Status NotOffered(absl::string_view field, absl::string_view offered) {
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": not offered by this server; offered: ", offered));
}

absl::Status UnknownEnum(absl::string_view field, int value) {
  return absl::InvalidArgumentError(
      absl::StrCat(field, ": ", value,
                   " is not a value of this server's "
                   "contract; update the server or leave the field out"));
}

}  // namespace inkstream::wire
