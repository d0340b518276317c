// What Tocsin listens for, and what it has been told to keep quiet about for a while.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api } from "../api";
import { useData } from "../live";
import { fromInput, toInput } from "../time";
import type { List, Rule, RulesLoaded, Silence } from "../types";
import { humanise, kLevels, number } from "../words";
import { Empty, Field, Page, Shown, State, When } from "../ui/basic";
import { Ask, toast } from "../ui/dialog";
import { Needs } from "../ui/shared";

export function RulesPage(): JSX.Element {
  const loaded = useData<List<Rule>>("/v1/rules");
  const [text, setText] = useState("");
  const [asking, setAsking] = useState(false);
  return (
    <Page title="Rules" actions={<><Needs roles={["admin"]} what="load the rules again"><button type="button" class="button" data-testid="rules-reload" onClick={() => setAsking(true)}>Load again…</button></Needs><Field label="Search">{(attributes) => <input class="input" type="search" {...attributes} value={text} onInput={(event) => setText(event.currentTarget.value)} />}</Field></>}>
      <p class="quiet">What Tocsin rings for. Rules are files; to change one, change its file and load the rules again.</p>
      <Shown of={loaded} what="the rules">
        {(data) => {
          const rules = data.items.filter(({ title, id, pack }) => `${title} ${id} ${pack}`.toLowerCase().includes(text.toLowerCase()));
          return rules.length ? (
            <div class="table-wrap" role="region" aria-label="Rules" tabIndex={0}><table data-testid="rules">
              <thead><tr><th scope="col">Rule</th><th scope="col">Urgency</th><th scope="col">Kind</th><th scope="col">Pack</th><th scope="col" class="num">Matches</th></tr></thead>
              <tbody>{rules.map((rule) => <tr key={`${rule.pack} ${rule.id}`}><td><strong>{rule.title}</strong><br /><code class="small quiet">{rule.id}</code></td><td><State of={kLevels} value={rule.level} /></td><td>{humanise(rule.kind)}</td><td>{rule.pack}</td><td class="num">{rule.matches === null || rule.matches === undefined ? "not counted" : number(rule.matches)}</td></tr>)}</tbody>
            </table></div>
          ) : <section class="card"><Empty title={text ? "No rule fits" : "No rules are loaded"}>{text ? "Search for another word." : "Check the rules paths in the configuration."}</Empty></section>;
        }}
      </Shown>
      {asking && <Ask title="Load the rules again" action="Load" testid="rules-reload-dialog" onClose={() => setAsking(false)} onDo={async () => {
        const now = await api.post<RulesLoaded>("/v1/rules/reload", {});
        toast(`${number(now.rules)} rules and ${number(now.correlations)} correlations are in use${now.refused ? `; ${number(now.refused)} are left out` : ""}.`);
        loaded.reload();
      }}><p>All rule files are read again. Counting that goes on in rules which did not change is kept. If a rule that works today were refused, nothing changes and you are told why.</p></Ask>}
    </Page>
  );
}

export function SilencesPage(): JSX.Element {
  const loaded = useData<List<Silence>>("/v1/silences", ["alert"]);
  const [adding, setAdding] = useState(false);
  const [ending, setEnding] = useState<Silence | null>(null);
  const [what, setWhat] = useState({ rule: "", actor: "", dataset: "", until: toInput(new Date(Date.now() + 7 * 86_400_000).toISOString()) });
  const set = (key: keyof typeof what) => (event: { currentTarget: HTMLInputElement }): void => setWhat((old) => ({ ...old, [key]: event.currentTarget.value }));
  return (
    <Page title="Silences" actions={<Needs roles={["analyst", "manager"]} what="add silences"><button type="button" class="button primary" data-testid="silence-add" onClick={() => setAdding(true)}>Add a silence…</button></Needs>}>
      <p class="quiet">A silence keeps expected alerts out of the queue until a date. What it hides is still recorded.</p>
      <Shown of={loaded} what="the silences">
        {(data) => data.items.length ? (
          <section class="card flush"><ul class="list">{data.items.map((silence) => (
            <li key={silence.id}><div class="item"><span class="stack tight"><span class="item-title">{[silence.rule && `rule ${silence.rule}`, silence.actor && `by ${silence.actor}`, silence.dataset && `on ${silence.dataset}`].filter(Boolean).join(", ") || "everything"}</span><span>“{silence.reason}”</span>{silence.by && <span class="small quiet">set by {silence.by}</span>}</span><span class="item-side"><span>until <When time={silence.until} /></span><button type="button" class="button small" onClick={() => setEnding(silence)}>End now…</button></span></div></li>
          ))}</ul></section>
        ) : <section class="card"><Empty title="No silences">Everything that fires is shown.</Empty></section>}
      </Shown>
      {adding && (
        <Ask title="Add a silence" action="Add" reason="Why is this expected?" testid="silence-dialog" ready={(what.rule + what.actor + what.dataset).trim() !== "" && what.until !== ""} onClose={() => setAdding(false)} onDo={async (reason) => {
          await api.post("/v1/silences", { ...(what.rule.trim() && { rule: what.rule.trim() }), ...(what.actor.trim() && { actor: what.actor.trim() }), ...(what.dataset.trim() && { dataset: what.dataset.trim() }), until: fromInput(what.until), reason });
          toast("Silence added.");
          loaded.reload();
        }}>
          <p class="quiet">Fill in at least one. All that you fill in must fit.</p>
          <Field label="Rule" hint="The rule’s id, as the alert shows it.">{(attributes) => <input class="input" {...attributes} value={what.rule} onInput={set("rule")} />}</Field>
          <Field label="Who">{(attributes) => <input class="input" {...attributes} value={what.actor} data-testid="silence-actor" onInput={set("actor")} />}</Field>
          <Field label="Dataset">{(attributes) => <input class="input" {...attributes} value={what.dataset} onInput={set("dataset")} />}</Field>
          <Field label="Until">{(attributes) => <input class="input" type="datetime-local" {...attributes} value={what.until} onInput={set("until")} />}</Field>
        </Ask>
      )}
      {ending && <Ask title="End this silence now" action="End it" onClose={() => setEnding(null)} onDo={async () => {
        await api.delete(`/v1/silences/${encodeURIComponent(ending.id)}`);
        toast("The silence has ended.");
        loaded.reload();
      }}><p>From now on such alerts are shown again.</p></Ask>}
    </Page>
  );
}
