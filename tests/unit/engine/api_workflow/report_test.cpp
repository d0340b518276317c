// The report's page: complete, self-contained, and deaf to what strangers put into titles and log lines.
#include <regex>

#include "tests/unit/engine/api_workflow/front.hpp"

namespace tocsin::engine {
namespace {

using testing_desk::Front;

class ReportPage : public Front {
 protected:
  std::string page_for(const storage::Finding& finding, const std::string& body) {
    const auto id = std::to_string(apply({finding}).opened.at(0));
    const auto made = analyst("POST", "/v1/alerts/" + id + "/incident", body);
    EXPECT_EQ(made.status, 200) << made.detail();
    last_ = manager("GET", "/v1/incidents/" + made.text("/incident") + "/report.html");
    EXPECT_EQ(last_.status, 200);
    return last_.response.body;
  }
  testing_desk::Answer last_;
};

TEST_F(ReportPage, EscapesHostileTitlesActorsEvidenceAndReasons) {
  auto f = export_finding();
  const std::string hostile = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>\x01\xff";
  f.title = f.alert_title = f.actor = f.reason = hostile;
  f.dataset = "</style><svg onload=alert(3)>";
  f.evidence[0].preview = "</span></main><iframe srcdoc=x>";
  f.evidence[0].file = "<b>log</b>";
  const std::string html = page_for(f, R"({"reason":"</td><script>alert(4)</script>","confirm":true,"title":"</title><script>"})");
  for (const char* tag : {"<script", "<img", "<svg", "<iframe", "<b>log"}) {
    EXPECT_EQ(html.find(tag), std::string::npos) << tag;
  }
  EXPECT_NE(html.find("&lt;script&gt;"), std::string::npos);
  EXPECT_EQ(html.find('\x01'), std::string::npos);
  EXPECT_TRUE(is_utf8(html));
  // One style, one title, closed once: nobody closed them early.
  const auto count = [&](const std::string& what) {
    std::size_t n = 0;
    for (std::size_t at = html.find(what); at != std::string::npos; at = html.find(what, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(count("</style>"), 1U);
  EXPECT_EQ(count("</title>"), 1U);
  EXPECT_EQ(count("</main>"), 1U);
}

TEST_F(ReportPage, EveryTagThatIsOpenedIsClosedInOrder) {
  const std::string html = page_for(export_finding(), R"({"reason":"sure","confirm":true})");
  const std::set<std::string> empty = {"meta", "br", "!doctype"};
  std::vector<std::string> open;
  const std::regex tag("<(/?)([!a-z0-9]+)[^>]*>");
  for (auto it = std::sregex_iterator(html.begin(), html.end(), tag); it != std::sregex_iterator(); ++it) {
    const std::string name = (*it)[2];
    if (empty.contains(name)) continue;
    if ((*it)[1].length() == 0) {
      open.push_back(name);
      continue;
    }
    ASSERT_FALSE(open.empty());
    EXPECT_EQ(open.back(), name);
    open.pop_back();
  }
  EXPECT_TRUE(open.empty());
}

TEST_F(ReportPage, StandsAloneUnderItsOwnPolicy) {
  const std::string html = page_for(export_finding(), R"({"reason":"sure","confirm":true})");
  EXPECT_EQ(html.find("http"), std::string::npos) << "a link out of the page";
  EXPECT_EQ(html.find("src="), std::string::npos);
  const auto begin = html.find("<style>") + 7;
  const std::string style = html.substr(begin, html.find("</style>") - begin);
  const std::string hash = "'sha256-" + to_base64(bytes_of(sha256(style))) + "'";
  EXPECT_EQ(hash, report_style_hash());
  std::string policy;
  for (const auto& [name, value] : last_.response.headers) {
    if (name == "Content-Security-Policy") policy = value;
  }
  EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
  EXPECT_NE(policy.find(hash), std::string::npos);
}

TEST_F(ReportPage, SaysWhatHappenedUnderTheHeadingsOfNist) {
  const std::string html = page_for(export_finding(), R"({"reason":"sure","confirm":true})");
  for (const char* words :
       {"<h2>Detect: how it was noticed</h2>", "<h2>Respond: management</h2>", "<h2>Respond: analysis</h2>",
        "<h2>Respond: reporting and communication</h2>", "<h2>Respond: mitigation</h2>", "<h2>Recover</h2>",
        "<h2>Identify: improvement</h2>", "<h2>Govern: the record</h2>", "INC-2026-0001", "1 to 2000 people",
        "Article 33(1)", "2026-11-26 16:40 UTC", "Example Clinic", "COPY patient TO"}) {
    EXPECT_NE(html.find(words), std::string::npos) << words;
  }
  // Every task of the playbook stands somewhere, once.
  for (const auto& task : counsel_->tasks()) {
    EXPECT_NE(html.find("<td>" + task.title + "</td>"), std::string::npos) << task.title;
  }
  // People are counted, never named.
  for (const auto& person : people_.persons) EXPECT_EQ(html.find(person.pseudonym), std::string::npos);
}

}  // namespace
}  // namespace tocsin::engine
