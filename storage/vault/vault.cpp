// One data key (DEK) per person, wrapped by a key-encryption key (KEK) that is itself wrapped by a key derived
// from the root. Destroying a DEK makes one person unreadable; destroying a KEK, everybody wrapped under it.
#include "storage/vault/vault.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <shared_mutex>

#include "storage/files/durable_file.hpp"

namespace tocsin::storage {
namespace {

constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kPadTo = 64;  // lengths of names and addresses would show otherwise
constexpr std::size_t kCommitment = 16;
constexpr std::uint8_t kPackVersion = 1;
static_assert(SecretKey::kBytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

constexpr Migration kMigrations[] = {
    {1, "CREATE TABLE vault_record(pseudonym BLOB PRIMARY KEY, dataset TEXT NOT NULL, version INTEGER NOT NULL,"
        " stored_at INTEGER NOT NULL, box BLOB NOT NULL) WITHOUT ROWID;"
        "CREATE TABLE vault_erased(pseudonym BLOB PRIMARY KEY, dataset TEXT NOT NULL, erased_at INTEGER NOT NULL,"
        " settled INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE INDEX vault_erased_unsettled ON vault_erased(settled) WHERE settled = 0;"},
};
constexpr Migration kKeyMigrations[] = {
    {1, "CREATE TABLE kek(epoch INTEGER PRIMARY KEY, wrapped BLOB NOT NULL);"
        "CREATE TABLE dek(pseudonym BLOB PRIMARY KEY, epoch INTEGER NOT NULL, wrapped BLOB NOT NULL,"
        " commitment BLOB NOT NULL) WITHOUT ROWID;"},
};

void put_le(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

// Associated data: every part with its length, so that no two lists of parts read the same.
std::string associated(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) {
    put_le(out, part.size(), 4);
    out += part;
  }
  return out;
}
std::string number(std::uint64_t value) {
  std::string out;
  put_le(out, value, 8);
  return out;
}
std::string kek_context(std::uint64_t epoch) { return associated({"tocsin.v1", "kek", number(epoch)}); }
std::string dek_context(const Pseudonym& who, std::uint64_t epoch) {
  return associated({"tocsin.v1", "dek", who.view(), number(epoch)});
}
// No KEK epoch here: rotating the KEK must not touch the records.
std::string record_context(const Pseudonym& who, std::uint64_t version) {
  return associated({"tocsin.v1", who.view(), "fields", number(version)});
}

// nonce || ciphertext || tag
std::string seal(std::string_view plain, std::string_view context, const std::uint8_t* key) {
  std::string out(kNonce + plain.size() + kTag, '\0');
  auto* bytes = reinterpret_cast<std::uint8_t*>(out.data());
  randombytes_buf(bytes, kNonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      bytes + kNonce, nullptr, reinterpret_cast<const std::uint8_t*>(plain.data()), plain.size(),
      reinterpret_cast<const std::uint8_t*>(context.data()), context.size(), nullptr, bytes, key);
  return out;
}

bool unseal(std::string_view box, std::string_view context, const std::uint8_t* key, std::uint8_t* out) {
  if (box.size() < kNonce + kTag) return false;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(box.data());
  return crypto_aead_xchacha20poly1305_ietf_decrypt(
             out, nullptr, nullptr, bytes + kNonce, box.size() - kNonce,
             reinterpret_cast<const std::uint8_t*>(context.data()), context.size(), bytes, key) == 0;
}

// A data key on the stack, wiped on every path. Guarded memory would cost 25 µs a person.
struct DataKey {
  std::array<std::uint8_t, SecretKey::kBytes> bytes{};
  DataKey() = default;
  DataKey(const DataKey&) = delete;
  DataKey& operator=(const DataKey&) = delete;
  ~DataKey() { sodium_memzero(bytes.data(), bytes.size()); }

  // XChaCha20-Poly1305 does not commit to its key; this does.
  [[nodiscard]] std::string commitment() const {
    std::array<std::uint8_t, SecretKey::kBytes + 6> input{};
    std::memcpy(input.data(), bytes.data(), bytes.size());
    std::memcpy(input.data() + bytes.size(), "commit", 6);
    std::array<std::uint8_t, crypto_generichash_BYTES> hash{};
    crypto_generichash(hash.data(), hash.size(), input.data(), input.size(), nullptr, 0);
    sodium_memzero(input.data(), input.size());
    return {reinterpret_cast<const char*>(hash.data()), kCommitment};
  }
};

// A plain text that is wiped when it goes.
struct Plain {
  std::string text;
  ~Plain() { sodium_memzero(text.data(), text.size()); }
};

void pack(const Fields& fields, std::string_view id, std::string& out) {
  out += static_cast<char>(kPackVersion);
  const bool has_id = fields.find("id") != fields.end();
  put_le(out, fields.size() + (has_id ? 0 : 1), 2);
  const auto field = [&](std::string_view key, std::string_view value) {
    put_le(out, key.size(), 2);
    out += key;
    put_le(out, value.size(), 4);
    out += value;
  };
  if (!has_id) field("id", id);
  for (const auto& [key, value] : fields) field(key, key == "id" ? id : std::string_view(value));
  const std::size_t padded = out.size() / kPadTo * kPadTo + kPadTo;  // ISO 7816-4, as sodium_pad: 0x80, zeros
  out += static_cast<char>(0x80);
  out.resize(padded, '\0');
}

std::optional<Fields> unpack(std::string_view in) {
  const std::size_t end = in.find_last_not_of('\0');
  if (end == std::string_view::npos || static_cast<unsigned char>(in[end]) != 0x80) return std::nullopt;
  in = in.substr(0, end);
  const auto take = [&](std::size_t bytes) -> std::optional<std::uint64_t> {
    if (in.size() < bytes) return std::nullopt;
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < bytes; ++i) out |= std::uint64_t{static_cast<unsigned char>(in[i])} << (8 * i);
    in.remove_prefix(bytes);
    return out;
  };
  const auto text = [&](std::size_t width) -> std::optional<std::string> {
    const auto size = take(width);
    if (!size || in.size() < *size) return std::nullopt;
    std::string out(in.substr(0, static_cast<std::size_t>(*size)));
    in.remove_prefix(static_cast<std::size_t>(*size));
    return out;
  };
  if (take(1) != kPackVersion) return std::nullopt;
  const auto count = take(2);
  if (!count) return std::nullopt;
  Fields out;
  for (std::uint64_t i = 0; i < *count; ++i) {
    auto key = text(2);
    if (!key) return std::nullopt;
    auto value = text(4);
    if (!value) return std::nullopt;
    out.insert_or_assign(std::move(*key), std::move(*value));
  }
  if (!in.empty()) return std::nullopt;
  return out;
}

tl::unexpected<Error> damaged(const Pseudonym& who) {
  return fail(Errc::kCorrupt, "the record of " + who.hex() + " does not open with its key", "vault",
              "restore the database and keys.db of the same backup");
}

struct Wrapped {
  std::uint64_t epoch = 0;
  std::string box;
  std::string commitment;
};

}  // namespace

struct Vault::Impl {
  std::unique_ptr<Database> keys_db;  // null: read-only and nobody was ever put
  const SecretKey* wrapping = nullptr;
  bool read_only = false;

  mutable std::shared_mutex mutex;
  mutable std::map<std::uint64_t, SecretKey> keks;  // guarded by mutex
  std::uint64_t current = 0;                        // newest epoch; guarded by mutex

  // Reads KEKs that are not in memory yet (another process may have rotated).
  Result<void> load_keks() const {
    struct Row {
      std::uint64_t epoch;
      std::string wrapped;
    };
    auto rows = keys_db->read([](Reader& r) {
      return r.rows<Row>("SELECT epoch, wrapped FROM kek ORDER BY epoch", [](const Columns& c) {
        return Row{static_cast<std::uint64_t>(c.integer(0)), c.text(1)};
      });
    });
    if (!rows) return pass(std::move(rows));
    const std::unique_lock lock(mutex);
    for (const Row& row : *rows) {
      if (keks.contains(row.epoch)) continue;
      SecretKey kek;
      if (row.wrapped.size() != kNonce + kTag + SecretKey::kBytes ||
          !unseal(row.wrapped, kek_context(row.epoch), wrapping->data(), kek.data())) {
        return fail(Errc::kCorrupt, "root.key does not open keys.db: they are not of the same installation", "keys.db",
                    "restore root.key and keys.db together");
      }
      keks.emplace(row.epoch, std::move(kek));
    }
    return {};
  }

  // Adds a fresh KEK to keys.db inside `tx` and returns it with its epoch.
  Result<std::pair<std::uint64_t, SecretKey>> new_kek(Transaction& tx) const {
    auto newest = tx.number("SELECT max(epoch) FROM kek");
    if (!newest) return pass(std::move(newest));
    const auto epoch = static_cast<std::uint64_t>(*newest) + 1;
    SecretKey kek = SecretKey::random();
    const std::string box = seal({reinterpret_cast<const char*>(kek.data()), SecretKey::kBytes}, kek_context(epoch),
                                 wrapping->data());
    auto stored = tx.run("INSERT INTO kek(epoch, wrapped) VALUES(?1, ?2)", epoch, Blob{box});
    if (!stored) return pass(std::move(stored));
    return std::pair(epoch, std::move(kek));
  }

  static Result<std::optional<Wrapped>> find(Reader& reader, const Pseudonym& who) {
    return reader.row<Wrapped>(
        "SELECT epoch, wrapped, commitment FROM dek WHERE pseudonym = ?1",
        [](const Columns& c) { return Wrapped{static_cast<std::uint64_t>(c.integer(0)), c.text(1), c.text(2)}; },
        Blob{who.view()});
  }

  [[nodiscard]] bool unwrap(const Pseudonym& who, const Wrapped& wrapped, DataKey& out) const {
    const std::shared_lock lock(mutex);
    const auto kek = keks.find(wrapped.epoch);
    if (kek == keks.end() || wrapped.box.size() != kNonce + kTag + SecretKey::kBytes) return false;
    if (!unseal(wrapped.box, dek_context(who, wrapped.epoch), kek->second.data(), out.bytes.data())) return false;
    return equal_in_constant_time(out.commitment(), wrapped.commitment);
  }

  [[nodiscard]] std::string wrap(const Pseudonym& who, const DataKey& key, std::uint64_t epoch,
                                 const SecretKey& kek) const {
    return seal({reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()}, dek_context(who, epoch),
                kek.data());
  }

  // The person's data key: the one there is, else a new one, stored through `tx` (a transaction on keys.db).
  Result<void> key_for(Transaction& tx, const Pseudonym& who, DataKey& out) const {
    auto known = find(tx, who);
    if (!known) return pass(std::move(known));
    if (*known) {
      if (!unwrap(who, **known, out)) return damaged(who);
      return {};
    }
    randombytes_buf(out.bytes.data(), out.bytes.size());
    const std::shared_lock lock(mutex);
    const std::string box = wrap(who, out, current, keks.at(current));
    const std::string commitment = out.commitment();
    return tx.run("INSERT INTO dek(pseudonym, epoch, wrapped, commitment) VALUES(?1, ?2, ?3, ?4)", Blob{who.view()},
                  current, Blob{box}, Blob{commitment});
  }

  Result<std::uint64_t> destroy(std::span<const Pseudonym> people) {
    auto gone = keys_db->write([&](Transaction& tx) -> Result<std::uint64_t> {
      std::uint64_t count = 0;
      for (const Pseudonym& who : people) {
        auto done = tx.run("DELETE FROM dek WHERE pseudonym = ?1", Blob{who.view()});
        if (!done) return pass(std::move(done));
        count += static_cast<std::uint64_t>(tx.changes());
      }
      return count;
    });
    if (!gone) return gone;
    // The log still holds the page as it was, key included, until it is truncated.
    if (auto cut = keys_db->checkpoint(); !cut) return pass(std::move(cut));
    return gone;
  }
};

Vault::Vault(std::shared_ptr<const Keys> keys, std::unique_ptr<Impl> impl)
    : keys_(std::move(keys)), impl_(std::move(impl)) {}
Vault::~Vault() = default;

Result<std::unique_ptr<Vault>> Vault::open(Database& db, std::shared_ptr<const Keys> keys) {
  if (auto done = db.migrate("vault", kMigrations); !done) return pass(std::move(done));
  auto impl = std::make_unique<Impl>();
  impl->wrapping = &keys->vault_wrapping_key();
  const std::filesystem::path file = keys->directory() / "keys.db";
  // Made here so that it never exists with a wider mode; SQLite gives its log the same one.
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return system_failure(errno, "create", file);
  ::close(fd);
  auto keys_db = Database::open(file);
  if (!keys_db) return pass(std::move(keys_db));
  impl->keys_db = std::move(*keys_db);
  if (auto done = impl->keys_db->migrate("vault-keys", kKeyMigrations); !done) return pass(std::move(done));
  if (auto done = impl->load_keks(); !done) return pass(std::move(done));
  if (impl->keks.empty()) {
    // People without any key: the keys were left behind. New ones would only hide that.
    auto people = db.read([](Reader& r) { return r.number("SELECT count(*) FROM vault_record"); });
    if (!people) return pass(std::move(people));
    if (*people != 0) {
      return fail(Errc::kConflict, "the vault holds " + std::to_string(*people) + " people, but their keys are not here",
                  file.string(), "restore root.key and keys.db from the place where you keep them");
    }
    auto first = impl->keys_db->write([&](Transaction& tx) { return impl->new_kek(tx); });
    if (!first) return pass(std::move(first));
    impl->keks.insert(std::move(*first));
  }
  impl->current = impl->keks.rbegin()->first;
  std::unique_ptr<Vault> vault(new Vault(std::move(keys), std::move(impl)));
  if (auto done = vault->settle(db); !done) return pass(std::move(done));
  return vault;
}

Result<std::unique_ptr<Vault>> Vault::open_read_only(std::shared_ptr<const Keys> keys) {
  auto impl = std::make_unique<Impl>();
  impl->wrapping = &keys->vault_wrapping_key();
  impl->read_only = true;
  auto keys_db = Database::open_read_only(keys->directory() / "keys.db");
  if (keys_db) {
    impl->keys_db = std::move(*keys_db);
    if (auto done = impl->load_keks(); !done) return pass(std::move(done));
  } else if (keys_db.error().code != Errc::kNotFound) {
    return pass(std::move(keys_db));
  }
  return std::unique_ptr<Vault>(new Vault(std::move(keys), std::move(impl)));
}

Result<Vault::Put> Vault::put(Transaction& tx, std::string_view dataset, std::string_view id, Fields fields,
                              Time now) {
  const Person person{std::string(dataset), std::string(id), std::move(fields)};
  return put(tx, std::span(&person, 1), now);
}

Result<Vault::Put> Vault::put(Transaction& tx, std::span<const Person> people, Time now) {
  if (impl_->read_only) return fail(Errc::kUnavailable, "this vault is open for reading only", "keys.db");
  struct Row {
    const Person* person;
    Pseudonym who;
    std::uint64_t version;
    std::string box;
  };
  Put out;
  std::vector<Row> rows;
  rows.reserve(people.size());
  for (const Person& person : people) {
    std::size_t size = 3 + 6 + 2 + person.id.size();
    for (const auto& [key, value] : person.fields) {
      if (key.size() > 0xffff) return fail(Errc::kTooLarge, "the name of a field is too long", "vault");
      size += 6 + key.size() + value.size();
    }
    if (size > kMaxRecordBytes) {
      return fail(Errc::kTooLarge, "a person's record is larger than " + std::to_string(kMaxRecordBytes) + " bytes",
                  "dataset " + person.dataset);
    }
    const Pseudonym who = keys_->pseudonym(person.dataset, person.id);
    auto gone = is_erased(tx, who);
    if (!gone) return pass(std::move(gone));
    if (*gone) {
      ++out.erased;
      continue;
    }
    auto version = tx.number("SELECT version FROM vault_record WHERE pseudonym = ?1", Blob{who.view()});
    if (!version) return pass(std::move(version));
    ++(*version == 0 ? out.added : out.changed);
    rows.push_back({&person, who, static_cast<std::uint64_t>(*version) + 1, {}});
  }
  // The keys first, durable; then the records, with the caller's transaction.
  auto keyed = impl_->keys_db->write([&](Transaction& keys_tx) -> Result<void> {
    for (Row& row : rows) {
      DataKey key;
      if (auto done = impl_->key_for(keys_tx, row.who, key); !done) return done;
      Plain plain;
      pack(row.person->fields, row.person->id, plain.text);
      row.box = seal(plain.text, record_context(row.who, row.version), key.bytes.data());
    }
    return {};
  });
  if (!keyed) return pass(std::move(keyed));
  for (const Row& row : rows) {
    auto stored = tx.run(
        "INSERT INTO vault_record(pseudonym, dataset, version, stored_at, box) VALUES(?1, ?2, ?3, ?4, ?5) "
        "ON CONFLICT(pseudonym) DO UPDATE SET version = excluded.version, stored_at = excluded.stored_at, "
        "box = excluded.box",
        Blob{row.who.view()}, row.person->dataset, row.version, now, Blob{row.box});
    if (!stored) return pass(std::move(stored));
  }
  return out;
}

Result<Fields> Vault::open(Reader& reader, const Pseudonym& who) const {
  struct Row {
    std::string dataset;
    std::uint64_t version;
    std::string box;
  };
  auto row = reader.row<Row>(
      "SELECT dataset, version, box FROM vault_record WHERE pseudonym = ?1",
      [](const Columns& c) { return Row{c.text(0), static_cast<std::uint64_t>(c.integer(1)), c.text(2)}; },
      Blob{who.view()});
  if (!row) return pass(std::move(row));
  if (!*row) {
    auto gone = is_erased(reader, who);
    if (!gone) return pass(std::move(gone));
    return fail(Errc::kNotFound, *gone ? "erased: this person was forgotten" : "unknown: the vault holds nobody by this pseudonym",
                who.hex());
  }
  std::optional<Wrapped> wrapped;
  if (impl_->keys_db) {
    auto found = impl_->keys_db->read([&](Reader& keys) { return Impl::find(keys, who); });
    if (!found) return pass(std::move(found));
    wrapped = std::move(*found);
  }
  if (!wrapped) return fail(Errc::kNotFound, "erased: this person's key was destroyed", who.hex());
  bool have_kek = false;
  {
    const std::shared_lock lock(impl_->mutex);
    have_kek = impl_->keks.contains(wrapped->epoch);
  }
  if (!have_kek) {
    if (auto loaded = impl_->load_keks(); !loaded) return pass(std::move(loaded));
  }
  DataKey key;
  if (!impl_->unwrap(who, *wrapped, key)) return damaged(who);
  const std::string& box = (*row)->box;
  if (box.size() < kNonce + kTag) return damaged(who);
  Plain plain;
  plain.text.resize(box.size() - kNonce - kTag);
  if (!unseal(box, record_context(who, (*row)->version), key.bytes.data(),
              reinterpret_cast<std::uint8_t*>(plain.text.data()))) {
    return damaged(who);
  }
  auto fields = unpack(plain.text);
  // The id inside must lead back to the pseudonym outside; else somebody swapped whole records.
  if (!fields || keys_->pseudonym((*row)->dataset, (*fields)["id"]) != who) return damaged(who);
  return std::move(*fields);
}

Result<bool> Vault::exists(Reader& reader, const Pseudonym& who) const {
  auto count = reader.number("SELECT count(*) FROM vault_record WHERE pseudonym = ?1", Blob{who.view()});
  if (!count) return pass(std::move(count));
  return *count != 0;
}

Result<bool> Vault::is_erased(Reader& reader, const Pseudonym& who) const {
  auto count = reader.number("SELECT count(*) FROM vault_erased WHERE pseudonym = ?1", Blob{who.view()});
  if (!count) return pass(std::move(count));
  return *count != 0;
}

Result<void> Vault::erase(Transaction& tx, const Pseudonym& who, Time now) {
  if (impl_->read_only) return fail(Errc::kUnavailable, "this vault is open for reading only", "keys.db");
  auto dataset = tx.row<std::string>("SELECT dataset FROM vault_record WHERE pseudonym = ?1",
                                     [](const Columns& c) { return c.text(0); }, Blob{who.view()});
  if (!dataset) return pass(std::move(dataset));
  if (!*dataset) {
    auto gone = is_erased(tx, who);
    if (!gone) return pass(std::move(gone));
    if (*gone) return {};
    return fail(Errc::kNotFound, "unknown: the vault holds nobody by this pseudonym", who.hex());
  }
  auto removed = tx.run("DELETE FROM vault_record WHERE pseudonym = ?1", Blob{who.view()});
  if (!removed) return removed;
  auto noted = tx.run("INSERT INTO vault_erased(pseudonym, dataset, erased_at, settled) VALUES(?1, ?2, ?3, 0)",
                      Blob{who.view()}, **dataset, now);
  if (!noted) return noted;
  // If this fails the erasure stays unsettled, and settle() destroys the key later.
  tx.after_commit([this, who] { static_cast<void>(impl_->destroy(std::span(&who, 1))); });
  return {};
}

Result<std::uint64_t> Vault::settle(Database& db) {
  auto open_ones = db.read([](Reader& r) {
    return r.rows<Pseudonym>("SELECT pseudonym FROM vault_erased WHERE settled = 0", [](const Columns& c) {
      return Pseudonym::from_bytes(c.text(0)).value_or(Pseudonym{});
    });
  });
  if (!open_ones) return pass(std::move(open_ones));
  if (open_ones->empty()) return std::uint64_t{0};
  auto gone = impl_->destroy(*open_ones);
  if (!gone) return gone;
  auto noted = db.write([&](Transaction& tx) -> Result<void> {
    for (const Pseudonym& who : *open_ones) {
      auto done = tx.run("UPDATE vault_erased SET settled = 1 WHERE pseudonym = ?1", Blob{who.view()});
      if (!done) return done;
    }
    return {};
  });
  if (!noted) return pass(std::move(noted));
  if (auto cut = db.checkpoint(); !cut) return pass(std::move(cut));
  return gone;
}

Result<std::vector<Vault::Erasure>> Vault::erased(Reader& reader) const {
  return reader.rows<Erasure>(
      "SELECT pseudonym, dataset, erased_at FROM vault_erased ORDER BY erased_at, pseudonym", [](const Columns& c) {
        return Erasure{Pseudonym::from_bytes(c.text(0)).value_or(Pseudonym{}), c.text(1), c.time(2)};
      });
}

Result<void> Vault::rotate() {
  if (impl_->read_only) return fail(Errc::kUnavailable, "this vault is open for reading only", "keys.db");
  struct Row {
    Pseudonym who;
    Wrapped wrapped;
  };
  auto done = impl_->keys_db->write([&](Transaction& tx) -> Result<void> {
    auto fresh = impl_->new_kek(tx);
    if (!fresh) return pass(std::move(fresh));
    auto rows = tx.rows<Row>("SELECT pseudonym, epoch, wrapped, commitment FROM dek", [](const Columns& c) {
      return Row{Pseudonym::from_bytes(c.text(0)).value_or(Pseudonym{}),
                 Wrapped{static_cast<std::uint64_t>(c.integer(1)), c.text(2), c.text(3)}};
    });
    if (!rows) return pass(std::move(rows));
    for (const Row& row : *rows) {
      DataKey key;
      if (!impl_->unwrap(row.who, row.wrapped, key)) return damaged(row.who);
      const std::string box = impl_->wrap(row.who, key, fresh->first, fresh->second);
      auto updated = tx.run("UPDATE dek SET epoch = ?2, wrapped = ?3 WHERE pseudonym = ?1", Blob{row.who.view()},
                            fresh->first, Blob{box});
      if (!updated) return updated;
    }
    auto removed = tx.run("DELETE FROM kek WHERE epoch < ?1", fresh->first);
    if (!removed) return removed;
    // Still under the writer's lock: no put may wrap under the old key once its row is gone.
    auto kept = std::make_shared<std::pair<std::uint64_t, SecretKey>>(std::move(*fresh));
    tx.after_commit([this, kept] {
      const std::unique_lock lock(impl_->mutex);
      impl_->keks.emplace(kept->first, std::move(kept->second));
      impl_->current = kept->first;
    });
    return {};
  });
  if (!done) return done;
  return impl_->keys_db->checkpoint();
}

Result<void> Vault::copy_keys_to(const std::filesystem::path& file) {
  if (!impl_->keys_db) return fail(Errc::kNotFound, "there is no keys.db", keys_->directory().string());
  return impl_->keys_db->copy_to(file);
}

}  // namespace tocsin::storage
