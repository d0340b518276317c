// The queue of alerts and one alert: why it fired, what the log said, who was reached, and the decision.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, query } from "../api";
import { useData } from "../live";
import { go, setQuery, useRoute } from "../router";
import { may, useLogins, useUser } from "../session";
import { shortcutsOn } from "../keys";
import { fromInput } from "../time";
import type { Alert, AlertDetail, IncidentRow, List } from "../types";
import { count, kAlertStates, kLevels, number } from "../words";
import { Choice, Empty, Explain, Failure, Field, LogText, Page, Shown, State, TabPanel, Tabs, When, useAction } from "../ui/basic";
import { Ask, toast } from "../ui/dialog";
import { PeopleTable, SeenAs } from "../ui/people";
import { Exposure, HistoryList, Needs } from "../ui/shared";

type Deed = "false_positive" | "incident" | "reopen";
const isOpen = (alert: { state: string }): boolean => alert.state === "new" || alert.state === "acknowledged";

async function acknowledge(alert: { id: string }, login: string): Promise<void> {
  await api.post(`/v1/alerts/${encodeURIComponent(alert.id)}/triage`, { state: "acknowledged", reason: "" });
  await api.post(`/v1/alerts/${encodeURIComponent(alert.id)}/assign`, { assignee: login });
  toast("Acknowledged: you look after it now.");
}

// Keys of a page. The listener stays; what it does is always that of the newest rendering, so that a quick hand is
// never answered by what was shown a moment ago.
function useKeys(press: (event: KeyboardEvent) => void): void {
  const newest = useRef(press);
  newest.current = press;
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => newest.current(event);
    addEventListener("keydown", listener);
    return () => removeEventListener("keydown", listener);
  }, []);
}

export function AlertsPage(): JSX.Element {
  const user = useUser();
  const { query: search } = useRoute();
  const state = search.get("state") ?? "open";
  const level = search.get("level") ?? "";
  const text = search.get("q") ?? "";
  const [typed, setTyped] = useState(text);
  const list = useData<List<Alert>>(`/v1/alerts${query({ state: state === "all" ? "" : state, level, q: text, limit: 200 })}`, ["alert"]);
  const [deed, setDeed] = useState<{ alert: Alert; what: Deed } | null>(null);
  const act = useAction();
  const rows = useRef<HTMLUListElement>(null);
  const alerts = list.data?.items ?? [];

  useKeys((event) => {
    const target = event.target as HTMLElement;
    if (!shortcutsOn() || event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select") || document.querySelector("dialog[open]")) return;
    const links = [...(rows.current?.querySelectorAll<HTMLAnchorElement>("a.item") ?? [])];
    const at = links.findIndex((link) => link === document.activeElement);
    if (event.key === "j" || event.key === "k") {
      event.preventDefault();
      links[event.key === "j" ? Math.min(links.length - 1, at + 1) : Math.max(0, at - 1)]?.focus();
      return;
    }
    const alert = alerts[at];
    if (!alert || !isOpen(alert) || !may(user, "analyst")) return;
    if (event.key === "a") void act.run(() => acknowledge(alert, user.login).then(list.reload));
    else if (event.key === "f") setDeed({ alert, what: "false_positive" });
    else if (event.key === "i") setDeed({ alert, what: "incident" });
    else return;
    event.preventDefault();
  });

  return (
    <Page title="Alerts" actions={<span class="quiet small desk-only"><kbd>j</kbd> <kbd>k</kbd> move · <kbd>Enter</kbd> open · <kbd>a</kbd> acknowledge · <kbd>f</kbd> false positive · <kbd>i</kbd> incident · <kbd>?</kbd> help</span>}>
      <form class="filters" role="search" onSubmit={(event) => {
        event.preventDefault();
        setQuery("q", typed.trim());
      }}>
        <Field label="Show">{(attributes) => <Choice {...attributes} data-testid="filter-state" value={state} onChange={(value) => setQuery("state", value === "open" ? "" : value)}
          options={[["open", "Open"], ...Object.entries(kAlertStates).map(([key, { label }]) => [key, label] as [string, string]), ["all", "All"]]} />}</Field>
        <Field label="Urgency">{(attributes) => <Choice {...attributes} data-testid="filter-level" value={level} onChange={(value) => setQuery("level", value)}
          options={[["", "Any"], ...Object.entries(kLevels).map(([key, { label }]) => [key, label] as [string, string])]} />}</Field>
        <Field label="Search" wide>{(attributes) => <input class="input" type="search" {...attributes} placeholder="Who, which data, which rule" value={typed} data-testid="filter-q" onInput={(event) => setTyped(event.currentTarget.value)} onChange={(event) => setQuery("q", event.currentTarget.value.trim())} />}</Field>
      </form>
      {act.error && <Failure error={act.error} />}
      <Shown of={list} what="the alerts">
        {() => alerts.length ? (
          <>
            <section class="card flush" aria-label="Alerts">
              <ul class="list" ref={rows} data-testid="alerts">
                {alerts.map((alert) => (
                  <li key={alert.id}><a class={`item stripe-${alert.level}`} href={`#/alerts/${encodeURIComponent(alert.id)}`} data-testid="alert" data-id={alert.id}>
                    <span class="stack tight">
                      <span class="item-title">{alert.title}</span>
                      <span class="item-meta">
                        {alert.exposure && <span class="strong">{alertReach(alert)}</span>}
                        {alert.actor && <span>by {alert.actor}</span>}
                        {alert.dataset && <span>data: {alert.dataset}</span>}
                        <span>{count(alert.evidence_count, "log line", "log lines")}{alert.kind === "secret" && <> since <When time={alert.first} /></>}</span>
                        {alert.findings > 1 && <span>{alert.kind === "secret" ? `${number(alert.findings)} different secrets` : `${number(alert.findings)} findings together`}</span>}
                        {alert.assignee && <span>looked after by {alert.assignee}</span>}
                        {alert.reason && alert.state === "false_positive" && <span>“{alert.reason}”</span>}
                      </span>
                    </span>
                    <span class="item-side"><span class="row"><State of={kLevels} value={alert.level} /><State of={kAlertStates} value={alert.state} testid="alert-state" /></span><span class="small quiet"><When time={alert.last} /></span></span>
                  </a></li>
                ))}
              </ul>
            </section>
            <p class="small quiet">{list.data?.next ? `The first ${number(alerts.length)} alerts are shown. Narrow them down with the filter above.` : `${count(alerts.length, "alert", "alerts")} shown`}</p>
          </>
        ) : <section class="card"><Empty title={state === "open" && !level && !text ? "No open alerts" : "No alert fits this filter"}>{state === "open" && !level && !text ? "Nothing has been noticed that nobody has decided on. Check under Sources that Tocsin still hears." : "Widen the filter above."}</Empty></section>}
      </Shown>
      {deed && <DeedDialog alert={deed.alert} what={deed.what} onClose={() => setDeed(null)} onDone={list.reload} />}
    </Page>
  );
}

// How many, as the list can say it. A sum over findings may count people twice: then the surest number is told instead.
function alertReach({ exposure }: Alert): string {
  const { grade, at_least: low, at_most: high, summed } = exposure!;
  if (grade === "unknown") return "people: not known";
  if (low !== null && low === high) return count(low, "person reached", "people reached");
  if (high !== null && !summed) return low ? `${number(low)} to ${count(high, "person", "people")} reached` : `up to ${count(high, "person", "people")} reached`;
  return low ? `at least ${count(low, "person", "people")} reached` : "people: open the alert to count them";
}

function DeedDialog({ alert, what, onClose, onDone }: { alert: { id: string; title: string }; what: Deed; onClose: () => void; onDone: () => void }): JSX.Element {
  const [confirm, setConfirm] = useState("yes");
  const [aware, setAware] = useState("");
  const [join, setJoin] = useState("");
  const incidents = useData<List<IncidentRow>>(what === "incident" ? "/v1/incidents" : null);
  const open = (incidents.data?.items ?? []).filter(({ state }) => state !== "closed");
  const path = `/v1/alerts/${encodeURIComponent(alert.id)}`;
  if (what === "false_positive") {
    return (
      <Ask title="Mark as a false positive" action="Mark as false positive" reason="Why is it harmless?" testid="false-positive-dialog" onClose={onClose} onDo={async (reason) => {
        await api.post(`${path}/triage`, { state: "false_positive", reason });
        toast("Marked as a false positive.");
        onDone();
      }}><p><strong>{alert.title}</strong></p><p class="quiet">It leaves the queue. If the same comes up again and you expect it, a silence with an end date keeps it quiet.</p></Ask>
    );
  }
  if (what === "reopen") {
    return (
      <Ask title="Open the alert again" action="Open again" reason="Why does it need another look?" onClose={onClose} onDo={async (reason) => {
        await api.post(`${path}/triage`, { state: "new", reason });
        toast("The alert is open again.");
        onDone();
      }}><p><strong>{alert.title}</strong></p></Ask>
    );
  }
  return (
    <Ask title="Make an incident" action={join ? "Add to the incident" : confirm === "yes" ? "Confirm the breach" : "Open a suspected incident"} reason="What makes you think so?" testid="incident-dialog" onClose={onClose} onDo={async (reason) => {
      const answer = await api.post<{ incident: string | { id: string } }>(`${path}/incident`, { reason, confirm: !join && confirm === "yes", ...(!join && confirm === "yes" && aware && { aware_at: fromInput(aware) }), ...(join && { incident: join }) });
      onDone();
      const id = typeof answer.incident === "string" ? answer.incident : answer.incident.id;
      toast(join ? "Added to the incident." : "The incident is open.");
      go(`/incidents/${encodeURIComponent(id)}`);
    }}>
      <p><strong>{alert.title}</strong></p>
      {open.length > 0 && <Field label="Where does it belong?">{(attributes) => <Choice {...attributes} value={join} onChange={setJoin} data-testid="incident-join" options={[["", "A new incident"], ...open.map(({ id, number: no, title }) => [id, `${no}: ${title}`] as [string, string])]} />}</Field>}
      {!join && (
        <fieldset class="plain-set stack tight">
          <legend class="strong">Has personal data been breached?</legend>
          <label class="check"><input type="radio" name="confirm" checked={confirm === "yes"} data-testid="confirm-yes" onChange={() => setConfirm("yes")} /><span><strong>Yes, I am reasonably sure.</strong> The legal clocks start now: under the GDPR the authority must usually be told within 72 hours.</span></label>
          <label class="check"><input type="radio" name="confirm" checked={confirm === "no"} data-testid="confirm-no" onChange={() => setConfirm("no")} /><span><strong>Not yet clear.</strong> Keep it as suspected and find out quickly.</span></label>
          {confirm === "yes" && <Field label="Since when have you been sure?" hint="Leave empty for now. The law counts from the moment you were reasonably sure, even if you note it later.">{(attributes) => <input class="input" type="datetime-local" {...attributes} value={aware} onInput={(event) => setAware(event.currentTarget.value)} />}</Field>}
        </fieldset>
      )}
    </Ask>
  );
}

export function AlertPage({ id }: { id: string }): JSX.Element {
  const user = useUser();
  const { query: search } = useRoute();
  const base = `/v1/alerts/${encodeURIComponent(id)}`;
  const loaded = useData<AlertDetail>(base, ["alert"]);
  const [deed, setDeed] = useState<Deed | null>(null);
  const [assigning, setAssigning] = useState(false);
  const act = useAction();
  const alert = loaded.data;
  const tab = search.get("tab") ?? "why";

  useKeys((event) => {
    const target = event.target as HTMLElement;
    if (!alert || !isOpen(alert) || !may(user, "analyst") || !shortcutsOn() || event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select") || document.querySelector("dialog[open]")) return;
    if (event.key === "a") void act.run(() => acknowledge(alert, user.login).then(loaded.reload));
    else if (event.key === "f") setDeed("false_positive");
    else if (event.key === "i") setDeed("incident");
    else return;
    event.preventDefault();
  });

  return (
    <Page title={alert?.title ?? "Alert"} crumbs={[["#/alerts", "Alerts"]]} badge={alert && <><State of={kLevels} value={alert.level} /><State of={kAlertStates} value={alert.state} testid="alert-state" /></>}
      actions={alert && isOpen(alert) && (
        <Needs roles={["analyst"]} what="decide on alerts">
          {alert.state === "new" && <button type="button" class="button" disabled={act.busy} data-testid="acknowledge" onClick={() => void act.run(() => acknowledge(alert, user.login).then(loaded.reload))}>Acknowledge <kbd aria-hidden="true">a</kbd></button>}
          <button type="button" class="button" data-testid="false-positive" onClick={() => setDeed("false_positive")}>False positive… <kbd aria-hidden="true">f</kbd></button>
          <button type="button" class="button primary" data-testid="make-incident" onClick={() => setDeed("incident")}>Make an incident… <kbd aria-hidden="true">i</kbd></button>
        </Needs>
      )}>
      {act.error && <Failure error={act.error} />}
      <Shown of={loaded} what="the alert">
        {(data) => (
          <>
            {data.incident && <div class="note medium"><p>This alert is part of <a href={`#/incidents/${encodeURIComponent(data.incident)}`}>{data.incident_number ?? "an incident"}</a>. Go on there.</p></div>}
            {(data.state === "false_positive" || data.state === "closed") && <div><Needs quiet roles={["analyst"]} what="open it again"><button type="button" class="button small" data-testid="reopen" onClick={() => setDeed("reopen")}>Open it again…</button></Needs></div>}
            {data.state === "false_positive" && <div class="note"><p><strong>Found harmless.</strong> {data.reason}</p></div>}
            <Tabs label="Parts of the alert" active={tab} onChange={(key) => setQuery("tab", key === "why" ? "" : key)} tabs={[
              { key: "why", label: "Why it fired" },
              ...(data.exposure ? [{ key: "people", label: "Who was reached" }] : []),
              { key: "history", label: "History", n: data.history.length },
            ]} />
            <TabPanel active={tab}>
              {tab === "why" && (
                <div class="grid-2">
                  <div class="stack">{data.findings.map((finding) => (
                    <section class="card" key={finding.id} data-testid="finding">
                      <div class="card-head"><h2>{finding.title}</h2><State of={kLevels} value={finding.level} /></div>
                      <p data-testid="why">{finding.reason}</p>
                      {finding.same_secret_first_in && <p><a href={`#/alerts/${encodeURIComponent(finding.same_secret_first_in)}`} data-testid="same-secret">The same secret was seen before, in alert {finding.same_secret_first_in}.</a></p>}
                      <ol class="evidence" data-testid="evidence" aria-label="Log lines">
                        {finding.evidence.map((line, index) => (
                          <li key={index}><span class="where"><span>{line.file.split("/").pop()}, line {number(line.line)}</span>{line.time && <When time={line.time} />}<span title={line.file}>source {line.source}</span></span><LogText text={line.text} /></li>
                        ))}
                      </ol>
                      {finding.evidence_count > finding.evidence.length && <p class="small quiet">{number(finding.evidence.length)} of {number(finding.evidence_count)} lines are shown.</p>}
                    </section>
                  ))}{(data.findings_total ?? 0) > data.findings.length && <p class="small quiet">{number(data.findings.length)} of {number(data.findings_total!)} findings are shown.</p>}</div>
                  <aside class="card" aria-label="In short">
                    <h2>In short</h2>
                    <dl class="facts">
                      <dt>Who did it</dt><dd>{data.actor || "not known"}{data.exposure && data.actor && <SeenAs base={base} />}</dd>
                      <dt>Which data</dt><dd>{data.dataset || "not known"}</dd>
                      <dt>First seen</dt><dd><When time={data.first} /></dd>
                      <dt>Last seen</dt><dd><When time={data.last} /></dd>
                      <dt>Evidence</dt><dd>{count(data.evidence_count, "log line", "log lines")}</dd>
                      <dt>Rule</dt><dd><code>{data.rule}</code></dd>
                      <dt>Looked after by</dt><dd class="row">{data.assignee || "nobody yet"} <Needs quiet roles={["analyst", "manager"]} what="change this"><button type="button" class="button small" data-testid="assign" onClick={() => setAssigning(true)}>Change…</button></Needs></dd>
                    </dl>
                    {data.exposure && <><div class="row"><h3>People reached</h3><Explain about="people reached">Tocsin works out from the log whose data was read. The true set of people is always inside the one shown.</Explain></div><Exposure of={data.exposure} long /><a href={`#/alerts/${encodeURIComponent(id)}?tab=people`} data-testid="show-people">Show the people</a></>}
                  </aside>
                </div>
              )}
              {tab === "people" && <PeopleTable base={base} about={{ alert: id }} />}
              {tab === "history" && <section class="card"><h2>Every change, newest first</h2><HistoryList items={data.history} /></section>}
            </TabPanel>
          </>
        )}
      </Shown>
      {deed && alert && <DeedDialog alert={alert} what={deed} onClose={() => setDeed(null)} onDone={loaded.reload} />}
      {assigning && alert && <AssignDialog alert={alert} onClose={() => setAssigning(false)} onDone={loaded.reload} />}
    </Page>
  );
}

function AssignDialog({ alert, onClose, onDone }: { alert: AlertDetail; onClose: () => void; onDone: () => void }): JSX.Element {
  const logins = useLogins();
  const [assignee, setAssignee] = useState(alert.assignee ?? "");
  return (
    <Ask title="Who looks after it?" action="Save" onClose={onClose} onDo={async () => {
      await api.post(`/v1/alerts/${encodeURIComponent(alert.id)}/assign`, { assignee });
      onDone();
    }}>
      <Field label="Login name">{(attributes) => <><input class="input" {...attributes} list="assignees" autocomplete="off" value={assignee} onInput={(event) => setAssignee(event.currentTarget.value)} /><datalist id="assignees">{logins.map((login) => <option key={login} value={login} />)}</datalist></>}</Field>
    </Ask>
  );
}
