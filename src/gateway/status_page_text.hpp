#pragma once
// The text of the page. Included by status_page.cpp only. Style and script are apart because their hashes stand in the
// Content-Security-Policy; everything that comes from outside is written with textContent.

#include <array>
#include <string_view>

namespace etage::gateway {

inline constexpr std::string_view page_style = R"css(
:root { color-scheme: light dark; --ink: #1c2330; --soft: #667085; --line: #e4e7ec; --ground: #f6f7f9; --card: #fff; --hit: #12805c; --fwd: #c2590c; --bad: #b42318; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #98a2b3; --line: #2a3140; --ground: #11151c; --card: #181e28; --hit: #3fbf92; --fwd: #e8935a; --bad: #f97066; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
header { display: flex; align-items: baseline; gap: .75rem; margin-bottom: 1.5rem; }
h1 { font-size: 1.5rem; letter-spacing: -.02em; margin: 0; }
h2 { font-size: .8rem; font-weight: 600; letter-spacing: .06em; text-transform: uppercase; color: var(--soft); margin: 2rem 0 .6rem; }
.state { border-radius: 1rem; padding: 0 .6rem; font-size: .8rem; color: #fff; background: var(--soft); }
.state.ready { background: var(--hit); } .state.degraded { background: var(--fwd); } .state.away { background: var(--bad); }
#since { margin-left: auto; color: var(--soft); font-size: .85rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(11.5rem, 1fr)); gap: .9rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .7rem; padding: .9rem 1rem; }
.card b { display: block; font-size: 1.75rem; line-height: 1.2; font-weight: 600; font-variant-numeric: tabular-nums; letter-spacing: -.02em; }
.card span { color: var(--soft); font-size: .85rem; }
meter { width: 100%; height: .6rem; margin-top: .4rem; }
svg { display: block; width: 100%; height: 7rem; background: var(--card); border: 1px solid var(--line); border-radius: .7rem; }
polyline { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.hit { stroke: var(--hit); color: var(--hit); } .fwd { stroke: var(--fwd); color: var(--fwd); }
.key { font-size: .8rem; color: var(--soft); margin: .3rem 0 0; } .key i { font-style: normal; font-weight: 600; }
.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .7rem; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
td, th { text-align: left; padding: .45rem 1rem; border-top: 1px solid var(--line); vertical-align: top; }
tr:first-child td, tr:first-child th { border-top: 0; }
th { font-weight: 500; color: var(--soft); } td.n { text-align: right; font-variant-numeric: tabular-nums; }
code { font: .85rem ui-monospace, monospace; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 1.5rem; }
form { margin: 1rem 0; } input, button { font: inherit; padding: .35rem .6rem; }
[hidden] { display: none; }
)css";

inline constexpr std::string_view page_script = R"js(
"use strict";
const $ = id => document.getElementById(id);
const number = n => n.toLocaleString("en");
const bytes = n => { for (const u of ["B", "KiB", "MiB", "GiB"]) { if (n < 1024 || u === "GiB") return (u === "B" ? n : n.toFixed(1)) + " " + u; n /= 1024; } };
const time = s => s < 120 ? s + " s" : s < 7200 ? Math.floor(s / 60) + " min" : s < 172800 ? Math.floor(s / 3600) + " h" : Math.floor(s / 86400) + " d";
const points = 90, every = 2000;
const seen = [];

function rows(id, list) {
  const body = document.createElement("tbody");
  for (const cells of list) {
    const row = body.insertRow();
    for (const cell of cells) {
      const at = row.insertCell();
      if (typeof cell === "number") { at.className = "n"; at.textContent = number(cell); }
      else if (cell.code) at.appendChild(document.createElement("code")).textContent = cell.code;
      else at.textContent = cell;
    }
  }
  if (!list.length) body.insertRow().insertCell().textContent = "none yet";
  $(id).replaceChildren(body);
}

function draw() {
  const rates = { hits: [], forwarded: [] };
  for (let i = 1; i < seen.length; i++)
    for (const k in rates) rates[k].push(Math.max(0, (seen[i][k] - seen[i - 1][k]) / Math.max(.001, (seen[i].at - seen[i - 1].at) / 1000)));
  const top = Math.max(1, ...rates.hits, ...rates.forwarded);
  for (const k in rates)
    $("line-" + k).setAttribute("points", rates[k].map((r, i) => (points - rates[k].length + i) + "," + (48 - 44 * r / top)).join(" "));
  $("rate-hits").textContent = number(Math.round(rates.hits.at(-1) || 0));
  $("rate-forwarded").textContent = number(Math.round(rates.forwarded.at(-1) || 0));
}

function show(s) {
  const c = s.counters;
  const state = !s.ready ? "away" : s.degraded ? "degraded" : "ready";
  $("state").className = "state " + state;
  $("state").textContent = state === "away" ? "not serving" : s.degraded ? "degraded: " + s.degraded : "serving";
  $("since").textContent = "version " + s.version + " · up " + time(s.uptime_s);
  $("ratio").textContent = (100 * s.hit_ratio).toFixed(1) + " %";
  $("requests").textContent = number(c.requests);
  $("hits").textContent = number(c.hits);
  $("fetches").textContent = number(c.origin_fetches);
  $("collapsed").textContent = number(c.collapsed);
  $("memory").textContent = bytes(s.memory.bytes);
  $("limit").textContent = "of " + bytes(s.memory.limit_bytes) + ", " + number(s.memory.entries) + " responses";
  $("meter").value = s.memory.limit_bytes ? s.memory.bytes / s.memory.limit_bytes : 0;
  $("invalidations").textContent = number(c.invalidations);
  $("shared").hidden = !s.redis;
  if (s.redis) {
    $("redis").textContent = number(c.redis_hits);
    $("instances").textContent = s.redis.trouble ? "Redis is away" : "found in Redis; " + number(s.redis.instances) + " instance" + (s.redis.instances === 1 ? "" : "s");
  }
  $("limited").textContent = number(c.rate_limited);
  rows("routes", s.routes.map(r => [{ code: r.match }, r.does]));
  rows("origins", s.origins.map(o => [o.name, o.calls, o.saved, o.cost_saved === undefined ? "" : "saved " + o.cost_saved.toFixed(2) + " " + (o.currency || ""),
    o.budget ? number(o.budget.remaining) + " of " + number(o.budget.calls) + " calls left" + (o.budget.refused ? ", " + number(o.budget.refused) + " refused" : "") : "",
    o.concurrency ? o.concurrency.in_flight + " of " + o.concurrency.limit + " at once" + (o.concurrency.shed ? ", " + number(o.concurrency.shed) + " shed" : "") : ""]));
  rows("forwards", Object.entries(s.forwards).sort((a, b) => b[1] - a[1]));
  rows("details", Object.entries(s.details).sort((a, b) => b[1] - a[1]));
  seen.push({ at: performance.now(), hits: c.hits, forwarded: c.forwarded });
  if (seen.length > points + 1) seen.shift();
  draw();
}

async function look() {
  const token = sessionStorage.getItem("etage-token");
  try {
    const answer = await fetch("/stats.json", { cache: "no-store", headers: token ? { Authorization: "Bearer " + token } : {} });
    $("door").hidden = answer.status !== 401;
    if (answer.ok) show(await answer.json());
  } catch {
    $("state").className = "state away";
    $("state").textContent = "no answer";
  }
  setTimeout(look, every);
}

$("door").addEventListener("submit", event => {
  event.preventDefault();
  sessionStorage.setItem("etage-token", $("token").value);
});
look();
)js";

namespace page_parts {

inline constexpr std::string_view top = R"html(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Etage</title>
<link rel="icon" href="data:,">
<style>)html";

inline constexpr std::string_view middle = R"html(</style>
</head>
<body>
<main>
<header><h1>Etage</h1><span id="state" class="state">…</span><span id="since"></span></header>
<form id="door" hidden><label>Admin token <input id="token" type="password" autocomplete="off"></label> <button>Look</button></form>
<section class="cards">
<div class="card"><b id="ratio">–</b><span>hit ratio</span></div>
<div class="card"><b id="requests">–</b><span>requests</span></div>
<div class="card"><b id="hits">–</b><span>answered from the shelf</span></div>
<div class="card"><b id="fetches">–</b><span>calls to origins</span></div>
<div class="card"><b id="collapsed">–</b><span>waited for another's fetch</span></div>
<div class="card"><b id="invalidations">–</b><span>invalidations</span></div>
<div class="card" id="shared" hidden><b id="redis">–</b><span id="instances"></span></div>
<div class="card"><b id="limited">–</b><span>refused by limits</span></div>
<div class="card"><b id="memory">–</b><span id="limit">memory</span><meter id="meter" min="0" max="1" high="0.95"></meter></div>
</section>
<h2>Per second</h2>
<svg viewBox="0 0 90 50" preserveAspectRatio="none" aria-hidden="true"><polyline id="line-hits" class="hit"/><polyline id="line-forwarded" class="fwd"/></svg>
<p class="key"><i class="hit" id="rate-hits">0</i> hits · <i class="fwd" id="rate-forwarded">0</i> forwarded</p>
<h2>Routes</h2>
<div class="wide"><table id="routes"></table></div>
<h2>Origins: calls, calls saved</h2>
<div class="wide"><table id="origins"></table></div>
<div class="two">
<div><h2>Why requests went forward</h2><div class="wide"><table id="forwards"></table></div></div>
<div><h2>Details</h2><div class="wide"><table id="details"></table></div></div>
</div>
</main>
<script>)html";

inline constexpr std::string_view bottom = "</script>\n</body>\n</html>\n";

template <const std::string_view&... parts>
struct Joined {
    static constexpr auto bytes = [] {
        std::array<char, (parts.size() + ...)> out{};
        std::size_t at = 0;
        const auto add = [&](std::string_view part) {
            for (const char c : part) out[at++] = c;
        };
        (add(parts), ...);
        return out;
    }();
};

}  // namespace page_parts

inline constexpr auto& page_bytes =
    page_parts::Joined<page_parts::top, page_style, page_parts::middle, page_script, page_parts::bottom>::bytes;
inline constexpr std::string_view page_text{page_bytes.data(), page_bytes.size()};

}  // namespace etage::gateway
