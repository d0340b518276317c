// Tiles: their names, how many there are, and that a growing tree's files are those of the finished one.
#include "storage/ledger/tiles.hpp"

#include <map>

#include <gtest/gtest.h>

#include "storage/files/durable_file.hpp"
#include "tests/support/temporary_directory.hpp"

namespace tocsin::storage {
namespace {

TEST(TileName, writes_and_reads_the_names_of_the_specification) {
  const struct {
    TileName name;
    const char* path;
  } table[] = {
      {{0U, 0, 256}, "tile/0/000"},
      {{0U, 1234067, 256}, "tile/0/x001/x234/067"},
      {{3U, 999, 1}, "tile/3/999.p/1"},
      {{0U, 1000, 255}, "tile/0/x001/000.p/255"},
      {{std::nullopt, 67, 8}, "tile/entries/067.p/8"},
      {{63U, 0, 256}, "tile/63/000"},
  };
  for (const auto& row : table) {
    EXPECT_EQ(row.name.path(), row.path);
    EXPECT_EQ(TileName::parse(row.path), row.name) << row.path;
  }
}

TEST(TileName, has_no_second_spelling) {
  for (const char* bad :
       {"", "tile", "tile/0", "tile/0/", "tile/0/0", "tile/0/0000", "tile/00/000", "tile/64/000", "tile/0/x000/000",
        "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/08", "tile/0/000.p/", "tile/0/000.p/8/", "tile/0/001/000",
        "tile/0/x001/x000", "tile/entries/../000", "tile/0/+01", "tile/0/000/../../../etc/passwd", "/tile/0/000",
        "tile/data/000", "tile/0/x999/x999/x999/x999/x999/x999/x999/999"}) {
    EXPECT_FALSE(TileName::parse(bad)) << bad;
  }
}

std::map<std::pair<int, std::uint64_t>, std::uint64_t> widths(std::uint64_t size) {
  std::map<std::pair<int, std::uint64_t>, std::uint64_t> out;
  for (const TileName& name : tiles_of(size)) out[{name.level ? static_cast<int>(*name.level) : -1, name.index}] = name.width;
  return out;
}

TEST(Tiles, are_as_many_as_the_specification_counts) {
  // The examples of tlog-tiles: 70,000 entries and 256 entries.
  auto many = widths(70'000);
  EXPECT_EQ((many[{0, 272}]), 256U);
  EXPECT_EQ((many[{0, 273}]), 112U);
  EXPECT_EQ((many[{1, 0}]), 256U);
  EXPECT_EQ((many[{1, 1}]), 17U);
  EXPECT_EQ((many[{2, 0}]), 1U);
  EXPECT_EQ(many.size(), 274U + 274U + 2U + 1U);
  auto few = widths(256);
  EXPECT_EQ((few[{0, 0}]), 256U);
  EXPECT_EQ((few[{1, 0}]), 1U);
  EXPECT_TRUE(widths(0).empty());
}

TEST(Tiles, of_a_growing_tree_prove_every_state_of_it) {
  const TemporaryDirectory dir;
  TileEdge edge;
  std::vector<Hash> leaves;
  Frontier tree;
  const auto write = [&](const TileEdge::File& file) {
    std::filesystem::create_directories((dir.path() / file.name.path()).parent_path());
    spit(dir.path() / file.name.path(), file.bytes);
  };
  for (std::uint64_t size = 1; size <= 600; ++size) {
    const std::string entry = "entry " + std::to_string(size);
    std::vector<TileEdge::File> full;
    edge.append(entry, full);
    for (const auto& file : full) write(file);
    leaves.push_back(leaf_hash(entry));
    tree.append(leaves.back());
    ASSERT_EQ(edge.root(), tree.root()) << size;
    if (size % 37 != 0 && size % 256 > 2 && size != 600) continue;
    for (const auto& file : edge.partial()) write(file);
    const auto subtrees = subtrees_in(dir.path(), size);
    auto root = tree_root(size, subtrees);
    ASSERT_TRUE(root) << root.error().text();
    EXPECT_EQ(*root, tree.root());
    for (const std::uint64_t index : {std::uint64_t{0}, size / 2, size - 1}) {
      auto proof = inclusion_proof(index, size, subtrees);
      ASSERT_TRUE(proof);
      EXPECT_TRUE(verify_inclusion(leaves[index], index, size, *proof, tree.root()));
    }
    auto again = TileEdge::load(dir.path(), size);
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(again->root(), tree.root());
  }
}

TEST(Tiles, that_were_replaced_are_cut_from_the_wider_one) {
  const TemporaryDirectory dir;
  std::filesystem::create_directories(dir / "tile/entries/000.p");
  std::string bundle;
  for (const char* entry : {"one", "two", "three"}) append_to_bundle(bundle, entry);
  spit(dir / "tile/entries/000.p/3", bundle);
  auto two = read_tile(dir.path(), {std::nullopt, 0, 2});
  ASSERT_TRUE(two) << two.error().text();
  EXPECT_EQ(parse_bundle(*two)->size(), 2U);
  EXPECT_FALSE(read_tile(dir.path(), {std::nullopt, 0, 4}));
  EXPECT_FALSE(read_tile(dir.path(), {0U, 0, 1}));
}

}  // namespace
}  // namespace tocsin::storage
