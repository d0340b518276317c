// The report as a page. Everything that comes from the model goes through Page::text or Page::cell, which escape;
// markup is written in this file only.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/api/report.hpp"
#include "rules/base/bytes.hpp"
#include "rules/base/text.hpp"

namespace tocsin::engine {

namespace json = boost::json;

namespace {

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --ink: #1b1f24; --quiet: #57606a; --line: #d0d7de; --paper: #ffffff;
  --panel: #f6f8fa; --bad: #a40e26; --good: #1a6b32; --wait: #7a4d05; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --quiet: #9aa4af; --line: #3d444d; --paper: #0d1117;
  --panel: #161b22; --bad: #ff8182; --good: #57d37c; --wait: #e3b341; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 52rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: .25rem 0 1rem; }
h2 { font-size: 1.25rem; margin: 2.25rem 0 .75rem; padding-bottom: .25rem; border-bottom: 2px solid var(--line); }
h3 { font-size: 1rem; margin: 1.25rem 0 .35rem; }
p { margin: .4rem 0; } .quiet { color: var(--quiet); } .small { font-size: .875rem; }
.over { text-transform: uppercase; letter-spacing: .06em; font-size: .8125rem; color: var(--quiet); margin: 0; }
dl { display: grid; grid-template-columns: minmax(9rem, 14rem) 1fr; gap: .35rem 1.25rem; margin: .75rem 0; }
dl.asked { grid-template-columns: minmax(12rem, 3fr) 2fr; }
dt { color: var(--quiet); } dd { margin: 0; }
table { width: 100%; border-collapse: collapse; margin: .75rem 0; font-size: .9375rem; }
th, td { overflow-wrap: break-word; text-align: left; vertical-align: top; padding: .4rem .6rem .4rem 0; border-bottom: 1px solid var(--line); }
table.fixed { table-layout: fixed; } .fixed td { overflow-wrap: anywhere; }
th { font-weight: 600; color: var(--quiet); } caption { text-align: left; color: var(--quiet); padding-bottom: .25rem; }
code, .log { font: .8125rem/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.log { display: block; background: var(--panel); border-left: 3px solid var(--line); padding: .35rem .6rem;
  margin: .25rem 0; white-space: pre-wrap; }
.box { background: var(--panel); border: 1px solid var(--line); border-radius: .4rem; padding: .75rem 1rem; margin: 1rem 0; }
.pre { white-space: pre-line; } .bad { color: var(--bad); font-weight: 600; } .good { color: var(--good); font-weight: 600; }
.wait { color: var(--wait); font-weight: 600; } ul { margin: .4rem 0; padding-left: 1.25rem; }
@page { size: A4; margin: 18mm 16mm; }
@media print { :root { --ink: #000; --quiet: #444; --line: #bbb; --paper: #fff; --panel: #f4f4f4; --bad: #8a0000;
  --good: #00501e; --wait: #5c3a00; } body { max-width: none; padding: 0; font-size: 10pt; }
  h1 { font-size: 18pt; } h2 { font-size: 13pt; break-after: avoid; } h3, caption { break-after: avoid; }
  tr, .box, .log, dt, dd { break-inside: avoid; } thead { display: table-header-group; } }
)css";

constexpr std::size_t kMaxTimelineRows = 1000;
constexpr std::size_t kMaxCellBytes = 4000;

class Page {
 public:
  Page& raw(std::string_view markup) {
    out_.append(markup);
    return *this;
  }
  Page& text(std::string_view words) {
    for (const char c : to_utf8(words)) {
      switch (c) {
        case '&': out_ += "&amp;"; break;
        case '<': out_ += "&lt;"; break;
        case '>': out_ += "&gt;"; break;
        case '"': out_ += "&quot;"; break;
        case '\'': out_ += "&#39;"; break;
        default:
          // Control characters have no place in HTML; line breaks and tabs have.
          if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out_.push_back(c);
      }
    }
    return *this;
  }
  Page& cell(std::string_view words) { return raw("<td>").text(words).raw("</td>"); }
  Page& fact(std::string_view term, std::string_view words) {
    if (words.empty()) return *this;
    return raw("<dt>").text(term).raw("</dt><dd>").text(words).raw("</dd>");
  }
  Page& heading(std::string_view words) { return raw("<h2>").text(words).raw("</h2>"); }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// Reading the model without asking twice whether it has a member.
const json::value& get(const json::object& object, std::string_view key) {
  static const json::value kNull;
  const json::value* value = object.if_contains(key);
  return value != nullptr ? *value : kNull;
}
std::string text(const json::object& object, std::string_view key) {
  const json::value& value = get(object, key);
  return value.is_string() ? std::string(value.get_string()) : std::string();
}
std::optional<std::uint64_t> number(const json::object& object, std::string_view key) {
  const json::value& value = get(object, key);
  if (value.is_int64() && value.get_int64() >= 0) return static_cast<std::uint64_t>(value.get_int64());
  if (value.is_uint64()) return value.get_uint64();
  return std::nullopt;
}
const json::array& list(const json::object& object, std::string_view key) {
  static const json::array kEmpty;
  const json::value& value = get(object, key);
  return value.is_array() ? value.get_array() : kEmpty;
}
const json::object& part(const json::object& object, std::string_view key) {
  static const json::object kEmpty;
  const json::value& value = get(object, key);
  return value.is_object() ? value.get_object() : kEmpty;
}
std::string number_text(const json::object& object, std::string_view key) {
  const auto value = number(object, key);
  return value ? std::to_string(*value) : std::string();
}

// "2026-11-23T16:40:00.5Z" → "2026-11-23 16:40 UTC".
std::string when(std::string_view rfc3339) {
  const auto time = parse_rfc3339(rfc3339);
  if (!time) return std::string(rfc3339);
  std::string out = format_rfc3339(*time).substr(0, 16);
  out[10] = ' ';
  return out + " UTC";
}
std::string when(const json::object& object, std::string_view key) {
  const std::string value = text(object, key);
  return value.empty() ? std::string() : when(value);
}

std::string span_text(const std::optional<std::uint64_t>& seconds) {
  if (!seconds) return {};
  const auto unit = [](std::uint64_t n, std::string_view one) {
    return std::to_string(n) + " " + std::string(one) + (n == 1 ? "" : "s");
  };
  if (*seconds < 60) return "less than a minute";
  if (*seconds < 3600) return unit(*seconds / 60, "minute");
  const std::uint64_t hours = *seconds / 3600, minutes = *seconds % 3600 / 60;
  if (hours < 48) return unit(hours, "hour") + (minutes > 0 ? " " + unit(minutes, "minute") : "");
  return unit(hours / 24, "day") + (hours % 24 > 0 ? " " + unit(hours % 24, "hour") : "");
}

std::string people_words(const json::object& people) {
  const auto least = number(people, "at_least");
  const auto most = number(people, "at_most");
  const auto noun = [](std::uint64_t n) { return std::to_string(n) + (n == 1 ? " person" : " people"); };
  if (least && most) {
    if (*least == *most) return noun(*most);
    return *least == 0 ? "at most " + noun(*most) : std::to_string(*least) + " to " + noun(*most);
  }
  if (most) return "at most " + noun(*most);
  if (least && *least > 0) return "at least " + noun(*least);
  return "the number is not known";
}

std::string grade_words(std::string_view grade) {
  if (grade == "exact") return "exact: the records name these people";
  if (grade == "derived") return "derived: the recorded condition says which people it reached";
  if (grade == "bound") return "upper bound: these data could be read as a whole; the true number is not larger";
  return "unknown: the records do not say who was reached";
}

std::string state_words(std::string_view state) {
  std::string out(state);
  for (char& c : out) {
    if (c == '_') c = ' ';
  }
  return out;
}

std::string joined(const json::array& items) {
  std::string out;
  for (const json::value& item : items) {
    if (!out.empty()) out += ", ";
    out += item.is_string() ? state_words(item.get_string()) : json::serialize(item);
  }
  return out;
}

void head(Page& page, const json::object& report) {
  const std::string title = text(report, "number") + ": " + text(report, "title");
  page.raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
           "<meta name=\"referrer\" content=\"no-referrer\"><title>")
      .text(title)
      .raw("</title><style>")
      .raw(kStyle)
      .raw("</style></head><body><header><p class=\"over\">Incident report");
  const std::string organisation = text(part(report, "organisation"), "name");
  if (!organisation.empty()) page.raw(" · ").text(organisation);
  page.raw("</p><h1>").text(title).raw("</h1></header><main>");
}

void summary(Page& page, const json::object& report) {
  const json::object& people = part(report, "people");
  page.raw("<div class=\"box\"><dl>").fact("State", state_words(text(report, "state")));
  page.fact("Severity", text(report, "severity").empty() ? "not assessed" : text(report, "severity"));
  page.fact("People affected", people_words(people));
  page.fact("Aware since", when(report, "aware_at"));
  page.fact("Closed", when(report, "closed")).raw("</dl></div>");
  if (const std::string words = text(report, "summary"); !words.empty()) {
    page.raw("<p class=\"pre\">").text(words).raw("</p>");
  }
}

void detect(Page& page, const json::object& report) {
  page.heading("Detect: how it was noticed");
  const json::object& times = part(report, "times");
  page.raw("<dl>").fact("First recorded access", when(times, "occurred")).fact("Noticed", when(times, "noticed"));
  page.fact("Time to notice", span_text(number(part(report, "seconds"), "to_notice"))).raw("</dl>");
  for (const json::value& item : list(report, "alerts")) {
    if (!item.is_object()) continue;
    const json::object& alert = item.get_object();
    page.raw("<h3>").text(text(alert, "title")).raw("</h3><dl>");
    page.fact("Level", text(alert, "level")).fact("Who", text(alert, "actor")).fact("Which data", text(alert, "dataset"));
    page.fact("From", when(alert, "first")).fact("To", when(alert, "last"));
    page.fact("Log records", number_text(alert, "evidence_count")).raw("</dl>");
    for (const json::value& entry : list(alert, "findings")) {
      if (!entry.is_object()) continue;
      const json::object& finding = entry.get_object();
      page.raw("<p>").text(text(finding, "title")).raw(" <span class=\"quiet\">").text(text(finding, "reason"));
      page.raw(" (rule ").text(text(finding, "rule")).raw(")</span></p>");
      for (const json::value& record : list(finding, "evidence")) {
        if (!record.is_object()) continue;
        const json::object& e = record.get_object();
        page.raw("<p class=\"small quiet\">").text(text(e, "file")).raw(", line ").text(number_text(e, "line"));
        page.raw(", ").text(when(e, "time")).raw("</p><span class=\"log\">").text(text(e, "text")).raw("</span>");
      }
      const auto total = number(finding, "evidence_count").value_or(0);
      const std::size_t shown = list(finding, "evidence").size();
      if (total > shown) {
        page.raw("<p class=\"small quiet\">").text(std::to_string(shown)).raw(" of ").text(std::to_string(total));
        page.raw(" records are shown here.</p>");
      }
    }
  }
}

std::string fact_label(std::string_view key) {
  if (key == "data") return "Kinds of data";
  if (key == "data_complete") return "No other kinds of data were reached";
  if (key == "countries_complete") return "Nobody lives in another country";
  if (key == "credentials_open") return "Stolen credentials give access to";
  if (key == "processing_context") return "Context of the data, 1 to 4, corrected by a person";
  if (key == "identification") return "Ease of identification, 1 to 4 quarters, corrected by a person";
  return state_words(key);
}

// A flag that is false says only that nobody has made sure.
std::string fact_value(const json::value& value) {
  if (value.is_array()) return value.get_array().empty() ? "none" : joined(value.get_array());
  if (value.is_bool()) return value.get_bool() ? "yes" : "not known";
  if (value.is_object()) {
    const json::object& object = value.get_object();
    const std::string number = number_text(object, "value");
    if (!number.empty()) return number + ": " + text(object, "reason");
  }
  return json::serialize(value);
}

void facts(Page& page, const json::object& report) {
  static const std::array<std::string_view, 5> kElsewhere = {"people", "countries", "times", "scope", "story"};
  const json::object& known = part(report, "facts");
  page.raw("<h3>Facts established</h3><dl class=\"asked\">");
  std::vector<std::string> open;
  for (const json::value& item : list(report, "questions")) {
    if (!item.is_object()) continue;
    const json::object& question = item.get_object();
    const std::string answer = text(question, "answer");
    if (answer == "yes" || answer == "no") page.fact(text(question, "ask"), answer);
    else open.push_back(text(question, "ask"));
  }
  for (const auto& member : known) {
    const std::string_view key = member.key();
    const bool elsewhere = std::find(kElsewhere.begin(), kElsewhere.end(), key) != kElsewhere.end();
    if (elsewhere || member.value().is_string()) continue;
    page.fact(fact_label(key), fact_value(member.value()));
  }
  page.raw("</dl>");
  if (!open.empty()) {
    page.raw("<h3>Not established</h3><ul>");
    for (const std::string& ask : open) page.raw("<li>").text(ask).raw("</li>");
    page.raw("</ul>");
  }
  const json::object& story = part(known, "story");
  for (const auto& [key, title] : {std::pair<std::string_view, std::string_view>{"what", "What happened"},
                                   {"cause", "Cause"},
                                   {"consequences", "Likely consequences"},
                                   {"measures", "Measures"}}) {
    if (const std::string words = text(story, key); !words.empty()) {
      page.raw("<h3>").text(title).raw("</h3><p class=\"pre\">").text(words).raw("</p>");
    }
  }
}

// Tasks whose phase begins with one of `phases`; those without a phase belong to the management.
void tasks(Page& page, const json::object& report, std::initializer_list<std::string_view> phases, bool others) {
  static const std::array<std::string_view, 5> kPhases = {"Respond: analysis", "Respond: reporting",
                                                          "Respond: mitigation", "Recover", "Identify: improvement"};
  const auto begins = [](std::string_view phase, const auto& with) {
    return std::any_of(with.begin(), with.end(), [&](std::string_view p) { return phase.starts_with(p); });
  };
  bool any = false;
  for (const json::value& item : list(report, "tasks")) {
    if (!item.is_object()) continue;
    const json::object& task = item.get_object();
    const std::string phase = text(task, "phase");
    if (!begins(phase, phases) && !(others && !begins(phase, kPhases))) continue;
    if (!any) {
      page.raw("<table><caption>Tasks</caption><thead><tr><th scope=\"col\">Task</th><th scope=\"col\">Owner</th>"
               "<th scope=\"col\">Due</th><th scope=\"col\">State</th><th scope=\"col\">Proof</th></tr></thead><tbody>");
      any = true;
    }
    const std::string owner = text(task, "owner").empty() ? text(task, "owner_role") : text(task, "owner");
    const json::value& late = get(task, "late");
    const bool is_late = late.is_bool() && late.get_bool();
    page.raw("<tr>").cell(text(task, "title")).cell(owner).cell(when(task, "due"));
    page.raw(is_late ? "<td class=\"bad\">" : "<td>").text(is_late ? "late" : state_words(text(task, "state")));
    if (const std::string done = when(task, "done_at"); !done.empty()) {
      page.raw("<br><span class=\"quiet small\">").text(done).raw("</span>");
    }
    const std::string proof = text(task, "proof").empty() ? text(task, "reason") : text(task, "proof");
    page.raw("</td>").cell(printable(proof, kMaxCellBytes)).raw("</tr>");
  }
  if (any) page.raw("</tbody></table>");
}

void analysis(Page& page, const json::object& report) {
  page.heading("Respond: analysis");
  const json::object& people = part(report, "people");
  page.raw("<h3>People affected</h3><dl>").fact("How many", people_words(people));
  page.fact("How sure", grade_words(text(people, "grade")));
  page.fact("Their data", joined(list(people, "fields"))).fact("Kinds of data", joined(list(people, "kinds"))).raw("</dl>");
  if (!list(people, "reasons").empty()) {
    page.raw("<ul>");
    for (const json::value& reason : list(people, "reasons")) {
      if (reason.is_string()) page.raw("<li>").text(reason.get_string()).raw("</li>");
    }
    page.raw("</ul>");
  }
  if (const json::array& countries = list(people, "by_country"); !countries.empty()) {
    page.raw("<table><caption>By country of residence</caption><thead><tr><th scope=\"col\">Country</th>"
             "<th scope=\"col\">People</th></tr></thead><tbody>");
    for (const json::value& item : countries) {
      if (!item.is_object()) continue;
      const std::string country = text(item.get_object(), "country");
      page.raw("<tr>").cell(country.empty() ? "not known" : country).cell(number_text(item.get_object(), "count"));
      page.raw("</tr>");
    }
    page.raw("</tbody></table>");
  }
  if (const std::string reason = text(report, "severity_reason"); !reason.empty()) {
    page.raw("<h3>Severity</h3><p>").text(text(report, "severity")).raw(". ").text(reason).raw("</p>");
  }
  facts(page, report);
  tasks(page, report, {"Respond: analysis"}, false);
}

std::string_view tone(std::string_view state) {
  if (state == "late") return "bad";
  if (state == "done") return "good";
  if (state == "running" || state == "unknown") return "wait";
  return "quiet";
}

void communication(Page& page, const json::object& report) {
  page.heading("Respond: reporting and communication");
  for (const json::value& item : list(report, "duties")) {
    if (!item.is_object()) continue;
    const json::object& duty = item.get_object();
    const std::string state = text(duty, "state");
    page.raw("<h3>").text(text(duty, "law")).raw(": ").text(text(duty, "title")).raw(" <span class=\"");
    page.raw(tone(state)).raw("\">(").text(state == "unknown" ? "not yet clear" : state_words(state)).raw(")</span></h3><dl>");
    page.fact("Citation", text(duty, "citation")).fact("Towards", text(duty, "towards"));
    page.fact("Due", when(duty, "due")).fact("Last moment by the law", when(duty, "limit"));
    page.fact("In the law's words", text(duty, "soft")).fact("Why", text(duty, "why"));
    page.fact("To be found out", joined(list(duty, "unknown_facts")));
    const json::value& done_late = get(duty, "done_late");
    page.fact("Settled", when(duty, "done_at") + (done_late.is_bool() && done_late.get_bool() ? " (late)" : ""));
    page.fact("By", text(duty, "done_by")).fact("Reference", text(duty, "reference")).fact("Reason", text(duty, "reason"));
    page.fact("About this rule", text(duty, "verification")).raw("</dl>");
  }
  const json::object& counts = part(report, "notice_counts");
  if (!counts.empty() || !list(report, "notices").empty()) {
    page.raw("<h3>Notices to the people</h3><dl>").fact("Told", number_text(counts, "told"));
    page.fact("Reached", number_text(counts, "reached")).fact("Acknowledged", number_text(counts, "acknowledged"));
    page.fact("Could not be reached", number_text(counts, "failed")).raw("</dl>");
    for (const json::value& item : list(report, "notices")) {
      if (!item.is_object()) continue;
      const json::object& notice = item.get_object();
      page.raw("<p>").text(text(notice, "subject")).raw(" <span class=\"quiet\">(").text(text(notice, "language"));
      page.raw(", ").text(state_words(text(notice, "state"))).raw("; written by ").text(text(notice, "author"));
      if (const std::string approver = text(notice, "approver"); !approver.empty()) {
        page.raw(", approved by ").text(approver);
      }
      page.raw(")</span></p>");
    }
  }
  tasks(page, report, {"Respond: reporting"}, false);
}

void timeline(Page& page, const json::object& report) {
  const json::array& changes = list(report, "timeline");
  page.heading("Govern: the record").raw("<dl>");
  const json::object& ledger = part(report, "ledger");
  page.fact("Entries in the ledger", number_text(ledger, "size")).fact("Root of the ledger", text(ledger, "root"));
  page.fact("Ledger", text(ledger, "origin")).raw("</dl>");
  page.raw("<table class=\"fixed\"><caption>Every change, oldest first</caption><thead><tr><th scope=\"col\">When</th>"
           "<th scope=\"col\">Who</th><th scope=\"col\">What</th><th scope=\"col\">From</th><th scope=\"col\">To</th>"
           "<th scope=\"col\">Why</th></tr></thead><tbody>");
  std::size_t rows = 0;
  for (const json::value& item : changes) {
    if (!item.is_object()) continue;
    if (++rows > kMaxTimelineRows) break;
    const json::object& change = item.get_object();
    std::string what = state_words(text(change, "field"));
    if (const std::string about = text(change, "about"); !about.empty()) what += " (" + about + ")";
    page.raw("<tr>").cell(when(change, "time")).cell(text(change, "by")).cell(what);
    page.cell(printable(text(change, "from"), 300)).cell(printable(text(change, "to"), 300));
    page.cell(printable(text(change, "reason"), kMaxCellBytes)).raw("</tr>");
  }
  page.raw("</tbody></table>");
  if (changes.size() > kMaxTimelineRows) {
    page.raw("<p class=\"small quiet\">The first ").text(std::to_string(kMaxTimelineRows)).raw(" of ");
    page.text(std::to_string(changes.size())).raw(" changes; the report as JSON has them all.</p>");
  }
}

}  // namespace

std::string report_style_hash() {
  static const std::string hash = "'sha256-" + to_base64(bytes_of(sha256(kStyle))) + "'";
  return hash;
}

std::string report_html(const json::object& report) {
  Page page;
  head(page, report);
  summary(page, report);
  detect(page, report);
  page.heading("Respond: management");
  const json::object& seconds = part(report, "seconds");
  page.raw("<dl>").fact("Opened", when(report, "opened")).fact("Opened by", text(report, "opened_by"));
  page.fact("Confirmed", when(report, "confirmed_at"));
  page.fact("From notice to decision", span_text(number(seconds, "to_decide")));
  page.fact("From awareness to the authority", span_text(number(seconds, "to_tell_authority")));
  page.fact("From awareness to the people", span_text(number(seconds, "to_tell_people"))).raw("</dl>");
  tasks(page, report, {}, true);
  analysis(page, report);
  communication(page, report);
  page.heading("Respond: mitigation").raw("<dl>").fact("Contained", when(report, "contained_at"));
  page.fact("From notice to containment", span_text(number(seconds, "to_contain"))).raw("</dl>");
  tasks(page, report, {"Respond: mitigation"}, false);
  page.heading("Recover").raw("<dl>").fact("Recovered", when(report, "recovered_at")).raw("</dl>");
  tasks(page, report, {"Recover"}, false);
  page.heading("Identify: improvement");
  tasks(page, report, {"Identify: improvement"}, false);
  timeline(page, report);
  const json::object& made = part(report, "report");
  page.raw("<footer><p class=\"small quiet\">Made by Tocsin at ").text(when(made, "made")).raw(" for ");
  page.text(text(made, "by")).raw(". Times are in UTC. People are counted, not named. This is not legal advice.</p>"
                                  "</footer></main></body></html>\n");
  return page.take();
}

}  // namespace tocsin::engine
