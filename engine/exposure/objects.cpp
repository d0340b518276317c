// Part by part between slashes; within a part a place may have text before and after it ("scan-{id}.dcm").
#include "engine/exposure/objects.hpp"

#include <vector>

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace {

constexpr std::size_t kMaxParts = 64;

// "%41" → 'A'; '+' stays one (a path is not a form).
std::string unescaped(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// Whether `part` fits `pattern` (at most one place); a named place's text goes to `id`.
bool fits(std::string_view pattern, std::string_view part, std::string& id) {
  const std::size_t open = pattern.find('{');
  if (open == std::string_view::npos) return pattern == part;
  const std::size_t close = pattern.find('}', open);
  const std::string_view before = pattern.substr(0, open), after = pattern.substr(close + 1);
  if (part.size() <= before.size() + after.size() || !part.starts_with(before) || !part.ends_with(after)) return false;
  if (close > open + 1) id = unescaped(part.substr(before.size(), part.size() - before.size() - after.size()));
  return true;
}

}  // namespace

Result<ObjectTemplate> ObjectTemplate::parse(std::string_view text) {
  ObjectTemplate out;
  std::string_view rest = text;
  constexpr std::string_view kS3 = "s3://";
  if (rest.starts_with(kS3)) {
    rest.remove_prefix(kS3.size());
    const std::size_t slash = rest.find('/');
    if (slash == 0 || slash == std::string_view::npos) return fail(Errc::kInvalid, "a template begins with s3://BUCKET/ or with /");
    out.bucket_ = rest.substr(0, slash);
    rest.remove_prefix(slash + 1);
  } else if (!rest.starts_with('/')) {
    return fail(Errc::kInvalid, "a template begins with s3://BUCKET/ or with /");
  }
  for (const std::string_view any : {"/…", "/*"}) {
    if (!rest.ends_with(any)) continue;
    out.open_ = true;
    rest.remove_suffix(any.size());
  }
  if (const std::size_t mark = rest.find('?'); mark != std::string_view::npos && out.bucket_.empty()) {
    const std::string_view query = rest.substr(mark + 1);
    const std::size_t equals = query.find("={");
    if (equals == 0 || equals == std::string_view::npos || !query.ends_with('}') || query.size() < equals + 4) {
      return fail(Errc::kInvalid, "after '?' a template has one parameter: ?id={patient}");
    }
    out.parameter_ = query.substr(0, equals);
    rest = rest.substr(0, mark);
  }
  out.path_ = rest;
  std::size_t named = out.parameter_.empty() ? 0 : 1, parts = 0;
  for (const std::string_view part : split(out.path_, '/')) {
    if (++parts > kMaxParts) return fail(Errc::kInvalid, "a template has at most " + std::to_string(kMaxParts) + " parts");
    const std::size_t open = part.find('{'), close = part.find('}');
    if (open == std::string_view::npos && close == std::string_view::npos) continue;
    if (open == std::string_view::npos || close == std::string_view::npos || close < open || part.find('{', open + 1) != std::string_view::npos) {
      return fail(Errc::kInvalid, "each part of a template has at most one {place}");
    }
    named += close > open + 1 ? 1U : 0U;
  }
  if (named != 1) return fail(Errc::kInvalid, "a template names the person exactly once: /patients/{patient}; write {} for other parts");
  return out;
}

std::optional<std::string_view> ObjectTemplate::name_of(const Resource& resource) const {
  if (resource.object.empty()) return std::nullopt;
  if (bucket_.empty()) return resource.object.starts_with('/') ? std::optional<std::string_view>(resource.object) : std::nullopt;
  if (resource.store != bucket_) return std::nullopt;
  std::string_view key = resource.object;
  while (key.starts_with('/')) key.remove_prefix(1);
  return key;
}

std::optional<std::string> ObjectTemplate::person(const Resource& resource) const {
  auto name = name_of(resource);
  if (!name) return std::nullopt;
  std::string_view query;
  if (bucket_.empty()) {
    const std::size_t mark = name->find('?');
    if (mark != std::string_view::npos) query = name->substr(mark + 1);
    name = name->substr(0, mark);
  }
  std::string id;
  std::size_t pattern_at = 0, name_at = 0;
  for (;;) {
    const std::size_t pattern_end = std::min(path_.find('/', pattern_at), path_.size());
    const std::size_t name_end = std::min(name->find('/', name_at), name->size());
    if (!fits(std::string_view(path_).substr(pattern_at, pattern_end - pattern_at), name->substr(name_at, name_end - name_at), id)) return std::nullopt;
    if (pattern_end == path_.size()) {
      const std::string_view over = name->substr(name_end);
      if (!over.empty() && over != "/" && !open_) return std::nullopt;
      break;
    }
    if (name_end == name->size()) return std::nullopt;
    pattern_at = pattern_end + 1;
    name_at = name_end + 1;
  }
  if (parameter_.empty()) return id;
  for (const std::string_view pair : split(query, '&')) {
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == parameter_ && equals + 1 < pair.size()) return unescaped(pair.substr(equals + 1));
  }
  return std::nullopt;
}

bool ObjectTemplate::lists(const Resource& resource) const {
  if (bucket_.empty() || resource.store != bucket_) return false;
  const std::string_view fixed = std::string_view(path_).substr(0, path_.find('{'));
  std::string_view prefix = resource.object;
  while (prefix.starts_with('/')) prefix.remove_prefix(1);
  return fixed.starts_with(prefix) || prefix.starts_with(fixed);
}

}  // namespace tocsin::engine
