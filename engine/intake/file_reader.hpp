// Reads one file from its beginning to its end, offline: for `tocsin decode` and `tocsin replay`.
//
//   auto reader = FileReader::open("audit.json.gz", {});
//   for (;;) {
//     auto frame = (*reader)->next();
//     if (!frame) return report(frame.error());   // after every record before the damage
//     if (!*frame) break;                         // the end
//     if (!(*frame)->error.empty()) …             // this one record is faulty; go on
//   }
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/intake/framer.hpp"
#include "engine/intake/gunzip.hpp"
#include "engine/intake/recognise.hpp"
#include "rules/base/result.hpp"

namespace tocsin::engine {

struct ReadOptions {
  std::string format;  // empty: recognised from the content
  GzipLimits gzip;
};

class FileReader {
 public:
  virtual ~FileReader() = default;

  // Opens `path` ("-" is standard input), plain or gzip by content. kNotFound or kIo if it cannot be read (with
  // the remedy), kInvalid if its format is not known and cannot be recognised.
  // A file without any record opens well, with the format "" if none was named.
  [[nodiscard]] static Result<std::unique_ptr<FileReader>> open(const std::string& path, const ReadOptions& options);

  // The next record, nullopt at the end. Its bytes are valid until the next call. Fails when the file cannot be
  // read on (damaged gzip, disk): all records before that place have been handed out, and no more will come.
  [[nodiscard]] virtual Result<std::optional<Frame>> next() = 0;

  [[nodiscard]] virtual const std::string& format() const noexcept = 0;
  [[nodiscard]] virtual const std::string& reason() const noexcept = 0;  // why that format; empty if it was named
  [[nodiscard]] virtual std::uint64_t bytes_read() const noexcept = 0;   // of the file, packed; for a progress display
  [[nodiscard]] virtual std::uint64_t bytes_total() const noexcept = 0;  // 0 if not known
};

}  // namespace tocsin::engine
