// tocsin scan FILE…: plaintext secrets and personal data in text, one line per finding, and never the secret itself.
#include <sodium.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

#include "engine/app/cli.hpp"
#include "engine/app/scan_report.hpp"
#include "engine/app/secret_files.hpp"
#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"
#include "rules/secrets/fragments.hpp"
#include "rules/secrets/scanner.hpp"
#include "rules/secrets/stream.hpp"
#include "storage/vault/keys.hpp"

namespace tocsin::engine {
namespace {

namespace fs = std::filesystem;
namespace secrets = rules::secrets;

constexpr unsigned kRead = 1 << 20;          // read at once
constexpr std::size_t kSniffed = 8 << 10;    // bytes that tell a binary file
constexpr std::size_t kShownDiagnostics = 10;
constexpr int kMaxDepth = 64;                // of directories

struct Options {
  std::vector<std::string> rules;
  std::string default_rules;
  std::string tokens, words;
  std::vector<std::string> files;
  fs::path data;
  bool explain = false;
  bool json = false;
  bool sarif = false;
  bool fragments = false;
  bool secrets_only = false;
  bool contacts = false;
};

// The key under which a secret seen again is recognised: the data directory's, else one of this run only.
std::function<std::string(std::string_view)> fingerprinter(const fs::path& data) {
  if (auto keys = storage::Keys::open(data / "keys"); keys) {
    return [keys = *keys](std::string_view secret) { return to_hex(keys->fingerprint(secret)); };
  }
  if (sodium_init() < 0) return {};
  std::array<unsigned char, crypto_generichash_KEYBYTES> key{};
  randombytes_buf(key.data(), key.size());
  return [key](std::string_view secret) {
    std::array<unsigned char, 16> out{};
    crypto_generichash(out.data(), out.size(), reinterpret_cast<const unsigned char*>(secret.data()), secret.size(), key.data(), key.size());
    return to_hex(std::string_view(reinterpret_cast<const char*>(out.data()), out.size()));
  };
}

// Reads one file, plain or gzip, and hands it to the scanner piece by piece.
class FileScan {
 public:
  FileScan(const secrets::Scanner& scanner, ScanReport& report, const Options& options, Progress& progress, std::uint64_t total)
      : scanner_(scanner), report_(report), options_(options), progress_(progress), total_(total), buffer_(kRead, '\0') {}

  std::uint64_t found = 0;
  std::uint64_t binary = 0;  // files passed over

  Result<void> scan(const std::string& path, bool walked) {
    const bool standard_input = path == "-";
    errno = 0;
    gzFile in = standard_input ? gzdopen(dup(0), "rb") : gzopen(path.c_str(), "rb");
    if (in == nullptr) return fail(Errc::kNotFound, std::string("cannot be opened: ") + std::strerror(errno), path);
    if (standard_input && isatty(0) != 0) std::fprintf(stderr, "reading standard input, Ctrl-D ends it\n");
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> closer(in, gzclose);
    gzbuffer(in, 128 << 10);
    auto place = standard_input ? secrets::Scanner::Place{} : scanner_.place(path);
    const auto sink = [&](const secrets::Stream::Line& line) { take(path, line); };
    if (options_.fragments) return read(in, path, walked, secrets::Fragments(scanner_, std::move(place), options_.explain, sink));
    return read(in, path, walked, secrets::Stream(scanner_, std::move(place), options_.explain, sink));
  }

 private:
  void take(const std::string& path, const secrets::Stream::Line& line) {
    for (const auto& hit : line.hits) {
      ++found;
      report_.hit(path, line, hit);
    }
    for (const auto& drop : line.drops) report_.drop(path, line, drop);
  }

  template <typename Text>
  Result<void> read(gzFile in, const std::string& path, bool walked, Text text) {
    bool first = true;
    for (;;) {
      const int got = gzread(in, buffer_.data(), kRead);
      if (got < 0) {
        text.finish();
        int code = 0;
        return fail(Errc::kCorrupt, std::string("cannot be read to its end: ") + gzerror(in, &code), path);
      }
      const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
      // A file that was named is scanned whatever it is; one found on the way is not.
      if (first && walked && bytes.substr(0, kSniffed).find('\0') != std::string_view::npos) {
        ++binary;
        std::fprintf(stderr, "tocsin: %s: binary, passed over; name it to have it scanned\n", printable(path).c_str());
        return {};
      }
      first = false;
      // Of a packed file the packed bytes count, as they do in the total.
      progress_.at(done_ + static_cast<std::uint64_t>(std::max<z_off_t>(gzoffset(in), 0)), total_);
      if (bytes.empty()) break;
      text.feed(bytes);
    }
    done_ += static_cast<std::uint64_t>(std::max<z_off_t>(gzoffset(in), 0));
    text.finish();
    int code = Z_OK;
    (void)gzerror(in, &code);
    if (code == Z_BUF_ERROR) return fail(Errc::kCorrupt, "ends in the middle of its compressed data; what came before was scanned", path);
    return {};
  }

  const secrets::Scanner& scanner_;
  ScanReport& report_;
  const Options& options_;
  Progress& progress_;
  std::uint64_t total_;
  std::uint64_t done_ = 0;  // bytes of the files before this one
  std::string buffer_;
};

struct Target {
  std::string path;
  bool walked = false;  // found in a directory: binary files are passed over
};

// The files named, and those below the directories named.
std::vector<Target> targets(const std::vector<std::string>& named, std::uint64_t& bytes, std::vector<Error>& errors) {
  std::vector<Target> out;
  for (const auto& path : named) {
    std::error_code ec;
    if (path == "-" || !fs::is_directory(path, ec)) {
      out.push_back({path, false});
      if (path != "-") bytes += fs::is_regular_file(path, ec) ? fs::file_size(path, ec) : 0;
      continue;
    }
    auto it = fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, ec);
    if (ec) {
      errors.push_back(Error{Errc::kIo, "cannot be walked: " + ec.message(), path, {}});
      continue;
    }
    for (const fs::recursive_directory_iterator end; it != end; it.increment(ec)) {
      if (ec) break;
      if (it.depth() >= kMaxDepth || it->path().filename() == ".git") it.disable_recursion_pending();
      if (!it->is_regular_file(ec) || it->is_symlink(ec)) continue;
      out.push_back({it->path().string(), true});
      bytes += it->file_size(ec);
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const Target& a, const Target& b) { return a.walked && b.walked && a.path < b.path; });
  return out;
}

void show(const std::vector<secrets::Diagnostic>& diagnostics, bool all) {
  const std::size_t shown = all ? diagnostics.size() : std::min(diagnostics.size(), kShownDiagnostics);
  for (std::size_t i = 0; i < shown; ++i) std::fprintf(stderr, "tocsin: %s: %s\n", diagnostics[i].where.c_str(), diagnostics[i].message.c_str());
  if (shown < diagnostics.size()) std::fprintf(stderr, "tocsin: and %zu more notes on the rules (--explain shows all)\n", diagnostics.size() - shown);
}

// `--rules a.toml b.toml app.log`: what follows --rules belongs to it up to the next option, and a rule file is TOML by
// its name. So whatever else stands behind the first one was meant to be scanned.
void sort_out(Options& options) {
  const auto is_input = [](const std::string& path) { return !to_lower(path).ends_with(".toml"); };
  if (options.rules.size() < 2) return;
  const auto inputs = std::stable_partition(options.rules.begin() + 1, options.rules.end(), [&](const std::string& path) { return !is_input(path); });
  options.files.insert(options.files.begin(), inputs, options.rules.end());
  options.rules.erase(inputs, options.rules.end());
}

// What cannot be set up is no finding: a pipeline that this guards must tell the two apart.
int refused(const Error& error) {
  (void)report(error);
  return kFailure;
}

int run(Options options) {
  sort_out(options);
  std::vector<secrets::RuleFile> files;
  for (const auto& path : options.rules) {
    auto file = read_secret_rules(path, options.default_rules);
    if (!file) return refused(file.error());
    files.push_back(std::move(*file));
  }
  secrets::Options how;
  how.fingerprint = fingerprinter(options.data);
  how.personal = !options.secrets_only;
  how.contacts = options.contacts;
  auto tokens = read_token_measure(options.tokens, options.words);
  if (!tokens) return refused(tokens.error());
  how.tokens = std::move(*tokens);
  auto loaded = secrets::Scanner::load(files, how);
  if (!loaded) return refused(loaded.error());
  show(loaded->diagnostics, options.explain);

  std::uint64_t total = 0;
  std::vector<Error> errors;
  const auto found = targets(options.files.empty() ? std::vector<std::string>{"-"} : options.files, total, errors);
  const auto form = options.sarif ? ScanReport::Form::kSarif : options.json ? ScanReport::Form::kJson : ScanReport::Form::kText;
  const auto findings = ScanReport::make(form, loaded->scanner);
  std::uint64_t count = 0;
  {
    Progress progress("scanning");
    FileScan scan(loaded->scanner, *findings, options, progress, total);
    for (const auto& target : found) {
      if (auto done = scan.scan(target.path, target.walked); !done) errors.push_back(done.error());
    }
    count = scan.found;
  }
  const int status = !errors.empty() ? kFailure : count > 0 ? kFoundWrong : kAllWell;
  findings->finish({loaded->diagnostics, errors, status});
  std::fflush(stdout);
  for (const auto& error : errors) (void)engine::report(error);
  if (form == ScanReport::Form::kText) std::fprintf(stderr, "%llu found in %zu file%s\n", static_cast<unsigned long long>(count), found.size(), found.size() == 1 ? "" : "s");
  return status;
}

}  // namespace

void add_scan(CLI::App& app, Context& context) {
  CLI::App* scan = app.add_subcommand("scan", "find plaintext secrets and personal data in text");
  auto options = std::make_shared<Options>();
  scan->add_option("--rules", options->rules, "more rules: gitleaks or betterleaks TOML; several files may follow, all named *.toml but the first")->type_name("FILE");
  scan->add_option("--default-rules", options->default_rules, "the file that [extend] useDefault means")->type_name("FILE");
  auto* tokens = scan->add_option("--tokens", options->tokens, "the vocabulary that betterleaks' failsTokenEfficiency asks: cl100k_base in tiktoken's text form")->type_name("FILE");
  scan->add_option("--words", options->words, "the words that it asks besides, one per line")->type_name("FILE")->needs(tokens);
  scan->add_flag("--explain", options->explain, "also print what was looked at and dropped, with the reason");
  auto* json = scan->add_flag("--json", options->json, "one JSON object per finding");
  scan->add_flag("--sarif", options->sarif, "one SARIF 2.1.0 log, for code hosts and editors")->excludes(json);
  scan->add_flag("--contacts", options->contacts, "also e-mail addresses and telephone numbers: ordinary logs are full of them");
  scan->add_flag("--secrets-only", options->secrets_only, "leave out personal numbers (cards, IBAN, national ids)");
  scan->add_flag("--fragments", options->fragments, "cut files into gitleaks' fragments of 100 kB instead of lines: its findings, to the letter");
  scan->add_option("FILE", options->files, "files or directories; - or none is standard input; .gz is unpacked")->type_name("FILE");
  add_data_option(*scan, options->data);
  scan->footer("Examples:\n"
               "  tocsin scan /var/log/app               everything below a directory; binary files are passed over\n"
               "  kubectl logs app | tocsin scan --json  a pipe, one JSON object per finding\n"
               "  tocsin scan --rules gitleaks.toml --sarif . > scan.sarif\n\n"
               "Exit status: 0 nothing found, 1 something found, 2 wrong usage, 3 a file or the rules could not be read (what was found is printed all the same).\n"
               "Fingerprints use the key of the data directory if there is one, else a key of this run only.");
  scan->callback([options, &context] { context.exit_status = run(*options); });
}

}  // namespace tocsin::engine
