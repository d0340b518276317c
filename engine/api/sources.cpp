// Sources and rules as JSON.
#include "engine/api/sources.hpp"

#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace json = boost::json;
namespace {

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(to_utf8(text));
}
json::value time_or_null(const std::optional<Time>& time) {
  return time ? json::value(format_rfc3339(*time)) : json::value(nullptr);
}

}  // namespace

json::object to_json(const SourceStatus& status) {
  json::object out;
  out["name"] = status.name;
  out["kind"] = status.kind;
  out["path"] = text_or_null(status.path);
  out["format"] = text_or_null(status.format);
  out["state"] = status.state;
  out["error"] = text_or_null(status.error);
  out["accepted"] = status.accepted;
  out["decoded"] = status.decoded;
  out["rejected"] = status.rejected;
  out["duplicates"] = status.duplicates;
  out["behind_bytes"] = status.behind_bytes;
  out["last_event"] = time_or_null(status.last_event);
  out["last_arrival"] = time_or_null(status.last_arrival);
  const auto lag = status.lag_seconds();
  out["lag_seconds"] = lag ? json::value(*lag) : json::value(nullptr);
  return out;
}

void add_source_routes(Router& router, const SourceBoard& board) {
  router.add("GET", "/v1/sources", kAnyUser, [&board](const Request&) {
    json::array items;
    for (const SourceStatus& status : board.all()) items.emplace_back(to_json(status));
    return ok_list(std::move(items));
  });

  // A line that could not be read may hold anything, so not everybody sees it.
  router.add("GET", "/v1/sources/{name}/rejects", kAnalyst | kManager | kAdmin, [&board](const Request& request) {
    const auto meter = board.find(request.param("name"));
    if (meter == nullptr) {
      Error error;
      error.code = Errc::kNotFound;
      error.message = "there is no source of this name";
      return problem(error);
    }
    json::array items;
    for (const Reject& reject : meter->rejects()) {
      json::object item;
      item["file"] = text_or_null(reject.file);
      item["line"] = reject.line;
      item["error"] = to_utf8(reject.error);
      item["preview"] = to_utf8(reject.preview);
      item["time"] = format_rfc3339(reject.time);
      items.emplace_back(std::move(item));
    }
    return ok_list(std::move(items));
  });
}

void add_rule_routes(Router& router, std::function<std::vector<RuleInfo>()> rules,
                     std::function<Result<RulesLoaded>(const std::string& by)> reload) {
  router.add("POST", "/v1/rules/reload", kAdmin, [reload = std::move(reload)](const Request& request) {
    const auto loaded = reload(request.who.login);
    if (!loaded) return problem(loaded.error());
    return ok(json::object{{"rules", loaded->rules}, {"correlations", loaded->correlations}, {"refused", loaded->refused}, {"sha256", loaded->sha256}});
  });

  router.add("GET", "/v1/rules", kAnyUser, [rules = std::move(rules)](const Request&) {
    json::array items;
    for (const RuleInfo& rule : rules()) {
      json::object item;
      item["id"] = rule.id;
      item["title"] = to_utf8(rule.title);
      item["level"] = rule.level;
      item["kind"] = rule.kind;
      item["pack"] = text_or_null(rule.pack);
      item["matches"] = rule.matches;
      items.emplace_back(std::move(item));
    }
    return ok_list(std::move(items));
  });
}

}  // namespace tocsin::engine
