// What the generated file of tocsin_assets defines.
#pragma once

#include <span>

namespace tocsin {

struct EmbeddedFile {
  const char* path;
  const char* begin;
  const char* end;
};

[[nodiscard]] std::span<const EmbeddedFile> embedded_files();

}  // namespace tocsin
