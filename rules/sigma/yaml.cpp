// yaml-cpp tells of a document piece by piece; the pieces become nodes.
#include "rules/sigma/yaml.hpp"

#include <istream>
#include <map>
#include <streambuf>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include "rules/base/text.hpp"

namespace tocsin::rules::sigma {
namespace {

struct TooLarge {
  int line = 0;
};

// Text as a stream, without a copy.
class View : public std::streambuf {
 public:
  explicit View(std::string_view text) {
    char* const begin = const_cast<char*>(text.data());  // the interface predates const; a get area is only read
    setg(begin, begin, begin + text.size());
  }
};

class Builder : public YAML::EventHandler {
 public:
  Builder(YamlDocument& document, int first_line) : document_(document), first_line_(first_line) {}

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(YamlNode::Kind::kNull, mark, anchor); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
    YamlNode& node = add(YamlNode::Kind::kScalar, mark, anchor);
    node.plain = tag.empty() || tag == "?";
    node.text = value;
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    count(mark);
    attach(anchors_[anchor]);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor, YAML::EmitterStyle::value /*style*/) override {
    open_.push_back(&add(YamlNode::Kind::kList, mark, anchor));
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor, YAML::EmitterStyle::value /*style*/) override {
    open_.push_back(&add(YamlNode::Kind::kMap, mark, anchor));
  }
  void OnMapEnd() override { open_.pop_back(); }

  [[nodiscard]] int line_of(const YAML::Mark& mark) const { return mark.is_null() ? first_line_ : first_line_ + mark.line; }

 private:
  void count(const YAML::Mark& mark) {
    if (++nodes_ > kMaxYamlNodes) throw TooLarge{line_of(mark)};
  }
  YamlNode& add(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    count(mark);
    YamlNode& node = document_.make(kind, line_of(mark));
    if (anchor != 0) anchors_[anchor] = &node;
    attach(&node);
    return node;
  }
  void attach(const YamlNode* node) {
    if (open_.empty()) document_.root = node;
    else open_.back()->items.push_back(node);
  }

  YamlDocument& document_;
  int first_line_;
  std::size_t nodes_ = 0;
  std::vector<YamlNode*> open_;
  std::map<YAML::anchor_t, const YamlNode*> anchors_;
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
  Builder builder(*document, first_line);
  try {
    View view(text);
    std::istream stream(&view);
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    const YamlNode* const root = document->root;
    if (parser.HandleNextDocument(builder)) {
      refusal = {"yaml-syntax", "a second document begins without '---' before it", "part documents by a line '---'",
                 document->root == root ? first_line : document->root->line};
      return nullptr;
    }
    return document;
  } catch (const TooLarge& large) {
    refusal = {"too-large", "the document has more than 100,000 values", "split it, or keep long lists in a placeholder table (expand)", large.line};
  } catch (const YAML::Exception& error) {
    refusal = {"yaml-syntax", "the YAML is malformed: " + printable(error.msg, 200), "check indentation, quotes and colons near this line",
               builder.line_of(error.mark)};
  }
  return nullptr;
}

}  // namespace tocsin::rules::sigma
