// Tiles hold hashes only and are public; entries name operators and are not.
#include "engine/api/record.hpp"

#include <charconv>

#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {
namespace json = boost::json;
namespace {

Response resource(const std::filesystem::path& dir, const std::string& path) {
  auto bytes = storage::ledger_resource(dir, path);
  if (!bytes) return problem(bytes.error());
  Response response;
  response.content_type = path == "checkpoint" ? "text/plain; charset=utf-8" : "application/octet-stream";
  response.body = std::move(*bytes);
  // A full tile never changes; a partial one and the checkpoint do.
  const bool fixed = path != "checkpoint" && path.find(".p/") == std::string::npos;
  response.headers.emplace_back("Cache-Control", fixed ? "public, max-age=31536000, immutable" : "no-cache");
  return response;
}

}  // namespace

storage::UserStore::Recorder ledger_recorder(storage::Ledger& ledger) {
  return [&ledger](storage::Transaction& tx, std::string_view kind, Time now, std::string_view by,
                   const storage::UserStore::Fields& fields) -> Result<void> {
    storage::Entry entry;
    entry.kind = kind;
    entry.time = now;
    entry.by = by;
    entry.fields = fields;
    auto index = ledger.record(tx, entry);
    if (!index) return pass(std::move(index));
    return {};
  };
}

void add_ledger_routes(Router& router, storage::Database& database, const storage::Ledger& ledger,
                       std::filesystem::path dir) {
  router.add("GET", "/v1/ledger", kAnyUser, [&ledger](const Request&) {
    const auto head = ledger.head();
    const bool healthy = ledger.healthy();
    json::object out;
    out["size"] = head.size;
    out["root"] = to_base64(bytes_of(head.root));
    out["origin"] = ledger.origin();
    out["checkpoint"] = head.checkpoint.empty() ? json::value(nullptr) : json::value(head.checkpoint);
    out["vkey"] = ledger.vkey();
    out["healthy"] = healthy;
    out["trouble"] = healthy ? json::value(nullptr) : json::value(to_utf8(ledger.trouble()));
    return ok(out);
  });

  router.add("GET", "/v1/ledger/entries", kAnyUser, [&database](const Request& request) {
    auto from = number_of(request, "from", 0, 1ULL << 52);
    if (!from) return problem(from.error());
    auto limit = number_of(request, "limit", 100, kMaxLedgerPage);
    if (!limit) return problem(limit.error());
    auto entries = database.read([&](storage::Reader& reader) {
      return storage::Ledger::entries(reader, *from, static_cast<std::size_t>(*limit));
    });
    if (!entries) return problem(entries.error());
    json::array items;
    for (const auto& stored : *entries) {
      json::object fields;
      for (const auto& [name, value] : stored.entry.fields) fields[to_utf8(name)] = to_utf8(value);
      json::object item;
      item["index"] = stored.index;
      item["kind"] = to_utf8(stored.entry.kind);
      item["time"] = format_rfc3339(stored.entry.time);
      item["by"] = to_utf8(stored.entry.by);
      item["fields"] = std::move(fields);
      items.emplace_back(std::move(item));
    }
    std::optional<std::string> next;
    if (*limit > 0 && items.size() == *limit) next = std::to_string(*from + items.size());
    return ok_list(std::move(items), next);
  });

  router.add("GET", "/v1/ledger/proof/{index}", kAnyUser, [&ledger](const Request& request) {
    const std::string text = request.param("index");
    std::uint64_t index = 0;
    const auto [stop, ec] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (ec != std::errc() || stop != text.data() + text.size()) {
      Error error;
      error.code = Errc::kNotFound;
      error.message = "there is no entry of this number";
      return problem(error);
    }
    auto proof = ledger.prove(index);
    if (!proof) return problem(proof.error());
    Response response;
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::move(*proof);
    return response;
  });

  router.add("GET", "/ledger/checkpoint", kPublic, [dir](const Request&) { return resource(dir, "checkpoint"); });
  router.add("GET", "/ledger/tile/{path...}", kPublic, [dir](const Request& request) {
    const std::string path = request.param("path");
    // Bundles of entries name operators; "tile/entries/…" is for people who are logged in.
    if (path.starts_with("entries/") && !request.who.has(kAnyUser)) {
      Error error;
      error.code = Errc::kUnauthorised;
      error.message = "entries are shown to users of this Tocsin only";
      return problem(error);
    }
    return resource(dir, "tile/" + path);
  });
}

}  // namespace tocsin::engine
