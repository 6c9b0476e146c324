// The page: a token, a window and filters in, pictures out, and again whenever the server has news.
import { texts } from "./texts.js";
import { behind, bars, el, made, partName, regions, shown, t, trend } from "./pictures.js";
import * as server from "./server.js";

const $ = (id) => document.getElementById(id);
let following = new AbortController();
let latest = 0;
let lists = null;

// MARK: The address bar, which holds everything but the token

const dayAfter = (day, count) => new Date(Date.parse(day) + count * 86_400_000).toISOString().slice(0, 10);

function chosen() {
  const query = new URLSearchParams(location.search);
  const today = new Date().toLocaleDateString("sv-SE");
  const isDay = (text) => /^\d{4}-\d{2}-\d{2}$/.test(text ?? "") && !Number.isNaN(Date.parse(text));
  const to = isDay(query.get("to")) ? query.get("to") : dayAfter(today, 1);
  const from = isDay(query.get("from")) ? query.get("from") : dayAfter(to, -365);
  return { from, to, region: query.get("region") ?? "", activity: query.get("activity") ?? "", map: query.get("map") ?? "referent-coverage" };
}

function choose(changes) {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) value ? query.set(name, value) : query.delete(name);
  history.pushState(null, "", `${location.pathname}?${query}`);
}

function asked(more = {}, without = []) {
  const { from, to, region, activity } = chosen();
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ from, to, region, activity, ...more })) if (value && !without.includes(name)) query.set(name, value);
  return query;
}

// MARK: Language

function speak(language) {
  document.documentElement.lang = language;
  document.title = `viecoop · ${t("subtitle")}`;
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);
  $("filters").setAttribute("aria-label", t("filters"));
  for (const name of ["fr", "en"]) $(name).setAttribute("aria-pressed", String(name === language));
}

const spoken = () => {
  const wanted = new URLSearchParams(location.search).get("lang") ?? navigator.language.slice(0, 2);
  return texts[wanted] ? wanted : "fr";
};

// MARK: Asking and showing

const indicator = (name, by, signal) => server.json(`/v1/indicators/${name}?${asked({ group_by: by })}`, signal);
const csv = (name, by) => () => server.download(`/v1/indicators/${name}?${asked({ group_by: by })}`, `${name}.csv`).catch(fail);
const titled = (item) => item.title[document.documentElement.lang];
const partRows = (item) => item.parts.map((part) => [partName(part.name), part]);

function tile(item, months) {
  const rows = [[titled(item), item], ...partRows(item), ...(months?.groups ?? []).map((group) => [group.title, group])];
  return el("article", { class: "card", "data-name": item.name, "data-value": item.value ?? "" },
    el("h3", {}, `${item.number}. ${titled(item)}`),
    el("p", { class: item.value === null ? "value none" : "value" }, shown(item)),
    el("p", { class: "made" }, [made(item), item.window === null ? t("today") : ""].filter((text) => text).join(", ")),
    months ? trend(titled(item), months.groups) : null,
    behind(titled(item), rows, csv(item.name, months ? "month" : "")));
}

function picture(id, caption, image, rows, onCSV) {
  $(id).replaceChildren(el("figure", { "aria-label": caption }, image, behind(caption, rows, onCSV)));
}

function fillChoices(items) {
  const options = (select, entries, value) => {
    $(select).replaceChildren(...entries.map(([key, text]) => el("option", { value: key }, text)));
    $(select).value = entries.some(([key]) => key === value) ? value : entries[0][0];
  };
  const { from, to, region, activity, map } = chosen();
  $("from").value = from;
  $("until").value = dayAfter(to, -1);
  options("region", [["", t("all")], ...lists.regions], region);
  options("activity", [["", t("all")], ...lists.activities], activity);
  options("map-choice", items.filter((item) => item.groupings.includes("region")).map((item) => [item.name, titled(item)]), map);
  const name = (entries, key, none) => entries.find(([own]) => own === key)?.[1] ?? none;
  const day = (text) => new Date(text).toLocaleDateString(document.documentElement.lang, { dateStyle: "long", timeZone: "UTC" });
  $("scope").textContent = t("scope")(day(from), day(dayAfter(to, -1)), name(lists.regions, region, t("everywhere")), name(lists.activities, activity, t("everything")));
}

function fail(error) {
  if (error.name === "AbortError") return;
  if (error.status === 401 || error.status === 403) {
    leave();
    $("refusal").textContent = error.status === 401 ? t("refused") : t("forbidden");
    return;
  }
  $("status").className = "bad";
  $("status").textContent = error.status ? t("bad")(error.message) : t("offline");
}

// An answer that comes after a newer question was asked is dropped.
async function refresh() {
  const own = ++latest;
  const { signal } = following;
  try {
    if (!$("tiles").hasChildNodes()) $("status").textContent = t("loading");
    lists ??= await readLists(signal);
    const { items } = await server.json(`/v1/indicators?${asked()}`, signal);
    const months = await Promise.all(items.map((item) => item.groupings.includes("month") ? indicator(item.name, "month", signal) : null));
    if (own !== latest) return;
    $("door").hidden = true;
    $("board").hidden = $("leave").hidden = false;
    fillChoices(items);
    const [map, modules] = await Promise.all([indicator($("map-choice").value, "region", signal), indicator("seat-fill", "module", signal)]);
    if (own !== latest) return;
    keepOpen($("tiles"), () => $("tiles").replaceChildren(...items.map((item, index) => tile(item, months[index]))));
    show(items, map, modules);
    $("status").className = "";
    $("status").textContent = t("fresh")(new Date().toLocaleTimeString(document.documentElement.lang));
  } catch (error) {
    if (own === latest) fail(error);
  }
}

function show(items, map, modules) {
  const named = (name) => items.find((item) => item.name === name);
  const groupRows = (item) => item.groups.map((group) => [group.title, group]);
  keepOpen($("map"), () => picture("map", titled(map), regions(map.groups), groupRows(map), csv(map.name, "region")));
  for (const [id, name] of [["appointments", "appointment-funnel"], ["pairings", "pairing-lead-time"]]) {
    const item = named(name);
    keepOpen($(id), () => picture(id, t(id), bars(partRows(item).map(([text, part]) => [text, part, part.value]), 1), partRows(item), csv(name, "")));
  }
  keepOpen($("modules"), () => picture("modules", t("modules"), bars(groupRows(modules).map(([text, group]) => [text, group, group.value]), 1), groupRows(modules), csv("seat-fill", "module")));
  const balance = named("idea-balance");
  const rows = balance.parts.map((part) => {
    const [theme, question] = part.name.split("/");
    return [`${lists.themes[theme] ?? theme} — ${lists.questions[question] ?? t("noQuestion")}`, part];
  });
  keepOpen($("ideas"), () => picture("ideas", t("ideas"), bars(rows.map(([text, part]) => [text, part, part.value]), Math.max(...rows.map(([, part]) => part.value), 1)), rows, csv("idea-balance", "")));
}

// News leave open what the reader has opened.
function keepOpen(place, draw) {
  const open = [...place.querySelectorAll("details")].map((details) => details.open);
  draw();
  place.querySelectorAll("details").forEach((details, index) => { details.open = open[index] ?? false; });
}

async function readLists(signal) {
  const list = async (name) => (await server.json(`/v1/${name}?limit=500`, signal)).items;
  const [activities, themes, questions, coverage] = await Promise.all([list("activities"), list("themes"), list("questions"), server.json("/v1/indicators/referent-coverage?group_by=region", signal)]);
  const bySlug = (items, text) => Object.fromEntries(items.map((item) => [item.slug, item[text]]));
  return {
    activities: activities.map((item) => [item.slug, item.title]), regions: coverage.groups.map((group) => [group.key, group.title]),
    themes: bySlug(themes, "title"), questions: bySlug(questions, "question"),
  };
}

// MARK: What people do

let pending;
function follow() {
  server.follow(() => {
    clearTimeout(pending);
    pending = setTimeout(refresh, 1000);
  }, following.signal);
}

function leave() {
  server.signOut();
  following.abort();
  following = new AbortController();
  lists = null;
  $("board").hidden = $("leave").hidden = true;
  $("door").hidden = false;
  $("tiles").replaceChildren();
  $("token").focus();
}

$("door").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("refusal").textContent = "";
  server.signIn($("token").value);
  $("token").value = "";
  await refresh();
  if ($("board").hidden) return;
  $("content").focus();
  follow();
});
$("leave").addEventListener("click", leave);
$("filters").addEventListener("submit", (event) => {
  event.preventDefault();
  choose({ from: $("from").value, to: dayAfter($("until").value, 1), region: $("region").value, activity: $("activity").value });
  refresh();
});
$("map-choice").addEventListener("change", () => {
  choose({ map: $("map-choice").value });
  refresh();
});
for (const name of ["fr", "en"]) {
  $(name).addEventListener("click", () => {
    choose({ lang: name });
    speak(name);
    if (!$("board").hidden) refresh();
  });
}
addEventListener("popstate", () => {
  speak(spoken());
  if (!$("board").hidden) refresh();
});
addEventListener("beforeprint", () => document.querySelectorAll("figure details").forEach((details) => { details.open = true; }));
speak(spoken());
