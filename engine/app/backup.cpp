// Writing and reading the archive. Reading trusts nothing: names are taken only if they are ones that writing
// would give, sizes are checked against the file, and contents against the sums.
#include "engine/app/backup.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rules/base/bytes.hpp"
#include "rules/base/descriptor.hpp"
#include "rules/base/text.hpp"
#include "storage/exposure_segments.hpp"
#include "storage/files/durable_file.hpp"
#include "storage/journal/segment.hpp"
#include "storage/ledger/ledger.hpp"
#include "storage/ledger/note.hpp"
#include "storage/ledger/tiles.hpp"
#include "storage/sqlite/database.hpp"

namespace tocsin::engine {
namespace {

using storage::system_failure;

constexpr std::string_view kRoot = "tocsin-backup/";
constexpr std::string_view kSums = "SHA256SUMS";
constexpr std::string_view kAbout = "ABOUT";
constexpr std::size_t kBlock = 512;
constexpr std::size_t kChunk = 1 << 20;
constexpr std::uint64_t kMaxSumsBytes = 256 << 20;
constexpr int kTries = 10;  // for a ledger and a database that stand at the same entry

class Hasher {
 public:
  Hasher() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string hex() {
    Sha256 out{};
    EVP_DigestFinal_ex(context_.get(), out.data(), nullptr);
    return to_hex(out);
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

Result<void> write_all(int fd, std::string_view bytes, const std::filesystem::path& file) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return system_failure(n == 0 ? ENOSPC : errno, "write", file);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

// A number in a tar header: octal, or from 8 GiB on the base-256 form that all tars read.
void put_number(char* field, std::size_t width, std::uint64_t value) {
  if (value < std::uint64_t{1} << (3 * (width - 1))) {
    for (std::size_t i = width - 1; i-- > 0; value >>= 3) field[i] = static_cast<char>('0' + (value & 7));
    return;
  }
  for (std::size_t i = width; i-- > 1; value >>= 8) field[i] = static_cast<char>(value & 0xff);
  field[0] = static_cast<char>(0x80);
}

std::uint64_t checksum_of(const std::array<char, kBlock>& block) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) sum += i >= 148 && i < 156 ? std::uint64_t{' '} : static_cast<unsigned char>(block[i]);
  return sum;
}

std::array<char, kBlock> header_of(std::string_view name, std::uint64_t size, Time time, bool secret) {
  std::array<char, kBlock> block{};
  std::memcpy(block.data(), name.data(), name.size());
  put_number(block.data() + 100, 8, secret ? 0600 : 0640);
  put_number(block.data() + 108, 8, 0);
  put_number(block.data() + 116, 8, 0);
  put_number(block.data() + 124, 12, size);
  put_number(block.data() + 136, 12, static_cast<std::uint64_t>(to_micros(time) / 1'000'000));
  block[156] = '0';
  std::memcpy(block.data() + 257, "ustar\00000", 8);
  put_number(block.data() + 148, 7, checksum_of(block));
  block[155] = ' ';
  return block;
}

// Writes members and remembers their sums.
class Archive {
 public:
  Archive(int fd, std::filesystem::path file, Time now, const BackupOptions& options)
      : fd_(fd), file_(std::move(file)), now_(now), options_(options) {}

  Result<void> add(const std::string& name, std::string_view bytes) {
    Hasher hasher;
    hasher.add(bytes);
    if (auto begun = begin(name, bytes.size()); !begun) return begun;
    if (auto done = put(bytes); !done) return done;
    return finish(name, bytes.size(), hasher.hex());
  }

  // A file that must be there.
  Result<void> add_required(const std::string& name, const std::filesystem::path& from) {
    auto added = add_file(name, from);
    if (!added) return pass(std::move(added));
    if (!*added) return fail(Errc::kIo, "the file is gone", from.string(), "try again");
    return {};
  }

  // A file as long as it is now; it may grow meanwhile. False if it is not there (any more).
  Result<bool> add_file(const std::string& name, const std::filesystem::path& from) {
    const Descriptor in(::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (in.get() < 0 && errno == ENOENT) return false;
    if (in.get() < 0) return system_failure(errno, "open", from);
    struct stat info {};
    if (::fstat(in.get(), &info) != 0) return system_failure(errno, "read", from);
    const auto size = static_cast<std::uint64_t>(info.st_size);
    if (auto begun = begin(name, size); !begun) return pass(std::move(begun));
    Hasher hasher;
    std::string chunk(kChunk, '\0');
    std::uint64_t left = size;
    while (left > 0) {
      const ssize_t n = ::read(in.get(), chunk.data(), static_cast<std::size_t>(std::min<std::uint64_t>(left, kChunk)));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_failure(errno, "read", from);
      if (n == 0) return fail(Errc::kIo, "the file became shorter while it was copied", from.string(), "try again");
      const std::string_view part = std::string_view(chunk).substr(0, static_cast<std::size_t>(n));
      hasher.add(part);
      if (auto done = put(part); !done) return pass(std::move(done));
      left -= part.size();
    }
    if (auto done = finish(name, size, hasher.hex()); !done) return pass(std::move(done));
    return true;
  }

  Result<BackupSummary> close() {
    const BackupSummary summary = summary_;
    std::string sums;
    for (const auto& [name, sum] : sums_) sums += sum + "  " + name + "\n";
    const std::string name(kSums);
    if (auto begun = begin(name, sums.size()); !begun) return pass(std::move(begun));
    if (auto done = put(sums); !done) return pass(std::move(done));
    if (auto done = pad(sums.size()); !done) return pass(std::move(done));
    if (auto done = write_all(fd_, std::string(2 * kBlock, '\0'), file_); !done) return pass(std::move(done));
    if (::fsync(fd_) != 0) return system_failure(errno, "sync", file_);
    return summary;
  }

 private:
  Result<void> begin(const std::string& name, std::uint64_t size) {
    const std::string path = std::string(kRoot) + name;
    if (path.size() >= 100) return fail(Errc::kInternal, "a name is too long for the archive", path);
    const auto header = header_of(path, size, now_, name.starts_with("keys/"));
    return write_all(fd_, {header.data(), header.size()}, file_);
  }
  Result<void> put(std::string_view bytes) {
    if (auto done = write_all(fd_, bytes, file_); !done) return done;
    summary_.bytes += bytes.size();
    if (options_.progress) options_.progress(summary_.bytes);
    return {};
  }
  Result<void> pad(std::uint64_t size) {
    const std::size_t over = static_cast<std::size_t>(size % kBlock);
    return over == 0 ? Result<void>() : write_all(fd_, std::string(kBlock - over, '\0'), file_);
  }
  Result<void> finish(const std::string& name, std::uint64_t size, std::string sum) {
    ++summary_.files;
    sums_[name] = std::move(sum);
    return pad(size);
  }

  int fd_;
  std::filesystem::path file_;
  Time now_;
  const BackupOptions& options_;
  BackupSummary summary_;
  std::map<std::string, std::string> sums_;
};

// A copy of a database, gone with this object.
class DatabaseCopy {
 public:
  static Result<DatabaseCopy> make(const std::filesystem::path& from, const std::filesystem::path& to) {
    auto db = storage::Database::open_read_only(from);
    if (!db) return pass(std::move(db));
    DatabaseCopy out(to);
    std::error_code ec;
    std::filesystem::remove(to, ec);
    if (auto done = (*db)->copy_to(to); !done) return pass(std::move(done));
    ::chmod(to.c_str(), 0600);
    return out;
  }
  DatabaseCopy(DatabaseCopy&& other) noexcept : file_(std::exchange(other.file_, {})) {}
  DatabaseCopy& operator=(DatabaseCopy&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }
  ~DatabaseCopy() {
    std::error_code ec;
    if (!file_.empty()) std::filesystem::remove(file_, ec);
  }
  [[nodiscard]] const std::filesystem::path& file() const { return file_; }

 private:
  explicit DatabaseCopy(std::filesystem::path file) : file_(std::move(file)) {}
  std::filesystem::path file_;
};

struct LedgerState {
  std::string note;
  std::uint64_t size = 0;
};

Result<LedgerState> ledger_state(const std::filesystem::path& dir) {
  auto note = storage::ledger_resource(dir, "checkpoint");
  if (!note) return pass(std::move(note));
  auto text = storage::note_text(*note);
  if (!text) return pass(std::move(text));
  auto checkpoint = storage::Checkpoint::parse(*text);
  if (!checkpoint) return pass(std::move(checkpoint));
  return LedgerState{std::move(*note), checkpoint->size};
}

Result<std::uint64_t> ledger_size_in(const std::filesystem::path& db_file) {
  auto db = storage::Database::open_read_only(db_file);
  if (!db) return pass(std::move(db));
  auto size = (*db)->read([](storage::Reader& r) { return r.number("SELECT size FROM ledger_head WHERE id = 1"); });
  if (!size) return pass(std::move(size));
  return static_cast<std::uint64_t>(*size);
}

Result<void> fill(Archive& archive, const BackupOptions& options, const std::filesystem::path& scratch, Time now) {
  const std::filesystem::path keys = options.keys.empty() ? options.data / "keys" : options.keys;
  std::string about = "A backup of a Tocsin data directory, made " + format_rfc3339(now) + ".\n";
  about += options.with_keys ? "It holds the keys: keep it as you keep them.\n"
                             : "It does not hold the keys (keys/): without them the vault in it cannot be read.\n";
  if (auto done = archive.add(std::string(kAbout), about); !done) return done;

  const std::filesystem::path ledger = options.data / "ledger";
  std::error_code ec;
  const bool has_ledger = std::filesystem::exists(ledger / "checkpoint", ec);
  LedgerState state;
  std::optional<DatabaseCopy> db;
  for (int i = 0; i < kTries; ++i) {
    if (has_ledger) {
      auto now_at = ledger_state(ledger);
      if (!now_at) return pass(std::move(now_at));
      state = std::move(*now_at);
    }
    db.reset();  // before the next copy takes its name
    auto copy = DatabaseCopy::make(options.data / "tocsin.db", scratch);
    if (!copy) return pass(std::move(copy));
    db.emplace(std::move(*copy));
    if (!has_ledger) break;
    // An entry between the two is published by the restored engine's start; better still, there is none.
    auto size = ledger_size_in(db->file());
    if (!size || *size == state.size) break;
  }
  if (has_ledger) {
    if (auto done = archive.add("ledger/checkpoint", state.note); !done) return done;
    if (auto done = archive.add_required("ledger/vkey", ledger / "vkey"); !done) return done;
    for (const storage::TileName& name : storage::tiles_of(state.size)) {
      auto bytes = storage::read_tile(ledger, name);
      if (!bytes) return pass(std::move(bytes));
      if (auto done = archive.add("ledger/" + name.path(), *bytes); !done) return done;
    }
  }
  if (auto done = archive.add_required("tocsin.db", db->file()); !done) return done;

  // What the copied database names; a segment that is replaced meanwhile stays for an hour.
  {
    auto copy = storage::Database::open_read_only(db->file());
    if (!copy) return pass(std::move(copy));
    auto names = (*copy)->read([](storage::Reader& reader) -> Result<std::vector<std::string>> {
      auto known = reader.number("SELECT COUNT(*) FROM sqlite_master WHERE name = 'exposure_segment'");
      if (!known) return pass(std::move(known));
      if (*known == 0) return std::vector<std::string>();
      return storage::segment_files(reader);
    });
    if (!names) return pass(std::move(names));
    for (const std::string& name : *names) {
      if (auto done = archive.add_required(name, options.data / name); !done) return done;
    }
  }

  std::vector<std::string> segments;
  for (std::filesystem::directory_iterator it(options.data / "journal", ec), end; !ec && it != end; it.increment(ec)) {
    const std::string name = it->path().filename().string();
    if (storage::segment_first(name)) segments.push_back(name);
  }
  std::sort(segments.begin(), segments.end());
  for (const std::string& name : segments) {
    if (auto done = archive.add_file("journal/" + name, options.data / "journal" / name); !done) return pass(std::move(done));
  }

  if (options.with_keys) {
    if (std::filesystem::exists(keys / "keys.db", ec)) {
      auto copy = DatabaseCopy::make(keys / "keys.db", scratch);
      if (!copy) return pass(std::move(copy));
      if (auto done = archive.add_required("keys/keys.db", copy->file()); !done) return done;
    }
    for (const char* name : {"root.key", "ledger.seed"}) {
      if (auto done = archive.add_required(std::string("keys/") + name, keys / name); !done) return done;
    }
  }
  return {};
}

// --- reading ---

tl::unexpected<Error> broken(const std::filesystem::path& file, std::string why) {
  return fail(Errc::kCorrupt, "the backup is damaged: " + std::move(why), file.string(), "use another one; nothing was restored");
}

std::optional<std::uint64_t> get_number(const char* field, std::size_t width) {
  std::uint64_t out = 0;
  if (static_cast<unsigned char>(field[0]) == 0x80) {
    for (std::size_t i = 1; i < width; ++i) {
      if (out >> 56 != 0) return std::nullopt;
      out = out << 8 | static_cast<unsigned char>(field[i]);
    }
    return out;
  }
  for (std::size_t i = 0; i < width && field[i] != '\0' && field[i] != ' '; ++i) {
    if (field[i] < '0' || field[i] > '7') return std::nullopt;
    out = out << 3 | static_cast<std::uint64_t>(field[i] - '0');
  }
  return out;
}

// Whether writing a backup would give a file this name.
bool is_member(std::string_view name) {
  if (name == "tocsin.db" || name == "ledger/checkpoint" || name == "ledger/vkey" || name == "keys/keys.db" ||
      name == "keys/root.key" || name == "keys/ledger.seed") {
    return true;
  }
  if (storage::is_segment_file(name)) return true;
  if (name.starts_with("ledger/")) return storage::TileName::parse(name.substr(7)).has_value();
  return name.starts_with("journal/") && storage::segment_first(name.substr(8));
}

class Restorer {
 public:
  Restorer(int fd, const std::filesystem::path& file, std::filesystem::path into,
           const std::function<void(std::uint64_t)>& progress)
      : fd_(fd), file_(file), into_(std::move(into)), progress_(progress) {}

  Result<BackupSummary> run() {
    while (true) {
      std::array<char, kBlock> block{};
      auto got = read(block.data(), kBlock);
      if (!got) return pass(std::move(got));
      if (!*got) return broken(file_, "it ends too early");
      if (std::all_of(block.begin(), block.end(), [](char c) { return c == '\0'; })) break;
      if (auto done = member(block); !done) return pass(std::move(done));
    }
    if (!have_sums_) return broken(file_, "it has no list of sums");
    for (const auto& [name, sum] : sums_) {
      const auto found = seen_.find(name);
      if (found == seen_.end()) return broken(file_, name + " is missing");
      if (found->second != sum) return broken(file_, name + " is not what was saved");
    }
    for (const auto& [name, sum] : seen_) {
      if (!sums_.contains(name)) return broken(file_, name + " was added to it");
    }
    for (const std::filesystem::path& folder : folders_) {
      if (auto synced = storage::sync_directory(folder); !synced) return pass(std::move(synced));
    }
    return summary_;
  }

 private:
  // False at the end of the file.
  Result<bool> read(char* out, std::size_t size) {
    std::size_t have = 0;
    while (have < size) {
      const ssize_t n = ::read(fd_, out + have, size - have);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return system_failure(errno, "read", file_);
      if (n == 0) return false;
      have += static_cast<std::size_t>(n);
    }
    return true;
  }

  Result<void> member(const std::array<char, kBlock>& block) {
    const auto sum = get_number(block.data() + 148, 8);
    const auto size = get_number(block.data() + 124, 12);
    if (!sum || *sum != checksum_of(block) || !size || block[156] != '0') return broken(file_, "a header in it is not right");
    const std::string_view path(block.data(), ::strnlen(block.data(), 100));
    if (!path.starts_with(kRoot)) return broken(file_, "a name in it is not one of ours: " + printable(path, 120));
    const std::string name(path.substr(kRoot.size()));
    if (have_sums_) return broken(file_, "it goes on after its end");
    if (name == kSums) return read_sums(*size);
    if (name != kAbout && !is_member(name)) return broken(file_, "a name in it is not one of ours: " + printable(path, 120));
    if (seen_.contains(name)) return broken(file_, name + " is in it twice");
    return extract(name, *size);
  }

  Result<void> read_sums(std::uint64_t size) {
    if (size > kMaxSumsBytes) return broken(file_, "its list of sums is too large");
    std::string text(static_cast<std::size_t>(size), '\0');
    auto got = read(text.data(), text.size());
    if (!got) return pass(std::move(got));
    if (!*got) return broken(file_, "it ends too early");
    for (const std::string_view line : split(text, '\n')) {
      if (line.empty()) continue;
      if (line.size() < 67 || line.substr(64, 2) != "  ") return broken(file_, "its list of sums is not right");
      sums_[std::string(line.substr(66))] = line.substr(0, 64);
    }
    have_sums_ = true;
    return skip_padding(size);
  }

  Result<void> skip_padding(std::uint64_t size) {
    std::array<char, kBlock> rest{};
    const std::size_t over = static_cast<std::size_t>(size % kBlock);
    if (over == 0) return {};
    auto got = read(rest.data(), kBlock - over);
    if (!got) return pass(std::move(got));
    return *got ? Result<void>() : broken(file_, "it ends too early");
  }

  Result<void> extract(const std::string& name, std::uint64_t size) {
    const bool secret = name.starts_with("keys/");
    const bool keep = name != kAbout;
    const std::filesystem::path to = into_ / name;
    std::error_code ec;
    if (keep) {
      std::filesystem::create_directories(to.parent_path(), ec);
      if (ec) return fail(Errc::kIo, "cannot create: " + ec.message(), to.parent_path().string());
      if (secret) ::chmod(to.parent_path().c_str(), 0700);
      for (std::filesystem::path folder = to.parent_path(); folder != into_.parent_path(); folder = folder.parent_path()) {
        if (std::find(folders_.begin(), folders_.end(), folder) == folders_.end()) folders_.push_back(folder);
      }
    }
    const Descriptor out(keep ? ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, secret ? 0600 : 0640)
                              : ::open("/dev/null", O_WRONLY | O_CLOEXEC));
    if (out.get() < 0) return system_failure(errno, "create", to);
    Hasher hasher;
    std::string chunk(kChunk, '\0');
    for (std::uint64_t left = size; left > 0;) {
      const std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(left, kChunk));
      auto got = read(chunk.data(), part);
      if (!got) return pass(std::move(got));
      if (!*got) return broken(file_, "it ends within " + name);
      hasher.add(std::string_view(chunk).substr(0, part));
      if (auto done = write_all(out.get(), std::string_view(chunk).substr(0, part), to); !done) return done;
      left -= part;
      summary_.bytes += part;
      if (progress_) progress_(summary_.bytes);
    }
    if (keep && ::fsync(out.get()) != 0) return system_failure(errno, "sync", to);
    ++summary_.files;
    seen_[name] = hasher.hex();
    return skip_padding(size);
  }

  int fd_;
  const std::filesystem::path& file_;
  const std::filesystem::path into_;
  const std::function<void(std::uint64_t)>& progress_;
  BackupSummary summary_;
  std::map<std::string, std::string> seen_, sums_;
  std::vector<std::filesystem::path> folders_;
  bool have_sums_ = false;
};

std::filesystem::path parent_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

}  // namespace

Result<BackupSummary> write_backup(const BackupOptions& options, const std::filesystem::path& file, Time now) {
  std::error_code ec;
  if (!std::filesystem::exists(options.data / "tocsin.db", ec)) {
    return fail(Errc::kNotFound, "there is nothing to save", options.data.string(), "name a data directory with --data");
  }
  if (!options.replace && std::filesystem::exists(file, ec)) {
    return fail(Errc::kConflict, "the file exists already", file.string(), "name another one, or add --replace");
  }
  const std::filesystem::path unfinished = file.string() + ".unfinished";
  const Descriptor out(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (out.get() < 0) return system_failure(errno, "create", unfinished);
  Archive archive(out.get(), file, now, options);
  auto done = fill(archive, options, file.string() + ".database", now);
  auto summary = done ? archive.close() : Result<BackupSummary>(pass(std::move(done)));
  if (summary && ::rename(unfinished.c_str(), file.c_str()) != 0) summary = system_failure(errno, "rename into place", file);
  if (!summary) {
    ::unlink(unfinished.c_str());
    return summary;
  }
  if (auto synced = storage::sync_directory(parent_of(file)); !synced) return pass(std::move(synced));
  return summary;
}

Result<BackupSummary> restore_backup(const std::filesystem::path& file, const std::filesystem::path& data,
                                     const std::function<void(std::uint64_t bytes)>& progress) {
  std::error_code ec;
  if (std::filesystem::exists(data, ec) && !std::filesystem::is_empty(data, ec)) {
    return fail(Errc::kConflict, "this directory is not empty", data.string(), "name one that does not exist yet");
  }
  const Descriptor in(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.get() < 0) return system_failure(errno, "open", file);
  std::filesystem::path target = data.lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  const std::filesystem::path unfinished = target.string() + ".restoring";
  std::filesystem::remove_all(unfinished, ec);
  if (auto made = storage::make_directories(unfinished); !made) return pass(std::move(made));
  auto summary = Restorer(in.get(), file, unfinished, progress).run();
  if (summary) {
    std::filesystem::remove(target, ec);  // empty
    if (::rename(unfinished.c_str(), target.c_str()) != 0) summary = system_failure(errno, "rename into place", target);
  }
  if (!summary) {
    std::filesystem::remove_all(unfinished, ec);
    return summary;
  }
  if (auto synced = storage::sync_directory(parent_of(target)); !synced) return pass(std::move(synced));
  return summary;
}

}  // namespace tocsin::engine
