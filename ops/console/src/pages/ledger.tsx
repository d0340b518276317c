// The record that cannot be rewritten: what it is, how large, and how anyone can check it.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useData } from "../live";
import type { Ledger, LedgerEntry, List } from "../types";
import { count, humanise, number } from "../words";
import { Badge, CopyButton, Empty, Explain, Page, Shown, When } from "../ui/basic";
import { Pager } from "../ui/shared";

const kPage = 25;
export function LedgerPage(): JSX.Element {
  const loaded = useData<Ledger>("/v1/ledger", ["overview", "incident", "alert", "notice"]);
  const size = loaded.data?.size ?? 0;
  const [offset, setOffset] = useState(0);
  const to = Math.max(0, size - offset);
  const from = Math.max(0, to - kPage);
  const entries = useData<List<LedgerEntry>>(size > 0 ? `/v1/ledger/entries?from=${from}&limit=${to - from}` : null);
  return (
    <Page title="Ledger" badge={loaded.data && <Badge testid="ledger-health" word={loaded.data.healthy ? { label: "Healthy", more: "Decisions are being recorded.", tone: "calm" } : { label: "Not being written", more: "Nothing is decided or sent until it can be written again.", tone: "critical" }} />}>
      <p>Every decision, every sending and every look at a name is written here, in order. Each entry is bound to all before it, so nothing can be changed or removed without it being seen. It holds no personal data.</p>
      <Shown of={loaded} what="the ledger">
        {(data) => (
          <>
            {!data.healthy && <div class="note critical"><strong>The ledger cannot be written.</strong><p>{data.trouble} Nothing is decided or sent until it can be written again. Check the disk, then run <code>tocsin ledger verify</code>.</p></div>}
            <div class="grid-2">
              <section class="card">
                <h2>Its present state</h2>
                <dl class="facts">
                  <dt>Entries</dt><dd data-testid="ledger-size">{number(data.size)}</dd>
                  <dt>Root <Explain about="the root">One number worked out from all entries. Two ledgers with the same root are the same, to the last letter.</Explain></dt><dd><code class="break">{data.root}</code></dd>
                  <dt>Name</dt><dd>{data.origin}</dd>
                  <dt>Public key</dt><dd class="row"><code class="break">{data.vkey}</code><CopyButton text={data.vkey} /></dd>
                </dl>
                <h3>Signed checkpoint</h3>
                {data.checkpoint ? <><pre class="block" data-testid="checkpoint">{data.checkpoint}</pre><div><CopyButton text={data.checkpoint} label="Copy the checkpoint" /></div></> : <p class="quiet">None yet: nothing has been recorded.</p>}
              </section>
              <aside class="card">
                <h2>How to check it</h2>
                <ol>
                  <li><p>On the server: <code>tocsin ledger verify</code> reads every entry and says where the first damage is, if any.</p></li>
                  <li><p>From anywhere: keep the checkpoint of today. Any later ledger must contain it unchanged. It is public at <a href="/ledger/checkpoint">/ledger/checkpoint</a>.</p></li>
                  <li><p>With other people’s tools: the format is the one of public transparency logs (tlog-tiles), so you need not trust ours.</p></li>
                </ol>
              </aside>
            </div>
          </>
        )}
      </Shown>
      {size > 0 && <section class="stack" aria-label="Entries"><h2>Entries, newest first</h2><Shown of={entries} what="the entries">{(data) => data.items.length ? (
        <>
          <div class="table-wrap" role="region" aria-label="Ledger entries" tabIndex={0}><table>
            <thead><tr><th scope="col" class="num">No.</th><th scope="col">What</th><th scope="col">When</th><th scope="col">By</th><th scope="col">Details</th></tr></thead>
            <tbody>{[...data.items].sort((a, b) => b.index - a.index).map((entry) => <tr key={entry.index}><td class="num">{number(entry.index)}</td><td>{humanise(entry.kind)}</td><td><When time={entry.time} /></td><td>{entry.by ?? "Tocsin"}</td><td class="small"><Fields of={pairs(entry.fields)} /></td></tr>)}</tbody>
          </table></div>
          <Pager offset={offset} page={kPage} total={size} onChange={setOffset} />
        </>
      ) : <Empty title="No entries" />}</Shown></section>}
    </Page>
  );
}

// What people read first; the fingerprints, which machines compare, behind one press.
function Fields({ of }: { of: [string, string][] }): JSX.Element {
  const hashes = of.filter(([, value]) => /^[0-9a-f]{32,}$/.test(value));
  const plain = of.filter(([, value]) => !/^[0-9a-f]{32,}$/.test(value));
  const row = ([key, value]: [string, string]): JSX.Element => <div key={key}><span class="quiet">{humanise(key)}:</span> <span class="break">{/^\d{4}-\d\d-\d\dT/.test(value) ? <When time={value} /> : value}</span></div>;
  return <>{plain.map(row)}{hashes.length > 0 && <details><summary>{count(hashes.length, "fingerprint", "fingerprints")}</summary>{hashes.map(row)}</details>}</>;
}

function pairs(fields: LedgerEntry["fields"]): [string, string][] {
  if (!fields) return [];
  return (Array.isArray(fields) ? fields : Object.entries(fields)).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]);
}
