// Splitting without copying: a field is a view, and its quotes are undone only when its value is asked for.
#include "engine/intake/csv.hpp"

namespace tocsin::engine {

std::string_view CsvField::value(std::string& scratch) const {
  if (!doubled) return text;
  scratch.clear();
  scratch.reserve(text.size());
  std::size_t from = 0;
  for (std::size_t at = text.find('"'); at != std::string_view::npos; at = text.find('"', from)) {
    scratch.append(text, from, at + 1 - from);
    from = at + 2;
  }
  if (from < text.size()) scratch.append(text, from);
  return scratch;
}

bool split_csv(std::string_view record, std::vector<CsvField>& out, std::size_t most) {
  out.clear();
  std::size_t at = 0;
  for (;;) {
    CsvField field;
    if (out.size() + 1 == most) {
      field.text = record.substr(at);
      out.push_back(field);
      return true;
    }
    if (at < record.size() && record[at] == '"') {
      field.quoted = true;
      const std::size_t from = at + 1;
      std::size_t close = record.find('"', from);
      while (close != std::string_view::npos && close + 1 < record.size() && record[close + 1] == '"') {
        field.doubled = true;
        close = record.find('"', close + 2);
      }
      if (close == std::string_view::npos) return false;
      field.text = record.substr(from, close - from);
      at = close + 1;
      if (at < record.size() && record[at] != ',') return false;
    } else {
      const std::size_t comma = record.find(',', at);
      field.text = record.substr(at, comma == std::string_view::npos ? comma : comma - at);
      at = comma == std::string_view::npos ? record.size() : comma;
    }
    out.push_back(field);
    if (at >= record.size()) return true;
    ++at;
  }
}

bool begins_csvlog(std::string_view text) noexcept {
  constexpr std::string_view kShape = "dddd-dd-dd dd:dd:dd";
  if (text.size() <= kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kShape[i] == 'd' ? !digit : text[i] != kShape[i]) return false;
  }
  return text[kShape.size()] == '.' || text[kShape.size()] == ' ';
}

std::size_t csvlog_beginning(std::string_view text, bool whole) noexcept {
  for (std::size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    const std::string_view line = text.substr(at + 1);
    if (!whole && line.size() < kCsvLogStart) return std::string_view::npos;
    if (begins_csvlog(line)) return at + 1;
  }
  return std::string_view::npos;
}

}  // namespace tocsin::engine
