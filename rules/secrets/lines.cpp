// Many lines in one text. The literal matcher and the search for numbers run over large blocks; only around what they
// see are lines cut out.
#include <algorithm>
#include <cstring>

#include "rules/secrets/compiled.hpp"
#include "rules/secrets/contacts.hpp"
#include "rules/secrets/digit_runs.hpp"
#include "rules/secrets/long_line.hpp"
#include "rules/secrets/shapes.hpp"

namespace tocsin::rules::secrets {
namespace {

constexpr std::size_t kBlock = 64 << 10;  // of text per pass; stays in the cache between the passes

std::size_t line_start(std::string_view text, std::size_t from, std::size_t at) {
  const void* const newline = at > from ? memrchr(text.data() + from, '\n', at - from) : nullptr;
  return newline == nullptr ? from : static_cast<std::size_t>(static_cast<const char*>(newline) - text.data()) + 1;
}

std::size_t line_end(std::string_view text, std::size_t at) { return std::min(text.find('\n', at), text.size()); }

struct KeyBlock {
  std::size_t end = 0;        // 0 = none: the line stands alone
  bool more_needed = false;
};

// The line [start, end) holds "-----BEGIN": where the block that it opens ends.
KeyBlock key_block(std::string_view text, std::size_t start, std::size_t end, bool last) {
  const std::string_view line = text.substr(start, end - start);
  if (line.find("-----BEGIN") == std::string_view::npos || line.find("-----END") != std::string_view::npos) return {};
  const std::string_view near = text.substr(0, std::min(text.size(), start + Scanner::kMaxKeyBlock));
  const auto close = near.find("-----END", end);
  if (close != std::string_view::npos) {
    const auto close_end = near.find('\n', close);
    if (close_end != std::string_view::npos) return {close_end, false};
    if (last && near.size() == text.size()) return {text.size(), false};
  }
  return {0, !last && near.size() == text.size() && near.size() - start < Scanner::kMaxKeyBlock};
}

// Reads one text; scratch vectors live as long as the thread.
class LineReader {
 public:
  LineReader(const Scanner& scanner, const Scanner::Compiled& compiled, const Scanner::Place& place, std::string_view text, bool last, bool explain,
             std::vector<LineHits>& out)
      : scanner_(scanner), compiled_(compiled), place_(place), text_(text), last_(last), explain_(explain), out_(out) {}

  Scanner::Taken run() {
    const std::size_t newline = last_ ? text_.size() : text_.rfind('\n') + 1;  // npos + 1 = 0
    const std::size_t stop = last_ ? text_.size() : newline;
    while (done_ < stop && !held_) {
      std::size_t end = std::min(stop, done_ + kBlock);
      if (end < stop) {
        const std::size_t cut = line_start(text_, done_, end);
        end = cut > done_ ? cut : std::min(stop, line_end(text_, end) + 1);
      }
      block(end);
    }
    return {done_, lines_};
  }

 private:
  // The lines in [done_, end).
  void block(std::size_t end) {
    base_ = done_;
    const std::string_view text = text_.substr(base_, end - base_);
    line_ends_.clear();
    find_bytes(text, '\n', line_ends_);
    seen_.clear();
    compiled_.gates->find(text, compiled_.look(true, place_, explain_), seen_);
    numbers_.clear();
    if (compiled_.extractor && compiled_.options.personal) find_numbers(text, numbers_);
    const bool every_line = !compiled_.gates->always().empty();
    whole_lines_.clear();
    whole_line_ = 0;
    if (compiled_.extractor && !every_line) {
      find_password_lines(text);
      if (compiled_.options.personal && compiled_.options.contacts) find_contact_lines(text);
    }
    line_ = 0;
    event_ = 0;
    value_ = 0;
    line_word_ = 0;
    number_ = 0;
    while (!held_) {
      const auto& events = seen_.events;
      while (event_ < events.size() && base_ + events[event_].end <= done_) ++event_;
      while (number_ < numbers_.size() && base_ + numbers_[number_].start < done_) ++number_;
      std::size_t at = end;
      if (event_ < events.size()) at = std::min(at, base_ + events[event_].end - 1);
      if (number_ < numbers_.size()) at = std::min(at, base_ + numbers_[number_].start);
      while (whole_line_ < whole_lines_.size() && whole_lines_[whole_line_] < done_) ++whole_line_;
      if (whole_line_ < whole_lines_.size()) at = std::min(at, whole_lines_[whole_line_]);
      if (every_line) at = done_;
      if (at >= end) break;
      while (line_ < line_ends_.size() && base_ + line_ends_[line_] < at) ++line_;
      const std::size_t from = line_ == 0 ? base_ : base_ + line_ends_[line_ - 1] + 1;
      line(std::max(done_, from), line_ < line_ends_.size() ? base_ + line_ends_[line_] : end);
    }
    if (held_) {
      lines_ += line_;
      return;
    }
    lines_ += line_ends_.size();
    if (done_ > end) lines_ += count_byte(text_.substr(end, done_ - end), '\n');  // a key block goes on behind this block
    done_ = std::max(done_, end);
  }

  // Lines that are a user and a digest hold nothing that the matcher looks for.
  void find_password_lines(std::string_view text) {
    std::size_t at = 0;
    const auto look = [&](std::size_t end) {
      if (may_be_password_line(text.substr(at, end - at))) whole_lines_.push_back(base_ + at);
      at = end + 1;
    };
    for (const std::uint32_t end : line_ends_) look(end);
    if (at < text.size()) look(text.size());
  }

  // No contact reaches over a line end, so those of the block are those of its lines. They are read again with their line.
  void find_contact_lines(std::string_view text) {
    contacts_.clear();
    find_contacts(text, contacts_);
    const auto before = static_cast<std::ptrdiff_t>(whole_lines_.size());
    for (const auto& contact : contacts_) {
      const std::size_t start = line_start(text_, base_, base_ + contact.start);
      if (static_cast<std::ptrdiff_t>(whole_lines_.size()) == before || whole_lines_.back() != start) whole_lines_.push_back(start);
    }
    std::inplace_merge(whole_lines_.begin(), whole_lines_.begin() + before, whole_lines_.end());
  }

  void line(std::size_t from, std::size_t end) {
    const std::size_t first_event = event_;
    bool key_blocks = false;
    for (; event_ < seen_.events.size() && base_ + seen_.events[event_].end <= end; ++event_) {
      key_blocks = key_blocks || compiled_.gates->opener(seen_.events[event_].opener).what == Gates::Opener::What::kKeyBlock;
    }
    while (value_ < seen_.values.size() && base_ + seen_.values[value_].word < from) ++value_;
    const std::size_t first_value = value_;
    while (value_ < seen_.values.size() && base_ + seen_.values[value_].word < end) ++value_;
    bool line_words = false;
    for (; line_word_ < seen_.line_words.size() && base_ + seen_.line_words[line_word_] <= end; ++line_word_) {
      line_words = line_words || base_ + seen_.line_words[line_word_] > from;
    }
    const std::size_t first_number = number_;
    while (number_ < numbers_.size() && base_ + numbers_[number_].end <= end) ++number_;
    LineHits found;
    std::vector<Drop>* const drops = explain_ ? &found.drops : nullptr;
    found.start = from;
    found.length = end - from;
    found.line = lines_ + line_;
    std::size_t behind = end;
    KeyBlock block;
    if (key_blocks) block = key_block(text_, from, end, last_);
    if (block.more_needed) {
      held_ = true;
      done_ = from;
      return;
    }
    std::string_view record = text_.substr(from, end - from);
    if (block.end > 0) {
      behind = block.end;
      compiled_.scan_piece(without_return(text_.substr(from, behind - from)), 0, place_, found.hits, drops);
    } else if (record.size() > Scanner::kWindow) {
      LongLine windows;
      (void)windows.take(scanner_, place_, record, true, found.hits, drops);
    } else {
      record = without_return(record);
      std::span<const Gates::Event> events(seen_.events.data() + first_event, event_ - first_event);
      // A literal that reaches over a line end is no part of either line.
      while (!events.empty() && base_ + events.front().end - compiled_.gates->opener(events.front().opener).length < from) events = events.subspan(1);
      const RecordSeen seen{from - base_, events, {seen_.values.data() + first_value, value_ - first_value}, {numbers_.data() + first_number, number_ - first_number}, line_words};
      compiled_.judge(record, seen, 0, place_, found.hits, drops);
    }
    if (found.length > 0 && text_[from + found.length - 1] == '\r') --found.length;
    done_ = std::min(behind + 1, text_.size());
    if (found.hits.empty() && found.drops.empty()) return;
    order_hits(found.hits, 0);
    out_.push_back(std::move(found));
  }

  static std::string_view without_return(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

  static inline thread_local std::vector<std::uint32_t> line_ends_;  // of the block
  static inline thread_local Gates::Seen seen_;
  static inline thread_local std::vector<NumberFound> numbers_;
  static inline thread_local std::vector<ContactFound> contacts_;
  static inline thread_local std::vector<std::size_t> whole_lines_;  // starts of lines that must be read, whatever the matcher says

  const Scanner& scanner_;
  const Scanner::Compiled& compiled_;
  const Scanner::Place& place_;
  std::string_view text_;
  bool last_;
  bool explain_;
  std::vector<LineHits>& out_;
  std::size_t done_ = 0;  // everything before this is dealt with; the start of a line
  std::size_t base_ = 0;  // of the block
  std::size_t lines_ = 0; // line ends before the block
  std::size_t line_ = 0;  // the first one in line_ends_ that is not before what is looked at
  std::size_t event_ = 0, value_ = 0, line_word_ = 0, number_ = 0, whole_line_ = 0;
  bool held_ = false;     // at a key block whose end is not there yet
};

}  // namespace

Scanner::Taken Scanner::scan_lines(std::string_view text, const Place& place, bool last, bool explain, std::vector<LineHits>& out) const {
  return LineReader(*this, *compiled_, place, text, last, explain, out).run();
}

}  // namespace tocsin::rules::secrets
