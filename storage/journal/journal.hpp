// The raw events, as they came, in append-only segment files: what is acknowledged is on disk.
// Format and recovery: ops/docs/formats/journal.md.
//
//   auto journal = Journal::open("data/journal", clock, {});
//   auto done = journal->append(records);           // blocks until durable; many threads share one sync
//   auto cursor = journal->read_from(progress + 1);
//   JournalRecord r;
//   while (true) {
//     auto more = cursor->next(r);                  // only what is durable is ever seen
//     if (!more) …; else if (*more) use(r); else journal->wait_for(cursor->position(), 100ms);
//   }
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/base/result.hpp"
#include "rules/base/time.hpp"
#include "storage/journal/disk.hpp"

namespace tocsin::storage {

// The number of an event: 1, 2, 3, … without a hole, for as long as the data directory lives. 0 = none.
using Seq = std::uint64_t;

using EventId = std::array<std::uint8_t, 16>;
constexpr EventId kNoEventId{};

// One event to be kept. All views belong to the caller and are read before append returns.
struct Record {
  std::string_view source;    // the configured source's name
  std::string_view file;      // path or other place, as shown to people; may be empty
  std::uint64_t line = 0;     // 1-based line (or number of the record) in it; 0 = none. Below 2^48
  Time arrived{};
  // Which stream of the source this is (a file's identity across renames, a connection), and how far in it this
  // record reaches (the offset after its last byte). A record whose (position, line) is not beyond what the
  // journal has of the same (source, stream) is a duplicate. position 0 = not known, no such check.
  std::uint64_t stream = 0;
  std::uint64_t position = 0;
  EventId event_id = kNoEventId;  // keyed hash of the source's own id (Keys::event_id); zero = none
  std::string_view payload;       // raw bytes, at most kMaxPayload
};

// One event as it is kept. The views live until the cursor's next call.
struct JournalRecord {
  Seq seq = 0;
  std::string_view source;
  std::string_view file;
  std::uint64_t line = 0;
  Time arrived{};
  std::uint64_t stream = 0;
  std::uint64_t position = 0;
  EventId event_id = kNoEventId;
  std::string_view payload;
};

// Events that are not there any more. Never passed over silently: recovery and cursors report them.
struct JournalGap {
  Seq first = 0;
  Seq last = 0;
  bool acknowledged = false;  // true: they were acknowledged (damage); false: they may never have been
  std::string file;           // the segment
  std::uint64_t offset = 0;   // of the first bad byte in it
};

class Journal {
 public:
  static constexpr std::size_t kMaxPayload = 1 << 20;
  static constexpr std::size_t kMaxBatch = 100'000;    // records in one append …
  static constexpr std::size_t kMaxBatchBytes = 64 << 20;  // … and bytes of their payloads
  static constexpr std::size_t kMaxStreams = 100'000;  // whose positions are remembered

  struct Options {
    std::uint64_t segment_bytes = 256ULL << 20;         // a segment is sealed when the next batch would not fit
    std::size_t gather_bytes = 1 << 20;                 // the committer waits for at most so many bytes …
    std::chrono::microseconds gather_for{2000};         // … and so long, and only while others are about to append
    std::size_t remembered_ids = 4'000'000;             // event ids known as seen (16 to 64 bytes each) …
    Duration remember_for = std::chrono::hours(7 * 24); // … and for how long (at least, up to twice as long)
    // Numbers up to this one were given out already, whatever the files say: the position that the database
    // has. Keeps a number from being used twice when the newest, never acknowledged events were cut off.
    Seq used = 0;
    std::shared_ptr<Disk> disk;                         // null = the real one; tests put faults here
  };

  // What recovery found; also counted in metrics.
  struct Recovery {
    std::uint64_t events = 0;           // in all segments
    std::uint64_t torn_bytes = 0;       // cut from the end: never acknowledged
    std::string quarantine;             // file that holds the cut bytes; empty if none
    std::uint64_t remembered = 0;       // event ids known as seen
    std::vector<JournalGap> gaps;
  };

  struct Appended {
    Seq first = 0;               // numbers of the accepted records are first … first + accepted − 1, in order
    std::size_t accepted = 0;
    std::vector<std::size_t> duplicates;  // indices into the batch that were known already, ascending
    [[nodiscard]] Seq last() const noexcept { return accepted == 0 ? 0 : first + accepted - 1; }
  };

  // Opens or creates the journal in `dir`: recovers the newest segment, rebuilds what is remembered, starts the
  // committer's thread. One process at a time (lock file). `clock` MUST outlive it. Errors: kUnavailable (in
  // use), kCorrupt (a segment header of ours that cannot be read), kUnsupported (a newer format), kIo.
  [[nodiscard]] static Result<std::unique_ptr<Journal>> open(const std::filesystem::path& dir, const Clock& clock,
                                                             Options options);
  // Seals the open segment. Appends in flight finish first.
  ~Journal();

  [[nodiscard]] const Recovery& recovery() const noexcept;

  // Appends and makes durable. Once it returns with success, every record of the batch is on disk (or was known
  // before) and MUST survive power loss; callers MUST NOT acknowledge before. On failure none of the batch
  // counts as stored, and sending it again is right: kTooLarge (payload or batch over its limit, nothing
  // written), kUnavailable (disk full: works again when there is space), kIo. Thread-safe.
  [[nodiscard]] Result<Appended> append(std::span<const Record> records);

  // The newest durable number; 0 if there is none. Thread-safe.
  [[nodiscard]] Seq durable() const noexcept;
  // The oldest number still kept. Thread-safe.
  [[nodiscard]] Seq oldest() const;
  // True once `seq` is durable; false after `timeout`, or when the journal is closing. Thread-safe.
  [[nodiscard]] bool wait_for(Seq seq, std::chrono::milliseconds timeout) const;
  // Empty while appends work; else why the last one failed, for a person. Thread-safe.
  [[nodiscard]] std::string trouble() const;

  // Where a stream stands: the file follower resumes here. Thread-safe.
  struct Position {
    std::uint64_t position = 0;
    std::uint64_t line = 0;
    std::string file;
  };
  [[nodiscard]] std::optional<Position> last_position(std::string_view source, std::uint64_t stream) const;

  // Reads on from a number. One cursor belongs to one thread; the journal MUST outlive it.
  class Cursor {
   public:
    virtual ~Cursor() = default;
    // Fills `out` and returns true; false if nothing more is durable yet. Numbers below oldest() are passed over.
    [[nodiscard]] virtual Result<bool> next(JournalRecord& out) = 0;
    // The number that next() will look for.
    [[nodiscard]] virtual Seq position() const noexcept = 0;
    // Damage met since the last call of take_gaps.
    [[nodiscard]] virtual std::vector<JournalGap> take_gaps() = 0;
  };
  [[nodiscard]] std::unique_ptr<Cursor> read_from(Seq seq) const;

  // Deletes whole sealed segments whose events all arrived before `cutoff` and are numbered below `processed`.
  // Returns how many. Thread-safe.
  [[nodiscard]] Result<std::size_t> drop_before(Time cutoff, Seq processed);

 private:
  struct Impl;
  explicit Journal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tocsin::storage
