// The keys that stay apart from the data: one root key in a file of its own, everything else derived from it.
//
//   DIR/root.key   32 random bytes, mode 0600. Losing it makes the vault unreadable; copying it makes it readable.
//
// Each use has its own subkey (libsodium's crypto_kdf), so that what leaks from one use says nothing about
// another. Nothing here is ever printed; a key in memory lies in guarded pages and is wiped when it goes.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "rules/base/result.hpp"

namespace tocsin::storage {

// Who a person is, outside the vault: keyed BLAKE2b-128 of dataset and id. Sixteen raw bytes; hex for display.
struct Pseudonym {
  static constexpr std::size_t kBytes = 16;
  std::array<std::uint8_t, kBytes> bytes{};

  [[nodiscard]] std::string_view view() const noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  [[nodiscard]] std::string hex() const;
  // From its 16 raw bytes (as stored in a BLOB), or from 32 hex digits; nullopt for anything else.
  [[nodiscard]] static std::optional<Pseudonym> from_bytes(std::string_view raw) noexcept;
  [[nodiscard]] static std::optional<Pseudonym> from_hex(std::string_view hex);

  friend auto operator<=>(const Pseudonym&, const Pseudonym&) = default;
};

// 32 secret bytes in memory that is locked, guarded and wiped (sodium_malloc). Cannot be copied, printed or
// compared by accident.
class SecretKey {
 public:
  static constexpr std::size_t kBytes = 32;
  SecretKey();  // all zero
  ~SecretKey();
  SecretKey(SecretKey&& other) noexcept;
  SecretKey& operator=(SecretKey&& other) noexcept;
  SecretKey(const SecretKey&) = delete;
  SecretKey& operator=(const SecretKey&) = delete;

  [[nodiscard]] static SecretKey random();
  [[nodiscard]] std::uint8_t* data() noexcept { return bytes_; }
  [[nodiscard]] const std::uint8_t* data() const noexcept { return bytes_; }

 private:
  std::uint8_t* bytes_;
};

// Reads a secret of exactly 32 bytes from a file of mode 0600, or makes it (random, synced, never overwritten)
// if it is absent and `create`. Errors: kNotFound, kForbidden (others may read it), kCorrupt (wrong length), kIo.
[[nodiscard]] Result<SecretKey> secret_file(const std::filesystem::path& file, bool create);

// The root key and what is derived from it. Immutable after opening: all functions are thread-safe.
class Keys {
 public:
  // The keys in `dir`, made on the first start (the directory too, mode 0700).
  [[nodiscard]] static Result<std::shared_ptr<const Keys>> open_or_create(const std::filesystem::path& dir);
  // Only if they exist: for commands that read. Error kNotFound.
  [[nodiscard]] static Result<std::shared_ptr<const Keys>> open(const std::filesystem::path& dir);
  ~Keys();

  [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }

  // The pseudonym of `id` in `dataset`. The same pair gives the same bytes as long as the root key lives.
  [[nodiscard]] Pseudonym pseudonym(std::string_view dataset, std::string_view id) const;

  // Keyed BLAKE2b-128 of a found secret, so that "seen again" can be told without keeping it. Raw 16 bytes.
  [[nodiscard]] std::string fingerprint(std::string_view secret) const;

  // Keyed BLAKE2b-256 of `bytes` for one purpose ("portal code", "session"): MACs of different purposes
  // never agree. Raw 32 bytes; compare with equal_in_constant_time.
  [[nodiscard]] std::string mac(std::string_view purpose, std::string_view bytes) const;

  // The 16-byte id by which the journal recognises an event: keyed BLAKE2b-128 of source and foreign id.
  [[nodiscard]] std::array<std::uint8_t, 16> event_id(std::string_view source, std::string_view foreign_id) const;

  // `plain` so that only this root key reads it again, for one purpose: what is kept beside the vault and may hold
  // texts of others (XChaCha20-Poly1305; nonce, ciphertext, tag). unseal: kCorrupt if a bit differs.
  [[nodiscard]] std::string seal(std::string_view purpose, std::string_view plain) const;
  [[nodiscard]] Result<std::string> unseal(std::string_view purpose, std::string_view sealed) const;

  // The key that wraps the vault's key-encryption keys. For storage/vault only.
  [[nodiscard]] const SecretKey& vault_wrapping_key() const noexcept;

 private:
  struct Impl;
  Keys(std::filesystem::path dir, std::unique_ptr<Impl> impl);
  static Result<std::shared_ptr<const Keys>> open_in(const std::filesystem::path& dir, bool create);
  std::filesystem::path directory_;
  std::unique_ptr<Impl> impl_;
};

// True if both are equal; takes the same time whether they are or not (but shows a difference in length).
[[nodiscard]] bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

// `count` random bytes from the system, raw: for codes and tokens.
[[nodiscard]] std::string random_bytes(std::size_t count);

}  // namespace tocsin::storage
