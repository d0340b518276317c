// The body is split where it lies: lines are views into it.
#include "engine/api/events.hpp"

#include <algorithm>

#include "storage/user_store.hpp"

namespace tocsin::engine {
namespace json = boost::json;

Result<std::vector<EventLine>> split_events(std::string_view body, std::string_view format,
                                            std::vector<EventReceipt::Rejected>& rejected) {
  const bool csv = format.ends_with("-csv");
  std::vector<EventLine> out;
  std::uint64_t number = 0, first = 0;
  std::size_t begin = 0;
  bool quoted = false;
  for (std::size_t at = 0; at < body.size();) {
    std::size_t end = body.find('\n', at);
    if (end == std::string_view::npos) end = body.size();
    ++number;
    if (!quoted) {
      begin = at;
      first = number;
    }
    if (csv) {
      const std::string_view line = body.substr(at, end - at);
      if (std::count(line.begin(), line.end(), '"') % 2 != 0) quoted = !quoted;
    }
    at = end + 1;
    // A quote that never closes must not swallow the rest of the body.
    const bool over = end - begin > kMaxEventLine;
    if (quoted && !over && at < body.size()) continue;
    quoted = false;
    std::string_view record = body.substr(begin, end - begin);
    if (!record.empty() && record.back() == '\r') record.remove_suffix(1);
    if (record.empty()) continue;
    if (record.size() > kMaxEventLine) {
      rejected.push_back({first, "the line is longer than 1 MiB"});
      continue;
    }
    if (out.size() == kMaxEventLines) {
      return fail(Errc::kTooLarge, "more than 200000 lines in one request; nothing of it was stored", "",
                  "send smaller batches");
    }
    out.push_back({first, record});
  }
  return out;
}

void add_event_routes(Router& router, EventSink& sink) {
  router.add("POST", "/v1/events", kShipper, [&sink](const Request& request) {
    const std::string source = request.query_or("source", "");
    if (!storage::is_token_name(source)) {
      Error error;
      error.code = Errc::kInvalid;
      error.message = source.empty() ? "'source' is missing" : "'source' is not acceptable";
      error.remedy = "name the source in the address: /v1/events?source=NAME, of letters, digits, '.', '_' and '-'";
      return problem(error);
    }
    const std::string format = request.query_or("format", "");
    std::vector<EventReceipt::Rejected> too_long;
    auto lines = split_events(request.body, format, too_long);
    if (!lines) return problem(lines.error());
    EventReceipt receipt;
    if (!lines->empty()) {
      auto accepted = sink.accept(source, format, *lines);
      if (!accepted) {
        const bool no_space = accepted.error().code == Errc::kTooLarge;
        return no_space ? problem(507, accepted.error()) : problem(accepted.error());
      }
      receipt = std::move(*accepted);
    }
    receipt.rejected.insert(receipt.rejected.end(), too_long.begin(), too_long.end());
    std::sort(receipt.rejected.begin(), receipt.rejected.end(),
              [](const auto& a, const auto& b) { return a.line < b.line; });
    json::array rejected;
    for (const auto& one : receipt.rejected) {
      if (rejected.size() == kMaxRejectsTold) break;
      rejected.emplace_back(json::object{{"line", one.line}, {"error", one.error}});
    }
    json::object out;
    out["accepted"] = receipt.accepted;
    out["duplicates"] = receipt.duplicates;
    out["rejected"] = std::move(rejected);
    out["rejected_total"] = receipt.rejected.size();
    return ok(out);
  }, kMaxEventsBody);
}

}  // namespace tocsin::engine
