// Follows the log files of one source as they grow, in a thread of its own, and hands their records on in
// batches. Nothing is skipped and nothing is handed on twice: a place moves on only when the sink has made the
// batch durable.
//
// A file is known by device, inode and its first line (at most 256 bytes of it), never by its name alone. So a file that
// is renamed (rotation) is read to its end before and beside the new one of that name; a file that is cut to
// nothing and written again (copytruncate) or whose inode is used again begins a new stream. A last line without
// a line break is waited for. A gzip file, known by its content, is read once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/intake/framer.hpp"
#include "engine/intake/gunzip.hpp"
#include "engine/intake/source_status.hpp"
#include "rules/base/result.hpp"
#include "rules/base/time.hpp"

namespace tocsin::engine {

// One record as it was read. The views are valid during the call of the sink.
struct Line {
  std::string_view source;
  std::string_view file;    // its name when it was opened
  std::string_view format;  // named in the options or recognised
  std::uint64_t stream = 0; // one life of one file: a hash over device, inode, generation and first line
  std::uint64_t line = 0;   // 1-based, of the record's first byte
  Place end;                // just past it; `end.offset` is the journal's position in this stream
  std::string_view bytes;
};

// How far a stream has been read for good: the offset just past its newest durable record, nullopt for a stream
// that is not known. Asked once when a file is opened, in the follower's thread. With the journal:
//   [&](std::uint64_t stream) -> std::optional<std::uint64_t> {
//     const auto at = journal.last_position(source, stream);
//     return at ? std::optional(at->position) : std::nullopt;
//   }
using Resume = std::function<std::optional<std::uint64_t>(std::uint64_t stream)>;

// Takes a batch, all of one stream. Success means that it is durable; any error means that nothing was taken, and
// the same batch comes again, later (kTooLarge: in two halves at once; one record alone is then rejected).
// The sink counts `accepted` and `duplicates`, which only it knows. What is no record (a line longer than 1 MiB) does
// not come here: the follower counts it as rejected.
using LineSink = std::function<Result<void>(std::span<const Line>)>;

struct FollowerOptions {
  std::string source;                 // name of the source
  std::vector<std::string> patterns;  // glob(7) patterns of files
  std::string format;                 // empty: recognised per file
  Duration poll = std::chrono::milliseconds(100);
  Duration rotated_wait = std::chrono::seconds(5);  // a renamed file is given up after so long without growth
  Duration retry_most = std::chrono::seconds(5);    // longest wait between two tries after a refusal or an error
  std::size_t batch_records = 1000;
  std::size_t batch_bytes = 4 * 1024 * 1024;
  std::size_t max_files = 1000;       // open at once; more are an error that is shown
  GzipLimits gzip;
};

// One thread per Follower. start() and stop() may be called from any one thread; the sink is called from the
// follower's own.
class Follower {
 public:
  // `clock` must outlive the follower. A null `resume` knows nothing: every file is read from its beginning.
  Follower(FollowerOptions options, Resume resume, LineSink sink, const Clock& clock,
           std::shared_ptr<SourceMeter> meter);
  ~Follower();  // stops
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  // Begins. Never fails: what is wrong with a file or a pattern is shown by the meter and tried again.
  void start();
  // Ends after the batch in work; safe to call twice.
  void stop();

  // Looks at every file once and hands on what is there, in the calling thread; for tests, instead of start().
  // Returns the number of records handed on.
  std::size_t poll_once();

 private:
  class Work;  // in follower.cpp
  std::unique_ptr<Work> work_;
};

}  // namespace tocsin::engine
