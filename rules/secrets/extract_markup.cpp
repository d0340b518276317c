// Values in XML and HTML: elements, attributes, what is escaped inside JSON.
#include "rules/secrets/extract_reader.hpp"

namespace tocsin::rules::secrets {

// The text from `start` to the mark; nullopt if it is not near.
std::optional<FieldValue> FieldReader::until(std::size_t start, std::string_view mark, FieldShape shape) {
  const std::size_t end = s_.substr(0, limit_from(start)).find(mark, start);
  read_ += (end == std::string_view::npos ? limit_from(start) : end) - start;
  if (end == std::string_view::npos) return std::nullopt;
  return FieldValue{start, end, shape, 0, false};
}

// <password>value</password>, with attributes, as CDATA, or escaped inside JSON or XML. An element that is never closed
// is a placeholder: "mongodb://<user>:<password>@host".
std::optional<FieldValue> FieldReader::xml_text(std::size_t i, const KeySpan& key, bool escaped) {
  constexpr std::size_t kMaxAttributes = 200;
  if (escaped) return s_[i] == '&' ? until(i + 4, "&lt;", FieldShape::kXml) : until(i + 6, "\\u003c", FieldShape::kXml);
  if (get(i) != '>') {
    const std::size_t stop = std::min(s_.size(), i + kMaxAttributes);
    const std::size_t from = i;
    while (i < stop && s_[i] != '>' && s_[i] != '<') ++i;
    read_ += i - from;
    if (i >= stop || s_[i] != '>') return std::nullopt;
    const std::string_view attributes = s_.substr(key.end, i - key.end);
    const auto value = attributes.find(" value=\"");
    if (value != std::string_view::npos) return until(key.end + value + 8, "\"", FieldShape::kXml);
    if (s_[i - 1] == '/' || attributes.find('=') == std::string_view::npos) return std::nullopt;
  }
  ++i;
  if (at(i, "<![CDATA[")) return until(i + 9, "]]>", FieldShape::kXml);
  return until(i, "<", FieldShape::kXml);
}

// <add key="DbPassword" value="secret"/>, <property name="password">secret</property>; not <label for="password">.
std::optional<FieldValue> FieldReader::xml_attribute(std::size_t i, const KeySpan& key) {
  const std::string near = before(key.start, 120);
  if (near.size() < 6 || (near.back() != '"' && near.back() != '\'')) return std::nullopt;
  const std::string_view left = std::string_view(near).substr(0, near.size() - 1);
  if (!left.ends_with(" name=") && !left.ends_with(" key=")) return std::nullopt;
  const auto open = left.rfind('<');
  if (open == std::string_view::npos) return std::nullopt;
  const std::string_view tag = left.substr(open + 1, left.find(' ', open) - open - 1);
  for (const std::string_view html : {"input", "button", "label", "a", "option", "select", "textarea", "meta", "form", "iframe", "th", "td", "div", "span"}) {
    if (tag == html) return std::nullopt;
  }
  if (get(i) == '>') {
    // <Attribute Name="password"><AttributeValue>secret</AttributeValue>
    constexpr std::size_t kMaxTag = 100;
    std::size_t text = skip_blanks(i + 1);
    if (get(text) != '<' || get(text + 1) == '/') return until(i + 1, "<", FieldShape::kXml);
    const std::size_t tag_end = s_.substr(0, std::min(s_.size(), text + kMaxTag)).find('>', text);
    return tag_end == std::string_view::npos || s_[tag_end - 1] == '/' ? std::nullopt : until(tag_end + 1, "<", FieldShape::kXml);
  }
  i = skip_blanks(i);
  if (!at(i, "value=")) return std::nullopt;
  const char quote = get(i + 6);
  if (quote != '"' && quote != '\'') return std::nullopt;
  return until(i + 7, std::string_view(&quote, 1), FieldShape::kXml);
}

}  // namespace tocsin::rules::secrets
