// tocsin scan FILE…: plaintext secrets and personal data in text, one line per finding, and never the secret itself.
#include <sodium.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

#include "engine/app/cli.hpp"
#include "engine/app/scan_report.hpp"
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
  std::vector<std::string> files;
  fs::path data;
  bool explain = false;
  bool json = false;
  bool sarif = false;
  bool fragments = false;
  bool secrets_only = false;
  bool contacts = false;
};

Result<std::string> read_whole(const std::string& path, std::size_t limit) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Errc::kNotFound, "cannot be read", path);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (in.bad()) return fail(Errc::kIo, "cannot be read", path);
  if (text.size() > limit) return fail(Errc::kTooLarge, "is larger than " + std::to_string(limit) + " bytes", path);
  return text;
}

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
    gzFile in = standard_input ? gzdopen(dup(0), "rb") : gzopen(path.c_str(), "rb");
    if (in == nullptr) return fail(Errc::kNotFound, "cannot be opened", path);
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
      done_ += bytes.size();
      progress_.at(done_, total_);
      if (bytes.empty()) break;
      text.feed(bytes);
    }
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
  std::uint64_t done_ = 0;
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

// The file with what its [extend] names; paths count from the working directory, as upstream's do.
Result<secrets::RuleFile> with_base(secrets::RuleFile file, const Options& options, int depth) {
  const auto extends = secrets::rule_file_extends(file);
  if (!extends || depth >= secrets::kMaxExtendDepth) return file;
  const std::string path = extends->path.empty() ? options.default_rules : extends->path;
  if (path.empty()) return fail(Errc::kInvalid, "extends the default rules: name gitleaks' own file with --default-rules", file.name);
  auto text = read_whole(path, secrets::Scanner::kMaxRuleFile);
  if (!text) return tl::unexpected(std::move(text).error());
  auto base = with_base({path, std::move(*text)}, options, depth + 1);
  if (!base) return base;
  file.base = std::make_shared<const secrets::RuleFile>(std::move(*base));
  return file;
}

int run(const Options& options) {
  std::vector<secrets::RuleFile> files;
  for (const auto& path : options.rules) {
    auto text = read_whole(path, secrets::Scanner::kMaxRuleFile);
    if (!text) return report(text.error());
    auto file = with_base({path, std::move(*text)}, options, 0);
    if (!file) return report(file.error());
    files.push_back(std::move(*file));
  }
  secrets::Options how;
  how.fingerprint = fingerprinter(options.data);
  how.personal = !options.secrets_only;
  how.contacts = options.contacts;
  auto loaded = secrets::Scanner::load(files, how);
  if (!loaded) return report(loaded.error());
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
  findings->finish();
  std::fflush(stdout);
  for (const auto& error : errors) (void)engine::report(error);
  if (form == ScanReport::Form::kText) std::fprintf(stderr, "%llu found in %zu files\n", static_cast<unsigned long long>(count), found.size());
  if (!errors.empty()) return kFailure;
  return count > 0 ? kFoundWrong : kAllWell;
}

}  // namespace

void add_scan(CLI::App& app, Context& context) {
  CLI::App* scan = app.add_subcommand("scan", "find plaintext secrets and personal data in text");
  auto options = std::make_shared<Options>();
  scan->add_option("--rules", options->rules, "more rules: gitleaks or betterleaks TOML (may be given several times)")->type_name("FILE");
  scan->add_option("--default-rules", options->default_rules, "the file that [extend] useDefault means")->type_name("FILE");
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
               "Exit status: 0 nothing found, 1 something found, 3 a file could not be read.\n"
               "Fingerprints use the key of the data directory if there is one, else a key of this run only.");
  scan->callback([options, &context] { context.exit_status = run(*options); });
}

}  // namespace tocsin::engine
