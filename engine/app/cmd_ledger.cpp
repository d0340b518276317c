// tocsin ledger: check the record, show it, take a proof out of it. Reads only, so it works beside a running
// engine, and on a copy of the ledger's folder alone.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include <boost/json.hpp>

#include "engine/app/cli.hpp"
#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "storage/files/durable_file.hpp"
#include "storage/frozen_store.hpp"
#include "storage/ledger/ledger.hpp"
#include "storage/ledger/tiles.hpp"
#include "storage/ledger/verify.hpp"

namespace tocsin::engine {
namespace {

namespace json = boost::json;
using storage::Checkpoint;
using storage::Entry;
using storage::TileName;
using storage::VerifierKey;

constexpr std::uint64_t kMaxFileBytes = 2 << 20;

struct LedgerOptions {
  std::filesystem::path data;
  std::string vkey;
  std::filesystem::path checkpoint;
  std::filesystem::path file;
  std::uint64_t index = 0;
  std::uint64_t from = 0;
  std::uint64_t limit = 1'000'000;
  bool json = false;
};

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

json::object to_json(std::uint64_t index, const Entry& entry) {
  json::object fields;
  for (const auto& [name, value] : entry.fields) fields[to_utf8(name)] = to_utf8(value);
  return {{"index", index}, {"time", format_rfc3339(entry.time)}, {"kind", to_utf8(entry.kind)},
          {"by", to_utf8(entry.by)}, {"fields", std::move(fields)}};
}

std::string to_line(std::uint64_t index, const Entry& entry) {
  std::string out = std::to_string(index) + "  " + format_rfc3339(entry.time) + "  " + printable(entry.kind) + "  by " +
                    printable(entry.by);
  for (const auto& [name, value] : entry.fields) out += "  " + printable(name) + "=" + printable(value, 200);
  return out + "\n";
}

// The key that was named, if one was.
Result<std::optional<VerifierKey>> key_of(const LedgerOptions& options) {
  if (options.vkey.empty()) return std::optional<VerifierKey>();
  auto key = VerifierKey::parse(trim(options.vkey));
  if (!key) return pass(std::move(key));
  return std::optional(std::move(*key));
}

Result<int> verify(const LedgerOptions& options) {
  storage::VerifyOptions how;
  auto key = key_of(options);
  if (!key) return pass(std::move(key));
  how.key = std::move(*key);
  if (!options.checkpoint.empty()) {
    auto kept = storage::read_whole(options.checkpoint, kMaxFileBytes);
    if (!kept) return pass(std::move(kept));
    how.checkpoint = std::move(*kept);
  }
  Progress progress("checking");
  how.progress = [&](std::uint64_t done, std::uint64_t total) { progress.at(done, total); };
  // An auditor may have the ledger's folder only.
  std::unique_ptr<storage::Database> db;
  std::error_code ec;
  if (std::filesystem::exists(options.data / "tocsin.db", ec)) {
    auto opened = storage::Database::open_read_only(options.data / "tocsin.db");
    if (!opened) return pass(std::move(opened));
    db = std::move(*opened);
  }
  auto verdict = storage::verify_ledger(options.data / "ledger", db.get(), how);
  if (!verdict) return pass(std::move(verdict));
  if (db != nullptr) {
    // The sets that the record holds fast by their hashes.
    auto frozen = db->read([](storage::Reader& reader) { return storage::FrozenStore::check(reader); });
    if (!frozen) return pass(std::move(frozen));
    for (std::string& what : *frozen) {
      storage::LedgerDamage damage;
      damage.file = "database";
      damage.what = std::move(what);
      verdict->damage.push_back(std::move(damage));
    }
  }
  if (options.json) {
    json::array damage;
    for (const auto& d : verdict->damage) {
      damage.push_back(json::object{{"file", d.file},
                                    {"byte", d.byte ? json::value(*d.byte) : json::value(nullptr)},
                                    {"entry", d.entry ? json::value(*d.entry) : json::value(nullptr)},
                                    {"what", to_utf8(d.what)}});
    }
    print(json::serialize(json::object{{"well", verdict->well()}, {"size", verdict->size},
                                       {"root", to_hex(verdict->root)}, {"origin", to_utf8(verdict->origin)},
                                       {"files", verdict->files}, {"bytes", verdict->bytes},
                                       {"database", verdict->with_database}, {"damage", std::move(damage)}}) + "\n");
  } else if (verdict->well()) {
    print("The record is whole: " + std::to_string(verdict->size) + " entries, root " + to_hex(verdict->root) +
          ", signed by " + verdict->origin + ".\n" + std::to_string(verdict->files) + " files with " +
          std::to_string(verdict->bytes) + " bytes were checked" +
          (verdict->with_database ? ", and the database agrees" : "; there was no database to compare with") + ".\n");
    if (options.vkey.empty()) {
      std::fprintf(stderr, "The signature was checked with the key in the ledger's own folder. To be sure that it is the "
                           "right one, name the key that you keep elsewhere with --vkey.\n");
    }
  } else {
    print("THE RECORD IS DAMAGED.\n");
    for (const auto& d : verdict->damage) print(printable(d.text(), 2000) + "\n");
    if (verdict->damage.size() >= storage::LedgerVerdict::kMaxDamage) print("(and more)\n");
  }
  return verdict->well() ? kAllWell : kFoundWrong;
}

Result<int> prove(const LedgerOptions& options) {
  auto proof = storage::prove(options.data / "ledger", options.index);
  if (!proof) return pass(std::move(proof));
  if (options.file.empty()) {
    print(*proof);
  } else if (auto done = storage::write_durably(options.file, *proof, 0644); !done) {
    return pass(std::move(done));
  }
  return kAllWell;
}

Result<int> check(const LedgerOptions& options) {
  auto proof = storage::read_whole(options.file, kMaxFileBytes);
  if (!proof) return pass(std::move(proof));
  auto key = key_of(options);
  if (!key) return pass(std::move(key));
  auto proved = storage::check_proof(*proof, **key);
  if (!proved) return pass(std::move(proved));
  if (options.json) {
    json::object out = to_json(proved->index, proved->entry);
    out["size"] = proved->size;
    out["root"] = to_hex(proved->root);
    print(json::serialize(out) + "\n");
  } else {
    print("The proof holds: this is entry " + std::to_string(proved->index) + " of a record of " +
          std::to_string(proved->size) + " signed by " + (*key)->name + ".\n" + to_line(proved->index, proved->entry));
  }
  return kAllWell;
}

Result<std::string> read_checkpoint(const LedgerOptions& options) {
  auto note = storage::ledger_resource(options.data / "ledger", "checkpoint");
  if (!note && note.error().code == Errc::kNotFound) {
    return fail(Errc::kNotFound, "there is no ledger", (options.data / "ledger").string(), "name a data directory with --data");
  }
  return note;
}

Result<int> show_checkpoint(const LedgerOptions& options) {
  auto note = read_checkpoint(options);
  if (!note) return pass(std::move(note));
  if (!options.json) {
    print(*note);
    return kAllWell;
  }
  auto text = storage::note_text(*note);
  auto checkpoint = text ? Checkpoint::parse(*text) : Result<Checkpoint>(pass(std::move(text)));
  if (!checkpoint) return pass(std::move(checkpoint));
  auto vkey = storage::read_whole(options.data / "ledger" / "vkey", 4096);
  print(json::serialize(json::object{{"origin", to_utf8(checkpoint->origin)}, {"size", checkpoint->size},
                                     {"root", to_hex(checkpoint->root)}, {"checkpoint", to_utf8(*note)},
                                     {"vkey", vkey ? json::value(to_utf8(trim(*vkey))) : json::value(nullptr)}}) + "\n");
  return kAllWell;
}

Result<int> show(const LedgerOptions& options) {
  auto note = read_checkpoint(options);
  if (!note) return pass(std::move(note));
  auto text = storage::note_text(*note);
  auto checkpoint = text ? Checkpoint::parse(*text) : Result<Checkpoint>(pass(std::move(text)));
  if (!checkpoint) return pass(std::move(checkpoint));
  const std::uint64_t size = checkpoint->size;
  const std::uint64_t end = options.from < size ? options.from + std::min(options.limit, size - options.from) : options.from;
  std::uint64_t index = options.from;
  while (index < end) {
    TileName name{std::nullopt, index / storage::kTileWidth, 0};
    name.width = std::min(storage::kTileWidth, size - name.index * storage::kTileWidth);
    auto bytes = storage::read_tile(options.data / "ledger", name);
    if (!bytes) return pass(std::move(bytes));
    auto entries = storage::parse_bundle(*bytes);
    if (!entries || entries->size() < name.width) {
      return fail(Errc::kCorrupt, "this bundle of entries is damaged", name.path(), "run tocsin ledger verify");
    }
    for (; index < end && index / storage::kTileWidth == name.index; ++index) {
      auto entry = storage::decode_entry((*entries)[static_cast<std::size_t>(index % storage::kTileWidth)]);
      if (!entry) {
        return fail(Errc::kCorrupt, entry.error().message, name.path() + ", entry " + std::to_string(index), "run tocsin ledger verify");
      }
      print(options.json ? json::serialize(to_json(index, *entry)) + "\n" : to_line(index, *entry));
    }
  }
  return kAllWell;
}

}  // namespace

void add_ledger(CLI::App& app, Context& context) {
  CLI::App* ledger = app.add_subcommand("ledger", "the record of everything decided: check it, show it, prove it");
  ledger->require_subcommand(1);
  auto options = std::make_shared<LedgerOptions>();
  const auto command = [&](const char* name, const char* help, Result<int> (*act)(const LedgerOptions&)) {
    CLI::App* sub = ledger->add_subcommand(name, help);
    sub->callback([&context, options, act] {
      auto status = act(*options);
      context.exit_status = status ? *status : report(status.error());
    });
    return sub;
  };
  CLI::App* sub = command("verify", "check every byte of the record, its signature, and the database's copy", verify);
  add_data_option(*sub, options->data);
  sub->add_option("--checkpoint", options->checkpoint, "a checkpoint that was kept elsewhere: the record must continue it")->type_name("FILE");
  sub->add_option("--vkey", options->vkey, "the verifier key that was kept elsewhere")->type_name("KEY");
  sub->add_flag("--json", options->json, "one JSON object");

  sub = command("prove", "write a proof (C2SP .tlog-proof) that an entry is in the record", prove);
  add_data_option(*sub, options->data);
  sub->add_option("index", options->index, "number of the entry, from 0")->required()->type_name("INDEX");
  sub->add_option("-o,--output", options->file, "write it to FILE instead of standard output")->type_name("FILE");

  sub = command("check", "check such a proof; needs nothing but the key", check);
  sub->add_option("file", options->file, "the .tlog-proof file")->required()->type_name("FILE");
  sub->add_option("--vkey", options->vkey, "the log's verifier key")->required()->type_name("KEY");
  sub->add_flag("--json", options->json, "one JSON object");

  sub = command("show", "list the entries", show);
  add_data_option(*sub, options->data);
  sub->add_option("--from", options->from, "first entry, from 0")->type_name("INDEX");
  sub->add_option("--limit", options->limit, "at most so many")->type_name("N");
  sub->add_flag("--json", options->json, "one JSON object per line");

  sub = command("checkpoint", "print the signed checkpoint: keep it elsewhere, and nobody can shorten the record unseen", show_checkpoint);
  add_data_option(*sub, options->data);
  sub->add_flag("--json", options->json, "one JSON object");
}

}  // namespace tocsin::engine
