// Incidents: what happened, what the law asks and by when, who is concerned, who has been told, what remains.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api";
import { useData } from "../live";
import { go, setQuery, useRoute } from "../router";
import { useLogins } from "../session";
import type { Alert, Duty, Incident, IncidentRow, IncidentState, List, NoticeRow } from "../types";
import { count, howMany, humanise, interval, kAlertStates, kDutyStates, kIncidentOrder, kIncidentStates, kLevels, kNoticeStates, language, number, readable } from "../words";
import { fromInput, toInput } from "../time";
import { Badge, Choice, Clock, Empty, Explain, Failure, Field, Page, Shown, State, TabPanel, Tabs, When, useAction } from "../ui/basic";
import { Ask, toast } from "../ui/dialog";
import { PeopleTable } from "../ui/people";
import { Exposure, HistoryList, Needs, TaskList } from "../ui/shared";
import { Funnel } from "./overview";

const kSeverityTone = { "very high": "critical", high: "high", medium: "medium", low: "low" } as const;
export function Severity({ value }: { value: string | null | undefined }): JSX.Element {
  const key = (value ?? "").replace(/_/g, " ") as keyof typeof kSeverityTone;
  return <Badge testid="severity" word={{ label: value ? `Severity: ${key}` : "Severity not yet known", more: "How bad this can be for the people concerned, by the method of ENISA, the European agency for cybersecurity. One input beside the legal test.", tone: kSeverityTone[key] ?? "plain" }} />;
}

function nextDuty(incident: { duties?: Duty[] }): Duty | undefined {
  return (incident.duties ?? []).filter((duty) => (duty.state === "running" || duty.state === "late") && duty.due).sort((a, b) => a.due!.localeCompare(b.due!))[0];
}

export function IncidentsPage(): JSX.Element {
  const list = useData<List<IncidentRow>>("/v1/incidents?limit=200", ["incident", "task"]);
  const [show, setShow] = useState("open");
  return (
    <Page title="Incidents" actions={<Field label="Show">{(attributes) => <Choice {...attributes} value={show} onChange={setShow} options={[["open", "Open incidents"], ["all", "All incidents"]]} />}</Field>}>
      <Shown of={list} what="the incidents">
        {(data) => {
          const items = data.items.filter(({ state }) => show === "all" || (state !== "closed" && state !== "dismissed"));
          if (!items.length) return <section class="card"><Empty title={show === "open" ? "No open incidents" : "No incidents yet"}>An incident begins when someone decides, on an alert, that people’s data may have been breached.</Empty></section>;
          return (
            <section class="card flush"><ul class="list" data-testid="incidents">{items.map((incident) => {
              const due = incident.next_due ?? nextDuty(incident)?.due ?? null;
              return (
                <li key={incident.id}><a class="item" href={`#/incidents/${encodeURIComponent(incident.id)}`} data-testid="incident" data-id={incident.id}>
                  <span class="stack tight">
                    <span class="small quiet">{incident.number}</span>
                    <span class="item-title">{incident.title}</span>
                    <span class="item-meta">{incident.people && <span class="strong">{howMany(incident.people)}</span>}<span>opened <When time={incident.opened} /></span>{(incident.late_duties ?? 0) > 0 && <span class="error-text">{count(incident.late_duties!, "duty late", "duties late")}</span>}{(incident.late_tasks ?? 0) > 0 && <span class="error-text">{count(incident.late_tasks!, "task late", "tasks late")}</span>}</span>
                  </span>
                  <span class="item-side"><span class="row"><State of={kIncidentStates} value={incident.state} />{incident.severity && <Severity value={incident.severity} />}</span>{due && incident.state !== "closed" && incident.state !== "dismissed" && <Clock due={due} start={incident.aware_at} />}</span>
                </a></li>
              );
            })}</ul></section>
          );
        }}
      </Shown>
    </Page>
  );
}

const kNextStep: Record<IncidentState, { to: IncidentState; action: string; reason: string; more: string } | null> = {
  suspected: { to: "confirmed", action: "Confirm the breach", reason: "What makes you reasonably sure?", more: "The legal clocks start now. Under the GDPR the authority must usually be told within 72 hours." },
  confirmed: { to: "contained", action: "Mark as contained", reason: "What was done so that no more data flows?", more: "Contained means: the hole is closed for now." },
  contained: { to: "recovered", action: "Mark as recovered", reason: "What shows that all works normally again?", more: "Recovered means: systems and work are back to normal." },
  recovered: { to: "closed", action: "Close the incident", reason: "What is the outcome, in one or two sentences?", more: "Close when every duty is done or does not apply, and every task is done or dropped. The report stays available." },
  closed: null,
  dismissed: null,
};

export function IncidentPage({ id }: { id: string }): JSX.Element {
  const { query: search } = useRoute();
  const base = `/v1/incidents/${encodeURIComponent(id)}`;
  const loaded = useData<Incident>(base, ["incident", "task", "notice"]);
  const logins = useLogins();
  const [moving, setMoving] = useState(false);
  const [dismissing, setDismissing] = useState(false);
  const [reopening, setReopening] = useState(false);
  const [anyway, setAnyway] = useState(false);
  const [aware, setAware] = useState("");
  const [editing, setEditing] = useState(false);
  const [addingTask, setAddingTask] = useState(false);
  const tab = search.get("tab") ?? "summary";
  const incident = loaded.data;
  const step = incident ? kNextStep[incident.state] : null;
  const undone = incident ? {
    duties: incident.duties.filter(({ state }) => state === "running" || state === "late" || state === "unknown").length,
    tasks: incident.tasks.filter(({ state }) => state === "open" || state === "doing").length,
  } : { duties: 0, tasks: 0 };
  return (
    <Page title={incident?.title ?? "Incident"} crumbs={[["#/incidents", "Incidents"]]}
      badge={incident && <><State of={kIncidentStates} value={incident.state} testid="incident-state" /><Severity value={incident.severity} /></>}
      actions={incident && (
        <>
          <a class="button" href={`${base}/report.html`} target="_blank" rel="noopener" data-testid="report-html">Report (to print)</a>
          <a class="button" href={`${base}/report`} download={`${incident.number}.json`} data-testid="report-json">Report (JSON)</a>
          <Needs roles={incident.state === "recovered" ? ["manager"] : ["analyst", "manager"]} what={step ? "take the next step" : "reopen it"} quiet={!step}>
          {incident.state === "suspected" && <button type="button" class="button" data-testid="dismiss" onClick={() => setDismissing(true)}>Not a breach…</button>}
          {step && <button type="button" class="button primary" data-testid="next-state" onClick={() => {
            setAnyway(false);
            setAware("");
            setMoving(true);
          }}>{step.action}…</button>}
          {!step && <button type="button" class="button" data-testid="reopen" onClick={() => setReopening(true)}>Open again…</button>}
          </Needs>
        </>
      )}>
      <Shown of={loaded} what="the incident">
        {(data) => (
          <>
            {data.state === "dismissed" && <div class="note"><p><strong>Not a breach.</strong> It was looked into and found not to be a breach of personal data. The history says why.</p></div>}
            <ol class="steps" aria-label="Where the incident stands">{kIncidentOrder.map((state, index) => {
              const at = kIncidentOrder.indexOf(data.state);
              return <li key={state} class={index < at ? "past" : index === at ? "now" : ""} aria-current={index === at ? "step" : undefined}>{kIncidentStates[state].label}</li>;
            })}</ol>
            <Tabs label="Parts of the incident" active={tab} onChange={(key) => setQuery("tab", key === "summary" ? "" : key)} tabs={[
              { key: "summary", label: "Summary" },
              { key: "duties", label: "Duties", n: data.duties.filter(({ state }) => state === "running" || state === "late" || state === "done").length },
              { key: "people", label: "People" },
              { key: "notices", label: "Notices", n: data.notices.length },
              { key: "tasks", label: "Tasks", n: data.tasks.length },
              { key: "history", label: "History", n: data.history.length },
            ]} />
            <TabPanel active={tab}>
              {tab === "summary" && <Summary incident={data} onEdit={() => setEditing(true)} />}
              {tab === "duties" && <Duties incident={data} onChanged={loaded.reload} />}
              {tab === "people" && <PeopleTable base={base} about={{ incident: id }} />}
              {tab === "notices" && <Notices incident={data} onChanged={loaded.reload} />}
              {tab === "tasks" && (
                <section class="card flush">
                  <div class="card-head"><h2>Tasks of this incident</h2><Needs roles={["manager"]} what="add tasks"><button type="button" class="button small" data-testid="task-add" onClick={() => setAddingTask(true)}>Add a task…</button></Needs></div>
                  <TaskList tasks={data.tasks} logins={logins} onChanged={loaded.reload} />
                </section>
              )}
              {tab === "history" && <section class="card"><h2>Every change, newest first</h2><HistoryList items={data.history} /></section>}
            </TabPanel>
          </>
        )}
      </Shown>
      {moving && incident && step && (
        <Ask title={step.action} action={step.action} reason={step.reason} testid="state-dialog" onClose={() => setMoving(false)} onDo={async (reason) => {
          await api.post(`${base}/state`, { state: step.to, reason, ...(anyway && step.to === "closed" && { override: true }), ...(step.to === "confirmed" && aware && { aware_at: fromInput(aware) }) });
          toast(`The incident is ${kIncidentStates[step.to].label.toLowerCase()}.`);
          loaded.reload();
        }}>
          <p>{step.more}</p>
          {step.to === "closed" && (undone.duties > 0 || undone.tasks > 0) && <div class="note medium"><p><strong>Not all is done:</strong> {[undone.duties && count(undone.duties, "duty", "duties"), undone.tasks && count(undone.tasks, "task", "tasks")].filter(Boolean).join(" and ")} still open.</p><label class="check"><input type="checkbox" checked={anyway} data-testid="close-anyway" onChange={(event) => setAnyway(event.currentTarget.checked)} /><span>Close it all the same; the reason below says why.</span></label></div>}
          {step.to === "confirmed" && <Field label="Since when have you been sure?" hint="Leave empty for now. The law counts from the moment you were reasonably sure, even if you note it later.">{(attributes) => <input class="input" type="datetime-local" {...attributes} value={aware} onInput={(event) => setAware(event.currentTarget.value)} />}</Field>}
        </Ask>
      )}
      {reopening && incident && <Ask title="Open the incident again" action="Open again" reason="Why does it need another look?" onClose={() => setReopening(false)} onDo={async (reason) => {
        await api.post(`${base}/state`, { state: incident.state === "dismissed" ? "suspected" : "confirmed", reason });
        toast("The incident is open again.");
        loaded.reload();
      }} />}
      {dismissing && incident && <Ask title="Not a breach" action="Record that it is not a breach" reason="What shows that no personal data was breached?" testid="dismiss-dialog" onClose={() => setDismissing(false)} onDo={async (reason) => {
        await api.post(`${base}/state`, { state: "dismissed", reason });
        toast("Recorded: not a breach.");
        loaded.reload();
      }}><p>It leaves the list of open incidents. It can be opened again.</p></Ask>}
      {editing && incident && <EditDialog incident={incident} onClose={() => setEditing(false)} onDone={loaded.reload} />}
      {addingTask && incident && <AddTask incident={incident} logins={logins} onClose={() => setAddingTask(false)} onDone={loaded.reload} />}
    </Page>
  );
}

// ------------------------------------------------------------------ summary
function Summary({ incident, onEdit }: { incident: Incident; onEdit: () => void }): JSX.Element {
  const next = nextDuty(incident);
  const alerts = incident.alerts.filter((alert): alert is Alert => typeof alert === "object" && alert !== null);
  const told = incident.notice_counts ?? incident.notices.reduce((sum, { progress }) => ({
    told: sum.told + (progress?.sent ?? 0), reached: sum.reached + (progress?.sent ?? 0), acknowledged: sum.acknowledged + (progress?.acknowledged ?? 0), failed: sum.failed + (progress?.failed ?? 0),
  }), { told: 0, reached: 0, acknowledged: 0, failed: 0 });
  return (
    <div class="grid-2">
      <div class="stack">
        <section class="card">
          <div class="card-head"><h2>Summary</h2><Needs quiet roles={["analyst", "manager"]} what="change this"><button type="button" class="button small" data-testid="edit-incident" onClick={onEdit}>Change…</button></Needs></div>
          {incident.summary ? <p class="pre-line">{incident.summary}</p> : <p class="quiet">No summary yet. Write in a sentence or two what this is about.</p>}
          <dl class="facts">
            <dt>Number</dt><dd>{incident.number}</dd>
            <dt>Opened</dt><dd><When time={incident.opened} /></dd>
            <dt>Aware since <Explain about="aware since">The moment you were reasonably sure that personal data was breached. Most legal clocks start there.</Explain></dt><dd>{incident.aware_at ? <When time={incident.aware_at} /> : "not yet confirmed"}</dd>
            {incident.closed && <><dt>Closed</dt><dd><When time={incident.closed} /></dd></>}
            {incident.severity_reason && <><dt>Why this severity</dt><dd>{readable(incident.severity_reason)}</dd></>}
          </dl>
        </section>
        <Facts incident={incident} onEdit={onEdit} />
        {alerts.length > 0 && (
          <section class="card"><h2>Alerts in this incident</h2><ul class="plain stack tight">{alerts.map((alert) => (
            <li key={alert.id} class="row spread"><a href={`#/alerts/${encodeURIComponent(alert.id)}`}>{alert.title}</a><span class="row"><State of={kLevels} value={alert.level} /><State of={kAlertStates} value={alert.state} /></span></li>
          ))}</ul></section>
        )}
      </div>
      <aside class="stack" aria-label="Where it stands">
        <section class="card"><h2>Next legal deadline</h2>{next ? <><Clock big due={next.due} start={incident.aware_at} /><p><strong>{next.title}</strong><br /><span class="quiet">{next.citation}</span></p><a href={`#/incidents/${encodeURIComponent(incident.id)}?tab=duties`}>All duties</a></> : <p class="quiet">{incident.state === "suspected" ? "The clocks start when the breach is confirmed." : "No legal clock is running."}</p>}</section>
        <section class="card"><h2>People concerned</h2><Exposure of={incident.people} long /><a href={`#/incidents/${encodeURIComponent(incident.id)}?tab=people`}>Show the people</a></section>
        <section class="card"><h2>People told</h2><Funnel of={told} /></section>
      </aside>
    </div>
  );
}

const kFactNames: Record<string, string> = {
  people: "People", countries: "Where they live", countries_complete: "Every country is known", data: "Kinds of data", data_complete: "Every kind is known",
  credentials_open: "Credentials that open", "scope.actors": "Who did it", "scope.datasets": "Which data", "times.aware": "Aware", "times.occurred": "Happened",
  "times.noticed": "Noticed", "times.confirmed_personal_data": "Confirmed", "times.individuals_notified": "People told", "times.previous_report_submitted": "Last report to the authority",
};
const factName = (key: string): string => kFactNames[key] ?? key.split(".").map(humanise).join(": ");
type Flat = [string, string][];
type Interval = { at_least?: number | null; at_most?: number | null };
const isInterval = (value: unknown): value is Interval => value !== null && typeof value === "object" && ("at_least" in value || "at_most" in value);
// Facts as rows of text; nested groups are joined with a point so that nothing is left out.
export function flatten(facts: Record<string, unknown>, prefix = ""): Flat {
  return Object.entries(facts ?? {}).flatMap(([key, value]): Flat => {
    const name = prefix ? `${prefix}.${key}` : key;
    if (Array.isArray(value)) return [[name, value.map((one) => (typeof one === "object" ? JSON.stringify(one) : prefix === "scope" ? String(one) : humanise(String(one)))).join(", ") || "none"]];
    if (isInterval(value)) return [[name, interval(value.at_least, value.at_most)]];
    if (value !== null && typeof value === "object" && Object.values(value).length > 1 && Object.values(value).every((one) => isInterval(one) || typeof one === "number")) {
      return [[name, Object.entries(value).map(([key_, one]) => `${key_} ${isInterval(one) ? interval(one.at_least, one.at_most) : number(one as number)}`).join(" · ")]];
    }
    if (value !== null && typeof value === "object") return flatten(value as Record<string, unknown>, name);
    return [[name, value === null || value === undefined || value === "" ? "unknown" : value === true ? "yes" : value === false ? "no" : String(value)]];
  });
}
const kTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

const answerOf = (value: unknown): string => (value === true ? "yes" : value === false ? "no" : value === null || value === undefined || value === "" ? "unknown" : String(value));
const kAnswers: Record<string, string> = { yes: "Yes", no: "No", unknown: "Not known yet" };
const kStory: [string, string, string][] = [
  ["what", "What happened", "For the people affected and the report: plain sentences, for someone who was not there."],
  ["cause", "Why it could happen", "The hole, not the person."],
  ["consequences", "What this can mean for people", ""],
  ["measures", "What has been done", "To end it, and so that it does not happen again. The notice needs this."],
];
const storyOf = (incident: Incident): Record<string, string> => {
  const story = incident.facts?.story;
  return story !== null && typeof story === "object" ? (story as Record<string, string>) : {};
};
// What the law asks, with the present answers; from the server's list or, failing that, from what the duties miss.
function questionsOf(incident: Incident): { fact: string; ask: string; help: string | null; answer: string }[] {
  if (incident.questions) return incident.questions.map((question) => ({ ...question, answer: answerOf(question.answer) }));
  const given = Object.entries(incident.facts ?? {}).filter(([, value]) => ["yes", "no", "unknown"].includes(answerOf(value)));
  const asked = [...new Set(incident.duties.flatMap(({ unknown_facts: facts }) => facts ?? []))].filter((fact) => !fact.includes(" ") && !given.some(([key]) => key === fact));
  return [...given, ...asked.map((fact) => [fact, "unknown"] as [string, unknown])].map(([fact, value]) => ({ fact, ask: humanise(fact), help: null, answer: answerOf(value) }));
}

function Facts({ incident, onEdit }: { incident: Incident; onEdit: () => void }): JSX.Element {
  const questions = questionsOf(incident);
  const answers = new Set(questions.map(({ fact }) => fact));
  const rest = flatten(Object.fromEntries(Object.entries(incident.facts ?? {}).filter(([key]) => key !== "story" && !answers.has(key))));
  const story = storyOf(incident);
  const known = questions.filter(({ answer }) => answer !== "unknown");
  const open = questions.filter(({ answer }) => answer === "unknown");
  return (
    <section class="card" data-testid="facts">
      <div class="card-head"><h2>Facts <Explain about="facts">The answers that the law’s questions turn on. “Not known” never means that nothing is asked: it means that you have to find out.</Explain></h2><Needs quiet roles={["analyst", "manager"]} what="change this"><button type="button" class="button small" data-testid="edit-facts" onClick={onEdit}>Answer…</button></Needs></div>
      {kStory.filter(([key]) => story[key]).map(([key, label]) => <div key={key}><h3>{label}</h3><p class="pre-line">{story[key]}</p></div>)}
      {rest.length > 0 && <dl class="facts">
        {rest.map(([key, value]) => <><dt key={key}>{factName(key)}</dt><dd>{kTime.test(value) ? <When time={value} /> : value}</dd></>)}
      </dl>}
      {known.length > 0 && <ul class="answers">{known.map(({ fact, ask, answer }) => <li key={fact}><span>{ask}</span><strong>{kAnswers[answer] ?? answer}</strong></li>)}</ul>}
      {open.length > 0 && <details open={open.length <= 4}><summary class="strong">{count(open.length, "question is", "questions are")} still open</summary><ul>{open.map(({ fact, ask }) => <li key={fact}>{ask}</li>)}</ul><p class="small quiet">Each answer may settle what the law asks of you.</p></details>}
    </section>
  );
}

function EditDialog({ incident, onClose, onDone }: { incident: Incident; onClose: () => void; onDone: () => void }): JSX.Element {
  const [title, setTitle] = useState(incident.title);
  const [summary, setSummary] = useState(incident.summary ?? "");
  const before = storyOf(incident);
  const [story, setStory] = useState<Record<string, string>>({});
  const [answers, setAnswers] = useState<Record<string, string>>({});
  const questions = questionsOf(incident);
  return (
    <Ask title="What is known" action="Save" wide testid="edit-dialog" reason="Why the change?" onClose={onClose} onDo={async (reason) => {
      const told = Object.fromEntries(Object.entries(story).filter(([key, value]) => value !== (before[key] ?? "")).map(([key, value]) => [key, value.trim() || null]));
      const facts = { ...answers, ...(Object.keys(told).length && { story: told }) };
      await api.patch(`/v1/incidents/${encodeURIComponent(incident.id)}`, {
        ...(title !== incident.title && { title }), ...(summary !== (incident.summary ?? "") && { summary }), ...(Object.keys(facts).length && { facts }), reason,
      });
      toast("Saved. The duties were worked out anew.");
      onDone();
    }}>
      <Field label="Title">{(attributes) => <input class="input" {...attributes} value={title} onInput={(event) => setTitle(event.currentTarget.value)} />}</Field>
      <Field label="Summary" hint="For colleagues, in a sentence or two.">{(attributes) => <textarea class="input" {...attributes} value={summary} data-testid="edit-summary" onInput={(event) => setSummary(event.currentTarget.value)} />}</Field>
      {kStory.map(([key, label, hint]) => <Field key={key} label={label} {...(hint && { hint })}>{(attributes) => <textarea class="input" {...attributes} value={story[key] ?? before[key] ?? ""} data-testid={`edit-${key}`} onInput={(event) => {
        const value = event.currentTarget.value;
        setStory((old) => ({ ...old, [key]: value }));
      }} />}</Field>)}
      {questions.length > 0 && <fieldset class="plain-set stack"><legend><h3>What the law asks</h3></legend>{questions.map(({ fact, ask, help, answer }) => (
        <Field key={fact} label={ask} {...(help && { hint: help })}>{(attributes) => <Choice {...attributes} data-testid={`fact-${fact}`} value={answers[fact] ?? answer} onChange={(to) => setAnswers((old) => ({ ...old, [fact]: to }))} options={Object.entries(kAnswers)} />}</Field>
      ))}</fieldset>}
    </Ask>
  );
}

// ------------------------------------------------------------------- duties
const kConfidence: Record<string, string> = { H: "well established", M: "read with care", L: "uncertain: ask counsel", high: "well established", medium: "read with care", low: "uncertain: ask counsel" };
const kTowards: Record<string, string> = { "supervisory authority": "the supervisory authority", authority: "the supervisory authority", "affected people": "the people affected", individuals: "the people affected", controller: "whoever the data is processed for", public: "the public", "own record": "your own records", record: "your own records", media: "the media" };

function Duties({ incident, onChanged }: { incident: Incident; onChanged: () => void }): JSX.Element {
  const [deed, setDeed] = useState<{ duty: Duty; state: "done" | "not_applicable" } | null>(null);
  const [reference, setReference] = useState("");
  const order = { late: 0, running: 1, unknown: 2, done: 3, not_applicable: 4 };
  const duties = [...incident.duties].sort((a, b) => order[a.state] - order[b.state] || (a.due ?? "9").localeCompare(b.due ?? "9"));
  const asked = duties.filter(({ state }) => state === "late" || state === "running");
  const unclear = duties.filter(({ state }) => state === "unknown");
  const done = duties.filter(({ state }) => state === "done");
  const spared = duties.filter(({ state }) => state === "not_applicable");
  if (!duties.length) return <section class="card"><Empty title="No duties yet">{incident.state === "suspected" ? "They are worked out when the breach is confirmed." : "No law in the rules asks anything, as far as the facts are known."}</Empty></section>;
  const missing = [...new Set(unclear.flatMap(({ unknown_facts: facts }) => facts ?? []))];
  const asks = new Map(questionsOf(incident).map(({ fact, ask }) => [fact, ask]));
  const card = (duty: Duty): JSX.Element => <DutyCard key={duty.id} duty={duty} start={incident.aware_at} asks={asks} onDeed={(state) => {
    setReference("");
    setDeed({ duty, state });
  }} />;
  return (
    <div class="stack">
      <p class="quiet">Worked out from the facts by Tocsin’s law rules. They help you not to miss a deadline; they do not replace legal advice.</p>
      {asked.map(card)}
      {unclear.length > 0 && (
        <details class="card" data-testid="unclear"><summary class="strong">{count(unclear.length, "more duty is", "more duties are")} not yet clear: act as if asked until you know</summary>
          {missing.length > 0 && <div class="note medium"><p>These answers would settle them: {missing.map((fact) => asks.get(fact) ?? humanise(fact)).join(" · ")}</p></div>}
          <div class="stack">{unclear.map(card)}</div>
        </details>
      )}
      {done.map(card)}
      {spared.length > 0 && (
        <details class="card"><summary class="strong">{count(spared.length, "rule of law does", "rules of law do")} not apply, and why</summary>
          <ul class="plain stack">{spared.map((duty) => <li key={duty.id} class="stack tight"><span><strong>{duty.law}: {duty.title}</strong> <span class="quiet small">{duty.citation}</span></span>{(duty.reason ?? duty.why) && <span class="quiet">{duty.reason ?? readable(duty.why ?? "")}{duty.done_by ? ` (${duty.done_by})` : ""}</span>}</li>)}</ul>
        </details>
      )}
      {deed && (
        <Ask title={deed.state === "done" ? `Done: ${deed.duty.title}` : `Does not apply: ${deed.duty.title}`} action={deed.state === "done" ? "Record as done" : "Record that it does not apply"} testid="duty-dialog"
          reason={deed.state === "done" ? "What was done, and how?" : "Why does it not apply?"} onClose={() => setDeed(null)} onDo={async (reason) => {
            await api.post(`/v1/incidents/${encodeURIComponent(incident.id)}/duties/${encodeURIComponent(deed.duty.id)}`, { state: deed.state, reason, ...(reference.trim() && { reference: reference.trim() }) });
            toast("Recorded.");
            onChanged();
          }}>
          {deed.state === "done" && <Field label="Reference" hint="The authority’s case number, for example, if there is one.">{(attributes) => <input class="input" {...attributes} value={reference} data-testid="duty-reference" onInput={(event) => setReference(event.currentTarget.value)} />}</Field>}
        </Ask>
      )}
    </div>
  );
}

function DutyCard({ duty, start, asks, onDeed }: { duty: Duty; start: string | null; asks: Map<string, string>; onDeed: (state: "done" | "not_applicable") => void }): JSX.Element {
  const open = duty.state === "running" || duty.state === "late" || duty.state === "unknown";
  return (
    <section class="card" data-testid="duty" data-id={duty.id} data-state={duty.state} aria-label={`${duty.law}: ${duty.title}`}>
      <div class="card-head">
        <div class="stack tight"><h2>{duty.title}</h2><span class="row quiet"><span data-testid="citation">{duty.citation}</span><span>towards {kTowards[duty.towards] ?? duty.towards}</span></span></div>
        <div class="row"><State of={kDutyStates} value={duty.state} testid="duty-state" /><Explain left about={kDutyStates[duty.state]?.label ?? duty.state}>{kDutyStates[duty.state]?.more}</Explain></div>
      </div>
      <div class="row spread">
        {open ? <Clock big due={duty.due} start={start} /> : <span>{duty.done_at && <>Done <When time={duty.done_at} />{duty.done_by ? ` by ${duty.done_by}` : ""}{duty.reference ? `, reference ${duty.reference}` : ""}{duty.done_late ? ", after its time" : ""}</>}</span>}
        {open && <div class="row"><Needs roles={["manager"]} what="record a duty"><button type="button" class="button" data-testid="duty-done" onClick={() => onDeed("done")}>Record as done…</button><button type="button" class="button link" onClick={() => onDeed("not_applicable")}>Does not apply…</button></Needs></div>}
      </div>
      {duty.soft && <p>In the law’s words: <q>{duty.soft}</q></p>}
      {duty.state === "done" && duty.reason ? <p>{duty.reason}</p> : duty.why && <p class="quiet">{readable(duty.why)}</p>}
      {duty.limit && duty.due && duty.limit !== duty.due && open && <p class="small quiet">Counted in the law’s own way, the last moment is <When time={duty.limit} />. Aim at the earlier time.</p>}
      {open && duty.unknown_facts?.length > 0 && <div class="note medium"><p><strong>To be sure, find out:</strong> {duty.unknown_facts.map((fact) => asks.get(fact) ?? humanise(fact)).join(" · ")}</p></div>}
      {duty.content?.length > 0 && <details><summary>What it has to contain ({duty.content.length})</summary><ul>{duty.content.map((item) => <li key={item}>{humanise(item)}</li>)}</ul></details>}
      {duty.confidence && <p class="small quiet">How sure we are of this rule: {kConfidence[duty.confidence] ?? duty.confidence}</p>}
    </section>
  );
}

// ------------------------------------------------------------------ notices
function Notices({ incident, onChanged }: { incident: Incident; onChanged: () => void }): JSX.Element {
  const [lang, setLang] = useState("en");
  const [audience, setAudience] = useState("all");
  const act = useAction();
  const listed = useData<List<NoticeRow>>(`/v1/notices?incident=${encodeURIComponent(incident.id)}`, ["notice"]);
  const notices = listed.data?.items ?? incident.notices;
  const draft = (): Promise<boolean> => act.run(async () => {
    const made = await api.post<{ id?: string; notice?: { id: string }; items?: { id: string }[] }>(`/v1/incidents/${encodeURIComponent(incident.id)}/notices`, { language: lang, audience });
    onChanged();
    const id = made.id ?? made.notice?.id ?? made.items?.[0]?.id;
    if (id) go(`/notices/${encodeURIComponent(id)}`);
  });
  return (
    <div class="stack">
      <section class="card">
        <h2>Write to the people affected</h2>
        <p>Tocsin drafts a text from the facts. You make it right, another person approves it word for word, and it goes out once to each person whose contact is known.</p>
        <Needs roles={["analyst", "manager"]} what="draft notices"><div class="row">
          <Field label="Language">{(attributes) => <Choice {...attributes} value={lang} onChange={setLang} data-testid="notice-language" options={["en", "de"].map((code) => [code, language(code)] as [string, string])} />}</Field>
          <Field label="For whom">{(attributes) => <Choice {...attributes} value={audience} onChange={setAudience} data-testid="notice-audience" options={[["all", "Everybody not yet told"], ["language", "Only those who speak this language"]]} />}</Field>
          <button type="button" class="button primary align-end" disabled={act.busy} data-testid="draft-notice" onClick={() => void draft()}>{act.busy ? "Drafting…" : "Draft a notice"}</button>
        </div></Needs>
        {act.error && <Failure error={act.error} />}
      </section>
      {listed.error && <Failure error={listed.error} retry={listed.reload} />}
      {notices.length > 0 && (
        <section class="card flush"><div class="card-head"><h2>Notices of this incident</h2></div><ul class="list" data-testid="notices">{notices.map((notice) => (
          <li key={notice.id}><a class="item" href={`#/notices/${encodeURIComponent(notice.id)}`} data-testid="notice" data-id={notice.id}>
            <span class="stack tight"><span class="item-title">{notice.subject || "No subject yet"}</span><span class="item-meta"><span>{language(notice.language)}</span><span>version {notice.version}</span>{notice.author && <span>written by {notice.author}</span>}{notice.approver && <span>approved by {notice.approver}</span>}</span></span>
            <span class="item-side"><State of={kNoticeStates} value={notice.state} />{notice.progress && notice.progress.sent > 0 && <span class="small quiet">{number(notice.progress.sent)} sent, {number(notice.progress.acknowledged)} acknowledged</span>}</span>
          </a></li>
        ))}</ul></section>
      )}
    </div>
  );
}

// -------------------------------------------------------------------- tasks
function AddTask({ incident, logins, onClose, onDone }: { incident: Incident; logins: string[]; onClose: () => void; onDone: () => void }): JSX.Element {
  const [title, setTitle] = useState("");
  const [detail, setDetail] = useState("");
  const [owner, setOwner] = useState("");
  const [due, setDue] = useState(toInput(new Date(Date.now() + 86_400_000).toISOString()));
  return (
    <Ask title="Add a task" action="Add" ready={title.trim() !== ""} testid="task-add-dialog" onClose={onClose} onDo={async () => {
      const time = fromInput(due);
      await api.post(`/v1/incidents/${encodeURIComponent(incident.id)}/tasks`, { title: title.trim(), ...(detail.trim() && { detail: detail.trim() }), ...(owner.trim() && { owner: owner.trim() }), ...(time && { due: time }) });
      toast("Task added.");
      onDone();
    }}>
      <Field label="What is to be done?">{(attributes) => <input class="input" {...attributes} value={title} data-testid="task-title" onInput={(event) => setTitle(event.currentTarget.value)} />}</Field>
      <Field label="Details">{(attributes) => <textarea class="input" {...attributes} value={detail} onInput={(event) => setDetail(event.currentTarget.value)} />}</Field>
      <Field label="Owner">{(attributes) => <><input class="input" {...attributes} list="owners" autocomplete="off" value={owner} data-testid="task-add-owner" onInput={(event) => setOwner(event.currentTarget.value)} /><datalist id="owners">{logins.map((login) => <option key={login} value={login} />)}</datalist></>}</Field>
      <Field label="Due">{(attributes) => <input class="input" type="datetime-local" {...attributes} value={due} onInput={(event) => setDue(event.currentTarget.value)} />}</Field>
    </Ask>
  );
}
