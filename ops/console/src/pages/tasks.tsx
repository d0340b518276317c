// Tasks over all incidents: mine, what is late, all.
import type { JSX } from "preact";
import { useData } from "../live";
import { setQuery, useRoute } from "../router";
import { useLogins } from "../session";
import type { List, Task } from "../types";
import { Page, Shown, TabPanel, Tabs } from "../ui/basic";
import { TaskList } from "../ui/shared";

export function TasksPage(): JSX.Element {
  const { query: search } = useRoute();
  const show = search.get("show") ?? "open";
  const logins = useLogins();
  const loaded = useData<List<Task>>(`/v1/tasks${show === "mine" ? "?mine=true" : show === "late" ? "?late=true" : ""}`, ["task", "incident"]);
  const order = (task: Task): string => `${task.state === "done" || task.state === "dropped" ? 1 : 0}${task.due ?? "9"}`;
  return (
    <Page title="Tasks">
      <Tabs label="Which tasks" active={show} onChange={(key) => setQuery("show", key === "open" ? "" : key)} tabs={[{ key: "open", label: "Open" }, { key: "mine", label: "Mine" }, { key: "late", label: "Late" }, { key: "all", label: "All" }]} />
      <TabPanel active={show}>
        <Shown of={loaded} what="the tasks">
          {(data) => {
            const tasks = data.items.filter((task) => show === "all" || show === "mine" || task.state === "open" || task.state === "doing").sort((a, b) => order(a).localeCompare(order(b)));
            return <section class="card flush"><TaskList tasks={tasks} showIncident logins={logins} onChanged={loaded.reload} /></section>;
          }}
        </Shown>
      </TabPanel>
    </Page>
  );
}
