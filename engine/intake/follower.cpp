// Following files by looking at them ten times a second. Polling is chosen over inotify because it is the same on
// every file system (network mounts send no events), cannot overflow, and costs one stat() per file and look.
//
// The life of a file here: found → identified (first line known, format known, place found) → read as it grows →
// rotated away (no pattern finds it any more) → read to its end → quiet for a while → closed.
#include "engine/intake/follower.hpp"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "engine/intake/decoder.hpp"
#include "engine/intake/recognise.hpp"
#include "rules/base/bytes.hpp"
#include "rules/base/descriptor.hpp"

namespace tocsin::engine {
namespace {

constexpr std::size_t kFingerprint = 256;
constexpr std::size_t kChunk = 1024 * 1024;   // read at once
constexpr int kTurns = 8;                     // chunks of one file before the next file's turn
constexpr std::uint32_t kMaxGenerations = 10'000;
constexpr std::size_t kMaxNeighbours = 2'000; // files looked at for one that was renamed while nobody watched

struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  friend auto operator<=>(const Identity&, const Identity&) = default;
};

std::uint64_t stream_of(const Identity& id, std::uint32_t generation, std::string_view first_line) {
  std::string text = std::to_string(id.device) + '/' + std::to_string(id.inode) + '/' + std::to_string(generation) + '/';
  text += first_line;
  const Sha256 hash = sha256(text);
  std::uint64_t stream = 0;
  for (std::size_t i = 0; i < 8; ++i) stream = stream << 8 | hash[i];
  return stream == 0 ? 1 : stream;
}

// Up to `size` bytes at `offset`; short at the end of the file, nullopt on an error.
std::optional<std::string> read_at(int fd, std::size_t size, std::uint64_t offset) {
  std::string out(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t n = ::pread(fd, out.data() + have, size - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  out.resize(have);
  return out;
}

// The first line as far as kFingerprint bytes; nullopt while it is not finished and short.
std::optional<std::string> first_line_of(std::string_view head) {
  const std::size_t line = head.find('\n');
  if (line != std::string_view::npos) return std::string(head.substr(0, line + 1));
  if (head.size() >= kFingerprint) return std::string(head.substr(0, kFingerprint));
  return std::nullopt;
}

std::string open_trouble(int why) {
  if (why == EACCES) {
    return "may not be read by this user: give it read permission (on Debian: add the user to the group adm)";
  }
  if (why == EMFILE || why == ENFILE) return "too many files are open: raise the limit (ulimit -n) or name fewer files";
  return std::string("cannot be opened: ") + std::strerror(why);
}

// One file that is being followed.
struct Tail {
  Descriptor fd;
  std::string path;
  Identity id;
  bool identified = false;
  bool fresh = false;            // it was cut: its next life is new for certain
  std::string first_line;
  std::uint32_t generation = 0;
  std::uint64_t stream = 0;
  std::string format;
  std::optional<Framer> framer;
  std::optional<Gunzip> gunzip;
  bool gzip_ended = false;
  std::uint64_t offset = 0;      // of the file's bytes: read so far
  std::uint64_t skip = 0;        // gzip: unpacked bytes to pass over, they are durable
  bool delivered = false;        // something of this life has been handed on
  struct timespec changed {};    // mtime when last looked at
  std::uint64_t size = 0;
  Time quiet_since{};            // no growth since
  bool rotated = false;          // no pattern finds it any more
  bool renamed = false;          // found beside the pattern's files at the start
  Tail* after = nullptr;         // the file that had this name before; it is read first
  std::string trouble;
};

}  // namespace

class Follower::Work {
 public:
  Work(FollowerOptions options, Resume resume, LineSink sink, const Clock& clock, std::shared_ptr<SourceMeter> meter)
      : options_(std::move(options)), resume_(std::move(resume)), sink_(std::move(sink)), clock_(clock),
        meter_(std::move(meter)) {}

  void start() {
    if (thread_.joinable()) return;
    thread_ = std::thread([this] { run(); });
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) {
      thread_.join();
      meter_->state("stopped");
    }
  }

  std::size_t poll_once() {
    find();
    std::size_t handed = 0;
    std::uint64_t behind = 0;
    for (const auto& tail : tails_) {
      if (stopping()) break;
      handed += read(*tail);
      if (!tail->gunzip && tail->size > tail->offset) behind += tail->size - tail->offset;
    }
    close_finished();
    meter_->behind(behind);
    show();
    return handed;
  }

 private:
  void run() {
    while (!stopping()) {
      if (poll_once() == 0) pause(options_.poll);
    }
  }

  bool stopping() {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  void pause(Duration time) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, time, [this] { return stopping_; });
  }

  // What the patterns find now, against what is open.
  void find() {
    troubles_.clear();
    std::map<Identity, std::string> found;
    std::vector<std::pair<std::string, Identity>> order;
    for (const std::string& pattern : options_.patterns) {
      glob_t matches{};
      const int code = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &matches);
      std::vector<std::string> paths;
      for (std::size_t i = 0; code == 0 && i < matches.gl_pathc; ++i) paths.emplace_back(matches.gl_pathv[i]);
      ::globfree(&matches);
      if (code == GLOB_ABORTED) troubles_[pattern] = "its directory cannot be read";
      std::sort(paths.begin(), paths.end());
      for (std::string& path : paths) {
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0) {
          if (errno != ENOENT) troubles_[path] = open_trouble(errno);
          continue;
        }
        if (!S_ISREG(info.st_mode)) {
          troubles_[path] = "is not a regular file";
          continue;
        }
        const Identity id{info.st_dev, info.st_ino};
        if (found.emplace(id, path).second) order.emplace_back(std::move(path), id);
      }
    }
    for (const auto& tail : tails_) {
      const bool there = found.contains(tail->id);
      if (!there && !tail->rotated) tail->quiet_since = clock_.now();
      tail->rotated = !there;
    }
    if (first_look_) {
      first_look_ = false;
      find_renamed(found);
    }
    for (const auto& [path, id] : order) open(path, id, false);
  }

  // Files that were renamed while nobody watched: beside the patterns' files, with a place on record.
  void find_renamed(const std::map<Identity, std::string>& found) {
    if (!resume_) return;
    std::set<std::filesystem::path> folders;
    for (const std::string& pattern : options_.patterns) {
      std::filesystem::path folder = std::filesystem::path(pattern).parent_path();
      if (folder.string().find_first_of("*?[") == std::string::npos) folders.insert(folder.empty() ? "." : folder);
    }
    std::size_t looked = 0;
    for (const auto& folder : folders) {
      std::error_code ec;
      for (std::filesystem::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
        if (++looked > kMaxNeighbours) return;
        struct stat info {};
        const std::string path = it->path().string();
        if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
        const Identity id{info.st_dev, info.st_ino};
        if (found.contains(id)) continue;
        const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (fd.get() < 0) continue;
        const auto head = read_at(fd.get(), kFingerprint, 0);
        const auto line = head ? first_line_of(*head) : std::nullopt;
        if (!line || looks_like_gzip(*head)) continue;
        std::optional<std::uint64_t> known;
        for (std::uint32_t g = 0; g < kMaxGenerations; ++g) {
          const auto place = resume_(stream_of(id, g, *line));
          if (!place) break;
          known = place;
        }
        if (known && *known < static_cast<std::uint64_t>(info.st_size)) open(path, id, true);
      }
    }
  }

  void open(const std::string& path, const Identity& id, bool rotated) {
    for (const auto& tail : tails_) {
      if (tail->id == id) return;
    }
    if (tails_.size() >= options_.max_files) {
      troubles_[path] = "more than " + std::to_string(options_.max_files) + " files match: name fewer";
      return;
    }
    Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info {};
    if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0) {
      if (errno != ENOENT) troubles_[path] = open_trouble(errno);
      return;
    }
    auto tail = std::make_unique<Tail>();
    tail->fd = std::move(fd);
    tail->path = path;
    tail->id = {info.st_dev, info.st_ino};
    tail->rotated = tail->renamed = rotated;
    tail->quiet_since = clock_.now();
    for (const auto& other : tails_) {
      if (other->id == tail->id) return;
      if (other->path == path) tail->after = other.get();
      // Renamed while nobody watched: before whatever stands in its folder now.
      if (other->renamed && !rotated && tail->after == nullptr &&
          std::filesystem::path(other->path).parent_path() == std::filesystem::path(path).parent_path()) {
        tail->after = other.get();
      }
    }
    tails_.push_back(std::move(tail));
  }

  // Reads what is new in one file and hands it on. Returns the number of records.
  std::size_t read(Tail& tail) {
    if (tail.after != nullptr && !at_end(*tail.after)) return 0;
    struct stat info {};
    if (::fstat(tail.fd.get(), &info) != 0) {
      tail.trouble = std::string("cannot be looked at: ") + std::strerror(errno);
      return 0;
    }
    std::size_t handed = 0;
    const auto size = static_cast<std::uint64_t>(info.st_size);
    const bool touched = size != tail.size || info.st_mtim.tv_sec != tail.changed.tv_sec ||
                         info.st_mtim.tv_nsec != tail.changed.tv_nsec;
    if (touched) {
      tail.quiet_since = clock_.now();
      if (tail.identified && cut(tail, size)) {
        handed += finish(tail);
        begin_again(tail);
      }
    }
    tail.size = size;
    tail.changed = info.st_mtim;
    if (!tail.identified && !identify(tail)) return handed;
    for (int turn = 0; turn < kTurns && !stopping(); ++turn) {
      if (tail.gzip_ended || (tail.offset >= tail.size && !tail.gunzip)) break;
      auto bytes = read_at(tail.fd.get(), tail.gunzip ? kChunk / 16 : kChunk, tail.offset);
      if (!bytes) {
        tail.trouble = std::string("cannot be read: ") + std::strerror(errno);
        break;
      }
      if (bytes->empty()) break;
      tail.trouble.clear();
      tail.offset += bytes->size();
      if (tail.gunzip) {
        unpack(tail, *bytes);
      } else {
        tail.framer->add(*bytes);
      }
      const auto n = hand_on(tail);
      if (!n) break;  // stopping
      handed += *n;
    }
    if (tail.gunzip && !tail.gzip_ended && tail.offset >= tail.size && quiet(tail)) {
      // Nothing has come for a while: the file is whole, or cut short for good.
      if (auto ended = tail.gunzip->finish(); !ended) tail.trouble = std::move(ended).error().text();
      tail.gzip_ended = true;
      handed += finish(tail);
    }
    return handed;
  }

  bool quiet(const Tail& tail) { return clock_.now() - tail.quiet_since >= options_.rotated_wait; }
  static bool at_end(const Tail& tail) {
    if (!tail.identified) return !tail.trouble.empty();
    return tail.gunzip ? tail.gzip_ended : tail.offset >= tail.size;
  }

  // Whether the file was cut, or cut and written again: shorter than what was read, or another first line.
  static bool cut(const Tail& tail, std::uint64_t size) {
    if (size < tail.offset) return true;
    const auto head = read_at(tail.fd.get(), tail.first_line.size(), 0);
    return head && *head != tail.first_line;
  }

  void begin_again(Tail& tail) {
    tail.identified = false;
    tail.fresh = tail.delivered;
    tail.delivered = false;
    tail.framer.reset();
    tail.gunzip.reset();
    tail.gzip_ended = false;
    tail.offset = tail.skip = 0;
  }

  // Finds out the file's stream, format and place; false while it is too short for that.
  bool identify(Tail& tail) {
    const auto head = read_at(tail.fd.get(), kFingerprint, 0);
    if (!head || head->empty()) return false;
    auto line = first_line_of(*head);
    if (!line) {
      if (!quiet(tail)) return false;
      line = *head;
    }
    const bool gzip = looks_like_gzip(*head);
    if (options_.format.empty()) {
      auto format = recognised(tail, gzip);
      if (!format) return false;
      tail.format = std::move(*format);
      meter_->format(tail.format);
    } else {
      tail.format = options_.format;
    }

    std::uint64_t place = 0;  // durable as far as this; 0 = nothing is known
    std::uint32_t generation = 0;
    if (tail.fresh) {
      // The first life of this file that nothing is known of.
      if (*line == tail.first_line) generation = tail.generation + 1;
      while (resume_ && generation < kMaxGenerations && resume_(stream_of(tail.id, generation, *line))) ++generation;
    } else if (resume_) {
      for (std::uint32_t g = 0; g < kMaxGenerations; ++g) {
        const auto known = resume_(stream_of(tail.id, g, *line));
        if (!known) break;
        place = *known;
        generation = g;
      }
      if (!gzip && place > tail.size) {  // cut while nobody watched
        ++generation;
        place = 0;
      }
    }
    tail.first_line = std::move(*line);
    tail.generation = generation;
    tail.stream = stream_of(tail.id, generation, tail.first_line);
    tail.fresh = false;
    tail.trouble.clear();
    Place start;
    if (place > 0) {
      tail.delivered = true;
      if (gzip) tail.skip = place;
      else start = {place, lines_before(tail, place)};
    }
    tail.offset = start.offset;
    if (gzip) tail.gunzip.emplace(options_.gzip);
    tail.framer.emplace(framing_of(tail.format), start);
    tail.identified = true;
    return true;
  }

  std::optional<std::string> recognised(Tail& tail, bool gzip) {
    auto sample = read_at(tail.fd.get(), kRecognitionSample, 0);
    if (!sample) return std::nullopt;
    if (gzip) {
      Gunzip unpacker(options_.gzip);
      std::string plain;
      for (std::string_view rest = *sample; !rest.empty() && plain.size() < kRecognitionSample;) {
        const std::string_view piece = rest.substr(0, 16 * 1024);
        rest.remove_prefix(piece.size());
        if (!unpacker.add(piece, plain)) break;
      }
      sample = std::move(plain);
    }
    auto found = recognise(*sample);
    if (found) return found->format;
    tail.trouble = found.error().code == Errc::kUnavailable ? std::string() : found.error().text();
    return std::nullopt;
  }

  // The 1-based line that begins at `offset`.
  static std::uint64_t lines_before(const Tail& tail, std::uint64_t offset) {
    std::uint64_t lines = 1, at = 0;
    while (at < offset) {
      const auto bytes = read_at(tail.fd.get(), static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, offset - at)), at);
      if (!bytes || bytes->empty()) break;
      lines += static_cast<std::uint64_t>(std::count(bytes->begin(), bytes->end(), '\n'));
      at += bytes->size();
    }
    return lines;
  }

  void unpack(Tail& tail, std::string_view packed) {
    std::string plain;
    auto done = tail.gunzip->add(packed, plain);
    std::string_view bytes = plain;
    if (tail.skip > 0) {
      const auto over = static_cast<std::size_t>(std::min<std::uint64_t>(tail.skip, bytes.size()));
      skipped_lines_ += static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(over), '\n'));
      skipped_bytes_ += over;
      bytes.remove_prefix(over);
      tail.skip -= over;
      if (tail.skip == 0) {
        tail.framer.emplace(framing_of(tail.format), Place{skipped_bytes_, 1 + skipped_lines_});
        skipped_lines_ = skipped_bytes_ = 0;
      }
    }
    tail.framer->add(bytes);
    if (!done) {
      tail.trouble = std::move(done).error().text();
      tail.gzip_ended = true;
    }
  }

  // What has no end yet is taken as it is: the file will not grow any more.
  std::size_t finish(Tail& tail) {
    if (!tail.framer) return 0;
    tail.framer->finish();
    return hand_on(tail).value_or(0);
  }

  // Hands on all frames that are complete. nullopt: stopped before they were durable.
  std::optional<std::size_t> hand_on(Tail& tail) {
    std::size_t handed = 0;
    for (;;) {
      lines_.clear();
      std::size_t bytes = 0;
      std::optional<Frame> frame;
      while (lines_.size() < options_.batch_records && bytes < options_.batch_bytes && (frame = tail.framer->next())) {
        if (!frame->error.empty()) {
          meter_->rejected({tail.path, frame->line, frame->error, std::string(frame->bytes), clock_.now()});
          continue;
        }
        Line& line = lines_.emplace_back();
        line.source = options_.source;
        line.file = tail.path;
        line.format = tail.format;
        line.stream = tail.stream;
        line.line = frame->line;
        line.end = frame->end;
        line.bytes = frame->bytes;
        bytes += frame->bytes.size();
      }
      if (lines_.empty()) return handed;
      if (!deliver(lines_)) return std::nullopt;
      tail.delivered = true;
      handed += lines_.size();
    }
  }

  // Until it is durable, or stopping (false).
  bool deliver(std::span<const Line> lines) {
    Duration wait = options_.poll;
    for (;;) {
      if (stopping()) return false;
      auto done = sink_(lines);
      if (done) {
        held_up_.clear();
        return true;
      }
      if (done.error().code == Errc::kTooLarge) {
        if (lines.size() > 1) {
          const std::size_t half = lines.size() / 2;
          return deliver(lines.first(half)) && deliver(lines.subspan(half));
        }
        meter_->rejected({std::string(lines[0].file), lines[0].line, done.error().text(),
                          std::string(lines[0].bytes.substr(0, Reject::kMaxPreview)), clock_.now()});
        return true;
      }
      held_up_ = done.error().text();
      show();
      pause(wait);
      wait = std::min(wait * 2, options_.retry_most);
    }
  }

  // Rotated files that are read to their end and quiet.
  void close_finished() {
    for (auto it = tails_.begin(); it != tails_.end();) {
      Tail& tail = **it;
      const bool done = tail.rotated && quiet(tail) && (at_end(tail) || !tail.identified || !tail.trouble.empty());
      if (!done || stopping()) {
        ++it;
        continue;
      }
      finish(tail);
      for (const auto& other : tails_) {
        if (other->after == &tail) other->after = nullptr;
      }
      it = tails_.erase(it);
    }
  }

  void show() {
    std::string trouble;
    std::size_t more = 0;
    const auto add = [&](const std::string& path, const std::string& text) {
      if (text.empty()) return;
      if (trouble.empty()) trouble = path + ": " + text;
      else ++more;
    };
    for (const auto& [path, text] : troubles_) add(path, text);
    for (const auto& tail : tails_) add(tail->path, tail->trouble);
    if (more > 0) trouble += " (and " + std::to_string(more) + " more)";
    if (!held_up_.empty()) meter_->state("held up", held_up_);
    else if (!trouble.empty()) meter_->state("error", trouble);
    else if (tails_.empty()) meter_->state("waiting", "no file is there yet");
    else meter_->state("following");
  }

  FollowerOptions options_;
  Resume resume_;
  LineSink sink_;
  const Clock& clock_;
  std::shared_ptr<SourceMeter> meter_;

  // Everything below belongs to the follower's thread, except what the mutex guards.
  std::vector<std::unique_ptr<Tail>> tails_;  // the older first
  std::map<std::string, std::string> troubles_;
  std::string held_up_;
  std::vector<Line> lines_;
  std::uint64_t skipped_lines_ = 0, skipped_bytes_ = 0;
  bool first_look_ = true;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

Follower::Follower(FollowerOptions options, Resume resume, LineSink sink, const Clock& clock,
                   std::shared_ptr<SourceMeter> meter)
    : work_(std::make_unique<Work>(std::move(options), std::move(resume), std::move(sink), clock, std::move(meter))) {}

Follower::~Follower() { work_->stop(); }

void Follower::start() { work_->start(); }
void Follower::stop() { work_->stop(); }
std::size_t Follower::poll_once() { return work_->poll_once(); }

}  // namespace tocsin::engine
