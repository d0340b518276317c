// Signed notes (C2SP signed-note v1.0.0) and checkpoints (tlog-checkpoint v1.0.0).
#include "storage/ledger/note.hpp"

#include <sodium.h>

#include <array>
#include <cassert>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "rules/base/text.hpp"

namespace tocsin::storage {
namespace {

constexpr std::string_view kDash = "\xe2\x80\x94 ";  // U+2014 and a blank
static_assert(crypto_sign_PUBLICKEYBYTES == 32 && crypto_sign_SEEDBYTES == 32);

// Unicode's White_Space property, in UTF-8.
constexpr std::string_view kSpaces[] = {
    "\x09", "\x0a", "\x0b", "\x0c", "\x0d", "\x20", "\xc2\x85", "\xc2\xa0", "\xe1\x9a\x80", "\xe2\x80\x80",
    "\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83", "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87",
    "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f",
    "\xe3\x80\x80"};

bool is_name(std::string_view name) {
  if (name.empty() || name.find('+') != std::string_view::npos || !is_utf8(name)) return false;
  for (const std::string_view space : kSpaces) {
    if (name.find(space) != std::string_view::npos) return false;
  }
  return true;
}

bool is_text(std::string_view text) {
  if (text.empty() || text.back() != '\n' || !is_utf8(text)) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') return false;
  }
  return true;
}

// base64 that is the only way to write its bytes: otherwise a flipped spare bit would go unseen.
std::optional<std::string> canonical_base64(std::string_view text) {
  auto bytes = from_base64(text);
  if (!bytes || to_base64(*bytes) != text) return std::nullopt;
  return bytes;
}

std::string be32(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16 & 0xff), static_cast<char>(value >> 8 & 0xff),
          static_cast<char>(value & 0xff)};
}

tl::unexpected<Error> bad(std::string why) { return fail(Errc::kCorrupt, std::move(why)); }

struct Parts {
  std::string_view text;
  std::string_view signatures;
};

Result<Parts> parts_of(std::string_view note) {
  if (note.size() > kMaxNoteBytes) return bad("the note is larger than " + std::to_string(kMaxNoteBytes) + " bytes");
  const std::size_t at = note.rfind("\n\n");
  if (at == std::string_view::npos) return bad("the note has no empty line between text and signatures");
  const Parts parts{note.substr(0, at + 1), note.substr(at + 2)};
  if (!is_text(parts.text)) return bad("the note's text has bytes that a note may not have");
  if (parts.signatures.empty() || parts.signatures.back() != '\n') return bad("the note's last line is cut");
  return parts;
}

}  // namespace

std::uint32_t note_key_id(std::string_view name, std::uint8_t type, std::string_view public_key) {
  std::string input(name);
  input += '\n';
  input += static_cast<char>(type);
  input += public_key;
  const Sha256 hash = sha256(input);
  return std::uint32_t{hash[0]} << 24 | std::uint32_t{hash[1]} << 16 | std::uint32_t{hash[2]} << 8 | hash[3];
}

std::string VerifierKey::text() const {
  std::string material(1, static_cast<char>(kNoteEd25519));
  material += bytes_of(key);
  return name + "+" + to_hex(be32(id)) + "+" + to_base64(material);
}

Result<VerifierKey> VerifierKey::parse(std::string_view vkey) {
  const auto wrong = [](const char* why) {
    return fail(Errc::kInvalid, std::string("not a verifier key: ") + why, {}, "expected NAME+HEX8+BASE64");
  };
  const std::size_t first = vkey.find('+');
  if (first == std::string_view::npos) return wrong("no '+'");
  const std::size_t second = vkey.find('+', first + 1);
  if (second == std::string_view::npos) return wrong("only one '+'");
  VerifierKey out;
  out.name = vkey.substr(0, first);
  if (!is_name(out.name)) return wrong("the name is empty or has a blank");
  const std::string_view hex = vkey.substr(first + 1, second - first - 1);
  const auto id = from_hex(hex);
  if (!id || id->size() != 4 || to_lower(hex) != hex) return wrong("the key id is not eight lower-case hex digits");
  for (const char c : *id) out.id = out.id << 8 | static_cast<unsigned char>(c);
  const auto material = canonical_base64(vkey.substr(second + 1));
  if (!material || material->empty()) return wrong("the key is not base64");
  if (static_cast<std::uint8_t>((*material)[0]) != kNoteEd25519 || material->size() != 33) {
    return fail(Errc::kUnsupported, "this verifier key is not an Ed25519 key");
  }
  std::memcpy(out.key.data(), material->data() + 1, out.key.size());
  if (note_key_id(out.name, kNoteEd25519, bytes_of(out.key)) != out.id) return wrong("its id is not that of its key");
  return out;
}

Result<Signer> Signer::from_seed(std::string_view name, const std::uint8_t* seed32) {
  if (!is_name(name)) {
    return fail(Errc::kInvalid, "a log's name may not be empty and may not have a blank or '+': '" +
                                    printable(name, 100) + "'", {}, "use a name like example.org/tocsin");
  }
  if (sodium_init() < 0) return fail(Errc::kInternal, "libsodium cannot start");
  Signer out;
  out.secret_ = static_cast<std::uint8_t*>(sodium_malloc(crypto_sign_SECRETKEYBYTES));
  if (out.secret_ == nullptr) return fail(Errc::kInternal, "no memory for a key");
  crypto_sign_seed_keypair(out.verifier_.key.data(), out.secret_, seed32);
  out.verifier_.name = name;
  out.verifier_.id = note_key_id(name, kNoteEd25519, bytes_of(out.verifier_.key));
  return out;
}

Signer::Signer(Signer&& other) noexcept
    : verifier_(std::move(other.verifier_)), secret_(std::exchange(other.secret_, nullptr)) {}
Signer& Signer::operator=(Signer&& other) noexcept {
  std::swap(verifier_, other.verifier_);
  std::swap(secret_, other.secret_);
  return *this;
}
Signer::~Signer() {
  if (secret_ != nullptr) sodium_free(secret_);
}

std::string Signer::sign(std::string_view text) const {
  assert(is_text(text));
  std::array<std::uint8_t, crypto_sign_BYTES> signature{};
  crypto_sign_detached(signature.data(), nullptr, reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                       secret_);
  std::string out(text);
  out += '\n';
  out += kDash;
  out += verifier_.name;
  out += ' ';
  out += to_base64(be32(verifier_.id) + std::string(bytes_of(signature)));
  out += '\n';
  return out;
}

Result<std::string> note_text(std::string_view note) {
  auto parts = parts_of(note);
  if (!parts) return pass(std::move(parts));
  return std::string(parts->text);
}

Result<std::string> open_note(std::string_view note, const VerifierKey& key) {
  auto parts = parts_of(note);
  if (!parts) return pass(std::move(parts));
  if (sodium_init() < 0) return fail(Errc::kInternal, "libsodium cannot start");
  bool verified = false;
  std::size_t count = 0;
  std::string_view rest = parts->signatures;
  while (!rest.empty()) {
    if (++count > kMaxNoteSignatures) return bad("the note has too many signatures");
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (!line.starts_with(kDash)) return bad("a signature line does not begin with a dash");
    line.remove_prefix(kDash.size());
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos) return bad("a signature line has no signature");
    const std::string_view name = line.substr(0, blank);
    const auto bytes = canonical_base64(line.substr(blank + 1));
    if (!is_name(name) || !bytes || bytes->size() < 5) return bad("a signature line is not well formed");
    if (name != key.name || std::string_view(*bytes).substr(0, 4) != be32(key.id)) continue;  // somebody else's
    if (bytes->size() != 4 + crypto_sign_BYTES) return bad("the signature has the wrong length");
    if (crypto_sign_verify_detached(reinterpret_cast<const unsigned char*>(bytes->data()) + 4,
                                    reinterpret_cast<const unsigned char*>(parts->text.data()), parts->text.size(),
                                    key.key.data()) != 0) {
      return bad("the signature of " + key.name + " does not fit the text");
    }
    verified = true;
  }
  if (!verified) return bad("there is no signature of " + printable(key.name, 200));
  return std::string(parts->text);
}

std::string Checkpoint::text() const {
  return origin + "\n" + std::to_string(size) + "\n" + to_base64(bytes_of(root)) + "\n";
}

Result<Checkpoint> Checkpoint::parse(std::string_view text) {
  Checkpoint out;
  const auto line = [&]() -> std::string_view {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    const std::string_view got = text.substr(0, end);
    text.remove_prefix(end + 1);
    return got;
  };
  out.origin = line();
  if (out.origin.empty()) return bad("the checkpoint has no origin");
  const std::string_view size = line();
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), out.size);
  if (size.empty() || error != std::errc{} || end != size.data() + size.size() || (size.size() > 1 && size[0] == '0')) {
    return bad("the checkpoint's size is not a number");
  }
  const auto root = canonical_base64(line());
  if (!root || root->size() != sizeof(Hash)) return bad("the checkpoint's root is not the base64 of 32 bytes");
  std::memcpy(out.root.data(), root->data(), sizeof(Hash));
  while (!text.empty()) {
    if (line().empty()) return bad("the checkpoint has an empty or cut line");
  }
  if (out.size == 0 && out.root != empty_root()) return bad("the checkpoint of an empty record has another root");
  return out;
}

}  // namespace tocsin::storage
