// Files that travel inside the binary: the console, the portal's page, the OpenAPI document. They are pulled in by
// the assembler's .incbin (ops/lib/embed/embed.cmake), so no generated source holds their bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

struct Asset {
  std::string_view path;          // "console/index.html", "console/assets/app.js", "portal/index.html", "api/openapi.yaml"
  std::string_view bytes;         // valid for ever
  std::string_view content_type;  // by the file's ending
  std::string_view etag;          // strong, with its quotes: from the SHA-256 of the bytes
};

// The asset of exactly this path; null if there is none. Thread-safe.
[[nodiscard]] const Asset* find_asset(std::string_view path);
[[nodiscard]] const std::vector<Asset>& all_assets();

}  // namespace tocsin
