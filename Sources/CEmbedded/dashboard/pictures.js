// Pictures made of the figures, each with the same numbers as text.
import { texts } from "./texts.js";

export const language = () => document.documentElement.lang;
export const t = (name) => texts[language()][name];

export function el(tag, attributes = {}, ...children) {
  const svg = ["svg", "path", "rect", "line"].includes(tag);
  const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

const number = (value, options = {}) => new Intl.NumberFormat(language(), options).format(value);

export function shown(figure) {
  if (figure.masked) return t("masked");
  if (figure.value === null) return t("none");
  if (figure.unit === "ratio") return number(figure.value, { style: "percent", maximumFractionDigits: 1 });
  const text = number(figure.value, { maximumFractionDigits: 1 });
  return figure.unit === "count" ? text : `${text} ${t(figure.unit)}`;
}

export function made(figure) {
  if (figure.denominator === null) return "";
  if (figure.numerator !== null) return t("of")(number(figure.numerator), number(figure.denominator));
  return figure.unit === "ratio" ? "" : t("cases")(number(figure.denominator));
}

export const partName = (name) => t("parts")[name] ?? name;

export function table(caption, rows) {
  const cell = (value) => el("td", { class: "number" }, value === null ? "–" : number(value));
  return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, el("table", {},
    el("caption", {}, caption),
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("key")),
      ...["numerator", "denominator", "value"].map((name) => el("th", { scope: "col", class: "number" }, t(name))))),
    el("tbody", {}, ...rows.map(([name, figure]) => el("tr", {}, el("th", { scope: "row" }, name), cell(figure.numerator), cell(figure.denominator),
      el("td", { class: "number", "data-value": figure.value ?? "" }, shown(figure)))))));
}

// The table behind a picture, and its CSV.
export const behind = (caption, rows, onCSV) => el("details", {}, el("summary", {}, t("table")),
  el("button", { type: "button", class: "csv", onclick: onCSV, "aria-label": `${t("csv")}, ${caption}` }, t("csv")), table(caption, rows));

export function trend(title, groups) {
  const values = groups.map((group) => group.value);
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return el("p", { class: "made" }, t("noTrend"));
  const [low, high] = [Math.min(0, ...known), Math.max(...known)];
  const at = (value, index) => `${(index * 100) / Math.max(1, values.length - 1)} ${28 - ((value - low) * 26) / (high - low || 1)}`;
  // A month without a value is a gap.
  const path = values.map((value, index) => value === null ? "" : (index > 0 && values[index - 1] !== null ? "L" : "M") + at(value, index) + "h0").join("");
  const ends = groups.filter((group) => group.value !== null);
  const label = t("trend")(title, `${shown(ends[0])} (${ends[0].key})`, `${shown(ends.at(-1))} (${ends.at(-1).key})`);
  return el("svg", { class: "trend", viewBox: "0 0 100 30", preserveAspectRatio: "none", role: "img", "aria-label": label },
    el("line", { x1: 0, x2: 100, y1: 29, y2: 29 }), el("path", { d: path }));
}

// A row a part, each with a bar as long as its share of `whole`.
export function bars(rows, whole) {
  return el("ul", { class: "bars" }, ...rows.map(([name, figure, length]) => {
    const width = whole > 0 && length !== null ? Math.max(0, Math.min(100, (length * 100) / whole)) : 0;
    return el("li", { "data-value": figure.value ?? "" }, el("span", {}, name), el("b", {}, [shown(figure), made(figure)].filter((text) => text).join(" · ")),
      el("svg", { viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
        el("rect", { class: "track", width: 100, height: 8 }), el("rect", { class: "fill", width, height: 8 })));
  }));
}

export function regions(groups) {
  const values = groups.map((group) => group.value).filter((value) => value !== null);
  const most = Math.max(...values, 0);
  return el("ul", { class: "france" }, ...groups.map((group) => {
    const short = group.key.slice(3);
    const step = group.value === null ? "" : ` s${Math.min(4, Math.floor((group.value * 5) / (most || 1)))}`;
    const brief = group.masked ? "<10" : group.value === null ? "–" : shown({ ...group, unit: group.unit === "ratio" ? "ratio" : "count" });
    return el("li", { class: `r-${short}${step}`, "data-key": group.key, "data-value": group.value ?? "", title: `${group.title} : ${shown(group)}`, "aria-label": `${group.title} : ${shown(group)}` },
      el("span", { "aria-hidden": "true" }, short), el("b", { "aria-hidden": "true" }, brief));
  }));
}
