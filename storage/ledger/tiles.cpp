// Names, bytes and growth of tiles and bundles.
#include "storage/ledger/tiles.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <charconv>
#include <cstring>
#include <memory>

#include "rules/base/text.hpp"
#include "storage/files/durable_file.hpp"

namespace tocsin::storage {
namespace {

// 1234067 -> "x001/x234/067"
std::string index_path(std::uint64_t index) {
  std::string out;
  const auto group = [&](std::uint64_t value) {
    const std::string digits = std::to_string(value);
    return std::string(3 - digits.size(), '0') + digits;
  };
  out = group(index % 1000);
  while (index >= 1000) {
    index /= 1000;
    out = "x" + group(index % 1000) + "/" + out;
  }
  return out;
}

std::optional<std::uint64_t> decimal(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

// What belongs to the first `count` entries (or hashes) of a tile's bytes; nullopt if there are fewer.
std::optional<std::string_view> cut(const TileName& name, std::string_view bytes) {
  if (name.level) {
    const std::size_t need = static_cast<std::size_t>(name.width) * sizeof(Hash);
    if (bytes.size() < need) return std::nullopt;
    return bytes.substr(0, need);
  }
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < name.width; ++i) {
    if (bytes.size() - at < 2) return std::nullopt;
    const std::size_t length =
        static_cast<std::size_t>(static_cast<unsigned char>(bytes[at]) << 8 | static_cast<unsigned char>(bytes[at + 1]));
    if (bytes.size() - at - 2 < length) return std::nullopt;
    at += 2 + length;
  }
  return bytes.substr(0, at);
}

}  // namespace

std::string TileName::path() const {
  std::string out = "tile/" + (level ? std::to_string(*level) : std::string("entries")) + "/" + index_path(index);
  if (!full()) out += ".p/" + std::to_string(width);
  return out;
}

std::optional<TileName> TileName::parse(std::string_view path) {
  constexpr std::size_t kLongest = 64;
  if (path.size() > kLongest || !path.starts_with("tile/")) return std::nullopt;
  const std::string_view whole = path;
  path.remove_prefix(5);
  TileName out;
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  if (path.substr(0, slash) != "entries") {
    const auto level = decimal(path.substr(0, slash));
    if (!level || *level > kMaxTileLevel) return std::nullopt;
    out.level = static_cast<unsigned>(*level);
  }
  path.remove_prefix(slash + 1);
  if (const std::size_t at = path.find(".p/"); at != std::string_view::npos) {
    const auto width = decimal(path.substr(at + 3));
    if (!width || *width == 0 || *width >= kTileWidth) return std::nullopt;
    out.width = *width;
    path = path.substr(0, at);
  }
  std::string digits;
  for (std::string_view group : split(path, '/')) {
    if (group.starts_with('x')) group.remove_prefix(1);
    if (group.size() != 3) return std::nullopt;
    digits += group;
  }
  const auto index = decimal(digits);
  if (!index) return std::nullopt;
  out.index = *index;
  // One name, one text: whatever was lenient above is caught here.
  if (out.path() != whole) return std::nullopt;
  return out;
}

std::vector<TileName> tiles_of(std::uint64_t size) {
  std::vector<TileName> out;
  const auto level = [&](std::optional<unsigned> l, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count / kTileWidth; ++i) out.push_back({l, i, kTileWidth});
    if (count % kTileWidth != 0) out.push_back({l, count / kTileWidth, count % kTileWidth});
  };
  level(std::nullopt, size);
  for (unsigned l = 0; hashes_at(l, size) > 0; ++l) level(l, hashes_at(l, size));
  return out;
}

Hash fold(const Hash* hashes, std::size_t count) {
  assert(std::has_single_bit(count));
  if (count == 1) return *hashes;
  return node_hash(fold(hashes, count / 2), fold(hashes + count / 2, count / 2));
}

void append_to_bundle(std::string& bundle, std::string_view entry) {
  bundle += static_cast<char>(entry.size() >> 8 & 0xff);
  bundle += static_cast<char>(entry.size() & 0xff);
  bundle += entry;
}

Result<std::vector<std::string_view>> parse_bundle(std::string_view bytes) {
  std::vector<std::string_view> out;
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t left = bytes.size() - at;
    const std::size_t length =
        left < 2 ? 0
                 : static_cast<std::size_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                            static_cast<unsigned char>(bytes[at + 1]));
    if (left < 2 || left - 2 < length) {
      return fail(Errc::kCorrupt, "entry " + std::to_string(out.size()) + " of the bundle is cut", std::to_string(at));
    }
    out.push_back(bytes.substr(at + 2, length));
    at += 2 + length;
  }
  return out;
}

std::optional<std::vector<Hash>> parse_tile(std::string_view bytes) {
  if (bytes.size() % sizeof(Hash) != 0 || bytes.size() > kTileWidth * sizeof(Hash)) return std::nullopt;
  std::vector<Hash> out(bytes.size() / sizeof(Hash));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

Result<std::string> read_tile(const std::filesystem::path& dir, const TileName& name) {
  const std::uint64_t limit = name.level ? kTileWidth * sizeof(Hash) : kMaxBundleBytes;
  auto exact = read_whole(dir / name.path(), limit);
  if (exact || exact.error().code != Errc::kNotFound || name.full()) return exact;
  TileName wider = name;
  for (wider.width = kTileWidth; wider.width > name.width; --wider.width) {
    const std::filesystem::path file = dir / wider.path();
    std::error_code ec;
    if (!std::filesystem::exists(file, ec)) continue;
    auto bytes = read_whole(file, limit);
    if (!bytes && bytes.error().code == Errc::kNotFound) continue;
    if (!bytes) return bytes;
    const auto part = cut(name, *bytes);
    if (!part) return fail(Errc::kCorrupt, "the tile is shorter than its name says", wider.path());
    return std::string(*part);
  }
  return fail(Errc::kNotFound, "this part of the ledger is missing", name.path());
}

SubtreeHash subtrees_in(const std::filesystem::path& dir, std::uint64_t size) {
  struct Cache {
    TileName name;
    std::vector<Hash> hashes;
  };
  auto cache = std::make_shared<std::optional<Cache>>();
  return [dir, size, cache](unsigned height, std::uint64_t index) -> Result<Hash> {
    const unsigned level = height / kTileHeight;
    const unsigned inner = height % kTileHeight;
    const std::uint64_t first = index << inner;
    TileName name{level, first / kTileWidth, 0};
    name.width = std::min(kTileWidth, hashes_at(level, size) - name.index * kTileWidth);
    if (!*cache || (*cache)->name != name) {
      auto bytes = read_tile(dir, name);
      if (!bytes) return pass(std::move(bytes));
      auto hashes = parse_tile(*bytes);
      if (!hashes || hashes->size() != name.width) {
        return fail(Errc::kCorrupt, "the tile has the wrong length", name.path(), "run tocsin ledger verify");
      }
      cache->emplace(Cache{name, std::move(*hashes)});
    }
    return fold((*cache)->hashes.data() + first % kTileWidth, std::size_t{1} << inner);
  };
}

Result<TileEdge> TileEdge::load(const std::filesystem::path& dir, std::uint64_t size) {
  TileEdge out;
  out.size_ = size;
  for (unsigned level = 0; hashes_at(level, size) > 0; ++level) {
    out.levels_.emplace_back();
    const std::uint64_t count = hashes_at(level, size);
    if (count % kTileWidth == 0) continue;
    const TileName name{level, count / kTileWidth, count % kTileWidth};
    auto bytes = read_tile(dir, name);
    if (!bytes) return pass(std::move(bytes));
    auto hashes = parse_tile(*bytes);
    if (!hashes || hashes->size() != name.width) return fail(Errc::kCorrupt, "the tile has the wrong length", name.path());
    out.levels_[level] = std::move(*hashes);
  }
  if (size % kTileWidth != 0) {
    const TileName name{std::nullopt, size / kTileWidth, size % kTileWidth};
    auto bytes = read_tile(dir, name);
    if (!bytes) return pass(std::move(bytes));
    auto entries = parse_bundle(*bytes);
    bool fits = entries && entries->size() == name.width;
    for (std::size_t i = 0; fits && i < entries->size(); ++i) fits = leaf_hash((*entries)[i]) == out.levels_[0][i];
    if (!fits) return fail(Errc::kCorrupt, "the entries are not those that the tree was made of", name.path());
    out.bundle_ = std::move(*bytes);
  }
  return out;
}

void TileEdge::push(unsigned level, const Hash& hash, std::vector<File>& full) {
  if (levels_.size() <= level) levels_.resize(level + 1);
  levels_[level].push_back(hash);
  if (levels_[level].size() < kTileWidth) return;
  const std::uint64_t index = hashes_at(level, size_) / kTileWidth - 1;
  full.push_back({{level, index, kTileWidth}, std::string(bytes_of(levels_[level]))});
  const Hash up = fold(levels_[level].data(), kTileWidth);
  levels_[level].clear();
  push(level + 1, up, full);
}

void TileEdge::append(std::string_view entry, std::vector<File>& full) {
  ++size_;
  append_to_bundle(bundle_, entry);
  if (size_ % kTileWidth == 0) {
    full.push_back({{std::nullopt, size_ / kTileWidth - 1, kTileWidth}, std::move(bundle_)});
    bundle_.clear();
  }
  push(0, leaf_hash(entry), full);
}

std::vector<TileEdge::File> TileEdge::partial() const {
  std::vector<File> out;
  if (size_ % kTileWidth != 0) out.push_back({{std::nullopt, size_ / kTileWidth, size_ % kTileWidth}, bundle_});
  for (unsigned level = 0; level < levels_.size(); ++level) {
    const std::uint64_t count = hashes_at(level, size_);
    if (count % kTileWidth == 0) continue;
    out.push_back({{level, count / kTileWidth, count % kTileWidth}, std::string(bytes_of(levels_[level]))});
  }
  return out;
}

Hash TileEdge::root() const {
  std::vector<Hash> peaks;
  for (std::size_t level = levels_.size(); level-- > 0;) {
    const std::vector<Hash>& hashes = levels_[level];
    std::size_t at = 0;
    for (std::size_t part = kTileWidth / 2; part > 0; part /= 2) {
      if ((hashes.size() & part) == 0) continue;
      peaks.push_back(fold(hashes.data() + at, part));
      at += part;
    }
  }
  const auto tree = Frontier::from(size_, std::move(peaks));
  assert(tree);
  return tree->root();
}

}  // namespace tocsin::storage
