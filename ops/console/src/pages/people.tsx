// The two questions about people: whose data did somebody reach, and who reached this person's data.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api, query } from "../api";
import { useData } from "../live";
import { setQuery, useRoute } from "../router";
import { fromInput } from "../time";
import type { ExposedRow, ExposureSummary, List } from "../types";
import { Accesses, Countries } from "../ui/people";
import { Exposure, Needs, Pager } from "../ui/shared";
import { count, kPersonGrades, number, reachedData } from "../words";
import { Empty, Failure, Field, Page, Shown, State, TabPanel, Tabs, When, useAction } from "../ui/basic";

const kPage = 50;
const kEvents = 5; // accesses shown of each

export function PeoplePage(): JSX.Element {
  const { query: search } = useRoute();
  const tab = search.get("tab") ?? "who-saw";
  return (
    <Page title="People">
      <Tabs label="Which question" active={tab} onChange={(key) => setQuery("tab", key === "who-saw" ? "" : key)} tabs={[{ key: "who-saw", label: "Who saw a person’s data?" }, { key: "exposed", label: "Whose data did someone reach?" }]} />
      <TabPanel active={tab}>{tab === "who-saw" ? <WhoSaw /> : <Exposed />}</TabPanel>
    </Page>
  );
}

interface Watchers extends List<ExposedRow> {
  people: { pseudonym: string; dataset: string }[];
}

function WhoSaw(): JSX.Element {
  const [subject, setSubject] = useState("");
  const [dataset, setDataset] = useState("");
  const [reason, setReason] = useState("");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [asked, setAsked] = useState<Record<string, unknown>>();
  const [answer, setAnswer] = useState<Watchers>();
  const [offset, setOffset] = useState(0);
  const act = useAction();
  const look = (question: Record<string, unknown>, at: number): void => void act.run(async () => {
    setAnswer(await api.post<Watchers>("/v1/who-saw", { ...question, offset: at, limit: kPage, events: kEvents }));
    setAsked(question);
    setOffset(at);
  });
  return (
    <>
      <form class="card" onSubmit={(event) => {
        event.preventDefault();
        const [since, until] = [fromInput(from), fromInput(to)];
        look({ subject: subject.trim(), ...(dataset.trim() && { dataset: dataset.trim() }), ...(since && { from: since }), ...(until && { to: until }), reason: reason.trim() }, 0);
      }}>
        <p class="quiet">For the question that every person may ask: who has looked at my data? The question is recorded in the ledger with your name and reason.</p>
        <div class="grid-even">
          <Field label="The person’s id" hint="As your own register has it, for example a patient number.">{(attributes) => <input class="input" {...attributes} required autocomplete="off" value={subject} data-testid="who-subject" onInput={(event) => setSubject(event.currentTarget.value)} />}</Field>
          <Field label="Dataset" hint="Leave empty to look everywhere.">{(attributes) => <input class="input" {...attributes} autocomplete="off" value={dataset} onInput={(event) => setDataset(event.currentTarget.value)} />}</Field>
          <Field label="From">{(attributes) => <input class="input" type="datetime-local" {...attributes} value={from} data-testid="who-from" onInput={(event) => setFrom(event.currentTarget.value)} />}</Field>
          <Field label="Until">{(attributes) => <input class="input" type="datetime-local" {...attributes} value={to} onInput={(event) => setTo(event.currentTarget.value)} />}</Field>
          <Field label="Reason">{(attributes) => <input class="input" {...attributes} required autocomplete="off" value={reason} data-testid="who-reason" onInput={(event) => setReason(event.currentTarget.value)} />}</Field>
        </div>
        {act.error && <Failure error={act.error} />}
        <div><Needs roles={["analyst", "manager"]} what="ask this"><button class="button primary" disabled={act.busy} data-testid="who-do">{act.busy ? "Looking…" : "Look up"}</button></Needs></div>
      </form>
      {answer && (answer.items.length ? <><Rows rows={answer.items} first="Who" /><Pager offset={offset} page={kPage} total={answer.total ?? answer.items.length} onChange={(at) => asked && look(asked, at)} /></>
        : <section class="card">{answer.people?.length === 0 ? <Empty title="Nobody by that id is known">Check the id and the dataset: neither a register nor the logs know this person.</Empty> : <Empty title="Nobody, as far as the logs say">The logs that Tocsin has read show no access to this person’s data in that time.</Empty>}</section>)}
    </>
  );
}

function Exposed(): JSX.Element {
  const { query: search } = useRoute();
  const [actor, setActor] = useState(search.get("actor") ?? "");
  const [dataset, setDataset] = useState(search.get("dataset") ?? "");
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const [asked, setAsked] = useState<Record<string, string | undefined> | null>(search.get("actor") ? { actor, dataset } : null);
  const [offset, setOffset] = useState(0);
  const loaded = useData<List<ExposedRow> & Partial<ExposureSummary> & { by_country?: { country: string; count: number }[] }>(asked && `/v1/exposed${query({ ...asked, offset: String(offset), limit: kPage, events: kEvents })}`);
  return (
    <>
      <form class="card" onSubmit={(event) => {
        event.preventDefault();
        setOffset(0);
        setAsked({ actor: actor.trim(), dataset: dataset.trim(), from: fromInput(from), to: fromInput(to) });
      }}>
        <p class="quiet">Everybody whose data an account or person reached. People are shown by pseudonym; reveal names on an alert or incident, where the reason belongs.</p>
        <div class="grid-even">
          <Field label="Who" hint="The account as the logs name it.">{(attributes) => <input class="input" {...attributes} required autocomplete="off" value={actor} data-testid="exposed-actor" onInput={(event) => setActor(event.currentTarget.value)} />}</Field>
          <Field label="Dataset" hint="Leave empty for all.">{(attributes) => <input class="input" {...attributes} autocomplete="off" value={dataset} onInput={(event) => setDataset(event.currentTarget.value)} />}</Field>
          <Field label="From">{(attributes) => <input class="input" type="datetime-local" {...attributes} value={from} onInput={(event) => setFrom(event.currentTarget.value)} />}</Field>
          <Field label="Until">{(attributes) => <input class="input" type="datetime-local" {...attributes} value={to} onInput={(event) => setTo(event.currentTarget.value)} />}</Field>
        </div>
        <div><button class="button primary" data-testid="exposed-do">Look up</button></div>
      </form>
      {asked && <Shown of={loaded} what="the people">{(data) => data.items.length ? <>{data.grade && <Exposure of={data as ExposureSummary} />}<Countries of={data.by_country} /><Rows rows={data.items} first="Person" /><Pager offset={offset} page={kPage} total={data.total ?? data.items.length} onChange={setOffset} /></> : <section class="card"><Empty title="Nobody, as far as the logs say">No access to people’s data by this account was found in that time.</Empty></section>}</Shown>}
    </>
  );
}

function Rows({ rows, first }: { rows: ExposedRow[]; first: string }): JSX.Element {
  return (
    <div class="stack">
      <p role="status" class="visually-hidden">{count(rows.length, "answer is", "answers are")} shown</p>
      <div class="table-wrap" role="region" aria-label="Answers" tabIndex={0}><table data-testid="exposed-rows">
        <thead><tr><th scope="col">{first}</th><th scope="col">How sure</th><th scope="col">Dataset</th><th scope="col">Data</th><th scope="col">First</th><th scope="col">Last</th><th scope="col">Evidence</th></tr></thead>
        <tbody>{rows.map((row, index) => {
          const who = first === "Who" ? row.actor ?? "not known" : row.subject ?? row.pseudonym ?? "not known";
          return <tr key={index}><td>{/^[0-9a-f]{32}$/.test(who) ? <code title={who}>{who.slice(0, 12)}…</code> : who}</td><td><State of={kPersonGrades} value={row.grade} /></td><td>{row.dataset ?? "not known"}</td><td>{row.fields?.length ? reachedData(row.fields) : "not known"}</td><td><When time={row.first} /></td><td><When time={row.last} /></td>
            <td>{row.accesses ? <Accesses list={row.accesses} /> : <span class="quiet">not kept</span>}{row.at_least !== undefined && row.at_most !== undefined && row.at_least !== row.at_most && <span class="small quiet">{row.at_least ? `surely ${number(row.at_least)} of them` : "perhaps none of them"}</span>}</td></tr>;
        })}</tbody>
      </table></div>
    </div>
  );
}
