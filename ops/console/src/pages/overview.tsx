// What needs me now, first; then how things stand.
import type { JSX } from "preact";
import { useData } from "../live";
import { useUser, may } from "../session";
import type { Alert, Level, List, NoticeRow, Overview, Task } from "../types";
import { count, kDutyStates, kLevels, number } from "../words";
import { Badge, Bar, Clock, Empty, Explain, Page, Shown, State, When } from "../ui/basic";
import { sourceWord } from "./sources";

interface Need {
  href: string;
  tone: "critical" | "high" | "medium" | "low";
  title: string;
  more: string;
  due?: string | null;
  soon?: boolean; // asked without a fixed time
  testid: string;
}

const kNamedAlerts = 3;
const kLevelOrder: Level[] = ["critical", "high", "medium", "low", "informational"];

function needs(overview: Overview, urgentAlerts: Alert[], mine: Task[], waiting: NoticeRow[], login: string, approver: boolean): Need[] {
  const list: Need[] = [];
  for (const duty of overview.duties.filter(({ state }) => state === "late")) {
    list.push({ href: `#/incidents/${encodeURIComponent(duty.incident)}?tab=duties`, tone: "critical", title: `${duty.law}: ${duty.title}`, more: `${duty.number} · the time is over`, due: duty.due, testid: "need-duty" });
  }
  const urgent = (overview.alerts.by_level.critical ?? 0) + (overview.alerts.by_level.high ?? 0);
  const named = urgentAlerts.filter(({ level }) => level === "critical" || level === "high").slice(0, kNamedAlerts);
  for (const alert of named) list.push({ href: `#/alerts/${encodeURIComponent(alert.id)}`, tone: alert.level === "critical" ? "critical" : "high", title: alert.title, more: `${kLevels[alert.level].label} alert, ${alert.state === "new" ? "not yet looked at" : `looked after by ${alert.assignee ?? "somebody"}`}`, testid: "need-alert" });
  if (urgent > named.length) list.push({ href: "#/alerts", tone: "high", title: count(urgent - named.length, "more urgent alert", "more urgent alerts"), more: "Decide of each: harmless, or an incident.", testid: "need-alerts" });
  const toApprove = approver ? waiting.filter(({ state, author }) => state === "submitted" && author !== login) : [];
  for (const notice of toApprove) list.push({ href: `#/notices/${encodeURIComponent(notice.id)}`, tone: "high", title: "A notice waits for your approval", more: notice.subject, testid: "need-approval" });
  for (const notice of waiting.filter(({ state }) => state === "approved")) list.push({ href: `#/notices/${encodeURIComponent(notice.id)}`, tone: "medium", title: "An approved notice has not been sent", more: notice.subject, testid: "need-send" });
  for (const duty of overview.duties.filter(({ state }) => state === "running").slice(0, 3)) {
    list.push({ href: `#/incidents/${encodeURIComponent(duty.incident)}?tab=duties`, tone: "medium", title: `${duty.law}: ${duty.title}`, more: [duty.number, duty.incident_title].filter(Boolean).join(" · "), due: duty.due, soon: true, testid: "need-duty" });
  }
  const late = mine.filter((task) => task.late && (task.state === "open" || task.state === "doing"));
  for (const task of late.slice(0, 3)) list.push({ href: `#/incidents/${encodeURIComponent(task.incident)}?tab=tasks`, tone: "high", title: task.title, more: `${task.number} · your task is late`, due: task.due, testid: "need-task" });
  const othersLate = overview.tasks.late - late.length;
  if (othersLate > 0) list.push({ href: "#/tasks?show=late", tone: "medium", title: `${count(othersLate, "more task is", "more tasks are")} late`, more: "Ask the owner, or give it to someone else.", testid: "need-late" });
  if (overview.notices.failed > 0) list.push({ href: "#/incidents", tone: "medium", title: `${count(overview.notices.failed, "person", "people")} could not be told`, more: "No contact is known, or sending failed. Look for another way to tell them.", testid: "need-failed" });
  for (const source of overview.sources.filter((source) => source.error)) list.push({ href: `#/sources/${encodeURIComponent(source.name)}`, tone: "high", title: `The source ${source.name} has stopped`, more: source.error ?? "", testid: "need-source" });
  const calmAlerts = overview.alerts.open - urgent;
  if (calmAlerts > 0) list.push({ href: "#/alerts", tone: "low", title: `${count(calmAlerts, "less urgent alert", "less urgent alerts")}`, more: "When the rest is done.", testid: "need-calm" });
  return list;
}

export function OverviewPage(): JSX.Element {
  const user = useUser();
  const overview = useData<Overview>("/v1/overview", ["alert", "incident", "notice", "task", "source", "overview"]);
  const mine = useData<List<Task>>("/v1/tasks?mine=true", ["task"]);
  const notices = useData<List<NoticeRow>>("/v1/notices", ["notice"]);
  const alerts = useData<List<Alert>>("/v1/alerts?state=open&limit=20", ["alert"]);
  return (
    <Page title={`What needs ${user.name ? user.name.split(" ")[0] : "you"} now`}>
      <Shown of={overview} what="the overview">
        {(data) => {
          const heard = data.sources?.filter(({ error }) => !error).length ?? 0;
          const list = needs(data, alerts.data?.items ?? [], mine.data?.items ?? [], notices.data?.items ?? [], user.login, may(user, "approver"));
          const sources = data.sources ?? [];
          return (
            <>
              <p class="lead">{new Date(data.now).toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long" })} · {data.incidents.open ? count(data.incidents.open, "open incident", "open incidents") : "no open incident"} · {sources.length ? `Tocsin hears ${heard === sources.length ? (heard === 1 ? "its source" : heard === 2 ? "both sources" : `all ${heard} sources`) : `${heard} of ${sources.length} sources`}` : "no source is set up"}</p>
              <section class="card flush" aria-label="What needs you now" data-testid="needs">
                {list.length ? (
                  <ul class="list">{list.map((need, index) => (
                    <li key={index}><a class="need" href={need.href} data-testid={need.testid}>
                      <span class={`need-mark tone-${need.tone}`} aria-hidden="true"><NeedIcon tone={need.tone} /></span>
                      <span class="stack tight"><span class="item-title">{need.title}</span><span class="quiet">{need.more}</span></span>
                      <span>{need.due ? <Clock due={need.due} /> : need.soon ? <span class="strong">as soon as you can</span> : null}</span>
                    </a></li>
                  ))}</ul>
                ) : <Empty title="Nothing needs you now">Tocsin listens on. You will see it here when that changes.</Empty>}
              </section>
              <div class="masonry">
                <section class="card" data-testid="card-notices">
                  <div class="card-head"><h2>People told</h2><Explain left about="told, reached and acknowledged">Told: their notice has left Tocsin. Reached: the receiving side took it. Acknowledged: they pressed the button on their page, so we know they read it.</Explain></div>
                  <Funnel of={data.notices} />
                </section>
                <section class="card" data-testid="card-alerts">
                  <div class="card-head"><h2>Open alerts</h2><a href="#/alerts">All alerts</a></div>
                  <ul class="plain stack tight">{kLevelOrder.map((level) => (
                    <li key={level} class="row spread"><Badge word={kLevels[level]} /><span class="strong">{number(data.alerts.by_level[level] ?? 0)}</span></li>
                  ))}</ul>
                </section>
                <section class="card" data-testid="card-duties">
                  <div class="card-head"><h2>Next legal deadlines</h2><a href="#/incidents">All incidents</a></div>
                  {data.duties.some(({ state }) => state !== "unknown") ? (
                    <ul class="plain stack">{data.duties.filter(({ state }) => state !== "unknown").slice(0, 5).map((duty, index) => (
                      <li key={index} class="stack tight">
                        <a href={`#/incidents/${encodeURIComponent(duty.incident)}?tab=duties`} class="strong">{duty.law}: {duty.title}</a>
                        <span class="row spread"><Clock due={duty.due} start={duty.aware_at ?? null} /><State of={kDutyStates} value={duty.state} /></span>
                      </li>
                    ))}</ul>
                  ) : <p class="quiet">No legal clock is running. One starts when an incident is confirmed.</p>}
                </section>
                <section class="card" data-testid="card-tasks">
                  <div class="card-head"><h2>Tasks</h2><a href="#/tasks">All tasks</a></div>
                  <dl class="figures"><div><dt>open</dt><dd>{number(data.tasks.open)}</dd></div><div><dt>late</dt><dd>{number(data.tasks.late)}</dd></div><div><dt>{data.incidents.open === 1 ? "open incident" : "open incidents"}</dt><dd>{number(data.incidents.open)}</dd></div></dl>
                </section>
                <section class="card" data-testid="card-sources">
                  <div class="card-head"><h2>Sources</h2><a href="#/sources">All sources</a></div>
                  {sources.length ? (
                    <ul class="plain stack tight">{sources.map((source) => (
                      <li key={source.name} class="row spread"><a href={`#/sources/${encodeURIComponent(source.name)}`}>{source.name}</a><span class="row"><span class="small quiet"><When time={source.last_arrival} relative /></span><Badge word={sourceWord(source)} /></span></li>
                    ))}</ul>
                  ) : <p class="quiet">Tocsin hears nothing yet: no source is set up. Name a log file under <code>sources</code> in the configuration, or send events to <code>/v1/events</code>.</p>}
                </section>
              </div>
            </>
          );
        }}
      </Shown>
    </Page>
  );
}

export function Funnel({ of }: { of: { told: number; reached: number; acknowledged: number; failed: number } }): JSX.Element {
  const whole = Math.max(1, of.told + of.failed);
  if (of.told + of.failed === 0) return <p class="quiet">Nobody had to be told so far.</p>;
  const rows: [string, number, "low" | "calm" | "critical"][] = [["told", of.told, "low"], ["reached", of.reached, "calm"], ["acknowledged", of.acknowledged, "calm"], ["failed", of.failed, "critical"]];
  return (
    <div class="funnel">{rows.filter(([label, value]) => label !== "failed" || value > 0).map(([label, value, tone]) => (
      <div key={label} class="meter"><span class="row spread"><span>{label}</span><strong>{number(value)}</strong></span><Bar parts={[{ value, tone }]} whole={whole} /></div>
    ))}</div>
  );
}

function NeedIcon({ tone }: { tone: string }): JSX.Element {
  const path = tone === "critical" ? "M12 4 21 19.500H3zM12 10v4.500m0 2.200v.1" : tone === "low" ? "M12 12m-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0M9 12h6" : tone === "medium" ? "M12 12m-8 0a8 8 0 1 0 16 0a8 8 0 1 0-16 0M12 7.500V12l3 2" : "M12 4a5.500 5.500 0 0 0-5.500 5.500V14L5 16.500h14L17.500 14V9.500A5.500 5.500 0 0 0 12 4zm-2 14.500a2 2 0 0 0 4 0";
  return <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.800" stroke-linecap="round" stroke-linejoin="round"><path d={path} /></svg>;
}
