// Finding out what is wrong, and where. The same entries stand in up to three places: the bundles, the leaf
// hashes of the tiles, and the database. The one that leads to the signed root is the truth; every file is then
// made anew from it and compared byte by byte. With more than one place damaged in the same entry the report is
// still a report, only less exact.
#include "storage/ledger/verify.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include "rules/base/text.hpp"
#include "storage/files/durable_file.hpp"
#include "storage/ledger/entry.hpp"
#include "storage/ledger/tiles.hpp"

namespace tocsin::storage {
namespace {

constexpr std::string_view kDatabase = "database";
constexpr std::string_view kCheckpoint = "checkpoint";
constexpr std::string_view kVkey = "vkey";
// A running engine commits first and publishes a moment later; this long a difference is not a damage.
constexpr int kPatience = 20;
constexpr std::chrono::milliseconds kPause{50};
constexpr std::size_t kRowsAtATime = 4096;
constexpr std::uint64_t kMaxHole = 1'000'000;  // missing entries in a row that are still counted one by one

using Leaves = std::vector<std::optional<Hash>>;

std::size_t first_difference(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin()).first -
      a.begin());
}

// The root of the first `size` leaves; nullopt if one of them is missing.
std::optional<Hash> root_of(const Leaves& leaves, std::uint64_t size) {
  if (leaves.size() < size) return std::nullopt;
  Frontier tree;
  for (std::uint64_t i = 0; i < size; ++i) {
    if (!leaves[i]) return std::nullopt;
    tree.append(*leaves[i]);
  }
  return tree.root();
}

struct SignedState {
  std::string note;  // as read
  std::optional<Checkpoint> checkpoint;
  bool verified = false;
  std::string why;   // it is not
};

struct DatabaseState {
  std::uint64_t size = 0;
  std::string root;
  std::string vkey;
  Leaves leaves;
  bool complete = false;
};

class Check {
 public:
  Check(const std::filesystem::path& dir, Database* db, const VerifyOptions& options)
      : dir_(dir), db_(db), options_(options) {}

  Result<LedgerVerdict> run() {
    std::error_code ec;
    if (!std::filesystem::is_directory(dir_, ec)) {
      return fail(Errc::kNotFound, "there is no ledger", dir_.string(), "name a data directory with --data");
    }
    read_key();
    state_ = read_checkpoint();
    if (db_ != nullptr) read_database();
    settle_size();
    read_disk();
    choose_truth();
    check_bundles();
    check_tiles();
    check_others();
    check_checkpoint();
    check_database();
    check_kept_checkpoint();
    verdict_.size = size_;
    verdict_.root = root_;
    verdict_.origin = state_.checkpoint ? state_.checkpoint->origin : key_ ? key_->name : std::string();
    verdict_.with_database = db_ != nullptr;
    return std::move(verdict_);
  }

 private:
  void damage(std::string file, std::optional<std::uint64_t> byte, std::optional<std::uint64_t> entry, std::string what) {
    if (verdict_.damage.size() < LedgerVerdict::kMaxDamage) {
      verdict_.damage.push_back({std::move(file), byte, entry, std::move(what)});
    }
  }

  // Reads a whole file and counts it; nullopt (and a damage) if it is not there or cannot be read.
  std::optional<std::string> read(const std::string& name, std::uint64_t limit) {
    auto bytes = read_whole(dir_ / name, limit);
    if (!bytes) {
      damage(name, std::nullopt, std::nullopt,
             bytes.error().code == Errc::kNotFound ? "the file is missing" : bytes.error().message);
      return std::nullopt;
    }
    ++verdict_.files;
    verdict_.bytes += bytes->size();
    return std::move(*bytes);
  }

  void read_key() {
    auto text = read(std::string(kVkey), 4096);
    std::optional<VerifierKey> found;
    if (text) {
      const bool line = text->ends_with('\n');
      auto parsed = VerifierKey::parse(std::string_view(*text).substr(0, text->size() - (line ? 1 : 0)));
      if (parsed && line) {
        found = std::move(*parsed);
      } else {
        damage(std::string(kVkey), line ? std::nullopt : std::optional<std::uint64_t>(text->size()), std::nullopt,
               line ? parsed.error().message : "the file is cut");
      }
    }
    if (options_.key) {
      key_ = options_.key;
      const std::string want = options_.key->text() + "\n";
      if (found && *text != want) {
        damage(std::string(kVkey), first_difference(*text, want), std::nullopt, "this is not the key that was named");
      }
    } else {
      key_ = found;
    }
  }

  SignedState read_checkpoint() {
    SignedState out;
    auto bytes = read_whole(dir_ / kCheckpoint, kMaxNoteBytes);
    if (!bytes) {
      out.why = bytes.error().code == Errc::kNotFound ? "the file is missing" : bytes.error().message;
      return out;
    }
    out.note = std::move(*bytes);
    auto text = key_ ? open_note(out.note, *key_) : note_text(out.note);
    if (text) {
      auto parsed = Checkpoint::parse(*text);
      if (parsed && (!key_ || parsed->origin == key_->name)) {
        out.checkpoint = std::move(*parsed);
        out.verified = key_.has_value();
        if (!key_) out.why = "there is no key to check the signature with";
        return out;
      }
      out.why = parsed ? "it is the checkpoint of another log" : parsed.error().message;
      return out;
    }
    out.why = text.error().message;
    // What it claims still helps to find out where it was changed.
    if (auto claimed = note_text(out.note)) {
      if (auto parsed = Checkpoint::parse(*claimed)) out.checkpoint = std::move(*parsed);
    }
    return out;
  }

  void read_database() {
    auto done = db_->read([&](Reader& r) -> Result<void> {
      auto got = r.each("SELECT size, root, vkey FROM ledger_head WHERE id = 1",
                        [&](const Columns& c) {
                          database_.size = static_cast<std::uint64_t>(c.integer(0));
                          database_.root = c.text(1);
                          database_.vkey = c.text(2);
                          database_.complete = true;
                          return false;
                        },
                        {});
      if (!got) return got;
      bool more = true;
      while (more) {
        std::uint64_t rows = 0;
        const std::uint64_t from = database_.leaves.size();
        auto read_rows = r.each("SELECT idx, bytes FROM ledger_entry WHERE idx >= ?1 ORDER BY idx LIMIT ?2",
                                [&](const Columns& c) {
                                  ++rows;
                                  const auto index = static_cast<std::uint64_t>(c.integer(0));
                                  if (index >= database_.size || index > database_.leaves.size() + kMaxHole) {
                                    damage(std::string(kDatabase), std::nullopt, index,
                                           index >= database_.size ? "the entry stands beyond the stored size"
                                                                   : "the entries before this one are missing");
                                    rows = 0;
                                    return false;
                                  }
                                  database_.leaves.resize(index);  // missing rows leave a hole
                                  database_.leaves.emplace_back(leaf_hash(c.text(1)));
                                  return true;
                                },
                                {Binding(from), Binding(kRowsAtATime)});
        if (!read_rows) return read_rows;
        more = rows == kRowsAtATime;
        if (options_.progress) options_.progress(database_.leaves.size() / 2, database_.size);
      }
      // The rows decide how much memory this takes, not a number that somebody may have changed.
      if (database_.size - database_.leaves.size() > kMaxHole) {
        damage(std::string(kDatabase), std::nullopt, database_.leaves.size(),
               "the stored size is " + std::to_string(database_.size) + ", the entries end here");
        database_.complete = false;
        return {};
      }
      database_.leaves.resize(database_.size);
      return {};
    });
    if (!done) {
      damage(std::string(kDatabase), std::nullopt, std::nullopt, done.error().text());
      database_.complete = false;
    } else if (!database_.complete) {
      damage(std::string(kDatabase), std::nullopt, std::nullopt, "it has no head of the ledger");
    }
  }

  // How many entries this is about, and the root that they must give.
  void settle_size() {
    if (state_.verified) {
      size_ = state_.checkpoint->size;
      goal_ = state_.checkpoint->root;
      return;
    }
    if (database_.complete) {
      size_ = database_.size;
      if (database_.root.size() == sizeof(Hash)) {
        goal_.emplace();
        std::copy(database_.root.begin(), database_.root.end(), goal_->begin());
      }
      return;
    }
    // Neither: as many as there are bundles in a row.
    const std::vector<TileName> names = on_disk();
    const auto has = [&](std::uint64_t width) {
      return std::find(names.begin(), names.end(), TileName{std::nullopt, size_ / kTileWidth, width}) != names.end();
    };
    while (has(kTileWidth)) size_ += kTileWidth;
    for (std::uint64_t width = kTileWidth - 1; width > 0; --width) {
      if (has(width)) {
        size_ += width;
        break;
      }
    }
    if (state_.checkpoint && state_.checkpoint->size == size_) goal_ = state_.checkpoint->root;
  }

  std::vector<TileName> on_disk() {
    std::vector<TileName> out;
    std::error_code ec;
    for (std::filesystem::recursive_directory_iterator it(dir_, ec), end; !ec && it != end; it.increment(ec)) {
      if (auto name = TileName::parse(it->path().lexically_relative(dir_).generic_string())) out.push_back(*name);
    }
    return out;
  }

  void read_disk() {
    bundles_.resize(size_);
    tiles_.resize(size_);
    for (std::uint64_t first = 0; first < size_; first += kTileWidth) {
      const std::uint64_t width = std::min(kTileWidth, size_ - first);
      if (auto bytes = read_tile(dir_, {std::nullopt, first / kTileWidth, width})) {
        if (auto entries = parse_bundle(*bytes); entries && entries->size() == width) {
          for (std::size_t i = 0; i < entries->size(); ++i) bundles_[first + i] = leaf_hash((*entries)[i]);
        }
      }
      if (auto bytes = read_tile(dir_, {0U, first / kTileWidth, width})) {
        if (auto hashes = parse_tile(*bytes); hashes && hashes->size() == width) {
          std::copy(hashes->begin(), hashes->end(), tiles_.begin() + static_cast<std::ptrdiff_t>(first));
        }
      }
      if (options_.progress) options_.progress((size_ + first) / 2, size_);
    }
  }

  void choose_truth() {
    const std::optional<Hash> of_database = database_.complete ? root_of(database_.leaves, size_) : std::nullopt;
    const std::optional<Hash> of_bundles = root_of(bundles_, size_), of_tiles = root_of(tiles_, size_);
    if (!goal_) goal_ = of_bundles;  // nothing else states a root: at least the files must agree
    root_ = goal_.value_or(Hash{});
    if (goal_ && of_database == goal_) {
      truth_ = &database_.leaves;
      truth_in_database_ = true;
    } else if (goal_ && of_bundles == goal_) {
      truth_ = &bundles_;
    } else if (goal_ && of_tiles == goal_) {
      truth_ = &tiles_;
    } else {
      // The leaves that two places agree on; where none do, it is not known which is right.
      agreed_.resize(size_);
      for (std::uint64_t i = 0; i < size_; ++i) {
        const auto& in_database = i < database_.leaves.size() ? database_.leaves[i] : std::nullopt;
        if (bundles_[i] && (bundles_[i] == tiles_[i] || bundles_[i] == in_database)) agreed_[i] = bundles_[i];
        else if (tiles_[i] && tiles_[i] == in_database) agreed_[i] = tiles_[i];
      }
      if (goal_ && root_of(agreed_, size_) == goal_) {
        truth_ = &agreed_;
      } else {
        damage(std::string(kCheckpoint), std::nullopt, std::nullopt,
               "neither the entries, nor the tiles, nor the database give the signed root: more than one of them was "
               "changed, or the checkpoint");
      }
    }
  }

  [[nodiscard]] std::optional<Hash> leaf(std::uint64_t i) const {
    if (truth_ != nullptr) return (*truth_)[i];
    return agreed_[i];
  }

  // The database's bytes of these entries; nullopt if they are not all there.
  std::optional<std::vector<std::string>> rows(std::uint64_t first, std::uint64_t count) {
    auto got = db_->read([&](Reader& r) {
      return r.rows<std::string>("SELECT bytes FROM ledger_entry WHERE idx >= ?1 AND idx < ?2 ORDER BY idx",
                                 [](const Columns& c) { return c.text(0); }, first, first + count);
    });
    if (!got || got->size() != count) return std::nullopt;
    return std::move(*got);
  }

  // Where a tile must lie: under its own name, or, beside a running engine, in the wider one that replaced it.
  std::optional<std::string> tile_bytes(const TileName& name) {
    const std::string path = name.path();
    auto exact = read_whole(dir_ / path, name.level ? kTileWidth * sizeof(Hash) * 2 : kMaxBundleBytes);
    auto bytes = exact || exact.error().code != Errc::kNotFound ? std::move(exact) : read_tile(dir_, name);
    if (!bytes) {
      const std::uint64_t first = name.level ? 0 : name.index * kTileWidth;
      damage(path, std::nullopt, name.level ? std::nullopt : std::optional(first),
             bytes.error().code != Errc::kNotFound ? bytes.error().message
             : name.level ? "the tile is missing"
                          : "the bundle is missing: entries " + std::to_string(first) + " to " +
                                std::to_string(first + name.width - 1));
      return std::nullopt;
    }
    ++verdict_.files;
    verdict_.bytes += bytes->size();
    return std::move(*bytes);
  }

  void check_bundles() {
    for (std::uint64_t first = 0; first < size_; first += kTileWidth) {
      const TileName name{std::nullopt, first / kTileWidth, std::min(kTileWidth, size_ - first)};
      expected_.insert(name.path());
      const auto bytes = tile_bytes(name);
      if (bytes) check_bundle(name, first, *bytes);
    }
  }

  void check_bundle(const TileName& name, std::uint64_t first, const std::string& bytes) {
    if (truth_in_database_) {
      if (const auto entries = rows(first, name.width)) {
        std::string want;
        std::vector<std::size_t> ends;
        for (const std::string& entry : *entries) {
          append_to_bundle(want, entry);
          ends.push_back(want.size());
        }
        if (bytes == want) return;
        const std::size_t at = first_difference(bytes, want);
        const auto entry = static_cast<std::uint64_t>(std::upper_bound(ends.begin(), ends.end(), at) - ends.begin());
        const bool beyond = entry == name.width;
        damage(name.path(), at, beyond ? std::nullopt : std::optional(first + entry),
               at == bytes.size() ? "the bundle ends here; " + std::to_string(want.size() - at) + " bytes are missing"
               : beyond           ? "the bundle goes on after its last entry"
                                  : "the entry was changed");
        return;
      }
    }
    const auto entries = parse_bundle(bytes);
    if (!entries) {
      const std::uint64_t at = std::stoull(entries.error().where);
      damage(name.path(), at, std::nullopt, "an entry's length was changed, or the bundle is cut: " + entries.error().message);
      return;
    }
    if (entries->size() != name.width) {
      damage(name.path(), bytes.size(), first + entries->size(),
             "the bundle has " + std::to_string(entries->size()) + " entries where it must have " + std::to_string(name.width));
      return;
    }
    for (std::size_t i = 0; i < entries->size(); ++i) {
      const auto want = leaf(first + i);
      if (!want || leaf_hash((*entries)[i]) == *want) continue;
      damage(name.path(), static_cast<std::uint64_t>((*entries)[i].data() - bytes.data()), first + i,
             "the entry that begins here was changed");
    }
  }

  void check_tiles() {
    std::vector<Hash> level_hashes;
    level_hashes.reserve(size_);
    for (std::uint64_t i = 0; i < size_; ++i) {
      const auto hash = leaf(i);
      if (!hash) return check_tiles_without_truth();
      level_hashes.push_back(*hash);
    }
    for (unsigned level = 0; !level_hashes.empty(); ++level) {
      std::vector<Hash> above;
      for (std::size_t first = 0; first < level_hashes.size(); first += kTileWidth) {
        const std::size_t width = std::min<std::size_t>(kTileWidth, level_hashes.size() - first);
        check_tile({level, first / kTileWidth, width},
                   {reinterpret_cast<const char*>(level_hashes.data() + first), width * sizeof(Hash)});
        if (width == kTileWidth) above.push_back(fold(level_hashes.data() + first, kTileWidth));
      }
      level_hashes = std::move(above);
    }
  }

  void check_tile(const TileName& name, std::string_view want) {
    expected_.insert(name.path());
    const auto bytes = tile_bytes(name);
    if (!bytes || *bytes == want) return;
    const std::size_t at = first_difference(*bytes, want);
    const std::uint64_t hash = name.index * kTileWidth + at / sizeof(Hash);
    damage(name.path(), at, *name.level == 0 && at < want.size() ? std::optional(hash) : std::nullopt,
           at == bytes->size() ? "the tile ends here; " + std::to_string(want.size() - at) + " bytes are missing"
           : at == want.size() ? "the tile goes on after its last hash"
                               : "hash " + std::to_string(at / sizeof(Hash)) + " of the tile was changed");
  }

  // The tiles cannot be made anew; show at least which exist not, and where they and the entries differ.
  void check_tiles_without_truth() {
    for (const TileName& name : tiles_of(size_)) {
      expected_.insert(name.path());
      if (!name.level) continue;
      const auto bytes = tile_bytes(name);
      if (bytes && bytes->size() != name.width * sizeof(Hash)) {
        damage(name.path(), bytes->size(), std::nullopt, "the tile has the wrong length");
      }
    }
    for (std::uint64_t i = 0; i < size_; ++i) {
      if (bundles_[i] && tiles_[i] && bundles_[i] != tiles_[i]) {
        damage(TileName{0U, i / kTileWidth, std::min(kTileWidth, size_ - i / kTileWidth * kTileWidth)}.path(),
               i % kTileWidth * sizeof(Hash), i, "the entry and its leaf hash differ, and it is not known which was changed");
      }
    }
  }

  // Files that do not belong, and what they tell.
  void check_others() {
    std::error_code ec;
    std::vector<std::string> found;
    for (std::filesystem::recursive_directory_iterator it(dir_, ec), end; !ec && it != end; it.increment(ec)) {
      if (!it->is_directory(ec)) found.push_back(it->path().lexically_relative(dir_).generic_string());
    }
    std::sort(found.begin(), found.end());
    for (const std::string& path : found) {
      if (path == kVkey || path == kCheckpoint || expected_.contains(path)) continue;
      if (std::filesystem::path(path).filename().string().starts_with(kTemporaryPrefix)) continue;
      const auto name = TileName::parse(path);
      if (!name) {
        damage(path, std::nullopt, std::nullopt, "this file does not belong to the ledger");
        continue;
      }
      const std::uint64_t count = name->level ? hashes_at(*name->level, size_) : size_;
      const std::uint64_t reach = name->index * kTileWidth + name->width;
      if (reach > count) {
        beyond_.push_back(*name);
        continue;
      }
      check_left_over(*name);
    }
  }

  // A narrower tile that a crash left beside its successor: it must at least say the same.
  void check_left_over(const TileName& name) {
    auto bytes = read_whole(dir_ / name.path(), kMaxBundleBytes);
    if (!bytes) return;  // removed meanwhile
    ++verdict_.files;
    verdict_.bytes += bytes->size();
    TileName whole = name;
    const std::uint64_t count = name.level ? hashes_at(*name.level, size_) : size_;
    whole.width = std::min(kTileWidth, count - name.index * kTileWidth);
    auto want = read_tile(dir_, whole);
    if (want && want->starts_with(*bytes)) {
      if (name.level ? bytes->size() == name.width * sizeof(Hash)
                     : parse_bundle(*bytes) && parse_bundle(*bytes)->size() == name.width) {
        return;
      }
    }
    damage(name.path(), want ? std::optional<std::uint64_t>(first_difference(*bytes, *want)) : std::nullopt, std::nullopt,
           "an earlier state of this tile was changed");
  }

  // A later, valid checkpoint on disk than the one this check began with: the engine went on meanwhile.
  [[nodiscard]] std::uint64_t size_now() {
    const SignedState now = read_checkpoint();
    return now.verified ? now.checkpoint->size : 0;
  }

  void check_checkpoint() {
    const std::string file(kCheckpoint);
    if (!state_.verified) {
      std::optional<std::uint64_t> byte;
      std::string what = state_.why;
      if (truth_ != nullptr && key_ && !state_.note.empty()) {
        // The text is known; only the signature itself cannot be made anew.
        const std::string want = Checkpoint{key_->name, size_, root_}.text();
        const std::size_t at = first_difference(state_.note, want);
        if (at < want.size()) byte = at;
        else what += "; its text is right, the change is in the signature line, from byte " + std::to_string(want.size());
      }
      damage(file, byte, std::nullopt, what);
    } else {
      ++verdict_.files;
      verdict_.bytes += state_.note.size();
    }
    std::uint64_t ahead = 0;
    for (const TileName& name : beyond_) {
      if (!name.level) ahead = std::max(ahead, name.index * kTileWidth + name.width);
    }
    const std::uint64_t goal = std::max(ahead, database_.complete ? database_.size : 0);
    if (!state_.verified || (goal <= size_ && beyond_.empty())) return;
    std::uint64_t now = size_now();
    for (int i = 0; i < kPatience && now < goal; ++i) {
      std::this_thread::sleep_for(kPause);
      now = size_now();
    }
    if (now >= goal && now > size_) return;
    if (ahead > size_) {
      damage(file, std::nullopt, size_,
             "an older checkpoint was put back: it covers " + std::to_string(size_) + " entries, the files hold " +
                 std::to_string(ahead));
    } else if (goal > size_) {
      damage(file, std::nullopt, size_,
             "it covers " + std::to_string(size_) + " entries, the database holds " + std::to_string(goal) +
                 ": an older ledger was put back, or the last entries are not published yet (a start of the engine does that)");
    } else {
      for (const TileName& name : beyond_) damage(name.path(), std::nullopt, std::nullopt, "this tile does not belong to a record of this size");
    }
  }

  void check_database() {
    if (db_ == nullptr || !database_.complete) return;
    const std::string file(kDatabase);
    if (key_ && database_.vkey != key_->text()) {
      damage(file, std::nullopt, std::nullopt, "the ledger in the database is signed with another key: " + printable(database_.vkey, 300));
    }
    if (state_.verified && database_.size < size_) {
      damage(file, std::nullopt, database_.size,
             "the database is older than the signed checkpoint: it holds " + std::to_string(database_.size) + " entries of " +
                 std::to_string(size_));
    }
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(size_, database_.leaves.size()); ++i) {
      const auto want = leaf(i);
      if (!database_.leaves[i]) damage(file, std::nullopt, i, "the entry is missing");
      else if (want && *want != *database_.leaves[i]) damage(file, std::nullopt, i, "the entry was changed");
    }
    const auto root = root_of(database_.leaves, database_.size);
    if (root && bytes_of(*root) != database_.root) {
      damage(file, std::nullopt, std::nullopt, "the stored root (table ledger_head) is not that of the stored entries");
    }
  }

  void check_kept_checkpoint() {
    if (!options_.checkpoint) return;
    const std::string file = "the checkpoint kept elsewhere";
    if (!key_) return damage(file, std::nullopt, std::nullopt, "there is no key to check it with");
    auto text = open_note(*options_.checkpoint, *key_);
    auto kept = text ? Checkpoint::parse(*text) : Result<Checkpoint>(pass(std::move(text)));
    if (!kept) return damage(file, std::nullopt, std::nullopt, kept.error().message);
    if (kept->size > size_) {
      return damage(std::string(kCheckpoint), std::nullopt, size_,
                    "the record was cut: it once had " + std::to_string(kept->size) + " entries and now has " + std::to_string(size_));
    }
    Leaves all(size_);
    for (std::uint64_t i = 0; i < size_; ++i) all[i] = leaf(i);
    const auto root = root_of(all, kept->size);
    if (root && *root != kept->root) {
      damage(std::string(kCheckpoint), std::nullopt, std::nullopt,
             "the record was rewritten: its first " + std::to_string(kept->size) +
                 " entries are not those of the checkpoint kept elsewhere");
    }
  }

  const std::filesystem::path dir_;
  Database* const db_;
  const VerifyOptions& options_;

  LedgerVerdict verdict_;
  std::optional<VerifierKey> key_;
  SignedState state_;
  DatabaseState database_;
  std::uint64_t size_ = 0;
  std::optional<Hash> goal_;
  Hash root_{};
  Leaves bundles_, tiles_, agreed_;
  const Leaves* truth_ = nullptr;  // one of the above or the database's; null if none gives the root
  bool truth_in_database_ = false;
  std::set<std::string> expected_;
  std::vector<TileName> beyond_;
};

}  // namespace

std::string LedgerDamage::text() const {
  std::string out = file;
  if (byte) out += ", byte " + std::to_string(*byte);
  if (entry) out += " (entry " + std::to_string(*entry) + ")";
  return out + ": " + what;
}

Result<LedgerVerdict> verify_ledger(const std::filesystem::path& dir, Database* db, const VerifyOptions& options) {
  return Check(dir, db, options).run();
}

}  // namespace tocsin::storage
