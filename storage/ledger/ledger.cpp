// Staging inside the decision's transaction, publishing after its commit, catching up after a crash.
//
// The stored head (size, root, and the roots of the complete subtrees) changes in the same transaction as the
// entries, so it is always there before anything is signed; Ed25519 is deterministic, so signing again after a
// crash makes the same bytes. A root that does not agree with a stored one is fatal: nothing is signed.
#include "storage/ledger/ledger.hpp"

#include <atomic>
#include <charconv>
#include <mutex>
#include <set>

#include "storage/files/durable_file.hpp"
#include "storage/ledger/tiles.hpp"
#include "storage/vault/keys.hpp"

namespace tocsin::storage {
namespace {

constexpr Migration kMigrations[] = {
    {1, "CREATE TABLE ledger_entry(idx INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
        "CREATE TABLE ledger_head(id INTEGER PRIMARY KEY CHECK(id = 1), size INTEGER NOT NULL, root BLOB NOT NULL,"
        " peaks BLOB NOT NULL, vkey TEXT NOT NULL);"},
};
constexpr std::size_t kPublishAtATime = 4096;  // entries read from the database in one go
constexpr std::uint64_t kMaxCheckpointBytes = kMaxNoteBytes;
constexpr std::string_view kProofHeader = "c2sp.org/tlog-proof@v1\n";
constexpr std::size_t kMaxProofHashes = 64;

struct StoredHead {
  std::uint64_t size = 0;
  std::string root;
  std::string peaks;
  std::string vkey;
};

Result<std::optional<StoredHead>> stored_head(Reader& reader) {
  return reader.row<StoredHead>("SELECT size, root, peaks, vkey FROM ledger_head WHERE id = 1", [](const Columns& c) {
    return StoredHead{static_cast<std::uint64_t>(c.integer(0)), c.text(1), c.text(2), c.text(3)};
  });
}

std::optional<Frontier> frontier_of(const StoredHead& head) {
  auto peaks = head.peaks.size() % sizeof(Hash) == 0 ? std::optional(std::vector<Hash>(head.peaks.size() / sizeof(Hash)))
                                                     : std::nullopt;
  if (!peaks) return std::nullopt;
  for (std::size_t i = 0; i < peaks->size(); ++i) {
    std::copy_n(head.peaks.begin() + static_cast<std::ptrdiff_t>(i * sizeof(Hash)), sizeof(Hash), (*peaks)[i].begin());
  }
  auto tree = Frontier::from(head.size, std::move(*peaks));
  if (!tree || bytes_of(tree->root()) != head.root) return std::nullopt;
  return tree;
}

tl::unexpected<Error> head_damaged() {
  return fail(Errc::kCorrupt, "the database's head of the ledger was changed", "database, table ledger_head",
              "run tocsin ledger verify");
}

Result<std::string> make_proof(const std::filesystem::path& dir, std::uint64_t index) {
  auto note = read_whole(dir / "checkpoint", kMaxCheckpointBytes);
  if (!note) return note;
  auto text = note_text(*note);
  if (!text) return text;
  auto checkpoint = Checkpoint::parse(*text);
  if (!checkpoint) return pass(std::move(checkpoint));
  auto hashes = inclusion_proof(index, checkpoint->size, subtrees_in(dir, checkpoint->size));
  if (!hashes) return pass(std::move(hashes));
  TileName bundle{std::nullopt, index / kTileWidth, 0};
  bundle.width = std::min(kTileWidth, checkpoint->size - bundle.index * kTileWidth);
  auto bytes = read_tile(dir, bundle);
  if (!bytes) return bytes;
  auto entries = parse_bundle(*bytes);
  if (!entries) return pass(std::move(entries));
  const std::string_view entry = entries->at(static_cast<std::size_t>(index % kTileWidth));
  if (!verify_inclusion(leaf_hash(entry), index, checkpoint->size, *hashes, checkpoint->root)) {
    return fail(Errc::kCorrupt, "the ledger's files do not prove entry " + std::to_string(index), dir.string(),
                "run tocsin ledger verify");
  }
  std::string out(kProofHeader);
  out += "extra " + to_base64(entry) + "\n";
  out += "index " + std::to_string(index) + "\n";
  for (const Hash& hash : *hashes) out += to_base64(bytes_of(hash)) + "\n";
  out += "\n";
  out += *note;
  return out;
}

}  // namespace

struct Ledger::Impl {
  Impl(Database& database, std::filesystem::path directory, Signer key)
      : db(database), dir(std::move(directory)), signer(std::move(key)), vkey(signer.verifier().text()) {}

  Database& db;
  const std::filesystem::path dir;
  const Signer signer;
  const std::string vkey;

  std::atomic<bool> healthy{true};
  // A wrong root is for ever; a full disk is not. Set once, before or while publishing.
  std::atomic<bool> fatal{false};

  std::mutex mutex;                // one publication at a time; guards the next three
  TileEdge edge;                   // as published
  std::set<std::string> partials;  // unfinished tiles on disk, by path
  std::set<std::string> folders;   // known to exist

  // Guards what is shown. Apart from `mutex`, which is held while the database is read: a reader that asks for
  // the head must not wait for that.
  mutable std::mutex shown_mutex;
  Head head;
  std::string trouble;

  [[nodiscard]] Head shown() const {
    const std::lock_guard lock(shown_mutex);
    return head;
  }

  Result<void> write_tile(const TileEdge::File& file) {
    const std::filesystem::path path = dir / file.name.path();
    const std::filesystem::path folder = path.parent_path();
    if (!folders.contains(folder.string())) {
      if (auto made = make_directories(folder); !made) return made;
      folders.insert(folder.string());
    }
    return write_durably(path, file.bytes);
  }

  [[nodiscard]] tl::unexpected<Error> fatal_error() const {
    return fail(Errc::kCorrupt, "the entries do not give the root that the database stored for them: nothing is signed",
                dir.string(), "run tocsin ledger verify, then restore the last good backup");
  }

  // Writes bundles and tiles for entries that the database has beyond `edge`, then the checkpoint.
  Result<void> publish_locked() {
    if (fatal) return fatal_error();
    TileEdge next = edge;
    std::optional<StoredHead> goal;
    while (true) {
      std::vector<std::string> entries;
      auto got = db.read([&](Reader& r) -> Result<void> {
        if (!goal) {
          auto stored = stored_head(r);
          if (!stored) return pass(std::move(stored));
          if (!*stored) return head_damaged();
          goal = std::move(**stored);
        }
        const std::uint64_t left = goal->size > next.size() ? goal->size - next.size() : 0;
        auto rows = r.rows<std::string>("SELECT bytes FROM ledger_entry WHERE idx >= ?1 ORDER BY idx LIMIT ?2",
                                        [](const Columns& c) { return c.text(0); }, next.size(),
                                        std::min<std::uint64_t>(left, kPublishAtATime));
        if (!rows) return pass(std::move(rows));
        entries = std::move(*rows);
        return {};
      });
      if (!got) return got;
      if (entries.empty()) break;
      std::vector<TileEdge::File> full;
      for (const std::string& entry : entries) next.append(entry, full);
      for (const TileEdge::File& file : full) {
        if (auto written = write_tile(file); !written) return written;
      }
    }
    if (next.size() == edge.size() && !shown().checkpoint.empty() && next.size() == goal->size) return {};
    const Hash root = next.root();
    if (next.size() != goal->size || bytes_of(root) != goal->root) {
      fatal = true;
      return fatal_error();
    }
    std::set<std::string> current;
    for (const TileEdge::File& file : next.partial()) {
      const std::string path = file.name.path();
      if (!partials.contains(path)) {
        if (auto written = write_tile(file); !written) return written;
      }
      current.insert(path);
    }
    Checkpoint checkpoint{signer.verifier().name, next.size(), root};
    std::string note = signer.sign(checkpoint.text());
    if (auto written = write_durably(dir / "checkpoint", note); !written) return written;
    // From here on the new state is published; what is left over does no harm and goes with the next one.
    {
      const std::lock_guard lock(shown_mutex);
      head = Head{next.size(), root, std::move(note)};
    }
    edge = std::move(next);
    for (const std::string& old : partials) {
      if (current.contains(old)) continue;
      std::error_code ec;
      std::filesystem::remove(dir / old, ec);
      const std::filesystem::path folder = (dir / old).parent_path();
      if (std::filesystem::remove(folder, ec)) folders.erase(folder.string());  // only if empty
    }
    partials = std::move(current);
    return {};
  }

  Result<void> publish() {
    const std::lock_guard lock(mutex);
    auto done = publish_locked();
    {
      const std::lock_guard shown_lock(shown_mutex);
      trouble = done ? std::string() : done.error().text();
    }
    healthy = done.has_value();
    return done;
  }

  // Removes what an interrupted publication left: temporary files and partial tiles that were replaced.
  Result<void> tidy() {
    for (const TileEdge::File& file : edge.partial()) partials.insert(file.name.path());
    std::error_code ec;
    std::vector<std::filesystem::path> stale, folders_seen;
    for (std::filesystem::recursive_directory_iterator it(dir, ec), end; !ec && it != end; it.increment(ec)) {
      if (it->is_directory(ec)) {
        folders_seen.push_back(it->path());
        continue;
      }
      const std::string relative = it->path().lexically_relative(dir).generic_string();
      const auto name = TileName::parse(relative);
      if (it->path().filename().string().starts_with(kTemporaryPrefix) ||
          (name && !name->full() && !partials.contains(relative))) {
        stale.push_back(it->path());
      }
    }
    if (ec) return fail(Errc::kIo, "cannot list the ledger: " + ec.message(), dir.string());
    for (const auto& file : stale) std::filesystem::remove(file, ec);
    for (auto folder = folders_seen.rbegin(); folder != folders_seen.rend(); ++folder) {
      if (folder->extension() == ".p" && std::filesystem::is_empty(*folder, ec)) std::filesystem::remove(*folder, ec);
    }
    return {};
  }
};

Ledger::Ledger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Ledger::~Ledger() = default;

Result<std::unique_ptr<Ledger>> Ledger::open(Database& db, const std::filesystem::path& dir,
                                             const std::filesystem::path& keys_dir, Options options) {
  if (auto done = db.migrate("ledger", kMigrations); !done) return pass(std::move(done));
  auto before = db.read([](Reader& r) { return stored_head(r); });
  if (!before) return pass(std::move(before));
  if (auto made = make_directories(keys_dir); !made) return pass(std::move(made));
  // A ledger that exists cannot go on with a seed made now.
  auto seed = secret_file(keys_dir / "ledger.seed", !before->has_value());
  if (!seed) return pass(std::move(seed));
  std::string origin = options.origin;
  if (origin.empty() && *before) {
    auto key = VerifierKey::parse((*before)->vkey);
    if (!key) return head_damaged();
    origin = key->name;
  }
  if (origin.empty()) origin = kDefaultOrigin;
  auto signer = Signer::from_seed(origin, seed->data());
  if (!signer) return pass(std::move(signer));
  auto impl = std::make_unique<Impl>(db, dir, std::move(*signer));
  if (*before && (*before)->vkey != impl->vkey) {
    return fail(Errc::kConflict, "this ledger was made with the key " + (*before)->vkey + ", not with " + impl->vkey,
                (keys_dir / "ledger.seed").string(), "restore its ledger.seed, and leave its name (origin) as it was");
  }
  if (auto made = make_directories(dir); !made) return pass(std::move(made));
  if (!*before) {
    const Hash root = empty_root();
    auto made = db.write([&](Transaction& tx) {
      return tx.run("INSERT INTO ledger_head(id, size, root, peaks, vkey) VALUES(1, 0, ?1, ?2, ?3)",
                    Blob{bytes_of(root)}, Blob{""}, impl->vkey);
    });
    if (!made) return pass(std::move(made));
  }
  const std::uint64_t known = *before ? (*before)->size : 0;

  const std::string vkey_line = impl->vkey + "\n";
  auto vkey_file = read_whole(dir / "vkey", 4096);
  if (!vkey_file) {
    if (vkey_file.error().code != Errc::kNotFound) return pass(std::move(vkey_file));
    if (auto done = write_durably(dir / "vkey", vkey_line); !done) return pass(std::move(done));
  } else if (*vkey_file != vkey_line) {
    return fail(Errc::kCorrupt, "this is not the key that the ledger is signed with", (dir / "vkey").string(),
                "it must read " + impl->vkey);
  }

  auto note = read_whole(dir / "checkpoint", kMaxCheckpointBytes);
  if (!note && (note.error().code != Errc::kNotFound || known > 0)) {
    Error error = note.error();
    error.code = Errc::kCorrupt;
    error.remedy = "restore the ledger's folder from the last backup";
    return tl::unexpected<Error>(std::move(error));
  }
  if (note) {
    auto text = open_note(*note, impl->signer.verifier());
    auto checkpoint = text ? Checkpoint::parse(*text) : Result<Checkpoint>(pass(std::move(text)));
    if (!checkpoint) {
      return fail(Errc::kCorrupt, checkpoint.error().message, (dir / "checkpoint").string(), "run tocsin ledger verify");
    }
    if (checkpoint->size > known) {
      return fail(Errc::kCorrupt,
                  "the database is older than the ledger: it has " + std::to_string(known) + " entries, the signed checkpoint " +
                      std::to_string(checkpoint->size),
                  dir.string(), "restore the database that belongs to it");
    }
    auto edge = TileEdge::load(dir, checkpoint->size);
    if (!edge || edge->root() != checkpoint->root) {
      return fail(Errc::kCorrupt,
                  edge ? std::string("the tiles do not give the root that was signed") : edge.error().text(), dir.string(),
                  "run tocsin ledger verify, then restore the ledger's folder");
    }
    impl->edge = std::move(*edge);
    impl->head = Head{checkpoint->size, checkpoint->root, std::move(*note)};
  }
  if (auto done = impl->tidy(); !done) return pass(std::move(done));
  if (auto done = impl->publish(); !done) return pass(std::move(done));
  return std::unique_ptr<Ledger>(new Ledger(std::move(impl)));
}

Result<std::uint64_t> Ledger::record(Transaction& tx, const Entry& entry) {
  if (!impl_->healthy) {
    // Perhaps there is space again. Sees only what is committed, so it may run inside this transaction.
    if (auto again = impl_->publish(); !again) {
      return fail(Errc::kUnavailable, "the ledger cannot be written, so nothing may be decided: " + again.error().message,
                  again.error().where, again.error().remedy);
    }
  }
  const std::string salt = random_bytes(kEntrySaltBytes);
  auto bytes = encode_entry(entry, salt);
  if (!bytes) return pass(std::move(bytes));
  auto head = stored_head(tx);
  if (!head) return pass(std::move(head));
  auto tree = *head ? frontier_of(**head) : std::nullopt;
  if (!tree) return head_damaged();
  const std::uint64_t index = tree->size();
  tree->append(leaf_hash(*bytes));
  const Hash root = tree->root();
  auto stored = tx.run("INSERT INTO ledger_entry(idx, bytes) VALUES(?1, ?2)", index, Blob{*bytes});
  if (!stored) return pass(std::move(stored));
  auto moved = tx.run("UPDATE ledger_head SET size = ?1, root = ?2, peaks = ?3 WHERE id = 1", tree->size(),
                      Blob{bytes_of(root)}, Blob{bytes_of(tree->peaks())});
  if (!moved) return pass(std::move(moved));
  // Once per entry, but the first call publishes all of the transaction's entries and the rest find nothing to do.
  Impl* impl = impl_.get();
  tx.after_commit([impl, size = tree->size()] {
    if (impl->shown().size >= size) return;
    static_cast<void>(impl->publish());
  });
  return index;
}

bool Ledger::healthy() const noexcept { return impl_->healthy; }
std::string Ledger::trouble() const {
  const std::lock_guard lock(impl_->shown_mutex);
  return impl_->trouble;
}
Result<void> Ledger::publish() { return impl_->publish(); }
Ledger::Head Ledger::head() const { return impl_->shown(); }
const std::string& Ledger::origin() const noexcept { return impl_->signer.verifier().name; }
const std::string& Ledger::vkey() const noexcept { return impl_->vkey; }
std::string Ledger::sign(std::string_view text) const { return impl_->signer.sign(text); }

Result<std::string> Ledger::prove(std::uint64_t index) const { return make_proof(impl_->dir, index); }

Result<std::vector<Ledger::Stored>> Ledger::entries(Reader& reader, std::uint64_t from, std::size_t limit) {
  struct Row {
    std::uint64_t index;
    std::string bytes;
  };
  auto rows = reader.rows<Row>(
      "SELECT idx, bytes FROM ledger_entry WHERE idx >= ?1 ORDER BY idx LIMIT ?2",
      [](const Columns& c) { return Row{static_cast<std::uint64_t>(c.integer(0)), c.text(1)}; }, from, limit);
  if (!rows) return pass(std::move(rows));
  std::vector<Stored> out;
  for (const Row& row : *rows) {
    auto entry = decode_entry(row.bytes);
    if (!entry) {
      return fail(Errc::kCorrupt, entry.error().message, "database, ledger entry " + std::to_string(row.index),
                  "run tocsin ledger verify");
    }
    out.push_back({row.index, std::move(*entry)});
  }
  return out;
}

Result<std::string> ledger_resource(const std::filesystem::path& dir, std::string_view path) {
  if (path == "checkpoint") return read_whole(dir / "checkpoint", kMaxCheckpointBytes);
  const auto name = TileName::parse(path);
  if (!name) return fail(Errc::kNotFound, "the ledger has no such part");
  return read_tile(dir, *name);
}

Result<std::string> prove(const std::filesystem::path& dir, std::uint64_t index) {
  // A running engine may replace a partial tile between two reads; then the second try sees the new state.
  constexpr int kTries = 5;
  auto proof = make_proof(dir, index);
  for (int i = 1; i < kTries && !proof && proof.error().code != Errc::kNotFound; ++i) proof = make_proof(dir, index);
  return proof;
}

Result<Proved> check_proof(std::string_view proof, const VerifierKey& key) {
  const auto bad = [](std::string why) { return fail(Errc::kCorrupt, "the proof does not hold: " + std::move(why)); };
  if (proof.size() > 2 * kMaxNoteBytes) return bad("it is too large");
  if (!proof.starts_with(kProofHeader)) return bad("it does not begin with c2sp.org/tlog-proof@v1");
  proof.remove_prefix(kProofHeader.size());
  const auto line = [&]() -> std::optional<std::string_view> {
    const std::size_t end = proof.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view got = proof.substr(0, end);
    proof.remove_prefix(end + 1);
    return got;
  };
  const auto canonical = [](std::string_view text) {
    auto bytes = from_base64(text);
    if (bytes && to_base64(*bytes) != text) bytes.reset();
    return bytes;
  };
  auto next = line();
  if (!next || !next->starts_with("extra ")) return bad("it does not carry its entry");
  const auto entry = canonical(next->substr(6));
  if (!entry) return bad("its entry is not base64");
  next = line();
  if (!next || !next->starts_with("index ")) return bad("it does not say which entry it is about");
  const std::string_view digits = next->substr(6);
  Proved out;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.index);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size() ||
      (digits.size() > 1 && digits[0] == '0')) {
    return bad("its index is not a number");
  }
  std::vector<Hash> hashes;
  while ((next = line()) && !next->empty()) {
    const auto bytes = canonical(*next);
    if (!bytes || bytes->size() != sizeof(Hash) || hashes.size() >= kMaxProofHashes) return bad("a line is not a hash");
    std::copy(bytes->begin(), bytes->end(), hashes.emplace_back().begin());
  }
  if (!next) return bad("it is cut");
  auto text = open_note(proof, key);
  if (!text) return bad(text.error().message);
  auto checkpoint = Checkpoint::parse(*text);
  if (!checkpoint) return bad(checkpoint.error().message);
  if (checkpoint->origin != key.name) return bad("the checkpoint is of another log");
  if (!verify_inclusion(leaf_hash(*entry), out.index, checkpoint->size, hashes, checkpoint->root)) {
    return bad("the entry is not in the signed tree");
  }
  auto decoded = decode_entry(*entry);
  if (!decoded) return pass(std::move(decoded));
  out.size = checkpoint->size;
  out.root = checkpoint->root;
  out.entry = std::move(*decoded);
  return out;
}

}  // namespace tocsin::storage
