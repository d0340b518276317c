// Cuts a stream of bytes into records, in bounded memory.
//
// Four ways of framing: lines; PostgreSQL's csvlog, whose quoted fields hold line breaks; its plain log, where the
// further lines of a message begin with a tab; and JSON, which is
// one document per line, or one document that holds them all ({"Records":[…]}, […]), or documents that span
// lines. For the last two each element comes out as one record with the line it begins on.
//
//   Framer framer(framing_of("cloudtrail"));
//   framer.add(bytes);
//   while (auto frame = framer.next()) use(*frame);   // before the next add()
//   framer.finish();                                  // the stream has ended: the last line needs no line break
//   while (auto frame = framer.next()) use(*frame);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rules/base/result.hpp"

namespace tocsin::engine {

// The longest record that is kept whole. PostgreSQL, nginx and CloudTrail (256 KiB) all stay below it.
inline constexpr std::size_t kMaxRecord = 1024 * 1024;
// How much of a longer one is shown.
inline constexpr std::size_t kOversizeHead = 256;

enum class Framing : std::uint8_t { kLines, kCsvLog, kPgText, kJson };

// The framing of a format; kLines for one that is not known.
[[nodiscard]] Framing framing_of(std::string_view format) noexcept;

// A place in a stream: where reading can start again. `offset` counts (uncompressed) bytes; `line` is the
// 1-based line that begins at or holds that offset.
struct Place {
  std::uint64_t offset = 0;
  std::uint64_t line = 1;
  friend bool operator==(const Place&, const Place&) = default;
};

// One record. `bytes` is valid until the next call of add().
struct Frame {
  std::string_view bytes;   // without its line break; for a faulty one what is kept of it
  std::uint64_t line = 1;   // of its first byte
  Place end;                // just past it
  std::string error;        // not empty: not a record, and why ("longer than 1 MiB")
};

class Framer {
 public:
  // `start` is the place that a previous frame's `end` gave; a JSON document is then taken up between elements.
  explicit Framer(Framing framing, Place start = {});

  void add(std::string_view bytes);
  void finish();

  // The next record, or nullopt if more bytes are needed (or, after finish(), none are left). Empty lines are
  // passed over. Never holds more than kMaxRecord bytes plus what the last add() brought.
  [[nodiscard]] std::optional<Frame> next();

  // Bytes that wait for the rest of their record.
  [[nodiscard]] std::size_t pending() const noexcept { return buffer_.size() - begin_; }
  [[nodiscard]] Place place() const noexcept { return place_; }

 private:
  enum class Json : std::uint8_t { kUndecided, kLines, kDocument };
  enum class Scan : std::uint8_t { kDone, kMore, kBroken };

  std::optional<Frame> next_line();
  std::optional<Frame> next_csv();
  std::optional<Frame> next_pg_text();
  std::optional<Frame> next_element();
  bool decide_json();
  std::optional<Frame> skip();  // the rest of a record that is too long
  bool skip_to_its_end();
  void begin_skipping();
  void drop(std::size_t bytes);
  Frame take(std::size_t length, std::size_t consumed);
  Frame faulty(std::size_t length, std::size_t consumed, std::string error);
  [[nodiscard]] std::string_view rest() const noexcept { return std::string_view(buffer_).substr(begin_); }

  Framing framing_;
  Json json_ = Json::kUndecided;
  bool finished_ = false;
  bool first_ = true;       // no csvlog record has been found yet
  int arrays_ = 0;          // JSON document: arrays opened around the elements and not closed
  std::string buffer_;
  std::size_t begin_ = 0;   // of what has not been handed out
  std::size_t scanned_ = 0; // lines: how far from begin_ there is no line break
  Place place_;             // of begin_
  // An oversize record is passed over byte by byte; this is the state within it.
  bool skipping_ = false;
  bool in_string_ = false;
  bool escaped_ = false;
  int depth_ = 0;
  std::string head_;
  std::uint64_t head_line_ = 0;
};

}  // namespace tocsin::engine
