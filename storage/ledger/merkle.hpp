// The Merkle tree of RFC 6962 section 2.1 (unchanged in RFC 9162): hashing, growing, proofs and their checks.
// Pure functions and values; no file, no lock.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/bytes.hpp"
#include "rules/base/result.hpp"

namespace tocsin::storage {

using Hash = Sha256;

[[nodiscard]] Hash leaf_hash(std::string_view entry);                 // SHA-256(0x00 || entry)
[[nodiscard]] Hash node_hash(const Hash& left, const Hash& right);    // SHA-256(0x01 || left || right)
[[nodiscard]] Hash empty_root();                                      // SHA-256 of nothing

// A tree that only grows, kept as the roots of its complete subtrees, largest first (one per bit of the size).
class Frontier {
 public:
  Frontier() = default;
  // From its parts; nullopt unless there is one root per set bit of `size`.
  [[nodiscard]] static std::optional<Frontier> from(std::uint64_t size, std::vector<Hash> peaks);

  void append(const Hash& leaf);
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  [[nodiscard]] Hash root() const;
  [[nodiscard]] const std::vector<Hash>& peaks() const noexcept { return peaks_; }

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> peaks_;
};

// The root of a complete subtree of 2^height leaves, the `index`-th of that height.
using SubtreeHash = std::function<Result<Hash>(unsigned height, std::uint64_t index)>;

// The root of the first `size` leaves, and RFC 6962's proofs, by asking for complete subtrees only.
[[nodiscard]] Result<Hash> tree_root(std::uint64_t size, const SubtreeHash& subtree);
[[nodiscard]] Result<std::vector<Hash>> inclusion_proof(std::uint64_t index, std::uint64_t size,
                                                        const SubtreeHash& subtree);
[[nodiscard]] Result<std::vector<Hash>> consistency_proof(std::uint64_t old_size, std::uint64_t size,
                                                          const SubtreeHash& subtree);

// Checks; both use every hash of the proof and accept no other length than the right one.
[[nodiscard]] bool verify_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                                    std::span<const Hash> proof, const Hash& root);
[[nodiscard]] bool verify_consistency(std::uint64_t old_size, std::uint64_t size, std::span<const Hash> proof,
                                      const Hash& old_root, const Hash& root);

// Complete subtrees out of a list of leaf hashes: for tests and for whoever holds all leaves.
[[nodiscard]] SubtreeHash subtrees_of(const std::vector<Hash>& leaves);

}  // namespace tocsin::storage
