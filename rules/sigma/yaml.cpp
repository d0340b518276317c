// libyaml tells of a document event by event; the events become nodes. It only scans and parses: what a plain scalar
// means (its type) is decided by whoever reads the tree, so that libyaml's being of YAML 1.1 does not show.
#include "rules/sigma/yaml.hpp"

#include <map>
#include <optional>
#include <utility>

#include <yaml.h>

#include "rules/base/text.hpp"

namespace tocsin::rules::sigma {
namespace {

std::string_view view_of(const yaml_char_t* text) { return text != nullptr ? reinterpret_cast<const char*>(text) : std::string_view(); }

bool says_null(std::string_view plain) { return plain.empty() || plain == "~" || plain == "null" || plain == "Null" || plain == "NULL"; }

constexpr std::size_t kMostOpen = 64;  // lists and maps; whoever reads the tree stops at half of that

class Parser {
 public:
  Parser(std::string_view text, YamlDocument& document, int first_line) : document_(document), first_line_(first_line) {
    ready_ = ::yaml_parser_initialize(&parser_) == 1;
    if (!ready_) return;
    ::yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    ::yaml_parser_set_input_string(&parser_, reinterpret_cast<const yaml_char_t*>(text.data()), text.size());
  }
  ~Parser() {
    if (ready_) ::yaml_parser_delete(&parser_);
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  // Reads to the end; nothing if all is well.
  std::optional<Remark> read() {
    if (!ready_) return Remark{"too-large", "there is not enough memory for this document", "split it", first_line_};
    for (;;) {
      yaml_event_t event;
      if (::yaml_parser_parse(&parser_, &event) != 1) return syntax_error();
      const yaml_event_type_t type = event.type;
      std::optional<Remark> refusal = take(event);
      ::yaml_event_delete(&event);
      if (refusal) return refusal;
      if (type == YAML_STREAM_END_EVENT) return std::nullopt;
    }
  }

 private:
  std::optional<Remark> take(const yaml_event_t& event) {
    line_ = first_line_ + static_cast<int>(event.start_mark.line);
    switch (event.type) {
      case YAML_DOCUMENT_START_EVENT:
        if (++documents_ > 1) return second_document(line_);
        return std::nullopt;
      case YAML_SCALAR_EVENT: {
        const auto& scalar = event.data.scalar;
        const std::string_view text(reinterpret_cast<const char*>(scalar.value), scalar.length);
        const bool plain = scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.tag == nullptr;
        YamlNode* const node = add(plain && says_null(text) ? YamlNode::Kind::kNull : YamlNode::Kind::kScalar, scalar.anchor);
        if (node == nullptr) break;
        if (node->kind == YamlNode::Kind::kScalar) {
          node->plain = plain;
          node->text = text;
        }
        return std::nullopt;
      }
      case YAML_SEQUENCE_START_EVENT: return open(YamlNode::Kind::kList, event.data.sequence_start.anchor);
      case YAML_MAPPING_START_EVENT: return open(YamlNode::Kind::kMap, event.data.mapping_start.anchor);
      case YAML_SEQUENCE_END_EVENT:
      case YAML_MAPPING_END_EVENT: open_.pop_back(); return std::nullopt;
      case YAML_ALIAS_EVENT: {
        const auto named = anchors_.find(view_of(event.data.alias.anchor));
        if (named == anchors_.end()) {
          return Remark{"yaml-syntax", "the YAML is malformed: an alias names no anchor before it", "define the anchor '&name' first", line_};
        }
        if (++nodes_ > kMaxYamlNodes) break;
        attach(named->second);
        return std::nullopt;
      }
      default: return std::nullopt;
    }
    return Remark{"too-large", "the document has more than 100,000 values", "split it, or keep long lists in a placeholder table (expand)", line_};
  }

  std::optional<Remark> open(YamlNode::Kind kind, const yaml_char_t* anchor) {
    // libyaml's time for a token grows with its depth, so that deep nesting must end before the text does.
    if (open_.size() >= kMaxYamlNesting) {
      return Remark{"too-deep", "the document is nested deeper than 64 levels", "flatten it", line_};
    }
    YamlNode* const node = add(kind, anchor);
    if (node == nullptr) {
      return Remark{"too-large", "the document has more than 100,000 values", "split it, or keep long lists in a placeholder table (expand)", line_};
    }
    open_.push_back(node);
    // libyaml looks at every open list for each token, so that depth makes it slow long before it makes it fail.
    if (open_.size() > kMostOpen) return Remark{"too-deep", "the document is nested deeper than 32 levels", "flatten it", line_};
    return std::nullopt;
  }
  // Null if there are too many already.
  YamlNode* add(YamlNode::Kind kind, const yaml_char_t* anchor) {
    if (++nodes_ > kMaxYamlNodes) return nullptr;
    YamlNode& node = document_.make(kind, line_);
    if (anchor != nullptr) anchors_[std::string(view_of(anchor))] = &node;
    attach(&node);
    return &node;
  }
  void attach(const YamlNode* node) {
    if (open_.empty()) document_.root = node;
    else open_.back()->items.push_back(node);
  }

  static Remark second_document(int line) {
    return {"yaml-syntax", "a second document begins without '---' before it", "part documents by a line '---'", line};
  }
  Remark syntax_error() const {
    const std::string_view problem = parser_.problem != nullptr ? parser_.problem : "";
    int line = first_line_ + static_cast<int>(parser_.problem_mark.line);
    if (parser_.error == YAML_MEMORY_ERROR) return {"too-large", "there is not enough memory for this document", "split it", line_};
    if (parser_.error == YAML_READER_ERROR) line = line_;  // which has no mark
    if (problem == "did not find expected <document start>") return second_document(line);
    std::string message = "the YAML is malformed: " + printable(problem, 200);
    if (parser_.context != nullptr) message += std::string(" ") + parser_.context;
    return {"yaml-syntax", std::move(message), "check indentation, quotes and colons near this line", line};
  }

  YamlDocument& document_;
  int first_line_;
  int line_ = first_line_;
  yaml_parser_t parser_{};
  bool ready_ = false;
  std::size_t nodes_ = 0;
  int documents_ = 0;
  std::vector<YamlNode*> open_;
  std::map<std::string, const YamlNode*, std::less<>> anchors_;
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const noexcept {
  if (kind != Kind::kMap) return nullptr;
  for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i]->kind == Kind::kScalar && items[i]->text == key) return items[i + 1];
  }
  return nullptr;
}

std::shared_ptr<YamlDocument> read_yaml(std::string_view text, int first_line, Remark& refusal) {
  auto document = std::make_shared<YamlDocument>();
  if (std::optional<Remark> refused = Parser(text, *document, first_line).read()) {
    refusal = std::move(*refused);
    return nullptr;
  }
  return document;
}

}  // namespace tocsin::rules::sigma
