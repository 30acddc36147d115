#include "server/raster/draw/cairo_library.h"

#include <dlfcn.h>

#include <type_traits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace inkstream::raster {
namespace {

constexpr char kName[] = "libcairo.so.2";

absl::Status Missing() {
  const char* const why = dlerror();
  return absl::FailedPreconditionError(absl::StrCat(
      "image.quality: exact is drawn by Cairo, which cannot be loaded here (",
      why == nullptr ? kName : why,
      "); install it (libcairo2 in Debian, cairo in Fedora), or use fast"));
}

absl::StatusOr<const CairoLibrary*> Load() {
  void* const library = dlopen(kName, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return Missing();
  auto* const cairo = new CairoLibrary;
  bool all = true;
  const auto find = [&](const char* name, auto* function) {
    void* const found = dlsym(library, name);
    all = all && found != nullptr;
    *function =
        reinterpret_cast<std::remove_pointer_t<decltype(function)>>(found);
  };
#define INKSTREAM_CAIRO_FIND(name) find("cairo_" #name, &cairo->name);
  INKSTREAM_CAIRO_FUNCTIONS(INKSTREAM_CAIRO_FIND)
#undef INKSTREAM_CAIRO_FIND
  if (all) return cairo;
  delete cairo;
  return Missing();
}

}  // namespace

absl::StatusOr<const CairoLibrary*> LoadCairo() {
  static const auto* const loaded =
      new absl::StatusOr<const CairoLibrary*>(Load());
  return *loaded;
}

}  // namespace inkstream::raster
