// tocsin backup, tocsin restore.
#include <cstdio>
#include <memory>
#include <string>

#include "engine/app/backup.hpp"
#include "engine/app/cli.hpp"
#include "engine/app/data_folder.hpp"

namespace tocsin::engine {
namespace {

struct Chosen {
  BackupOptions backup;
  std::filesystem::path data;
  std::filesystem::path file;
};

std::string amount(const BackupSummary& summary) {
  return std::to_string(summary.files) + " files, " + std::to_string(summary.bytes) + " bytes";
}

}  // namespace

void add_backup(CLI::App& app, Context& context) {
  auto chosen = std::make_shared<Chosen>();
  CLI::App* backup = app.add_subcommand("backup", "save a data directory in one file; works beside a running engine");
  add_data_option(*backup, chosen->backup.data);
  backup->add_option("file", chosen->file, "the archive to write (tar)")->required()->type_name("FILE");
  backup->add_flag("--with-keys", chosen->backup.with_keys,
                   "save the keys too: then the file alone gives everything away. Without it, keep a copy of keys/ elsewhere");
  backup->add_option("--keys", chosen->backup.keys, "where the keys are (default: DIR/keys)")->type_name("DIR");
  backup->add_flag("--replace", chosen->backup.replace, "replace FILE if it exists");
  backup->callback([&context, chosen] {
    Result<BackupSummary> done;
    {
      Progress progress("saving, bytes:");
      chosen->backup.progress = [&](std::uint64_t bytes) { progress.at(bytes, 0); };
      done = write_backup(chosen->backup, chosen->file, context.clock.now());
    }
    if (!done) {
      context.exit_status = report(done.error());
      return;
    }
    std::fprintf(stderr, "saved %s: %s%s\n", chosen->file.c_str(), amount(*done).c_str(),
                 chosen->backup.with_keys ? ", keys included" : "; the keys are not in it, keep a copy of them elsewhere");
  });

  CLI::App* restore = app.add_subcommand("restore", "make a data directory from such a file, every byte of it checked");
  add_data_option(*restore, chosen->data);
  restore->add_option("file", chosen->file, "the archive")->required()->type_name("FILE");
  restore->callback([&context, chosen] {
    keep_files_private();
    Result<BackupSummary> done;
    {
      Progress progress("restoring, bytes:");
      done = restore_backup(chosen->file, chosen->data, [&](std::uint64_t bytes) { progress.at(bytes, 0); });
    }
    if (!done) {
      context.exit_status = report(done.error());
      return;
    }
    std::error_code ec;
    std::fprintf(stderr, "restored %s: %s%s\n", chosen->data.c_str(), amount(*done).c_str(),
                 std::filesystem::exists(chosen->data / "keys", ec)
                     ? ""
                     : "; put root.key, ledger.seed and keys.db into its keys/ before starting the engine");
  });
}

}  // namespace tocsin::engine
