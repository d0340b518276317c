// Cutting, and finding the lines of what a fragment gave.
#include "rules/secrets/fragments.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace tocsin::rules::secrets {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// Two line ends at the end of the text, with nothing but blanks between.
bool ends_in_empty_line(std::string_view text) {
  int newlines = 0;
  for (std::size_t i = text.size(); i-- > 0;) {
    if (text[i] == '\n') {
      if (++newlines == 2) return true;
    } else if (!is_blank(text[i])) {
      return false;
    }
  }
  return false;
}

}  // namespace

std::size_t fragment_length(std::string_view text, bool last) noexcept {
  if (text.size() <= kFragment) return last ? text.size() : 0;
  if (ends_in_empty_line(text.substr(0, kFragment))) return kFragment;
  // Reading on byte by byte; line ends count from the last byte of the fragment on.
  int newlines = 0;
  for (std::size_t size = kFragment;; ++size) {
    const char c = text[size - 1];
    if (c == '\n') {
      if (++newlines == 2) return size;
    } else if (!is_blank(c)) {
      newlines = 0;
    }
    if (size - kFragment >= kPeek) return size;
    if (size == text.size()) return last ? size : 0;
  }
}

Fragments::Fragments(const Scanner& scanner, Scanner::Place place, bool explain, Stream::Sink sink)
    : scanner_(scanner), place_(std::move(place)), explain_(explain), sink_(std::move(sink)) {}

void Fragments::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t taken = std::min(bytes.size(), kFragment + kPeek + 1 - std::min(held_.size(), kFragment + kPeek));
    held_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    work(false);
  }
}

void Fragments::finish() {
  work(true);
  number_ = 1;
  dealt_ = 0;
}

void Fragments::work(bool last) {
  while (!held_.empty()) {
    const std::size_t size = fragment_length(held_, last);
    if (size == 0) return;
    one(std::string_view(held_).substr(0, size));
    held_.erase(0, size);
  }
}

void Fragments::one(std::string_view fragment) {
  std::vector<Hit> hits;
  std::vector<Drop> drops;
  scanner_.scan(fragment, place_, hits, explain_ ? &drops : nullptr);
  std::vector<std::size_t> starts{0};  // of lines
  for (std::size_t at = 0; (at = fragment.find('\n', at)) != std::string_view::npos; ++at) starts.push_back(at + 1);
  std::map<std::size_t, Stream::Line> lines;  // by index
  const auto put = [&](auto& found, auto to) {
    for (auto& item : found) {
      const auto index = static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), item.start) - starts.begin()) - 1;
      Stream::Line& line = lines[index];
      line.number = number_ + index;
      line.offset = dealt_ + starts[index];
      line.length = (index + 1 < starts.size() ? starts[index + 1] - 1 : fragment.size()) - starts[index];
      item.start -= starts[index];
      item.end -= starts[index];
      line.text = fragment.substr(starts[index], std::max({line.length, line.text.size(), item.end}));
      (line.*to).push_back(std::move(item));
    }
  };
  put(hits, &Stream::Line::hits);
  put(drops, &Stream::Line::drops);
  for (const auto& [index, line] : lines) sink_(line);
  number_ += starts.size() - 1;
  dealt_ += fragment.size();
}

}  // namespace tocsin::rules::secrets
