// What the generated file of tocsin_assets defines.
#pragma once

#include <span>

namespace tocsin {

// Not rules/base/embedded.hpp, which has another layout: two types of one name would be one type to the linker.
struct AssetFile {
  const char* path;
  const char* begin;
  const char* end;
};

[[nodiscard]] std::span<const AssetFile> asset_files();

}  // namespace tocsin
