// The tree against RFC 6962's public known answers, and every proof against every way of spoiling it.
#include "storage/ledger/merkle.hpp"

#include <gtest/gtest.h>

namespace tocsin::storage {
namespace {

const char* const kLeaves[] = {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                               "606162636465666768696a6b6c6d6e6f"};

std::vector<Hash> known_leaves() {
  std::vector<Hash> out;
  for (const char* hex : kLeaves) out.push_back(leaf_hash(*from_hex(hex)));
  return out;
}

std::vector<Hash> some_leaves(std::size_t count) {
  std::vector<Hash> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(leaf_hash("entry " + std::to_string(i)));
  return out;
}

Hash root_of(const std::vector<Hash>& leaves, std::size_t count) {
  Frontier tree;
  for (std::size_t i = 0; i < count; ++i) tree.append(leaves[i]);
  return tree.root();
}

TEST(Merkle, gives_the_known_roots) {
  const struct {
    std::size_t leaves;
    const char* root;
  } table[] = {
      {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
      {2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
      {3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
      {4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
      {5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
      {7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
      {8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
  };
  const auto leaves = known_leaves();
  for (const auto& row : table) {
    EXPECT_EQ(to_hex(root_of(leaves, row.leaves)), row.root) << row.leaves;
    auto asked = tree_root(row.leaves, subtrees_of(leaves));
    ASSERT_TRUE(asked);
    EXPECT_EQ(to_hex(*asked), row.root) << row.leaves;
  }
}

TEST(Merkle, proves_every_leaf_of_every_small_tree) {
  const auto leaves = some_leaves(40);
  for (std::uint64_t size = 1; size <= leaves.size(); ++size) {
    const Hash root = root_of(leaves, size);
    for (std::uint64_t index = 0; index < size; ++index) {
      auto proof = inclusion_proof(index, size, subtrees_of(leaves));
      ASSERT_TRUE(proof);
      EXPECT_TRUE(verify_inclusion(leaves[index], index, size, *proof, root)) << index << " of " << size;
    }
  }
}

TEST(Merkle, proves_that_every_small_tree_grew_from_every_smaller_one) {
  const auto leaves = some_leaves(40);
  for (std::uint64_t size = 0; size <= leaves.size(); ++size) {
    for (std::uint64_t old = 0; old <= size; ++old) {
      auto proof = consistency_proof(old, size, subtrees_of(leaves));
      ASSERT_TRUE(proof);
      EXPECT_TRUE(verify_consistency(old, size, *proof, root_of(leaves, old), root_of(leaves, size))) << old << " → " << size;
    }
  }
}

// The proofs that an attacker could offer instead of the right one. Each function spoils a valid proof.
struct Spoiled {
  std::string name;
  std::vector<Hash> proof;
};
std::vector<Spoiled> spoil(const std::vector<Hash>& good) {
  std::vector<Spoiled> out;
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (std::size_t bit = 0; bit < 256; bit += 37) {
      auto flipped = good;
      flipped[i][bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
      out.push_back({"flipped-bit", flipped});
    }
    auto dropped = good;
    dropped.erase(dropped.begin() + static_cast<std::ptrdiff_t>(i));
    out.push_back({"dropped-hash", dropped});
    auto repeated = good;
    repeated.insert(repeated.begin() + static_cast<std::ptrdiff_t>(i), good[i]);
    out.push_back({"repeated-hash", repeated});
    if (i + 1 < good.size()) {
      auto swapped = good;
      std::swap(swapped[i], swapped[i + 1]);
      out.push_back({"swapped-hashes", swapped});
    }
  }
  auto longer = good;
  longer.push_back(Hash{});
  out.push_back({"added-hash", longer});
  longer.back() = empty_root();
  out.push_back({"added-empty-root", longer});
  if (!good.empty()) out.push_back({"empty-proof", {}});
  return out;
}

TEST(Merkle, refuses_forged_inclusion) {
  const auto leaves = some_leaves(23);
  for (const std::uint64_t size : std::initializer_list<std::uint64_t>{1, 2, 3, 7, 8, 13, 23}) {
    const Hash root = root_of(leaves, size);
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto proof = *inclusion_proof(index, size, subtrees_of(leaves));
      for (const Spoiled& bad : spoil(proof)) {
        EXPECT_FALSE(verify_inclusion(leaves[index], index, size, bad.proof, root)) << bad.name;
      }
      EXPECT_FALSE(verify_inclusion(leaf_hash("other"), index, size, proof, root)) << "other-leaf";
      EXPECT_FALSE(verify_inclusion(leaves[index], index, size, proof, leaf_hash("other"))) << "other-root";
      EXPECT_FALSE(verify_inclusion(leaves[index], size, size, proof, root)) << "index-beyond-size";
      for (std::uint64_t other = 0; other < size; ++other) {
        if (other != index) {
          EXPECT_FALSE(verify_inclusion(leaves[index], other, size, proof, root)) << "wrong-index";
        }
      }
      // A node of the tree passed off as a leaf: the two are hashed with different first bytes.
      if (!proof.empty()) {
        EXPECT_FALSE(verify_inclusion(node_hash(leaves[index], proof[0]), index, size, proof, root)) << "node-as-leaf";
      }
    }
  }
}

TEST(Merkle, refuses_forged_consistency) {
  const auto leaves = some_leaves(23);
  for (const std::uint64_t size : std::initializer_list<std::uint64_t>{2, 3, 7, 8, 13, 23}) {
    const Hash root = root_of(leaves, size);
    for (std::uint64_t old = 1; old < size; ++old) {
      const Hash old_root = root_of(leaves, old);
      const auto proof = *consistency_proof(old, size, subtrees_of(leaves));
      for (const Spoiled& bad : spoil(proof)) {
        EXPECT_FALSE(verify_consistency(old, size, bad.proof, old_root, root)) << bad.name << old << "/" << size;
      }
      EXPECT_FALSE(verify_consistency(old, size, proof, root, old_root)) << "swapped-roots";
      EXPECT_FALSE(verify_consistency(size, old, proof, root, old_root)) << "swapped-sizes";
      EXPECT_FALSE(verify_consistency(old, size, proof, leaf_hash("x"), root)) << "rewritten-history";
      EXPECT_FALSE(verify_consistency(old, size, proof, old_root, leaf_hash("x"))) << "other-root";
      EXPECT_FALSE(verify_consistency(0, size, proof, old_root, root) && !proof.empty()) << "proof-from-nothing";
    }
  }
  EXPECT_FALSE(verify_consistency(3, 3, {}, leaf_hash("a"), leaf_hash("b"))) << "split-view";
}

TEST(Merkle, takes_up_a_tree_from_its_stored_parts) {
  const auto leaves = some_leaves(100);
  Frontier whole;
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    auto again = Frontier::from(whole.size(), whole.peaks());
    ASSERT_TRUE(again);
    again->append(leaves[i]);
    whole.append(leaves[i]);
    EXPECT_EQ(again->root(), whole.root());
  }
  EXPECT_FALSE(Frontier::from(3, whole.peaks()));
  EXPECT_FALSE(Frontier::from(1, {}));
}

}  // namespace
}  // namespace tocsin::storage
