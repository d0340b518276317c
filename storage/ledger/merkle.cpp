// RFC 6962 section 2.1, as written there: every tree of n > 1 leaves splits at the largest power of two below n.
#include "storage/ledger/merkle.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <optional>

namespace tocsin::storage {
namespace {

std::uint64_t split_of(std::uint64_t n) { return std::bit_floor(n - 1); }  // n > 1

// The root of the leaves begin … end − 1, where begin is a multiple of the largest complete subtree in it.
Result<Hash> range_root(std::uint64_t begin, std::uint64_t end, const SubtreeHash& subtree) {
  const std::uint64_t n = end - begin;
  if (std::has_single_bit(n)) return subtree(static_cast<unsigned>(std::countr_zero(n)), begin / n);
  const std::uint64_t k = split_of(n);
  auto left = range_root(begin, begin + k, subtree);
  if (!left) return left;
  auto right = range_root(begin + k, end, subtree);
  if (!right) return right;
  return node_hash(*left, *right);
}

Result<void> add(std::vector<Hash>& proof, std::uint64_t begin, std::uint64_t end, const SubtreeHash& subtree) {
  auto hash = range_root(begin, end, subtree);
  if (!hash) return pass(std::move(hash));
  proof.push_back(*hash);
  return {};
}

Result<void> path(std::uint64_t index, std::uint64_t begin, std::uint64_t end, const SubtreeHash& subtree,
                  std::vector<Hash>& proof) {
  const std::uint64_t n = end - begin;
  if (n == 1) return {};
  const std::uint64_t k = split_of(n);
  const bool left = index - begin < k;
  auto below = left ? path(index, begin, begin + k, subtree, proof) : path(index, begin + k, end, subtree, proof);
  if (!below) return below;
  return left ? add(proof, begin + k, end, subtree) : add(proof, begin, begin + k, subtree);
}

// RFC 6962's SUBPROOF; `known` is its b: the verifier has the root of the old tree already.
Result<void> subproof(std::uint64_t m, std::uint64_t begin, std::uint64_t end, bool known, const SubtreeHash& subtree,
                      std::vector<Hash>& proof) {
  const std::uint64_t n = end - begin;
  if (m == n) {
    if (known) return {};
    return add(proof, begin, end, subtree);
  }
  const std::uint64_t k = split_of(n);
  const bool left = m <= k;
  auto below = left ? subproof(m, begin, begin + k, known, subtree, proof)
                    : subproof(m - k, begin + k, end, false, subtree, proof);
  if (!below) return below;
  return left ? add(proof, begin + k, end, subtree) : add(proof, begin, begin + k, subtree);
}

}  // namespace

Hash leaf_hash(std::string_view entry) {
  std::string input;
  input.reserve(entry.size() + 1);
  input += '\x00';
  input += entry;
  return sha256(input);
}

Hash node_hash(const Hash& left, const Hash& right) {
  std::array<char, 1 + 2 * sizeof(Hash)> input{};
  input[0] = '\x01';
  std::copy(left.begin(), left.end(), input.begin() + 1);
  std::copy(right.begin(), right.end(), input.begin() + 1 + sizeof(Hash));
  return sha256({input.data(), input.size()});
}

Hash empty_root() { return sha256({}); }

std::optional<Frontier> Frontier::from(std::uint64_t size, std::vector<Hash> peaks) {
  if (peaks.size() != static_cast<std::size_t>(std::popcount(size))) return std::nullopt;
  Frontier out;
  out.size_ = size;
  out.peaks_ = std::move(peaks);
  return out;
}

void Frontier::append(const Hash& leaf) {
  Hash carry = leaf;
  // Like adding one in binary: each trailing 1 of the size is a complete subtree that pairs up.
  for (std::uint64_t rest = size_; (rest & 1) != 0; rest >>= 1) {
    carry = node_hash(peaks_.back(), carry);
    peaks_.pop_back();
  }
  peaks_.push_back(carry);
  ++size_;
}

Hash Frontier::root() const {
  if (peaks_.empty()) return empty_root();
  Hash out = peaks_.back();
  for (std::size_t i = peaks_.size() - 1; i-- > 0;) out = node_hash(peaks_[i], out);
  return out;
}

Result<Hash> tree_root(std::uint64_t size, const SubtreeHash& subtree) {
  if (size == 0) return empty_root();
  return range_root(0, size, subtree);
}

Result<std::vector<Hash>> inclusion_proof(std::uint64_t index, std::uint64_t size, const SubtreeHash& subtree) {
  if (index >= size) {
    return fail(Errc::kNotFound, "there is no entry " + std::to_string(index) + ": the record has " +
                                     std::to_string(size));
  }
  std::vector<Hash> proof;
  if (auto done = path(index, 0, size, subtree, proof); !done) return pass(std::move(done));
  return proof;
}

Result<std::vector<Hash>> consistency_proof(std::uint64_t old_size, std::uint64_t size, const SubtreeHash& subtree) {
  if (old_size > size) return fail(Errc::kInvalid, "the older tree is larger than the newer one");
  std::vector<Hash> proof;
  if (old_size == 0 || old_size == size) return proof;
  if (auto done = subproof(old_size, 0, size, true, subtree, proof); !done) return pass(std::move(done));
  return proof;
}

bool verify_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size, std::span<const Hash> proof,
                      const Hash& root) {
  if (index >= size) return false;
  // RFC 9162 section 2.1.3.2: fn walks up from the leaf, sn from the last one.
  std::uint64_t fn = index, sn = size - 1;
  Hash hash = leaf;
  for (const Hash& sibling : proof) {
    if (sn == 0) return false;  // too long
    if ((fn & 1) != 0 || fn == sn) {
      hash = node_hash(sibling, hash);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && hash == root;
}

bool verify_consistency(std::uint64_t old_size, std::uint64_t size, std::span<const Hash> proof, const Hash& old_root,
                        const Hash& root) {
  if (old_size > size) return false;
  if (old_size == size) return proof.empty() && old_root == root;
  if (old_size == 0) return proof.empty() && old_root == empty_root();
  // RFC 9162 section 2.1.4.2. A complete old tree is its own first node and is left out of the proof.
  std::size_t next = 0;
  const bool complete = std::has_single_bit(old_size);
  if (!complete && proof.empty()) return false;
  Hash first = complete ? old_root : proof[next++];
  Hash second = first;
  std::uint64_t fn = old_size - 1, sn = size - 1;
  while ((fn & 1) != 0) {
    fn >>= 1;
    sn >>= 1;
  }
  for (; next < proof.size(); ++next) {
    if (sn == 0) return false;  // too long
    const Hash& hash = proof[next];
    if ((fn & 1) != 0 || fn == sn) {
      first = node_hash(hash, first);
      second = node_hash(hash, second);
      while ((fn & 1) == 0 && fn != 0) {
        fn >>= 1;
        sn >>= 1;
      }
    } else {
      second = node_hash(second, hash);
    }
    fn >>= 1;
    sn >>= 1;
  }
  return sn == 0 && first == old_root && second == root;
}

SubtreeHash subtrees_of(const std::vector<Hash>& leaves) {
  return [&leaves](unsigned height, std::uint64_t index) -> Result<Hash> {
    const std::uint64_t width = std::uint64_t{1} << height;
    assert((index + 1) * width <= leaves.size());
    Frontier tree;
    for (std::uint64_t i = index * width; i < (index + 1) * width; ++i) tree.append(leaves[i]);
    return tree.root();
  };
}

}  // namespace tocsin::storage
