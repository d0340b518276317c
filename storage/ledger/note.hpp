// C2SP signed notes and checkpoints: a text, an empty line, signature lines. Ed25519 (type 0x01) is written and
// checked; lines of other keys are passed over, as the specification asks. https://c2sp.org/signed-note
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "storage/ledger/merkle.hpp"

namespace tocsin::storage {

constexpr std::uint8_t kNoteEd25519 = 0x01;
constexpr std::size_t kMaxNoteBytes = 1 << 20;
constexpr std::size_t kMaxNoteSignatures = 64;

// "name+hex8(key id)+base64(type || public key)": the public half, to be handed out.
struct VerifierKey {
  std::string name;
  std::uint32_t id = 0;
  std::array<std::uint8_t, 32> key{};

  [[nodiscard]] static Result<VerifierKey> parse(std::string_view vkey);
  [[nodiscard]] std::string text() const;
};

// The id of a key: the first four bytes of SHA-256(name || 0x0A || type || public key), big-endian.
[[nodiscard]] std::uint32_t note_key_id(std::string_view name, std::uint8_t type, std::string_view public_key);

// Signs; holds the secret in guarded memory. Thread-safe.
class Signer {
 public:
  // Error kInvalid for a name that a note cannot carry (empty, blank, '+').
  [[nodiscard]] static Result<Signer> from_seed(std::string_view name, const std::uint8_t* seed32);
  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;
  ~Signer();

  [[nodiscard]] const VerifierKey& verifier() const noexcept { return verifier_; }
  // The whole note for `text`, which MUST be a valid note text (UTF-8, no control but newline, newline at the end).
  [[nodiscard]] std::string sign(std::string_view text) const;

 private:
  Signer() = default;
  VerifierKey verifier_;
  std::uint8_t* secret_ = nullptr;  // 64 bytes
};

// The text of `note` if the signature of `key` on it is there and right. Errors: kCorrupt, saying what is wrong.
[[nodiscard]] Result<std::string> open_note(std::string_view note, const VerifierKey& key);

// The text of a note without any check of signatures (to show what an unknown key signed). Error kCorrupt.
[[nodiscard]] Result<std::string> note_text(std::string_view note);

// What a log states: "of this name, with so many entries, this is the root".
struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Hash root{};

  [[nodiscard]] std::string text() const;
  // Strict: origin, size without leading zero, canonical base64 of 32 bytes; extension lines are accepted and
  // ignored. Error kCorrupt.
  [[nodiscard]] static Result<Checkpoint> parse(std::string_view text);
};

}  // namespace tocsin::storage
