// The table over what the generated files name (embedded_file, one per file).
#include "ops/lib/embed/assets.hpp"

#include <algorithm>
#include <deque>

#include "ops/lib/embed/embedded.hpp"
#include "rules/base/bytes.hpp"

namespace tocsin {
namespace {

std::string_view content_type_of(std::string_view path) noexcept {
  constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"}, {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"}, {".css", "text/css; charset=utf-8"},
      {".json", "application/json"}, {".map", "application/json"}, {".svg", "image/svg+xml"},
      {".png", "image/png"}, {".ico", "image/x-icon"}, {".webp", "image/webp"}, {".woff2", "font/woff2"},
      {".txt", "text/plain; charset=utf-8"}, {".yaml", "application/yaml"},
      {".webmanifest", "application/manifest+json"}};
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

struct Table {
  std::vector<Asset> assets;
  std::deque<std::string> etags;  // a deque keeps its elements where they are
  Table() {
    for (const AssetFile& file : asset_files()) {
      Asset asset;
      asset.path = file.path;
      asset.bytes = {file.begin, static_cast<std::size_t>(file.end - file.begin)};
      asset.content_type = content_type_of(asset.path);
      asset.etag = etags.emplace_back("\"" + to_hex(sha256(asset.bytes)).substr(0, 32) + "\"");
      assets.push_back(asset);
    }
    std::sort(assets.begin(), assets.end(), [](const Asset& a, const Asset& b) { return a.path < b.path; });
  }
};

const Table& table() {
  static const Table made;
  return made;
}

}  // namespace

const Asset* find_asset(std::string_view path) {
  const auto& assets = table().assets;
  const auto it = std::lower_bound(assets.begin(), assets.end(), path,
                                   [](const Asset& asset, std::string_view wanted) { return asset.path < wanted; });
  return it != assets.end() && it->path == path ? &*it : nullptr;
}

const std::vector<Asset>& all_assets() { return table().assets; }

}  // namespace tocsin
