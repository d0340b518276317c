// The tree as files: C2SP tlog-tiles. A tile holds up to 256 hashes of one level (8 tree levels apart), a bundle
// the entries of one level-0 tile; an unfinished one carries its width in its name.
//
//   tile/0/x001/067        256 hashes        tile/0/x001/067.p/8        8 hashes
//   tile/entries/x001/067  256 entries       tile/entries/x001/067.p/8  8 entries
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "storage/ledger/merkle.hpp"

namespace tocsin::storage {

constexpr std::uint64_t kTileWidth = 256;
constexpr unsigned kTileHeight = 8;  // 2^8 = 256
constexpr unsigned kMaxTileLevel = 63;
constexpr std::uint64_t kMaxBundleBytes = kTileWidth * (2 + 65'535);

struct TileName {
  std::optional<unsigned> level;  // nullopt: a bundle of entries
  std::uint64_t index = 0;
  std::uint64_t width = kTileWidth;  // 1 … 256; 256 = full

  [[nodiscard]] std::string path() const;  // relative to the ledger's directory
  [[nodiscard]] bool full() const noexcept { return width == kTileWidth; }
  // The one name that path() would write; nullopt for any other text.
  [[nodiscard]] static std::optional<TileName> parse(std::string_view path);

  friend bool operator==(const TileName&, const TileName&) = default;
};

// How many hashes level `level` has in a tree of `size` leaves (all tiles together).
[[nodiscard]] constexpr std::uint64_t hashes_at(unsigned level, std::uint64_t size) noexcept {
  return level * kTileHeight >= 64 ? 0 : size >> (level * kTileHeight);
}

// The tiles (and bundles) that a tree of `size` leaves consists of, in order of level and index.
[[nodiscard]] std::vector<TileName> tiles_of(std::uint64_t size);

// The root of up to 256 hashes that are the leaves of a complete subtree (their number is a power of two).
[[nodiscard]] Hash fold(const Hash* hashes, std::size_t count);

// A bundle's entries, as views into `bytes`. Error kCorrupt, its `where` being the offset.
[[nodiscard]] Result<std::vector<std::string_view>> parse_bundle(std::string_view bytes);
void append_to_bundle(std::string& bundle, std::string_view entry);

// Hashes of a tile's bytes; nullopt if they are not a whole number of hashes.
[[nodiscard]] std::optional<std::vector<Hash>> parse_tile(std::string_view bytes);

// The bytes of `name`, cut from the full tile or from a wider partial one if it was replaced by that.
[[nodiscard]] Result<std::string> read_tile(const std::filesystem::path& dir, const TileName& name);

// Complete subtrees of the tree of `size` leaves whose tiles are in `dir`.
[[nodiscard]] SubtreeHash subtrees_in(const std::filesystem::path& dir, std::uint64_t size);

// The growing right edge of the tree: what has to be written when entries are added.
class TileEdge {
 public:
  struct File {
    TileName name;
    std::string bytes;
  };

  TileEdge() = default;
  // The edge of a tree of `size` leaves from its files; kCorrupt if they do not fit each other.
  [[nodiscard]] static Result<TileEdge> load(const std::filesystem::path& dir, std::uint64_t size);

  // Adds an entry; appends to `full` the tiles and bundles that it completes.
  void append(std::string_view entry, std::vector<File>& full);
  // The unfinished tiles and bundle as they stand.
  [[nodiscard]] std::vector<File> partial() const;

  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] Hash root() const;

 private:
  void push(unsigned level, const Hash& hash, std::vector<File>& full);
  std::uint64_t size_ = 0;
  std::vector<std::vector<Hash>> levels_;  // the hashes of the unfinished tile of each level
  std::string bundle_;                     // the unfinished bundle
};

}  // namespace tocsin::storage
