// Small reads are gathered, large ones are scanned where they lie; only what is undecided is kept.
#include "rules/secrets/stream.hpp"

#include <algorithm>
#include <utility>

namespace tocsin::rules::secrets {
namespace {

constexpr std::size_t kGather = 16 << 10;  // taken at a time to complete what is held

static_assert(sizeof(Stream) <= Stream::kMaxState);

}  // namespace

Stream::Stream(const Scanner& scanner, Scanner::Place place, bool explain, Sink sink)
    : scanner_(scanner), place_(std::move(place)), explain_(explain), sink_(std::move(sink)) {}

void Stream::feed(std::string_view bytes) {
  while (!held_.empty() && !bytes.empty()) {
    const std::size_t kept = held_.size();
    const std::size_t taken = std::min(bytes.size(), kGather);
    held_.append(bytes.substr(0, taken));
    // Without a line end nothing is decided before a window is full.
    if (bytes.substr(0, taken).find('\n') == std::string_view::npos && held_.size() <= Scanner::kWindow) {
      bytes.remove_prefix(taken);
      continue;
    }
    const std::size_t done = work(held_, false);
    if (done >= kept) {
      // What remains are bytes of this read only: go on where they lie.
      bytes.remove_prefix(done - kept);
      held_.clear();
    } else {
      bytes.remove_prefix(taken);
      held_.erase(0, done);
    }
  }
  if (bytes.empty()) return;
  bytes.remove_prefix(work(bytes, false));
  held_.assign(bytes);
}

void Stream::finish() {
  (void)work(held_, true);
  held_.clear();
  held_.shrink_to_fit();
  number_ = 1;
  dealt_ = 0;
  in_long_line_ = false;
  windows_ = {};
}

std::size_t Stream::long_line(std::string_view text, bool last) {
  const auto newline = text.find('\n');
  const bool ended = newline != std::string_view::npos || last;
  Line line;
  line.number = number_;
  line.offset = dealt_ - windows_.offset();
  const std::string_view rest = text.substr(0, newline);
  line.length = windows_.offset() + rest.size() - (ended && rest.ends_with('\r') ? 1 : 0);
  std::size_t done = windows_.take(scanner_, place_, rest, ended, line.hits, explain_ ? &line.drops : nullptr);
  if (!line.hits.empty() || !line.drops.empty()) sink_(line);
  if (ended) {
    in_long_line_ = false;
    windows_ = {};
    if (newline != std::string_view::npos) ++done, ++number_;
  }
  dealt_ += done;
  return done;
}

std::size_t Stream::work(std::string_view text, bool last) {
  std::size_t done = 0;
  while (done < text.size()) {
    if (in_long_line_) {
      done += long_line(text.substr(done), last);
      if (in_long_line_) return done;
      continue;
    }
    std::vector<LineHits> found;
    const std::string_view rest = text.substr(done);
    const Scanner::Taken taken = scanner_.scan_lines(rest, place_, last, explain_, found);
    for (auto& record : found) {
      std::size_t reach = record.length;
      for (const auto& hit : record.hits) reach = std::max(reach, hit.end);
      sink_(Line{number_ + record.line, dealt_ + record.start, record.length, rest.substr(record.start, reach), std::move(record.hits), std::move(record.drops)});
    }
    number_ += taken.line_ends;
    done += taken.bytes;
    dealt_ += taken.bytes;
    // What is left is an unfinished line, or begins with a key block. Only the former may be cut into windows.
    const std::string_view left = text.substr(done);
    if (left.size() <= Scanner::kWindow || left.substr(0, Scanner::kWindow + 1).find('\n') != std::string_view::npos) return done;
    in_long_line_ = true;
  }
  return done;
}

}  // namespace tocsin::rules::secrets
