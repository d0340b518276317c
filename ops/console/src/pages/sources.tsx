// Where Tocsin listens, whether it still hears, and what it could not read.
import type { JSX } from "preact";
import { useData } from "../live";
import type { List, Reject, Source } from "../types";
import { count, number, humanise, type Word } from "../words";
import { span } from "../time";
import { Badge, Empty, LogText, Page, Shown, When } from "../ui/basic";

const kStates: Record<string, Word> = {
  starting: { label: "Starting", more: "It is being opened.", tone: "plain" },
  waiting: { label: "Waiting for the file", more: "There is no such file yet. Tocsin reads it as soon as it appears.", tone: "medium" },
  "held up": { label: "Held up", more: "Events come faster than they can be made safe on disk. Nothing is lost; reading goes on when there is room.", tone: "medium" },
  error: { label: "Stopped", more: "It cannot be read.", tone: "critical" },
  stopped: { label: "Stopped", more: "It is not being read.", tone: "medium" },
};
export function sourceWord(source: Source): Word {
  if (source.error) return { label: "Stopped", more: source.error, tone: "critical" };
  if (source.rejected > 0) return { label: "Hears, with gaps", more: "Some lines could not be read; they are kept for you to look at.", tone: "medium" };
  if (/^(ok|following|running|idle|done|healthy|listening|ready|active|eof)$/.test(source.state)) return { label: "Hears", more: humanise(source.state), tone: "calm" };
  const known = kStates[source.state];
  if (known) return known;
  return { label: humanise(source.state || "not known"), more: "", tone: "plain" };
}

export function SourcesPage(): JSX.Element {
  const loaded = useData<List<Source>>("/v1/sources", ["source"]);
  return (
    <Page title="Sources">
      <Shown of={loaded} what="the sources">
        {(data) => data.items.length ? (
          <section class="card flush"><ul class="list" data-testid="sources">{data.items.map((source) => (
            <li key={source.name}><a class="item" href={`#/sources/${encodeURIComponent(source.name)}`} data-testid="source">
              <span class="stack tight">
                <span class="item-title">{source.name}</span>
                <span class="item-meta"><span>{source.path ?? "sent to Tocsin over the network"}</span><span>format: {source.format ?? "not yet recognised"}</span></span>
                {source.error && <span class="error-text">{source.error}</span>}
                <span class="item-meta"><span>{count(source.accepted, "event", "events")} taken in</span><span>{number(source.decoded)} understood</span>{source.rejected > 0 && <span class="strong">{number(source.rejected)} not readable</span>}{source.duplicates > 0 && <span>{number(source.duplicates)} seen before</span>}</span>
              </span>
              <span class="item-side"><Badge word={sourceWord(source)} /><span class="small quiet">last heard <When time={source.last_arrival} relative /></span></span>
            </a></li>
          ))}</ul></section>
        ) : <section class="card"><Empty title="No source is set up">Name a log file under <code>sources</code> in the configuration, or send events to <code>POST /v1/events</code> with a shipper’s token.</Empty></section>}
      </Shown>
    </Page>
  );
}

export function SourcePage({ name }: { name: string }): JSX.Element {
  const loaded = useData<List<Source>>("/v1/sources", ["source"]);
  const rejects = useData<List<Reject>>(`/v1/sources/${encodeURIComponent(name)}/rejects`, ["source"]);
  const source = loaded.data?.items.find((item) => item.name === name);
  return (
    <Page title={name} crumbs={[["#/sources", "Sources"]]} badge={source && <Badge word={sourceWord(source)} />}>
      {source?.error && <div class="note critical"><strong>{source.error}</strong></div>}
      <Shown of={loaded} what="the source">
        {() => source ? (
          <section class="card">
            <dl class="figures"><div><dt>taken in</dt><dd>{number(source.accepted)}</dd></div><div><dt>understood</dt><dd>{number(source.decoded)}</dd></div><div><dt>not readable</dt><dd>{number(source.rejected)}</dd></div><div><dt>seen before</dt><dd>{number(source.duplicates)}</dd></div></dl>
            <dl class="facts"><dt>Where</dt><dd>{source.path ?? "sent to Tocsin over the network"}</dd><dt>Format</dt><dd>{source.format ?? "not yet recognised"}</dd><dt>Newest event</dt><dd><When time={source.last_event} /></dd><dt>Last heard</dt><dd><When time={source.last_arrival} relative /></dd><dt>Behind by</dt><dd>{source.lag_seconds === null || source.lag_seconds === undefined ? "not known" : span(source.lag_seconds * 1000)}</dd></dl>
          </section>
        ) : <Empty title="There is no such source" />}
      </Shown>
      <section class="stack" aria-label="Lines that could not be read">
        <h2>Lines that could not be read</h2>
        <Shown of={rejects} what="the lines">
          {(data) => data.items.length ? (
            <><p class="quiet">They are kept and counted; they stop nothing. If there are many, the format may be named wrongly in the configuration.</p>
              <ol class="evidence" data-testid="rejects">{data.items.map((reject, index) => <li key={index}><span class="where"><span>{reject.file ? `${reject.file.split("/").pop()}, line ${number(reject.line)}` : `line ${number(reject.line)}`}</span>{reject.time && <When time={reject.time} />}</span><span class="strong">{reject.error}</span><LogText text={reject.preview} /></li>)}</ol></>
          ) : <p class="quiet">None. Every line was understood.</p>}
        </Shown>
      </section>
    </Page>
  );
}
