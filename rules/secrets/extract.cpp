// The extractor: the literals that lead somewhere, and the reader that each of them leads to.
#include "rules/secrets/extract.hpp"

#include "rules/secrets/extract_reader.hpp"

namespace tocsin::rules::secrets {

std::vector<std::pair<std::string, StemKind>> Extractor::stems() const {
  std::vector<std::pair<std::string, StemKind>> out;
  for (const auto& stem : words_.stems()) out.emplace_back(stem, StemKind::kKey);
  for (const char* phrase : {"identified by", "identified with", "set password for"}) out.emplace_back(phrase, StemKind::kIdentifiedBy);
  out.emplace_back("://", StemKind::kUrl);
  out.emplace_back("bearer ", StemKind::kBearer);
  out.emplace_back("basic ", StemKind::kBasic);
  out.emplace_back(":\\/\\/", StemKind::kUrl);  // as JSON may escape it
  for (const auto literal : command_literals()) out.emplace_back(literal, StemKind::kCommand);
  for (const auto literal : login_literals()) out.emplace_back(literal, StemKind::kLogin);
  for (const auto literal : call_literals()) out.emplace_back(literal, StemKind::kCall);
  out.emplace_back("insert into", StemKind::kInsert);
  out.emplace_back("replace into", StemKind::kInsert);
  out.emplace_back("auth ", StemKind::kRedisAuth);
  out.emplace_back("auth\" \"", StemKind::kRedisAuth);
  // "password" and "passwd" in base64, at the three alignments.
  for (const char* piece : {"cgfzc3dvcm", "bhc3n3b3jk", "wyxnzd29y", "cgfzc3dk", "bhc3n3za", "wyxnzd2"}) out.emplace_back(piece, StemKind::kEncoded);
  // The same in hex, in three cases; and the beginning of gzip in base64.
  for (const char* piece : {"70617373776f7264", "50617373776f7264", "50415353574f5244", "706173737764", "h4si"}) out.emplace_back(piece, StemKind::kEncoded);
  return out;
}

bool Extractor::is_inside_key(std::string_view literal) noexcept { return std::all_of(literal.begin(), literal.end(), is_key); }

namespace {

// "bearer" before something too short to be read as a token.
bool is_bearer_of_nothing(std::string_view text, const StemHit& stem) {
  std::size_t i = stem.end;
  while (i < text.size() && i < stem.end + Extractor::kMaxGap && is_space(text[i])) ++i;
  const std::size_t start = i;
  while (i < text.size() && i < start + FieldReader::kMinBearer && FieldReader::is_bearer_byte(text[i])) ++i;
  return i < start + FieldReader::kMinBearer;
}

// "token" alone in a sentence: behind the blank a letter that begins none of the words that may follow a key ("like",
// "value:"), and before it nothing that makes it an option or an element.
bool is_token_in_prose(std::string_view text, const StemHit& stem, const KeySpan& key) {
  if (key.start != stem.start || key.end != stem.end) return false;  // no other stem is in that key
  if (key.start == 0 || (text[key.start - 1] != ' ' && text[key.start - 1] != '"')) return false;
  if (key.end + 1 >= text.size() || text[key.end] != ' ') return false;
  const char next = text[key.end + 1];
  return is_letter(next) && next != 'l' && next != 'L' && next != 'v';
}

}  // namespace

bool Extractor::worth_reading(std::string_view text, const StemHit& stem) const {
  if (stem.kind == StemKind::kBearer) return !is_bearer_of_nothing(text, stem);
  if (stem.kind != StemKind::kKey) return true;
  const KeySpan span = key_span(text, stem);
  const KeyClass cls = words_.recall(text.substr(span.start, span.end - span.start)).cls;
  if (cls == KeyClass::kToken && is_token_in_prose(text, stem, span)) return false;
  return cls != KeyClass::kNone && cls != KeyClass::kAbout && (cls != KeyClass::kPersonalNumber || personal_);
}

void Extractor::run(std::string_view record, const std::vector<StemHit>& stems, std::vector<Found>& found, std::vector<Drop>* drops) const {
  FieldReader reader(record, words_, personal_, found, drops);
  for (const StemHit& stem : stems) {
    switch (stem.kind) {
      case StemKind::kKey: reader.key_at(stem); break;
      case StemKind::kIdentifiedBy: reader.identified_by(stem); break;
      case StemKind::kUrl: reader.url(stem); break;
      case StemKind::kBearer: reader.bearer(stem); break;
      case StemKind::kBasic: reader.basic(stem); break;
      case StemKind::kCommand: reader.command(stem); break;
      case StemKind::kInsert: reader.insert(stem); break;
      case StemKind::kRedisAuth: reader.redis_auth(stem); break;
      case StemKind::kEncoded: reader.encoded(stem); break;
      case StemKind::kLogin: reader.login(stem); break;
      case StemKind::kCall: reader.call(stem); break;
    }
  }
  reader.password_line();
}

}  // namespace tocsin::rules::secrets
