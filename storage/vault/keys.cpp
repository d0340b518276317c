// One root key in a file, subkeys by crypto_kdf, keyed BLAKE2b for everything that must be recognised again.
#include "storage/vault/keys.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "rules/base/bytes.hpp"
#include "storage/files/durable_file.hpp"

namespace tocsin::storage {
namespace {

static_assert(SecretKey::kBytes == crypto_kdf_KEYBYTES);
static_assert(SecretKey::kBytes == crypto_generichash_KEYBYTES);
static_assert(SecretKey::kBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;

void start_sodium() {
  // A program that cannot get randomness must not go on; there is nobody to return this error to.
  static const bool started = [] {
    if (sodium_init() < 0) {
      std::fputs("tocsin: libsodium cannot start (no source of randomness?)\n", stderr);
      std::abort();
    }
    return true;
  }();
  static_cast<void>(started);
}

// BLAKE2b over length-prefixed parts, so that ("ab", "c") and ("a", "bc") differ.
class KeyedHash {
 public:
  KeyedHash(const SecretKey& key, std::size_t size) : size_(size) {
    crypto_generichash_init(&state_, key.data(), SecretKey::kBytes, size);
  }
  KeyedHash& part(std::string_view bytes) {
    std::array<unsigned char, 8> length{};
    for (std::size_t i = 0; i < length.size(); ++i) length[i] = static_cast<unsigned char>(bytes.size() >> (8 * i));
    crypto_generichash_update(&state_, length.data(), length.size());
    crypto_generichash_update(&state_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    return *this;
  }
  void final(std::uint8_t* out) { crypto_generichash_final(&state_, out, size_); }

 private:
  crypto_generichash_state state_;
  std::size_t size_;
};

}  // namespace

std::string Pseudonym::hex() const { return to_hex(view()); }

std::optional<Pseudonym> Pseudonym::from_bytes(std::string_view raw) noexcept {
  if (raw.size() != kBytes) return std::nullopt;
  Pseudonym out;
  std::memcpy(out.bytes.data(), raw.data(), kBytes);
  return out;
}

std::optional<Pseudonym> Pseudonym::from_hex(std::string_view hex) {
  const auto raw = tocsin::from_hex(hex);
  if (!raw) return std::nullopt;
  return from_bytes(*raw);
}

SecretKey::SecretKey() {
  start_sodium();
  bytes_ = static_cast<std::uint8_t*>(sodium_malloc(kBytes));
  if (bytes_ == nullptr) {
    std::fputs("tocsin: no memory for a key\n", stderr);
    std::abort();
  }
  sodium_memzero(bytes_, kBytes);
}
SecretKey::~SecretKey() { sodium_free(bytes_); }
SecretKey::SecretKey(SecretKey&& other) noexcept : bytes_(std::exchange(other.bytes_, nullptr)) {}
SecretKey& SecretKey::operator=(SecretKey&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}
SecretKey SecretKey::random() {
  SecretKey out;
  randombytes_buf(out.data(), kBytes);
  return out;
}

Result<SecretKey> secret_file(const std::filesystem::path& file, bool create) {
  start_sodium();
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) {
    if (errno != ENOENT || !create) return system_failure(errno, "read key", file);
    // Written under another name and then linked, which never replaces a key that is already there.
    SecretKey fresh = SecretKey::random();
    const std::filesystem::path temporary = file.string() + ".new";
    ::unlink(temporary.c_str());
    auto written = write_durably(
        temporary, {reinterpret_cast<const char*>(fresh.data()), SecretKey::kBytes}, 0600, false);
    if (!written) return pass(std::move(written));
    const int linked = ::link(temporary.c_str(), file.c_str());
    const int number = errno;
    ::unlink(temporary.c_str());
    if (linked != 0 && number != EEXIST) return system_failure(number, "create key", file);
    if (auto synced = sync_directory(file.parent_path()); !synced) return pass(std::move(synced));
    if (::stat(file.c_str(), &info) != 0) return system_failure(errno, "read key", file);
  }
  if ((info.st_mode & 077) != 0) {
    return fail(Errc::kForbidden, "other users can read this key", file.string(), "chmod 600 " + file.string());
  }
  auto bytes = read_whole(file, 4096);
  if (!bytes) return pass(std::move(bytes));
  SecretKey out;
  const bool right = bytes->size() == SecretKey::kBytes;
  if (right) std::memcpy(out.data(), bytes->data(), SecretKey::kBytes);
  sodium_memzero(bytes->data(), bytes->size());
  if (!right) {
    return fail(Errc::kCorrupt, "a key has 32 bytes, this file has " + std::to_string(bytes->size()), file.string(),
                "restore the file from the place where you keep its copy");
  }
  return out;
}

struct Keys::Impl {
  SecretKey pseudonym;
  SecretKey fingerprint;
  SecretKey mac;
  SecretKey event;
  SecretKey vault;
  SecretKey seal;
};

Keys::Keys(std::filesystem::path dir, std::unique_ptr<Impl> impl)
    : directory_(std::move(dir)), impl_(std::move(impl)) {}
Keys::~Keys() = default;

Result<std::shared_ptr<const Keys>> Keys::open_in(const std::filesystem::path& dir, bool create) {
  start_sodium();
  if (create) {
    if (auto made = make_directories(dir); !made) return pass(std::move(made));
    if (::chmod(dir.c_str(), 0700) != 0) return system_failure(errno, "protect directory", dir);
  }
  auto root = secret_file(dir / "root.key", create);
  if (!root) return pass(std::move(root));
  auto impl = std::make_unique<Impl>();
  // The eight characters are part of the format: another name, another key.
  const auto derive = [&](const char* context, SecretKey& out) {
    crypto_kdf_derive_from_key(out.data(), SecretKey::kBytes, 1, context, root->data());
  };
  derive("tocpseud", impl->pseudonym);
  derive("tocfingr", impl->fingerprint);
  derive("tocmacpu", impl->mac);
  derive("tocevent", impl->event);
  derive("tocvault", impl->vault);
  derive("tocseals", impl->seal);
  return std::shared_ptr<const Keys>(new Keys(dir, std::move(impl)));
}

Result<std::shared_ptr<const Keys>> Keys::open_or_create(const std::filesystem::path& dir) {
  return open_in(dir, true);
}
Result<std::shared_ptr<const Keys>> Keys::open(const std::filesystem::path& dir) { return open_in(dir, false); }

Pseudonym Keys::pseudonym(std::string_view dataset, std::string_view id) const {
  Pseudonym out;
  KeyedHash(impl_->pseudonym, Pseudonym::kBytes).part(dataset).part(id).final(out.bytes.data());
  return out;
}

std::string Keys::fingerprint(std::string_view secret) const {
  std::string out(16, '\0');
  KeyedHash(impl_->fingerprint, out.size()).part(secret).final(reinterpret_cast<std::uint8_t*>(out.data()));
  return out;
}

std::string Keys::mac(std::string_view purpose, std::string_view bytes) const {
  std::string out(32, '\0');
  KeyedHash(impl_->mac, out.size()).part(purpose).part(bytes).final(reinterpret_cast<std::uint8_t*>(out.data()));
  return out;
}

std::array<std::uint8_t, 16> Keys::event_id(std::string_view source, std::string_view foreign_id) const {
  std::array<std::uint8_t, 16> out{};
  KeyedHash(impl_->event, out.size()).part(source).part(foreign_id).final(out.data());
  return out;
}

std::string Keys::seal(std::string_view purpose, std::string_view plain) const {
  std::string out(kNonce + plain.size() + kTag, '\0');
  auto* bytes = reinterpret_cast<std::uint8_t*>(out.data());
  randombytes_buf(bytes, kNonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + kNonce, nullptr, reinterpret_cast<const std::uint8_t*>(plain.data()), plain.size(),
                                             reinterpret_cast<const std::uint8_t*>(purpose.data()), purpose.size(), nullptr, bytes, impl_->seal.data());
  return out;
}

Result<std::string> Keys::unseal(std::string_view purpose, std::string_view sealed) const {
  const auto wrong = [] { return fail(Errc::kCorrupt, "sealed bytes were changed, or belong to another key"); };
  if (sealed.size() < kNonce + kTag) return wrong();
  std::string out(sealed.size() - kNonce - kTag, '\0');
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(sealed.data());
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(reinterpret_cast<std::uint8_t*>(out.data()), nullptr, nullptr, bytes + kNonce, sealed.size() - kNonce,
                                                 reinterpret_cast<const std::uint8_t*>(purpose.data()), purpose.size(), bytes, impl_->seal.data()) != 0) {
    return wrong();
  }
  return out;
}

const SecretKey& Keys::vault_wrapping_key() const noexcept { return impl_->vault; }

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_bytes(std::size_t count) {
  start_sodium();
  std::string out(count, '\0');
  randombytes_buf(out.data(), out.size());
  return out;
}

}  // namespace tocsin::storage
