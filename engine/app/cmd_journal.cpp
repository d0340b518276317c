// tocsin journal: look at the raw events that a data directory holds. For evidence, and for checking that nothing
// was lost.
#include <boost/json.hpp>
#include <cstdio>
#include <map>

#include "engine/app/cli.hpp"
#include "rules/base/text.hpp"
#include "storage/journal/journal.hpp"

namespace tocsin::engine {
namespace {

struct Options {
  std::filesystem::path data;
  std::string source;
  std::uint64_t from = 1, to = UINT64_MAX;
  bool json = false;
};

// Calls `see` for each record; returns the exit status.
template <class See>
int walk(const Options& options, const Clock& clock, See&& see) {
  const std::filesystem::path dir = options.data / "journal";
  std::error_code ec;
  if (!std::filesystem::is_directory(dir, ec)) return report({Errc::kNotFound, "there is no journal", dir.string(), "name a data directory with --data"});
  auto journal = storage::Journal::open(dir, clock, {});
  if (!journal) return report(journal.error());
  int status = kAllWell;
  auto cursor = (*journal)->read_from(options.from);
  storage::JournalRecord record;
  for (;;) {
    auto more = cursor->next(record);
    for (const storage::JournalGap& gap : cursor->take_gaps()) {
      std::fprintf(stderr, "tocsin: events %llu to %llu are missing (%s, byte %llu)\n", static_cast<unsigned long long>(gap.first),
                   static_cast<unsigned long long>(gap.last), gap.file.c_str(), static_cast<unsigned long long>(gap.offset));
      status = kFoundWrong;
    }
    if (!more) return report(more.error());
    if (!*more || record.seq > options.to) return status;
    if (options.source.empty() || record.source == options.source) see(record);
  }
}

int count(const Options& options, const Clock& clock) {
  struct Count {
    std::uint64_t events = 0, bytes = 0;
  };
  std::map<std::string, Count> counts;
  const int status = walk(options, clock, [&](const storage::JournalRecord& r) {
    Count& c = counts[std::string(r.source)];
    ++c.events;
    c.bytes += r.payload.size();
  });
  for (const auto& [source, c] : counts) {
    if (options.json) {
      std::printf("%s\n", boost::json::serialize(boost::json::object{{"source", source}, {"events", c.events}, {"bytes", c.bytes}}).c_str());
    } else {
      std::printf("%-30s %12llu events %14llu bytes\n", source.c_str(), static_cast<unsigned long long>(c.events), static_cast<unsigned long long>(c.bytes));
    }
  }
  return status;
}

int show(const Options& options, const Clock& clock) {
  return walk(options, clock, [&](const storage::JournalRecord& r) {
    if (options.json) {
      const boost::json::object line{{"seq", r.seq}, {"source", std::string(r.source)}, {"file", to_utf8(r.file)}, {"line", r.line},
                                     {"arrived", format_rfc3339(r.arrived)}, {"raw", to_utf8(r.payload)}};
      std::printf("%s\n", boost::json::serialize(line).c_str());
    } else {
      std::printf("%8llu %s %s:%llu %s\n", static_cast<unsigned long long>(r.seq), std::string(r.source).c_str(), printable(r.file, 200).c_str(),
                  static_cast<unsigned long long>(r.line), printable(r.payload, 500).c_str());
    }
  });
}

}  // namespace

void add_journal(CLI::App& app, Context& context) {
  CLI::App* journal = app.add_subcommand("journal", "look at the raw events that are kept (while serve is stopped)");
  journal->require_subcommand(1);
  for (const auto& [name, help, run] : {std::tuple{"count", "events and bytes by source", &count}, std::tuple{"show", "the events, oldest first", &show}}) {
    CLI::App* command = journal->add_subcommand(name, help);
    auto options = std::make_shared<Options>();
    add_data_option(*command, options->data);
    command->add_option("--source", options->source, "only this source");
    command->add_option("--from", options->from, "only from the event of this number on")->type_name("N");
    command->add_option("--to", options->to, "… up to this one")->type_name("N");
    command->add_flag("--json", options->json, "one JSON object per line");
    command->callback([options, &context, run = run] { context.exit_status = run(*options, context.clock); });
  }
}

}  // namespace tocsin::engine
