// Many appenders, one committer. An append hands the committer a view of its records and waits; the committer
// gathers what has come together, recognises duplicates, numbers and encodes the rest straight from the callers'
// memory, writes it with one call, syncs, and lets everybody go. All state that decides anything (ids, streams,
// the open segment) belongs to the committer's thread alone; what others may see is published under `mutex_`
// after it is durable.
#include "storage/journal/journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "rules/base/descriptor.hpp"
#include "storage/files/durable_file.hpp"
#include "storage/journal/id_set.hpp"
#include "storage/journal/segment.hpp"
#include "storage/vault/keys.hpp"

namespace tocsin::storage {
namespace {

constexpr std::chrono::milliseconds kIdleMark{100};  // so long after the last batch, a mark covers it
constexpr std::size_t kMaxSourceBytes = 1024;
constexpr std::size_t kMaxFileBytes = 8192;
constexpr std::size_t kKeepBufferBytes = 16 << 20;
constexpr std::uint64_t kMaxLine = (std::uint64_t{1} << 48) - 1;

// What readers know of one segment file.
struct Segment {
  std::filesystem::path file;
  SegmentHeader header;
  std::uint64_t end = kSegmentHeaderBytes;  // durable bytes
};

ReadAt reader_of(int fd) {
  return [fd](std::uint64_t offset, char* out, std::size_t size) { return ::pread(fd, out, size, static_cast<off_t>(offset)); };
}

Result<std::pair<Descriptor, SegmentHeader>> open_segment(const std::filesystem::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return system_failure(errno, "open", path);
  std::array<char, kSegmentHeaderBytes> bytes{};
  const ssize_t n = ::pread(file.get(), bytes.data(), bytes.size(), 0);
  if (n < 0) return system_failure(errno, "read", path);
  auto header = SegmentHeader::parse({bytes.data(), static_cast<std::size_t>(n)});
  if (!header) {
    Error error = std::move(header).error();
    error.where = path.string();
    if (error.code == Errc::kCorrupt) {
      error.remedy = "restore this file from a backup, or move it away: its events are then reported as missing";
    }
    return tl::unexpected<Error>(std::move(error));
  }
  return std::pair(std::move(file), *header);
}

Result<std::uint64_t> size_of(int fd, const std::filesystem::path& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return system_failure(errno, "read", path);
  return static_cast<std::uint64_t>(info.st_size);
}

struct StreamKey {
  std::string source;
  std::uint64_t stream = 0;
  friend bool operator==(const StreamKey&, const StreamKey&) = default;
};
struct StreamHash {
  std::size_t operator()(const StreamKey& key) const noexcept {
    return std::hash<std::string>()(key.source) ^ (key.stream * 0x9E3779B97F4A7C15ULL);
  }
};

}  // namespace

struct Journal::Impl {
  // One append, waiting on its caller's stack.
  struct Request {
    std::span<const Record> records;
    std::size_t bytes = 0;
    Result<Appended> result;
    bool done = false;
  };
  struct Stream {
    Position at;                     // as committed, or as it will be with the batch in hand
    std::uint64_t used = 0;          // number of the batch that touched it last
    const StreamKey* key = nullptr;  // its own, in the map that holds it
  };
  // A (source, file, stream) with its number in the open segment.
  struct Origin {
    std::string source, file;
    std::uint64_t stream = 0;
    std::uint32_t number = 0;
    Stream* state = nullptr;  // null until a record has a position: others need no memory beyond the segment
  };

  Impl(std::filesystem::path directory, const Clock& machine_clock, Options given)
      : dir(std::move(directory)), clock(machine_clock), options(std::move(given)),
        seen(options.remembered_ids, options.remember_for) {
    if (!options.disk) options.disk = std::make_shared<Disk>();
  }
  ~Impl() { close_segment(); }

  const std::filesystem::path dir;
  const Clock& clock;
  Options options;
  Recovery recovery;
  Descriptor lock;
  std::array<std::uint8_t, 16> instance{};
  std::uint64_t next_number = 1;  // of a segment file

  // --- the committer's own ---
  SeenIds seen;
  std::unordered_map<StreamKey, Stream, StreamHash> streams;
  std::deque<Origin> origins;                                  // of the open segment
  std::unordered_map<std::string, Origin*> origin_by_key;
  Origin* last_origin = nullptr;
  Seq next_seq = 1;
  Seq marked = 0;             // highest durable_seq in a synced mark
  std::uint64_t batch = 0;
  int fd = -1;                // of the open segment; -1: the next batch makes one
  std::uint64_t end = 0;      // durable bytes in it
  std::uint64_t ids_in_segment = 0;
  std::string buffer;

  // --- shared, under `mutex` ---
  mutable std::mutex mutex;
  std::condition_variable work;
  mutable std::condition_variable durable_changed;
  std::condition_variable done_changed;
  std::deque<Request*> queue;
  std::size_t queued_bytes = 0;
  bool stopping = false;
  std::deque<Segment> segments;  // oldest first; the last one may be the open one
  Seq durable = 0;
  std::string trouble;
  std::unordered_map<StreamKey, Position, StreamHash> positions;

  std::thread committer;

  // ---------------------------------------------------------------- opening

  Result<void> open_directory() {
    if (auto made = make_directories(dir / "quarantine"); !made) return made;
    const std::filesystem::path lock_file = dir / "lock";
    lock = Descriptor(::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (lock.get() < 0) return system_failure(errno, "open", lock_file);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
      return fail(Errc::kUnavailable, "another tocsin uses this journal", dir.string(), "stop it first");
    }
    return {};
  }

  Result<void> list_segments() {
    std::error_code ec;
    std::vector<std::filesystem::path> files;
    for (std::filesystem::directory_iterator it(dir, ec), last; !ec && it != last; it.increment(ec)) {
      const std::string name = it->path().filename().string();
      if (name.starts_with(kTemporaryPrefix)) {
        std::error_code ignored;
        std::filesystem::remove(it->path(), ignored);
      } else if (segment_first(name)) {
        files.push_back(it->path());
      }
    }
    if (ec) return fail(Errc::kIo, "cannot list the journal: " + ec.message(), dir.string());
    std::sort(files.begin(), files.end());
    for (const auto& path : files) {
      auto opened = open_segment(path);
      if (!opened) return pass(std::move(opened));
      if (opened->second.first != *segment_first(path.filename().string())) {
        return fail(Errc::kCorrupt, "the segment's name does not fit its header", path.string());
      }
      if (!segments.empty() && opened->second.instance != segments.front().header.instance) {
        return fail(Errc::kCorrupt, "this segment belongs to another journal", path.string(), "move it away");
      }
      auto size = size_of(opened->first.get(), path);
      if (!size) return pass(std::move(size));
      segments.push_back({path, opened->second, *size});
      next_number = std::max(next_number, opened->second.number + 1);
    }
    if (segments.empty()) {
      const std::string bytes = random_bytes(instance.size());
      std::memcpy(instance.data(), bytes.data(), instance.size());
    } else {
      instance = segments.front().header.instance;
    }
    return {};
  }

  // Goes through the newest segment, which a crash may have left unfinished.
  Result<void> recover_newest() {
    if (segments.empty()) return {};
    Segment& segment = segments.back();
    Descriptor file(::open(segment.file.c_str(), O_RDWR | O_CLOEXEC));
    if (file.get() < 0) return system_failure(errno, "open", segment.file);
    // What a dead process wrote and did not sync is readable and yet not durable.
    if (options.disk->fsync(file.get()) != 0) return system_failure(errno, "sync", segment.file);
    const std::uint64_t size = segment.end;
    SegmentScanner scanner(reader_of(file.get()), segment.header);
    std::unordered_map<std::uint32_t, OriginCopy> known;
    Seq synced = 0;  // D: known to have been acknowledged
    std::vector<JournalGap> holes;
    std::uint64_t good_end = kSegmentHeaderBytes;
    bool torn = false;
    while (true) {
      Frame frame;
      auto step = scanner.next(frame, size);
      if (!step) return pass(std::move(step));
      if (*step == SegmentScanner::Step::kFrame) {
        good_end = scanner.offset();
        if (frame.type == FrameType::kMark) synced = std::max(synced, frame.position);
        take_up(frame, known);
        continue;
      }
      if (*step == SegmentScanner::Step::kEnd) break;
      const Seq missing = scanner.expected();
      const std::uint64_t bad = scanner.offset();
      auto again = scanner.resync(size);
      if (!again) return pass(std::move(again));
      if (!*again) {
        torn = true;
        break;
      }
      holes.push_back({missing, scanner.expected() - 1, false, segment.file.filename().string(), bad});
    }
    next_seq = scanner.expected();
    if (torn) {
      auto cut = quarantine(file.get(), segment, good_end, size);
      if (!cut) return cut;
      if (synced >= next_seq) {
        holes.push_back({next_seq, synced, true, segment.file.filename().string(), good_end});
        next_seq = synced + 1;
      }
    } else if (good_end < size) {
      // Zeros: space that was reserved and never used.
      if (options.disk->ftruncate(file.get(), static_cast<off_t>(good_end)) != 0 || options.disk->fsync(file.get()) != 0) {
        return system_failure(errno, "cut", segment.file);
      }
    }
    segment.end = good_end;
    for (JournalGap& hole : holes) {
      hole.acknowledged = hole.first <= synced;
      if (hole.first <= hole.last) recovery.gaps.push_back(hole);
    }
    return {};
  }

  Result<void> quarantine(int from, const Segment& segment, std::uint64_t begin, std::uint64_t size) {
    std::string bytes(static_cast<std::size_t>(size - begin), '\0');
    std::size_t have = 0;
    while (have < bytes.size()) {
      const ssize_t n = ::pread(from, bytes.data() + have, bytes.size() - have, static_cast<off_t>(begin + have));
      if (n < 0) return system_failure(errno, "read", segment.file);
      if (n == 0) break;
      have += static_cast<std::size_t>(n);
    }
    bytes.resize(have);
    const std::filesystem::path kept =
        dir / "quarantine" / (segment.file.filename().string() + "." + std::to_string(begin) + ".cut");
    if (auto done = write_durably(kept, bytes, 0600); !done) return done;
    if (options.disk->ftruncate(from, static_cast<off_t>(begin)) != 0 || options.disk->fsync(from) != 0) {
      return system_failure(errno, "cut", segment.file);
    }
    recovery.torn_bytes = have;
    recovery.quarantine = kept.string();
    return {};
  }

  struct OriginCopy {
    std::string source, file;
    std::uint64_t stream = 0;
  };

  // Learns from a frame of the past what the committer would know had it written it.
  void take_up(const Frame& frame, std::unordered_map<std::uint32_t, OriginCopy>& known) {
    if (frame.type == FrameType::kOrigin) {
      const auto origin = OriginPayload::parse(frame.payload);
      if (!origin) return;
      known[frame.origin] = {std::string(origin->source), std::string(origin->file), origin->stream};
      if (frame.position != 0) advance(*origin, frame.position, frame.line);
      return;
    }
    if (frame.type != FrameType::kEvent) return;
    if (frame.event_id != kNoEventId) {
      ++ids_in_segment;
      seen.insert(frame.event_id, frame.arrived);
    }
    const auto origin = known.find(frame.origin);
    if (frame.position != 0 && origin != known.end()) {
      advance({origin->second.stream, origin->second.source, origin->second.file}, frame.position, frame.line);
    }
  }

  Stream& stream_of(std::string_view source, std::uint64_t number) {
    const auto [at, fresh] = streams.try_emplace(StreamKey{std::string(source), number});
    if (fresh) at->second.key = &at->first;
    return at->second;
  }

  void advance(const OriginPayload& origin, std::uint64_t position, std::uint64_t line) {
    Stream& stream = stream_of(origin.source, origin.stream);
    if (std::pair(position, line) <= std::pair(stream.at.position, stream.at.line)) return;
    stream.at = {position, line, std::string(origin.file)};
  }

  // Ids from the segments before the newest one, as far back as the window goes. Called before recover_newest,
  // so that older ids are inserted first.
  Result<void> remember_ids() {
    if (segments.size() < 2) return {};
    const Time now = clock.now();
    std::size_t from = segments.size() - 1;
    std::uint64_t budget = seen.per_generation();
    while (from > 0 && budget > 0) {
      // A segment's events arrived before the next one was made.
      if (segments[from].header.created + options.remember_for < now) break;
      --from;
      const std::uint64_t count = ids_of(segments[from]);
      budget -= std::min(budget, count);
    }
    for (std::size_t i = from; i + 1 < segments.size(); ++i) {
      if (ids_of(segments[i]) == 0) continue;
      auto opened = open_segment(segments[i].file);
      if (!opened) return pass(std::move(opened));
      SegmentScanner scanner(reader_of(opened->first.get()), segments[i].header);
      while (true) {
        Frame frame;
        auto step = scanner.next(frame, segments[i].end);
        if (!step) return pass(std::move(step));
        if (*step == SegmentScanner::Step::kEnd) break;
        if (*step == SegmentScanner::Step::kBad) {
          auto again = scanner.resync(segments[i].end);
          if (!again) return pass(std::move(again));
          if (!*again) break;
          continue;
        }
        if (frame.type == FrameType::kEvent && frame.event_id != kNoEventId) seen.insert(frame.event_id, frame.arrived);
      }
    }
    return {};
  }

  // How many event ids a sealed segment has, from its seal; unknown counts as many.
  std::uint64_t ids_of(const Segment& segment) const {
    const std::uint64_t many = segment.end / kFrameHeaderBytes / 4;
    if (segment.end < kSegmentHeaderBytes + kFrameHeaderBytes) return 0;
    Descriptor file(::open(segment.file.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return many;
    // The seal, if there is one, is the last frame; its own checksum tells.
    const std::uint64_t at = segment.end - kFrameHeaderBytes;
    SegmentHeader header = segment.header;
    std::array<char, kFrameHeaderBytes> bytes{};
    if (::pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(at)) != static_cast<ssize_t>(bytes.size())) {
      return many;
    }
    std::memcpy(&header.first, bytes.data() + 16, sizeof(header.first));  // a frame's number, little-endian
    SegmentScanner scanner(
        [&](std::uint64_t offset, char* out, std::size_t size) -> ssize_t {
          if (offset < kSegmentHeaderBytes || offset >= kSegmentHeaderBytes + bytes.size()) return 0;
          const std::size_t skip = static_cast<std::size_t>(offset - kSegmentHeaderBytes);
          const std::size_t n = std::min(size, bytes.size() - skip);
          std::memcpy(out, bytes.data() + skip, n);
          return static_cast<ssize_t>(n);
        },
        header);
    Frame frame;
    auto step = scanner.next(frame, kSegmentHeaderBytes + bytes.size());
    if (!step || *step != SegmentScanner::Step::kFrame || frame.type != FrameType::kSeal) return many;
    return frame.line;
  }

  Result<void> start() {
    if (auto done = open_directory(); !done) return done;
    if (auto done = list_segments(); !done) return done;
    if (auto done = remember_ids(); !done) return done;
    if (auto done = recover_newest(); !done) return done;
    ids_in_segment = 0;
    next_seq = std::max(next_seq, options.used + 1);
    durable = next_seq - 1;
    for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
      recovery.events += segments[i + 1].header.first - segments[i].header.first;
    }
    if (!segments.empty()) recovery.events += next_seq - segments.back().header.first;
    for (const JournalGap& gap : recovery.gaps) recovery.events -= std::min(recovery.events, gap.last - gap.first + 1);
    recovery.remembered = seen.size();
    for (const auto& [key, stream] : streams) positions[key] = stream.at;
    committer = std::thread([this] { run(); });
    return {};
  }

  // ---------------------------------------------------------------- the committer

  void run() {
    // Syncing late makes everybody wait; with both cores busy this is what keeps acknowledgements quick.
    static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), -5));
    std::size_t came_together = 0;
    std::vector<Request*> taken;
    while (true) {
      {
        std::unique_lock guard(mutex);
        const auto ready = [&] { return stopping || !queue.empty(); };
        if (marked < durable && fd >= 0) {
          if (!work.wait_for(guard, kIdleMark, ready)) {
            guard.unlock();
            mark_idle();
            continue;
          }
        } else {
          work.wait(guard, ready);
        }
        if (queue.empty()) break;  // stopping, and nothing left to do
        // Those who were together in the last batch are likely to come again in a moment.
        if (came_together > 1) {
          work.wait_for(guard, options.gather_for, [&] {
            return stopping || queue.size() >= came_together || queued_bytes >= options.gather_bytes;
          });
        }
        taken.assign(queue.begin(), queue.end());
        queue.clear();
        queued_bytes = 0;
      }
      came_together = taken.size();
      commit(taken);
    }
    seal();
  }

  void commit(const std::vector<Request*>& requests) {
    // After a failed sync the descriptor cannot be trusted any more: once more, in a new segment.
    constexpr int kTries = 2;
    Result<void> done;
    for (int i = 0; i < kTries; ++i) {
      bool again = false;
      done = try_commit(requests, again);
      if (done || !again) break;
    }
    const std::lock_guard guard(mutex);
    trouble = done ? std::string() : done.error().text();
    for (Request* request : requests) {
      if (!done) request->result = tl::unexpected<Error>(done.error());
      request->done = true;
    }
    done_changed.notify_all();
    durable_changed.notify_all();
  }

  struct Undo {
    std::vector<EventId> ids;
    std::vector<std::pair<Stream*, Position>> streams;
  };

  Result<void> try_commit(const std::vector<Request*>& requests, bool& again) {
    std::size_t estimate = 0;
    for (const Request* request : requests) estimate += request->bytes;
    if (fd >= 0 && end + estimate > options.segment_bytes) seal();
    if (fd < 0) {
      if (auto made = new_segment(); !made) return made;
    }
    ++batch;
    Undo undo;
    const Seq first = next_seq;
    const std::uint64_t ids_before = ids_in_segment;
    buffer.clear();
    const Frame mark = mark_now();
    append_frame(buffer, mark, checksum_seed(instance));
    const std::size_t origins_before = origins.size();
    for (Request* request : requests) request->result = encode(request->records, undo);
    // Duplicates only, of events that are durable. (A new origin frame is written all the same: later events of
    // this segment refer to it.)
    if (next_seq == first && origins.size() == origins_before) return {};

    bool sync_failed = false;
    auto written = write_out(sync_failed);
    if (!written) {
      for (const EventId& id : undo.ids) seen.erase(id);
      for (auto& [stream, position] : undo.streams) stream->at = std::move(position);
      next_seq = first;
      ids_in_segment = ids_before;
      abandon_segment();
      again = sync_failed;
      return written;
    }
    marked = first - 1;
    if (buffer.capacity() > kKeepBufferBytes) {
      buffer.clear();
      buffer.shrink_to_fit();
    }
    const std::lock_guard guard(mutex);
    durable = next_seq - 1;
    segments.back().end = end;
    for (const auto& [stream, position] : undo.streams) positions[*stream->key] = stream->at;
    return {};
  }

  // Numbers and encodes what is new of one append.
  Appended encode(std::span<const Record> records, Undo& undo) {
    Appended out;
    const std::uint32_t seed = checksum_seed(instance);
    for (std::size_t i = 0; i < records.size(); ++i) {
      const Record& record = records[i];
      Origin& origin = origin_of(record);
      Stream* stream = nullptr;
      if (record.position != 0) {
        if (origin.state == nullptr) origin.state = &stream_of(record.source, record.stream);
        stream = origin.state;
        if (std::pair(record.position, record.line) <= std::pair(stream->at.position, stream->at.line)) {
          out.duplicates.push_back(i);
          continue;
        }
      }
      if (record.event_id != kNoEventId) {
        if (!seen.insert(record.event_id, record.arrived)) {
          out.duplicates.push_back(i);
          // Its place in the stream has been reached all the same.
          if (stream != nullptr) move_on(*stream, record, undo);
          continue;
        }
        undo.ids.push_back(record.event_id);
        ++ids_in_segment;
      }
      if (stream != nullptr) move_on(*stream, record, undo);
      if (out.accepted == 0) out.first = next_seq;
      ++out.accepted;
      Frame frame;
      frame.seq = next_seq++;
      frame.arrived = record.arrived;
      frame.origin = origin.number;
      frame.line = record.line;
      frame.position = record.position;
      frame.event_id = record.event_id;
      frame.payload = record.payload;
      append_frame(buffer, frame, seed);
    }
    return out;
  }

  void move_on(Stream& stream, const Record& record, Undo& undo) {
    if (stream.used != batch) {
      stream.used = batch;
      undo.streams.emplace_back(&stream, stream.at);
    }
    stream.at.position = record.position;
    stream.at.line = record.line;
    if (stream.at.file != record.file) stream.at.file = record.file;
  }

  Origin& origin_of(const Record& record) {
    if (last_origin != nullptr && last_origin->stream == record.stream && last_origin->source == record.source &&
        last_origin->file == record.file) {
      return *last_origin;
    }
    std::string key;
    key.reserve(record.source.size() + record.file.size() + 9);
    key += record.source;
    key += '\0';
    key.append(reinterpret_cast<const char*>(&record.stream), sizeof(record.stream));
    key += record.file;
    if (const auto known = origin_by_key.find(key); known != origin_by_key.end()) {
      last_origin = known->second;
      return *last_origin;
    }
    Origin& origin = origins.emplace_back();
    origin.source = record.source;
    origin.file = record.file;
    origin.stream = record.stream;
    origin.number = static_cast<std::uint32_t>(origins.size());
    origin_by_key.emplace(std::move(key), &origin);
    last_origin = &origin;
    append_origin(origin);
    return origin;
  }

  void append_origin(const Origin& origin) {
    const std::string payload = OriginPayload{origin.stream, origin.source, origin.file}.bytes();
    Frame frame;
    frame.type = FrameType::kOrigin;
    frame.seq = next_seq;
    frame.origin = origin.number;
    if (origin.state != nullptr) {
      frame.position = origin.state->at.position;
      frame.line = origin.state->at.line;
    }
    frame.payload = payload;
    append_frame(buffer, frame, checksum_seed(instance));
  }

  // Writes the buffer behind the durable end and syncs. On failure the segment must be given up.
  Result<void> write_out(bool& sync_failed) {
    std::size_t done = 0;
    while (done < buffer.size()) {
      const iovec part{buffer.data() + done, buffer.size() - done};
      const ssize_t n = options.disk->pwritev(fd, &part, 1, static_cast<off_t>(end + done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return storing_failed(n == 0 ? ENOSPC : errno, "write");
      done += static_cast<std::size_t>(n);
    }
    if (options.disk->fdatasync(fd) != 0) {
      sync_failed = true;
      return storing_failed(errno, "sync");
    }
    end += buffer.size();
    return {};
  }

  tl::unexpected<Error> storing_failed(int number, std::string_view doing) {
    auto error = system_failure(number, std::string(doing) + " the journal", dir);
    if (error.value().code == Errc::kTooLarge) {
      error.value().code = Errc::kUnavailable;
      error.value().remedy = "the disk is full: free some space; nothing acknowledged is lost, and it goes on by itself";
    }
    return error;
  }

  // ---------------------------------------------------------------- segments

  Result<void> new_segment() {
    forget_streams();
    SegmentHeader header;
    header.number = next_number;
    header.first = next_seq;
    header.created = clock.now();
    header.instance = instance;
    const std::filesystem::path file = dir / segment_name(next_seq);
    const std::filesystem::path temporary = dir / (std::string(kTemporaryPrefix) + "segment");
    const int made = options.disk->open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (made < 0) return storing_failed(errno, "create a segment of");
    origins.clear();
    origin_by_key.clear();
    last_origin = nullptr;
    buffer = header.bytes();
    // Every stream's place, so that the newest segment alone says where to resume.
    for (auto& [key, stream] : streams) {
      if (stream.at.position == 0) continue;
      Origin& origin = origins.emplace_back();
      origin.source = key.source;
      origin.file = stream.at.file;
      origin.stream = key.stream;
      origin.number = static_cast<std::uint32_t>(origins.size());
      origin.state = &stream;
      std::string name = key.source;
      name += '\0';
      name.append(reinterpret_cast<const char*>(&key.stream), sizeof(key.stream));
      name += stream.at.file;
      origin_by_key.emplace(std::move(name), &origin);
      append_origin(origin);
    }
    fd = made;
    end = 0;
    bool sync_failed = false;
    auto written = write_out(sync_failed);
    const auto give_up = [&](tl::unexpected<Error> error) {
      static_cast<void>(options.disk->close(std::exchange(fd, -1)));
      ::unlink(temporary.c_str());
      return error;
    };
    if (!written) return give_up(pass(std::move(written)));
    if (options.disk->rename(temporary, file) != 0) return give_up(storing_failed(errno, "name a segment of"));
    auto synced = sync_dir();
    if (!synced) ::unlink(file.c_str());
    {
      const std::lock_guard guard(mutex);
      // A segment that holds no event has the same name and was just replaced.
      if (!segments.empty() && segments.back().header.first == header.first) segments.pop_back();
      if (synced) segments.push_back({file, header, end});
    }
    if (!synced) return give_up(pass(std::move(synced)));
    ++next_number;
    ids_in_segment = 0;
    return {};
  }

  Result<void> sync_dir() {
    const int opened = options.disk->open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (opened < 0) return storing_failed(errno, "open the directory of");
    const int done = options.disk->fsync(opened);
    const int number = errno;
    static_cast<void>(options.disk->close(opened));
    if (done != 0) return storing_failed(number, "sync the directory of");
    return {};
  }

  void close_segment() {
    if (fd >= 0) static_cast<void>(options.disk->close(std::exchange(fd, -1)));
  }

  // The bytes behind the durable end are of no known state: cut them if possible, and never write here again.
  void abandon_segment() {
    if (fd < 0) return;
    static_cast<void>(options.disk->ftruncate(fd, static_cast<off_t>(end)));
    close_segment();
  }

  // Says that everything before it was synced.
  Frame mark_now() const {
    Frame mark;
    mark.type = FrameType::kMark;
    mark.seq = next_seq;
    mark.arrived = clock.now();
    mark.position = next_seq - 1;
    return mark;
  }

  // Ends the open segment properly. If that fails nothing is lost: it is then one that a crash ended.
  void seal() {
    if (fd < 0) return;
    buffer.clear();
    const Frame mark = mark_now();
    append_frame(buffer, mark, checksum_seed(instance));
    Frame frame = mark;
    frame.type = FrameType::kSeal;
    frame.line = std::min(ids_in_segment, kMaxLine);
    append_frame(buffer, frame, checksum_seed(instance));
    bool sync_failed = false;
    if (write_out(sync_failed)) {
      marked = next_seq - 1;
      close_segment();
      const std::lock_guard guard(mutex);
      segments.back().end = end;
    } else {
      abandon_segment();
    }
  }

  // Says on disk that the newest batch was synced, which recovery could not know otherwise.
  void mark_idle() {
    buffer.clear();
    const Frame mark = mark_now();
    append_frame(buffer, mark, checksum_seed(instance));
    bool sync_failed = false;
    if (!write_out(sync_failed)) {
      abandon_segment();
      return;
    }
    marked = next_seq - 1;
    const std::lock_guard guard(mutex);
    segments.back().end = end;
  }

  // Keeps the number of remembered streams bounded: those that were quiet longest go.
  void forget_streams() {
    if (streams.size() <= kMaxStreams) return;
    std::vector<std::uint64_t> used;
    used.reserve(streams.size());
    for (const auto& [key, stream] : streams) used.push_back(stream.used);
    const auto keep = static_cast<std::ptrdiff_t>(kMaxStreams / 10 * 9);
    std::nth_element(used.begin(), used.end() - keep, used.end());
    const std::uint64_t oldest = *(used.end() - keep);
    origins.clear();
    origin_by_key.clear();
    last_origin = nullptr;
    const std::lock_guard guard(mutex);
    std::erase_if(streams, [&](const auto& item) {
      const bool gone = item.second.used < oldest;
      if (gone) positions.erase(item.first);
      return gone;
    });
  }
};

Journal::Journal(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Result<std::unique_ptr<Journal>> Journal::open(const std::filesystem::path& dir, const Clock& clock, Options options) {
  auto impl = std::make_unique<Impl>(dir, clock, std::move(options));
  if (auto done = impl->start(); !done) return pass(std::move(done));
  return std::unique_ptr<Journal>(new Journal(std::move(impl)));
}

Journal::~Journal() {
  {
    const std::lock_guard guard(impl_->mutex);
    impl_->stopping = true;
    impl_->work.notify_all();
    impl_->durable_changed.notify_all();
  }
  impl_->committer.join();
}

const Journal::Recovery& Journal::recovery() const noexcept { return impl_->recovery; }

Result<Journal::Appended> Journal::append(std::span<const Record> records) {
  if (records.empty()) return Appended{};
  if (records.size() > kMaxBatch) {
    return fail(Errc::kTooLarge, "more than " + std::to_string(kMaxBatch) + " events in one batch", "journal");
  }
  std::size_t payloads = 0;
  Impl::Request request;
  for (const Record& record : records) {
    if (record.payload.size() > kMaxPayload) {
      return fail(Errc::kTooLarge, "an event is larger than " + std::to_string(kMaxPayload) + " bytes", "journal");
    }
    if (record.source.size() > kMaxSourceBytes || record.file.size() > kMaxFileBytes || record.line > kMaxLine) {
      return fail(Errc::kTooLarge, "the name of a source or file, or a line number, is too large", "journal");
    }
    payloads += record.payload.size();
    request.bytes += frame_bytes(record.payload.size());
  }
  if (payloads > kMaxBatchBytes) {
    return fail(Errc::kTooLarge, "more than " + std::to_string(kMaxBatchBytes) + " bytes in one batch", "journal");
  }
  request.records = records;
  std::unique_lock guard(impl_->mutex);
  if (impl_->stopping) return fail(Errc::kUnavailable, "the journal is closing", impl_->dir.string());
  impl_->queue.push_back(&request);
  impl_->queued_bytes += request.bytes;
  impl_->work.notify_all();
  impl_->done_changed.wait(guard, [&] { return request.done; });
  return std::move(request.result);
}

Seq Journal::durable() const noexcept {
  const std::lock_guard guard(impl_->mutex);
  return impl_->durable;
}

Seq Journal::oldest() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->segments.empty() ? impl_->durable + 1 : impl_->segments.front().header.first;
}

bool Journal::wait_for(Seq seq, std::chrono::milliseconds timeout) const {
  std::unique_lock guard(impl_->mutex);
  impl_->durable_changed.wait_for(guard, timeout, [&] { return impl_->durable >= seq || impl_->stopping; });
  return impl_->durable >= seq;
}

std::string Journal::trouble() const {
  const std::lock_guard guard(impl_->mutex);
  return impl_->trouble;
}

std::optional<Journal::Position> Journal::last_position(std::string_view source, std::uint64_t stream) const {
  const std::lock_guard guard(impl_->mutex);
  const auto found = impl_->positions.find(StreamKey{std::string(source), stream});
  if (found == impl_->positions.end() || found->second.position == 0) return std::nullopt;
  return found->second;
}

namespace {

// Walks over segments; each step takes what the journal says is durable and nothing beyond.
class CursorOver final : public Journal::Cursor {
 public:
  // What a cursor asks of the journal: the segment that holds `seq` or the first one behind it, its durable end,
  // and the first number of the segment after it (0 = it is the last one).
  struct Place {
    Segment segment;
    Seq next_first = 0;
    Seq durable = 0;
    bool found = false;
  };
  using Ask = std::function<Place(Seq)>;

  CursorOver(Ask ask, Seq seq) : ask_(std::move(ask)), seq_(seq < 1 ? 1 : seq) {}

  Result<bool> next(JournalRecord& out) override {
    while (true) {
      if (!scanner_) {
        auto opened = open_at(seq_);
        if (!opened) return pass(std::move(opened));
        if (!*opened) return false;
      }
      Frame frame;
      auto step = scanner_->next(frame, place_.segment.end);
      if (!step) return pass(std::move(step));
      if (*step == SegmentScanner::Step::kBad) {
        const std::uint64_t bad = scanner_->offset();
        const Seq missing = scanner_->expected();
        auto again = scanner_->resync(place_.segment.end);
        if (!again) return pass(std::move(again));
        // Up to the next whole frame, or to the end of what this segment is known to hold.
        const Seq last = *again ? scanner_->expected() - 1
                                : (place_.next_first != 0 ? place_.next_first - 1 : place_.durable);
        note_gap(missing, last, bad);
        if (*again) continue;
        seq_ = std::max(seq_, last + 1);
        scanner_.reset();
        if (place_.next_first == 0) return false;
        continue;
      }
      if (*step == SegmentScanner::Step::kEnd || (place_.next_first != 0 && frame.seq >= place_.next_first)) {
        const Place now = ask_(seq_);
        if (!now.found) return false;
        if (now.segment.header.number == place_.segment.header.number) {
          if (now.segment.end == place_.segment.end && now.next_first == place_.next_first) {
            if (now.next_first == 0) return false;
            // A sealed segment that ends before the next one begins.
            if (seq_ < now.next_first) note_gap(seq_, now.next_first - 1, place_.segment.end);
            seq_ = std::max(seq_, now.next_first);
            scanner_.reset();
            continue;
          }
          place_ = now;
          if (*step == SegmentScanner::Step::kFrame) scanner_.reset();  // look at that frame again
          continue;
        }
        scanner_.reset();
        continue;
      }
      if (frame.type == FrameType::kOrigin) {
        if (const auto origin = OriginPayload::parse(frame.payload)) {
          origins_[frame.origin] = {std::string(origin->source), std::string(origin->file), origin->stream};
        }
        continue;
      }
      if (frame.type != FrameType::kEvent || frame.seq < seq_) continue;
      seq_ = frame.seq + 1;
      const auto origin = origins_.find(frame.origin);
      out = {};
      out.seq = frame.seq;
      if (origin != origins_.end()) {
        out.source = origin->second.source;
        out.file = origin->second.file;
        out.stream = origin->second.stream;
      }
      out.line = frame.line;
      out.arrived = frame.arrived;
      out.position = frame.position;
      out.event_id = frame.event_id;
      out.payload = frame.payload;
      return true;
    }
  }

  Seq position() const noexcept override { return seq_; }
  std::vector<JournalGap> take_gaps() override { return std::exchange(gaps_, {}); }

 private:
  struct Origin {
    std::string source, file;
    std::uint64_t stream = 0;
  };

  Result<bool> open_at(Seq seq) {
    constexpr int kTries = 3;  // a segment may be dropped between asking and opening
    for (int i = 0; i < kTries; ++i) {
      Place place = ask_(seq);
      if (!place.found) return false;
      if (seq_ < place.segment.header.first) {
        seq_ = seq = place.segment.header.first;
      }
      auto opened = open_segment(place.segment.file);
      if (!opened) {
        if (opened.error().code == Errc::kNotFound) continue;
        return pass(std::move(opened));
      }
      file_ = std::move(opened->first);
      place_ = std::move(place);
      origins_.clear();
      scanner_.emplace(reader_of(file_.get()), place_.segment.header);
      return true;
    }
    return false;
  }

  void note_gap(Seq first, Seq last, std::uint64_t offset) {
    first = std::max(first, seq_);
    if (first > last) return;
    gaps_.push_back({first, last, true, place_.segment.file.filename().string(), offset});
  }

  Ask ask_;
  Seq seq_;
  Place place_;
  Descriptor file_;
  std::optional<SegmentScanner> scanner_;
  std::unordered_map<std::uint32_t, Origin> origins_;
  std::vector<JournalGap> gaps_;
};

}  // namespace

std::unique_ptr<Journal::Cursor> Journal::read_from(Seq seq) const {
  Impl* impl = impl_.get();
  return std::make_unique<CursorOver>(
      [impl](Seq wanted) {
        CursorOver::Place out;
        const std::lock_guard guard(impl->mutex);
        if (impl->segments.empty()) return out;
        auto at = std::upper_bound(impl->segments.begin(), impl->segments.end(), wanted,
                                   [](Seq value, const Segment& segment) { return value < segment.header.first; });
        if (at != impl->segments.begin()) --at;
        out.segment = *at;
        out.durable = impl->durable;
        out.found = true;
        if (++at != impl->segments.end()) out.next_first = at->header.first;
        return out;
      },
      seq);
}

Result<std::size_t> Journal::drop_before(Time cutoff, Seq processed) {
  std::vector<std::filesystem::path> gone;
  {
    const std::lock_guard guard(impl_->mutex);
    while (impl_->segments.size() > 1) {
      const Segment& next = impl_->segments[1];
      if (next.header.created >= cutoff || next.header.first > processed + 1) break;
      gone.push_back(impl_->segments.front().file);
      impl_->segments.pop_front();
    }
  }
  for (const auto& file : gone) {
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) return system_failure(errno, "delete", file);
  }
  if (!gone.empty()) {
    if (auto synced = sync_directory(impl_->dir); !synced) return pass(std::move(synced));
  }
  return gone.size();
}

}  // namespace tocsin::storage
